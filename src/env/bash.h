/* Shell commands one after the other, each in a sandbox of its own over the same /work folder: what one
 * leaves there the next one finds, and it begins in the folder in which the last one ended.  Nothing else is
 * carried: variables, functions and processes end with their command.
 *
 *     BashSpec spec = {.work = folder};
 *     Bash *b;
 *     bash_open(&b, &spec);
 *     BashResult r;
 *     TRY(bash_run(b, &r, span("mkdir x; cd x; ls -d ../x")));
 *     log_info("%s", str_c(&r.text));                    "../x\n"
 *     bash_result_drop(&r);
 *     bash_close(b);
 *
 * What it does not stop is what sandbox.h does not.  The folder that a command ends in is its own word. */
#ifndef ENV_BASH_H
#define ENV_BASH_H

#include "env/sandbox.h"

#define BASH_HOME "/work" /* inside: where the first command begins */

/* What is 0 has the default.  Strings and lists are kept: they outlive it. */
typedef struct {
    const char *work; /* as of SandboxSpec; NULL: a private /work for each command, which goes with it */
    const char *const *read_only, *const *env; /* as of SandboxSpec */
    SandboxLimits limits;                      /* of each command; bash_limits() */
    size_t output_bytes; /* of BashResult.text; 16000.  limits.output_bytes end the command */
    /* Asked some twenty times a second: true interrupts the command; NULL: nobody asks. */
    bool (*stopped)(void *context);
    void *stopped_context;
} BashSpec;
SandboxLimits bash_limits(void); /* 1 GB, 64 processes, 60 s, 64 MB of output */

typedef struct {
    SandboxEnd end; /* how it ended; SANDBOX_EXITED: with the exit status `code` */
    int code;
    bool stopped; /* `stopped` said so */
    /* stdout and stderr as they came, UTF-8: each other byte is U+FFFD.  Where there was more than
     * output_bytes, its beginning, a line that says how much is left out, and its end. */
    Str text;
    bool truncated;
    double seconds;
} BashResult;

/* One thread at a time. */
typedef struct Bash Bash;

void bash_open(Bash **out, const BashSpec *spec);
/* Runs a command, which may have many lines; its stdin is empty.  Whatever it does is data in *r, which the
 * caller drops; after a failure *r is empty.  Failures as of sandbox_run. */
MUST_CHECK Status bash_run(Bash *b, BashResult *r, Span command);
void bash_result_drop(BashResult *r);
void bash_home(Bash *b);  /* the next command begins in BASH_HOME, as the first did */
void bash_close(Bash *b); /* NULL is fine */

#endif
