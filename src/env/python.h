/* A Python interpreter that stays: an episode's cells run one after the other in one namespace, inside a
 * sandbox, and each is answered as MINT's Python tool answers (mint-bench, mint/tools/python_tool.py on
 * IPython 8): what the cell printed, `Out[n]: ` and the value of a last expression, or the traceback in
 * IPython's format; stderr and the output of other processes are dropped; cut at 2000 characters.
 *
 *     PythonSpec spec = {.tools = tools, .tools_n = 1};
 *     Python *p;
 *     TRY(python_start(&p, &spec));
 *     PythonCell cell;
 *     TRY(python_run(p, &cell, span("x = 6\nx * 7")));
 *     log_info("%s", str_c(&cell.text));                  "Out[1]: 42"
 *     python_cell_drop(&cell);
 *     python_close(p);
 *
 * Tools are functions inside whose calls cross to this program: the cell waits while `call` runs.
 *
 * The programs inside, python_*.py, are part of this binary (.incbin); the sandbox needs Debian's python3
 * only, and a cell may import what the host has in /usr.  Cells may be IPython's: `!command`, the usual
 * `%magics`, `name?`, help(), top-level await, _, _7, In and Out, display().  As in MINT's shell, which has
 * no terminal, exit() raises and what display() shows goes to nobody.  `pip install` tells what is here, as
 * there is no network; %matplotlib and the like do nothing; other magics are refused by name.  IPython's
 * modules are stand-ins for what cells import of them.
 *
 * Cells and driver share a process.  Frames travel on descriptors with random numbers, begin with a nonce,
 * and what comes between them is passed over, so a cell may print, flood or close 0, 1 and 2, fork, start
 * threads and write to every descriptor that it finds.  What this does not stop:
 *   - a cell that closes the descriptors or breaks the interpreter ends its session, by name;
 *   - a cell that searches the process for the nonce can forge its own observation and tool calls: answers
 * are the cell's word, and a tool must bear any arguments;
 *   - what the sandbox does not (sandbox.h). */
#ifndef ENV_PYTHON_H
#define ENV_PYTHON_H

#include <jansson.h>

#include "env/sandbox.h"

/* A function inside.  `parameters` as `def` has them, "query: str".  `call` gets an object with a value by
 * each parameter's name and appends the text that the function returns; after a failure the function raises
 * RuntimeError with the sentence.  It runs in the thread of python_run and must not use the session.  Inside
 * it is an object that is called, as in MINT: a wrong number of arguments raises "__call__() takes ...". */
typedef struct {
    const char *name, *parameters;
    Status (*call)(void *context, const json_t *arguments, Str *answer);
    void *context;
} PythonTool;

/* What is 0 has the default.  Tools, strings and lists are kept: they outlive the session. */
typedef struct {
    const PythonTool *tools;
    size_t tools_n;
    double cell_seconds;          /* 30; tools included                                               */
    int output_chars;             /* 2000, then "...\n[Output Truncated]"                             */
    int first_cell;               /* 1, as in the recorded runs; MINT's current version counts from 2 */
    SandboxLimits limits;         /* of the whole session; python_limits()                            */
    const char *const *read_only; /* as of SandboxSpec */
    const char *work;             /* as of SandboxSpec */
    /* Asked some twenty times a second while a cell runs: true interrupts it; NULL: nobody asks. */
    bool (*stopped)(void *context);
    void *stopped_context;
} PythonSpec;
SandboxLimits python_limits(void); /* 2 GB, 64 processes, an hour of processor time, a day */

typedef enum {
    PYTHON_DONE,
    PYTHON_RAISED,    /* an exception, or no Python                                          */
    PYTHON_TIMED_OUT, /* interrupted, also where `stopped` says so; a cell that did not stop took its
                       * interpreter with it */
    PYTHON_DIED       /* the interpreter has ended: `death` and `code` say how               */
} PythonEnd;

typedef struct {
    PythonEnd end;
    int number; /* of the cell, as in "Cell In[1]"                     */
    Str text;   /* the observation, UTF-8, stripped; after a death what happened */
    bool truncated;
    bool stopped; /* interrupted since spec.stopped said so, and not for its time */
    double seconds;
    SandboxEnd death; /* as of SandboxResult, where the session is not python_alive any more */
    int code;
} PythonCell;

/* One thread at a time; the one that starts it must outlive it. */
typedef struct Python Python;

/* Returns when the interpreter is ready.
 *   ST_UNSUPPORTED  no sandbox      ST_ARG  no python3, or a tool that Python does not take
 *   ST_IO           no descriptors or processes */
MUST_CHECK Status python_start(Python **out, const PythonSpec *spec);
/* Runs a cell.  Whatever it does is data in *cell, which the caller drops.
 *   ST_PEER  the interpreter had ended before: python_restart */
MUST_CHECK Status python_run(Python *p, PythonCell *cell, Span code);
void python_cell_drop(PythonCell *cell);
bool python_alive(const Python *p);
/* A new interpreter with an empty namespace; cells are numbered from the first again.  Failures as of
 * python_start; the session is then not alive. */
MUST_CHECK Status python_restart(Python *p);
/* For whoever runs cells and minds no lost names: starts where *p is NULL, restarts what is not alive.  Failures
 * as of those. */
MUST_CHECK Status python_ready(Python **p, const PythonSpec *spec);
void python_close(Python *p); /* NULL is fine */

#endif
