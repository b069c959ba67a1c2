/* Does a program pass its tests?  One Python program, run to its end in a sandbox and an interpreter of its
 * own, and how it ended.
 *
 *     ProgramVerdict v = {0};
 *     TRY(program_test(&v, solution, tests, 0));                    MINT's rule, or
 *     TRY(program_run(&v, &(ProgramSpec){.text = text, .seconds = 3}));
 *     if (v.end == PROGRAM_PASSED) ...
 *     program_verdict_drop(&v);
 *
 * The rules are those of openai/human-eval (human_eval/execution.py), which MINT took over
 * (xingyaoww/mint-bench, mint/utils/exec.py): the text is executed with an empty dict as globals in a fresh
 * process and an empty folder; it passes where nothing is raised, SystemExit included; what it prints goes
 * nowhere and stdin cannot be read; functions of os, shutil and subprocess that change files and processes
 * are None, and ipdb, joblib, resource, psutil and tkinter cannot be imported.  Beyond them, the sandbox: no
 * network, 2 GB of memory, all processes ended with the program.  It may import what the host has in /usr.
 *
 * Nothing of one program is there for the next.  What this does not stop: a program that searches its own
 * process for the grader can forge its verdict, as it can in the originals. */
#ifndef EVAL_PROGRAM_H
#define EVAL_PROGRAM_H

#include "base/str.h"

typedef enum {
    PROGRAM_PASSED,
    PROGRAM_WRONG,     /* an assertion failed                                           */
    PROGRAM_RAISED,    /* any other exception, a syntax error too                       */
    PROGRAM_TIMED_OUT, /*                                                               */
    PROGRAM_DIED,      /* ended without a verdict: exited, crashed, or passed a limit   */
    PROGRAM_ENDS
} ProgramEnd;
extern const char *const program_end_names[PROGRAM_ENDS]; /* "passed", "wrong", ... */

typedef struct {
    ProgramEnd end;
    Str said;       /* UTF-8: the exception's line, as "NameError: name 'x' is not defined", or how it died */
    double seconds; /* of wall time, the sandbox's start among them */
} ProgramVerdict;

typedef struct {
    Span text;      /* all of it: prompt, completion, tests                    */
    double seconds; /* until its alarm, a second more to the end; 0: 3, human-eval's */
    int64_t memory_bytes; /* 0: 2 GB */
    int processes;        /* threads among them; 0: those of sandbox_limits */
    const char *const *read_only; /* as of SandboxSpec (sandbox.h) */
    bool whole; /* no function and no module is taken away: scikit-learn, for one, cannot do without joblib */
} ProgramSpec;

/* Runs it; however it ends is data in *v, whose memory is kept from call to call.  Any thread, many at once.
 *   ST_UNSUPPORTED  this host or user cannot have a sandbox (sandbox.h)
 *   ST_ARG          no python3, or a time that is none
 *   ST_IO           no descriptors, threads or memory for it, or Python does not start */
MUST_CHECK Status program_run(ProgramVerdict *v, const ProgramSpec *spec);

/* MINT's rule for humaneval and mbpp: solution, a line end, tests; `seconds` 0: 10, MINT's.  The solution is
 * taken as it is: a Markdown fence in it is an error of syntax. */
MUST_CHECK Status program_test(ProgramVerdict *v, Span solution, Span tests, double seconds);

void program_verdict_drop(ProgramVerdict *v);

#endif
