#include "env/python.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "env/sandbox_host.h"

/* The programs inside, the texts one behind the other; paths are from the folder that make runs in. */
extern const char python_boot_text[], python_texts[], python_texts_end[];
__asm__(".section .rodata\n"
        "python_boot_text:\n.incbin \"src/env/python_boot.py\"\n.byte 0\n"
        "python_texts:\n.incbin \"src/env/python_driver.py\"\n.byte 0\n"
        ".incbin \"src/env/python_values.py\"\n"
        ".incbin \"src/env/python_exceptions.py\"\n.byte 0\n"
        ".incbin \"src/env/python_cells.py\"\n"
        ".incbin \"src/env/python_shell.py\"\n"
        ".incbin \"src/env/python_magics.py\"\n.byte 0\n"
        "python_texts_end:\n"
        ".previous");

/* What the interpreter made of them when this process first started one; empty before.  It is made before
 * anything that is not ours runs in there. */
static struct {
    pthread_mutex_t lock;
    Str programs;
} compiled = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A frame from inside: nonce, kind, eight hexadecimal digits, a newline, then the payload.  One to there has
 * no nonce. */
enum { NONCE = 32, HEAD = NONCE + 1 + 8 + 1, LARGEST = 2 << 20 };

static const double start_seconds = 20;
static const double grace = 1;   /* between the driver's own alarm, SIGINT and the kill */
static const double look = 0.05; /* between two questions whether the cell is still wanted */

struct Python {
    PythonSpec spec;
    Sandbox *sandbox; /* NULL: not alive */
    char nonce[NONCE + 1];
    Str in;   /* what has come and is not yet taken */
    int next; /* number of the next cell            */
};

SandboxLimits python_limits(void)
{
    return (SandboxLimits){.memory_bytes = (int64_t)2 << 30,
                           .disk_bytes = 256 << 20,
                           .file_bytes = 128 << 20,
                           .output_bytes = 1 << 20,
                           .processes = 64,
                           .cpu_seconds = 3600,
                           .wall_seconds = 24 * 3600};
}

/* The payload is a copy; the caller drops it. */
typedef struct {
    char kind;
    Str payload;
} Frame;

static Status put_frame(Python *p, char kind, Span payload, double deadline)
{
    Str frame = {0};
    str_addf(&frame, "%c%08zx\n", kind, payload.n);
    str_add(&frame, payload.at, payload.n);
    Status st = sandbox_write(p->sandbox, frame.at, frame.n, deadline);
    str_drop(&frame);
    return st;
}

/* Takes a frame out of what has come.  What is before the nonce is nobody's and goes. */
static bool take_frame(Python *p, Frame *f)
{
    for (;;) {
        char *at = p->in.n < NONCE ? NULL : memmem(p->in.at, p->in.n, p->nonce, NONCE);
        size_t before = at ? (size_t)(at - p->in.at) : p->in.n < NONCE ? 0 : p->in.n - (NONCE - 1);
        if (before) {
            memmove(p->in.at, p->in.at + before, p->in.n - before);
            p->in.n -= before;
        }
        if (!at || p->in.n < HEAD)
            return false;
        size_t n = 0;
        const char *digits = p->in.at + NONCE + 1;
        bool good = digits[8] == '\n';
        for (int i = 0; i < 8; i++) {
            const char *known = "0123456789abcdef", *digit = memchr(known, digits[i], 16);
            good = good && digit;
            n = n << 4 | (digit ? (size_t)(digit - known) : 0);
        }
        if (!good || n > LARGEST) { /* not one of the driver's */
            p->in.at[0] = (char)~p->in.at[0];
            continue;
        }
        if (p->in.n < HEAD + n)
            return false;
        f->kind = p->in.at[NONCE];
        str_add(&f->payload, p->in.at + HEAD, n);
        memmove(p->in.at, p->in.at + HEAD + n, p->in.n - HEAD - n);
        p->in.n -= HEAD + n;
        return true;
    }
}

/* ST_LIMIT: none until the deadline.  ST_PEER: the interpreter has ended; *said has its stderr. */
static Status get_frame(Python *p, Frame *f, double deadline, Str *said)
{
    char buf[16384];
    while (!take_frame(p, f)) {
        size_t n;
        int from;
        /* A flood of other bytes does not move the deadline. */
        if (clock_now() > deadline)
            return fail(ST_LIMIT, "the interpreter has not answered in time");
        TRY(sandbox_read(p->sandbox, buf, sizeof buf, deadline, &n, &from));
        if (n == 0)
            return fail(ST_PEER, "the interpreter has ended");
        if (from == 1)
            str_add(&p->in, buf, n);
        else if (said && said->n < 4096)
            str_add(said, buf, n);
    }
    return ST_OK;
}

static void make_nonce(Python *p)
{
    unsigned char bytes[NONCE / 2];
    check(getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(p->nonce + 2 * i, 3, "%02x", bytes[i]);
}

/* Once there, the programs stay as they are. */
static Span compiled_programs(void)
{
    pthread_mutex_lock(&compiled.lock);
    Span programs = str_span(&compiled.programs);
    pthread_mutex_unlock(&compiled.lock);
    return programs;
}

static void keep_compiled(Span programs)
{
    pthread_mutex_lock(&compiled.lock);
    if (compiled.programs.n == 0)
        str_add(&compiled.programs, programs.at, programs.n);
    pthread_mutex_unlock(&compiled.lock);
}

static Status put_programs(Python *p, double deadline)
{
    Span programs = compiled_programs();
    if (programs.n)
        return put_frame(p, 'M', programs, deadline);
    return put_frame(p, 'T', (Span){python_texts, (size_t)(python_texts_end - python_texts)}, deadline);
}

static Status greet(Python *p, Str *said)
{
    Str hello = {0};
    Frame f = {0};
    str_addf(&hello, "%s\n%d\n%.9g\n%d\n", p->nonce, p->next, p->spec.cell_seconds, p->spec.output_chars);
    for (size_t i = 0; i < p->spec.tools_n; i++)
        str_addf(&hello, "%s\t%s\n", p->spec.tools[i].name, p->spec.tools[i].parameters);
    double deadline = clock_now() + start_seconds;
    Status st = put_programs(p, deadline);
    if (st == ST_OK)
        st = put_frame(p, 'H', str_span(&hello), deadline);
    if (st == ST_OK || st == ST_PEER)
        st = get_frame(p, &f, deadline, said);
    if (st == ST_OK && f.payload.n)
        keep_compiled(str_span(&f.payload));
    str_drop(&hello);
    str_drop(&f.payload);
    return st;
}

static Status begin(Python *p)
{
    SandboxSpec inside = {.argv = (const char *[]){"python3", "-I", "-S", "-E", "-c", python_boot_text, NULL},
                          .read_only = p->spec.read_only,
                          .work = p->spec.work,
                          .limits = p->spec.limits};
    TRY(sandbox_start(&p->sandbox, &inside));
    p->in.n = 0;
    p->next = p->spec.first_cell;
    make_nonce(p);
    Str said = {0};
    Status st = greet(p, &said);
    if (st != ST_OK) {
        SandboxResult r = {0};
        Status ended = sandbox_end(p->sandbox, &r);
        if (ended != ST_OK) /* it never began: the sandbox's own words are the reason */
            st = fail_in(said.n ? host_explain(str_span(&said)) : ended, "starting Python");
        else
            st = fail(said.n ? ST_ARG : ST_IO, "Python does not start (%s %d): %s", sandbox_end_name(r.end),
                      r.code,
                      str_c(&said) + (said.n > 300 ? said.n - 300 : 0)); /* a traceback's end tells why */
        sandbox_result_drop(&r);
        sandbox_close(p->sandbox);
        p->sandbox = NULL;
    }
    str_drop(&said);
    return st;
}

Status python_start(Python **out, const PythonSpec *spec)
{
    Python *p = mem_new(Python);
    p->spec = *spec;
    if (p->spec.limits.memory_bytes == 0)
        p->spec.limits = python_limits();
    if (p->spec.cell_seconds <= 0)
        p->spec.cell_seconds = 30;
    if (p->spec.output_chars <= 0)
        p->spec.output_chars = 2000;
    if (p->spec.first_cell <= 0)
        p->spec.first_cell = 1;
    Status st = begin(p);
    if (st != ST_OK) {
        python_close(p);
        return st;
    }
    *out = p;
    return ST_OK;
}

/* The interpreter is gone or has to go: says how, in the observation. */
static void bury(Python *p, PythonCell *cell, bool too_long)
{
    SandboxResult r = {.end = SANDBOX_KILLED};
    if (sandbox_end(p->sandbox, &r) != ST_OK)
        r.end = SANDBOX_KILLED;
    cell->end = too_long ? PYTHON_TIMED_OUT : PYTHON_DIED;
    cell->death = r.end;
    cell->code = r.code;
    if (cell->stopped)
        str_adds(&cell->text, "[The cell was stopped; Python was ended and its state is lost]");
    else if (too_long)
        str_addf(&cell->text,
                 "TimeoutError: Timed out after %g seconds.\n[The cell did not stop: Python was "
                 "ended and its state is lost]",
                 p->spec.cell_seconds);
    else if (r.end == SANDBOX_EXITED || r.end == SANDBOX_SIGNALLED)
        str_addf(&cell->text, "[Python has ended (%s %d) and its state is lost]", sandbox_end_name(r.end),
                 r.code);
    else
        str_addf(&cell->text, "[Python was ended (%s) and its state is lost]", sandbox_end_name(r.end));
    sandbox_result_drop(&r);
    sandbox_close(p->sandbox);
    p->sandbox = NULL;
}

static const PythonTool *find_tool(const Python *p, const char *name)
{
    for (size_t i = 0; name && i < p->spec.tools_n; i++)
        if (strcmp(p->spec.tools[i].name, name) == 0)
            return &p->spec.tools[i];
    return NULL;
}

/* ST_PEER, ST_LIMIT: the answer could not be delivered. */
static Status call_tool(Python *p, Span request)
{
    Str answer = {0};
    json_error_t error;
    json_t *call = json_loadb(request.at, request.n, 0, &error);
    json_t *arguments = json_object_get(call, "arguments");
    const PythonTool *tool = find_tool(p, json_string_value(json_object_get(call, "tool")));
    bool answered = false;
    if (!tool || !json_is_object(arguments))
        str_adds(&answer, "no such tool");
    else if (tool->call(tool->context, arguments, &answer) == ST_OK)
        answered = true;
    else {
        str_clear(&answer);
        str_adds(&answer, error_text());
    }
    json_decref(call);
    Status st = put_frame(p, answered ? 'A' : 'E', str_span(&answer), clock_now() + 10);
    str_drop(&answer);
    return st;
}

static bool is_unwanted(const Python *p)
{
    return p->spec.stopped && p->spec.stopped(p->spec.stopped_context);
}

/* Waits for the cell's end; interrupts what runs too long or is not wanted any more (*stopped), also between the
 * calls of a cell that calls tools without end.
 * ST_LIMIT: it did not stop.  ST_PEER: it is gone. */
static Status await(Python *p, Frame *f, double limit, bool *stopped)
{
    double interrupt_at = limit + grace;
    for (int interrupts = 0;;) {
        double until = p->spec.stopped ? fmin(interrupt_at, clock_now() + look) : interrupt_at;
        Status st = get_frame(p, f, until, NULL);
        double now = clock_now();
        if ((st != ST_OK && st != ST_LIMIT) || (st == ST_OK && f->kind != 'C'))
            return st;
        if (!*stopped && is_unwanted(p)) {
            *stopped = true;
            interrupt_at = 0;
        }
        if (now >= interrupt_at && interrupts == 4)
            return fail(ST_LIMIT, "the cell does not stop");
        if (now >= interrupt_at) {
            sandbox_interrupt(p->sandbox);
            interrupts++;
            interrupt_at = now + grace / 2;
        }
        if (st == ST_LIMIT)
            continue;
        TRY(call_tool(p, str_span(&f->payload)));
        str_clear(&f->payload);
        if (!interrupts && now < limit) /* the time may have been the tool's: the alarm comes now */
            interrupt_at = fmax(interrupt_at, clock_now() + grace);
    }
}

Status python_run(Python *p, PythonCell *cell, Span code)
{
    *cell = (PythonCell){.number = p->next};
    if (!p->sandbox)
        return fail(ST_PEER, "this Python session has ended; restart it");
    double started = clock_now();
    Frame f = {0};
    Status st = put_frame(p, 'X', code, started + p->spec.cell_seconds);
    if (st == ST_OK)
        st = await(p, &f, clock_now() + p->spec.cell_seconds, &cell->stopped);
    const char *said = str_c(&f.payload);
    if (st == ST_OK && f.kind == 'D' && f.payload.n >= 2 && utf8_valid(said + 2, f.payload.n - 2)) {
        cell->end = said[0] == 'o' ? PYTHON_DONE : said[0] == 't' ? PYTHON_TIMED_OUT : PYTHON_RAISED;
        if (span_trim(code).n == 0) /* an empty cell is not counted */
            p->next--;
        cell->truncated = said[1] == 'T';
        str_add(&cell->text, said + 2, f.payload.n - 2);
        p->next++;
    } else {
        bury(p, cell, st == ST_LIMIT);
    }
    str_drop(&f.payload);
    cell->seconds = clock_now() - started;
    return ST_OK;
}

void python_cell_drop(PythonCell *cell)
{
    str_drop(&cell->text);
}

bool python_alive(const Python *p)
{
    return p->sandbox && sandbox_running(p->sandbox);
}

Status python_restart(Python *p)
{
    sandbox_close(p->sandbox);
    p->sandbox = NULL;
    return begin(p);
}

Status python_ready(Python **p, const PythonSpec *spec)
{
    if (!*p)
        return python_start(p, spec);
    return python_alive(*p) ? ST_OK : python_restart(*p);
}

void python_close(Python *p)
{
    if (!p)
        return;
    sandbox_close(p->sandbox);
    str_drop(&p->in);
    mem_free(p);
}
