#include "env/bash.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

enum { FOLDER_MAX = 4096, MARK_MAX = 4 * FOLDER_MAX, PIECE = 16 << 10 };
static const double look = 0.05; /* between two questions whether the command is still wanted */
static const double grace = 1;   /* between SIGINT and the kill */

/* Both outputs go one way, in the order in which they are written; the way of stderr is kept for the folder
 * in which the command ends, between NUL bytes.  The command comes by stdin, since a word of a command line
 * is 128 kB at most. */
static const char prelude[] = "exec 199>&2 2>&1; "
                              "trap 'printf \"\\0%s\\0\" \"$PWD\" >&199' EXIT; "
                              "cd -- \"$1\" 2>/dev/null || cd " BASH_HOME "; "
                              "shift; "
                              "eval \"$(cat)\""; /* one line, as errors count lines */

struct Bash {
    BashSpec spec;
    char *folder;
};

SandboxLimits bash_limits(void)
{
    SandboxLimits l = sandbox_limits();
    l.cpu_seconds = 120;
    l.wall_seconds = 60;
    l.output_bytes = 64 << 20;
    return l;
}

void bash_open(Bash **out, const BashSpec *spec)
{
    Bash *b = mem_new(Bash);
    b->spec = *spec;
    if (b->spec.limits.memory_bytes == 0)
        b->spec.limits = bash_limits();
    if (b->spec.output_bytes == 0)
        b->spec.output_bytes = 16000;
    b->folder = mem_str(BASH_HOME);
    *out = b;
}

void bash_home(Bash *b)
{
    mem_free(b->folder);
    b->folder = mem_str(BASH_HOME);
}

void bash_close(Bash *b)
{
    if (!b)
        return;
    mem_free(b->folder);
    mem_free(b);
}

void bash_result_drop(BashResult *r)
{
    str_drop(&r->text);
}

/* Output ------------------------------------------------------------------------------------------------- */

/* The beginning and the end of a stream. */
typedef struct {
    Str head, tail;
    size_t room; /* of each */
    int64_t bytes;
} Kept;

static void keep(Kept *k, const char *at, size_t n)
{
    size_t first = k->room - k->head.n < n ? k->room - k->head.n : n;
    k->bytes += (int64_t)n;
    str_add(&k->head, at, first);
    str_add(&k->tail, at + first, n - first);
    if (k->tail.n > 2 * k->room + PIECE) {
        memmove(k->tail.at, k->tail.at + k->tail.n - k->room, k->room);
        k->tail.n = k->room;
    }
}

/* No character is cut in two where the middle goes. */
static void tell(const Kept *k, BashResult *r)
{
    Span head = str_span(&k->head), tail = str_span(&k->tail);
    size_t over = tail.n > k->room ? tail.n - k->room : 0;
    r->truncated = k->bytes > (int64_t)(2 * k->room);
    if (!r->truncated) {
        Str all = {0};
        str_add(&all, head.at, head.n);
        str_add(&all, tail.at, tail.n);
        str_add_valid(&r->text, str_c(&all), all.n);
        str_drop(&all);
        return;
    }
    for (int i = 0; i < 3 && over < tail.n && utf8_length((unsigned char)tail.at[over]) == 0; i++)
        over++;
    tail = (Span){tail.at + over, tail.n - over};
    for (size_t back = 1; back <= 3 && back <= head.n; back++) {
        int n = utf8_length((unsigned char)head.at[head.n - back]);
        if (n > (int)back)
            head.n -= back;
        if (n)
            break;
    }
    str_add_valid(&r->text, head.at, head.n);
    str_addf(&r->text, "\n[... %lld bytes are left out ...]\n",
             (long long)(k->bytes - (int64_t)head.n - (int64_t)tail.n));
    str_add_valid(&r->text, tail.at, tail.n);
}

/* The folder between the last two NUL bytes; none where the command ended without a word. */
static void take_folder(Bash *b, const Str *marks)
{
    if (marks->n < 3 || marks->at[marks->n - 1])
        return;
    const char *begin = memrchr(marks->at, 0, marks->n - 1);
    if (!begin || begin[1] != '/' || strlen(begin + 1) > FOLDER_MAX)
        return;
    mem_free(b->folder);
    b->folder = mem_str(begin + 1);
}

/* Running ------------------------------------------------------------------------------------------------ */

typedef struct {
    Sandbox *sandbox;
    const BashSpec *spec;
    Kept kept;
    Str marks;
    double kill_at; /* 0: it was not interrupted */
    bool flooded, stopped;
} Running;

static void end_what_is_unwanted(Running *run)
{
    if (run->kill_at <= 0 && run->spec->stopped && run->spec->stopped(run->spec->stopped_context)) {
        run->stopped = true;
        run->kill_at = clock_now() + grace;
        sandbox_interrupt(run->sandbox);
    } else if (run->kill_at > 0 && clock_now() > run->kill_at) {
        sandbox_kill(run->sandbox);
    }
    if (run->kept.bytes > run->spec->limits.output_bytes && !run->flooded) {
        run->flooded = true;
        sandbox_kill(run->sandbox);
    }
}

/* A program may close its outputs and run on. */
static void wait_for_end(Running *run)
{
    while (sandbox_running(run->sandbox)) {
        end_what_is_unwanted(run);
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
}

static Status listen_to(Running *run)
{
    char piece[PIECE];
    for (;;) {
        size_t n;
        int from;
        Status st = sandbox_read(run->sandbox, piece, sizeof piece, clock_now() + look, &n, &from);
        if (st == ST_OK && n == 0)
            break;
        if (st != ST_OK && st != ST_LIMIT)
            return st;
        if (st == ST_OK && from == 1)
            keep(&run->kept, piece, n);
        else if (st == ST_OK && run->marks.n + n <= MARK_MAX)
            str_add(&run->marks, piece, n);
        end_what_is_unwanted(run);
    }
    wait_for_end(run);
    return ST_OK;
}

/* A command that does not want its stdin: bash reads all of it before it begins, so that only one that never
 * began leaves some.  Its end says why. */
static Status feed(Running *run, Span command)
{
    Status st =
        sandbox_write(run->sandbox, command.at, command.n, clock_now() + run->spec->limits.wall_seconds);
    sandbox_close_input(run->sandbox);
    return st == ST_PEER || st == ST_LIMIT ? ST_OK : st;
}

Status bash_run(Bash *b, BashResult *r, Span command)
{
    double started = clock_now();
    SandboxSpec inside = {.argv = (const char *[]){"bash", "-c", prelude, "bash", b->folder, NULL},
                          .env = b->spec.env,
                          .read_only = b->spec.read_only,
                          .work = b->spec.work,
                          .limits = b->spec.limits};
    Running run = {.spec = &b->spec, .kept = {.room = b->spec.output_bytes / 2}};
    SandboxResult ended = {0};
    *r = (BashResult){0};
    TRY(sandbox_start(&run.sandbox, &inside));
    Status st = feed(&run, command);
    if (st == ST_OK)
        st = listen_to(&run);
    Status how = sandbox_end(run.sandbox, &ended);
    if (how != ST_OK)
        st = how;
    sandbox_close(run.sandbox);
    if (st == ST_OK) {
        r->end = run.flooded && ended.end == SANDBOX_KILLED ? SANDBOX_OUTPUT : ended.end;
        r->code = ended.code;
        r->stopped = run.stopped;
        r->seconds = clock_now() - started;
        tell(&run.kept, r);
        take_folder(b, &run.marks);
    }
    sandbox_result_drop(&ended);
    str_drop(&run.kept.head);
    str_drop(&run.kept.tail);
    str_drop(&run.marks);
    return st;
}
