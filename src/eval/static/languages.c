#include "eval/static/languages.h"

#include <signal.h>
#include <string.h>

#include "agent/python_text.h"
#include "base/file.h"
#include "base/mem.h"

#define BUILT "built\n"
enum { SHOWN_MAX = 8 };

const Language *language_find(const char *key)
{
    for (const Language *l = languages; l->name; l++)
        if (strcmp(key, l->key ? l->key : l->name) == 0 || strcmp(key, l->name) == 0)
            return l;
    return NULL;
}

/* Those of l->shows that this host has; `words` keeps the text. */
static void shown(const char *paths[SHOWN_MAX + 1], char *words)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *w = words ? strtok_r(words, " ", &rest) : NULL; w && n < SHOWN_MAX;
         w = strtok_r(NULL, " ", &rest))
        if (path_exists(w))
            paths[n++] = w;
    paths[n] = NULL;
}

/* Machines of Java, Go's tools and Node start dozens of threads and hold much memory before a program begins.
 */
static SandboxLimits limits(double seconds)
{
    SandboxLimits l = sandbox_limits();
    l.memory_bytes = (int64_t)3 << 30;
    l.disk_bytes = (int64_t)1 << 30;
    l.file_bytes = (int64_t)256 << 20;
    l.output_bytes = 16 << 20;
    l.processes = 1024;
    l.wall_seconds = seconds;
    l.cpu_seconds = 4 * seconds;
    return l;
}

static Status run_shell(SandboxResult *r, const Language *l, const char *script, Span input, double seconds)
{
    char *words = l->shows ? mem_str(l->shows) : NULL;
    const char *paths[SHOWN_MAX + 1];
    shown(paths, words);
    SandboxSpec spec = {
        .argv = (const char *[]){"sh", "-c", script, NULL}, .read_only = paths, .limits = limits(seconds)};
    Status st = sandbox_run(r, &spec, &(SandboxInput){.at = input.at, .n = input.n});
    mem_free(words);
    return st;
}

Status language_probe(const Language *l)
{
    SandboxResult r;
    Str script = {0};
    str_addf(&script, "command -v %s >/dev/null || { echo no %s in /usr; exit 1; }\n%s", l->program,
             l->program, l->probe ? l->probe : "");
    Status st = run_shell(&r, l, str_c(&script), (Span){0}, 60);
    str_drop(&script);
    TRY(st);
    if (code_verdict_of(&r, CODE_WRONG) != CODE_RIGHT) {
        Str why = {0};
        code_tail(&why, &r);
        st = l->package ? fail(ST_UNSUPPORTED, "%s: %.200s (Debian: apt-get install %s)", l->title,
                               str_c(&why), l->package)
                        : fail(ST_UNSUPPORTED, "%s: %.200s (Debian 12 has no package; install it below /usr)",
                               l->title, str_c(&why));
        str_drop(&why);
    }
    sandbox_result_drop(&r);
    return st;
}

/* The marker tells a compiler's failure from the program's.  The program's own limit is coreutils' timeout,
 * since the sandbox's holds for both together. */
static void write_script(Str *out, const Language *l, double seconds)
{
    str_addf(out, "cat >%s || exit 1\n", l->file);
    if (l->compile)
        str_addf(out, "timeout -k 1 %d %s </dev/null >&2 || exit 1\n", LANGUAGE_COMPILE_SECONDS, l->compile);
    str_addf(out, "echo built\nexec timeout -k 1 %g %s </dev/null\n", seconds, l->run);
}

static bool says(const SandboxResult *r, const char *word)
{
    return word && (python_in(span(word), str_span(&r->out)) || python_in(span(word), str_span(&r->err)));
}

static CodeVerdict judge(const Language *l, const SandboxResult *r, bool built, double seconds)
{
    bool killed =
        (r->end == SANDBOX_EXITED && r->code == 124) || (r->end == SANDBOX_SIGNALLED && r->code == SIGKILL);
    if (!built)
        return CODE_NO_PROGRAM;
    if (r->wall_seconds >= seconds && killed)
        return CODE_TIME;
    bool aborted = r->end == SANDBOX_SIGNALLED && r->code == SIGABRT; /* C's assert */
    CodeVerdict v = aborted ? CODE_WRONG : code_verdict_of(r, CODE_WRONG);
    if (v == CODE_RIGHT && (says(r, l->bad_word) || (l->quiet && r->err.n)))
        v = CODE_WRONG;
    return v == CODE_WRONG && says(r, l->syntax) ? CODE_NO_PROGRAM : v;
}

Status language_run(CodeMark *out, const Language *l, Span program, double seconds)
{
    SandboxResult r;
    Str script = {0};
    write_script(&script, l, seconds);
    Status st =
        run_shell(&r, l, str_c(&script), program, seconds + 5 + (l->compile ? LANGUAGE_COMPILE_SECONDS : 0));
    str_drop(&script);
    TRY(st);
    bool built = span_starts(str_span(&r.out), BUILT);
    if (built) {
        memmove(r.out.at, r.out.at + strlen(BUILT), r.out.n - strlen(BUILT));
        r.out.n -= strlen(BUILT);
        r.out.at[r.out.n] = 0;
    }
    out->verdict = judge(l, &r, built, seconds);
    code_tail(&out->says, &r);
    sandbox_result_drop(&r);
    return ST_OK;
}
