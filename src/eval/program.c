/* Starts program_guard.py in a sandbox, gives it the program, and reads its last word. */
#include "eval/program.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "env/sandbox.h"

/* The program inside; the path is from the folder that make runs in. */
extern const char program_guard_text[];
__asm__(".section .rodata\n"
        "program_guard_text:\n.incbin \"src/eval/program_guard.py\"\n.byte 0\n"
        ".previous");

enum { NONCE = 32, SECONDS_MAX = 24 * 3600 };
static const double mint_seconds = 10, human_eval_seconds = 3;

const char *const program_end_names[PROGRAM_ENDS] = {"passed", "wrong", "raised", "timed out", "died"};

static SandboxLimits limits_for(const ProgramSpec *spec, double seconds)
{
    SandboxLimits l = sandbox_limits();
    l.memory_bytes = spec->memory_bytes ? spec->memory_bytes : (int64_t)2 << 30;
    l.processes = spec->processes ? spec->processes : l.processes;
    l.disk_bytes = 256 << 20;
    l.file_bytes = 128 << 20;
    l.output_bytes = 1 << 20;
    l.wall_seconds = seconds + 2; /* Python's own start, and the originals' second after the alarm */
    l.cpu_seconds = 16 * (l.wall_seconds + 1); /* the originals count none: wall time ends it first */
    return l;
}

static void make_nonce(char nonce[NONCE + 1])
{
    unsigned char bytes[NONCE / 2];
    check(getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

/* The word in front of a space, and after it the line; false: no word of ours. */
static bool read_word(ProgramVerdict *v, Span word)
{
    static const struct {
        const char *word;
        ProgramEnd end;
    } words[] = {{"passed", PROGRAM_PASSED},
                 {"late", PROGRAM_TIMED_OUT},
                 {"assertion ", PROGRAM_WRONG},
                 {"raised ", PROGRAM_RAISED}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].word);
        if (!span_starts(word, words[i].word))
            continue;
        v->end = words[i].end;
        str_add_valid(&v->said, word.at + n, word.n - n);
        return true;
    }
    return false;
}

/* The frame behind the nonce, where there is one. */
static bool read_verdict(ProgramVerdict *v, const SandboxResult *r, const char *nonce)
{
    const char *at = r->out.n ? memmem(r->out.at, r->out.n, nonce, NONCE) : NULL;
    if (!at)
        return false;
    at += NONCE;
    const char *end = memchr(at, '\n', (size_t)(r->out.at + r->out.n - at));
    return end && read_word(v, (Span){at, (size_t)(end - at)});
}

/* No verdict: the program ended its interpreter, or something ended both.  Where not even the guard began its
 * words are on stderr, which the guard closes before the program starts. */
static Status without_verdict(ProgramVerdict *v, const SandboxResult *r)
{
    if (r->err.n)
        return fail(ST_IO, "Python does not start: %.300s", str_c(&r->err));
    v->end = r->end == SANDBOX_WALL_TIME || r->end == SANDBOX_CPU_TIME ? PROGRAM_TIMED_OUT : PROGRAM_DIED;
    str_addf(&v->said, "%s", sandbox_end_name(r->end));
    if (r->end == SANDBOX_EXITED || r->end == SANDBOX_SIGNALLED)
        str_addf(&v->said, " %d", r->code);
    return ST_OK;
}

static Status run_text(ProgramVerdict *v, const ProgramSpec *spec, Span tests, double seconds)
{
    char nonce[NONCE + 1];
    Str in = {0};
    make_nonce(nonce);
    str_addf(&in, "%s %.3f %s\n", nonce, seconds, spec->whole ? "whole" : "guarded");
    str_add(&in, spec->text.at, spec->text.n);
    if (tests.at) {
        str_addc(&in, '\n');
        str_add(&in, tests.at, tests.n);
    }
    SandboxSpec inside = {
        .argv = (const char *[]){"python3", "-I", "-S", "-E", "-c", program_guard_text, NULL},
        .read_only = spec->read_only,
        .limits = limits_for(spec, seconds)};
    SandboxResult r;
    str_clear(&v->said);
    v->seconds = 0;
    Status st = sandbox_run(&r, &inside, &(SandboxInput){.at = in.at, .n = in.n});
    str_drop(&in);
    if (st != ST_OK)
        return fail_in(st, "running a program");
    v->seconds = r.wall_seconds;
    if (!read_verdict(v, &r, nonce))
        st = without_verdict(v, &r);
    sandbox_result_drop(&r);
    return st;
}

Status program_run(ProgramVerdict *v, const ProgramSpec *spec)
{
    double seconds = spec->seconds == 0 ? human_eval_seconds : spec->seconds;
    if (!(seconds > 0 && seconds <= SECONDS_MAX))
        return fail(ST_ARG, "a program cannot have %g seconds", seconds);
    return run_text(v, spec, (Span){NULL, 0}, seconds);
}

Status program_test(ProgramVerdict *v, Span solution, Span tests, double seconds)
{
    return run_text(v, &(ProgramSpec){.text = solution}, tests, seconds > 0 ? seconds : mint_seconds);
}

void program_verdict_drop(ProgramVerdict *v)
{
    str_drop(&v->said);
    *v = (ProgramVerdict){0};
}
