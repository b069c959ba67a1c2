/* What an assistant works with: a Python session and a shell, in sandboxes that see the same /work folder,
 * and the user's folder at its own path, which commands find in $FOLDER, too.
 *
 *     WorkbenchSetup setup = {.folder = "/home/me/data"};
 *     Workbench *w;
 *     TRY(workbench_open(&w, &setup));
 *     WorkbenchResult r = {0};
 *     TRY(workbench_run(w, &r, TOOL_BASH, span("wc -l /home/me/data/x.csv")));
 *     workbench_result_drop(&r);
 *     workbench_close(w);                        // and what lies in the private /work is gone
 *
 * Nothing runs outside of a sandbox: where there is none, the opening fails.  What the sandbox does not stop:
 * sandbox.h; the private /work is a folder on the host's disk for the time, of which the limits bound each
 * file, and not all of them together. */
#ifndef AGENT_WORKBENCH_H
#define AGENT_WORKBENCH_H

#include "agent/fences.h"
#include "env/sandbox.h"

/* All is borrowed for the opening but `stopped_context`. */
typedef struct {
    const char *folder; /* the user's; NULL: none */
    bool write; /* the folder is /work, and what is changed there stays; else it is read-only at its path */
    double seconds;                 /* of a block; 0: 60 */
    size_t output_bytes;            /* of what is told of a block's output; 0: 16000 */
    bool (*stopped)(void *context); /* as of PythonSpec and BashSpec */
    void *stopped_context;
} WorkbenchSetup;

typedef struct {
    Str text;  /* what the block printed, UTF-8, then how it ended where that is not well */
    bool good; /* it ended by itself, without an exception or an exit status other than 0 */
    bool stopped, truncated;
    double seconds;
} WorkbenchResult; /* {0} the first time; later runs keep the memory */
void workbench_result_drop(WorkbenchResult *r);

typedef struct Workbench Workbench; /* one thread, which outlives it */

/* Makes the private /work, and runs one program to see that there is a sandbox; Python starts with its first
 * block.
 *   ST_UNSUPPORTED  no sandbox: the sentence says why and what to do
 *   ST_ARG          no such folder; it holds the system (/, /usr, ...); write: root owns it; a sandboxed
 * program may not read it ST_IO           no private folder can be made */
MUST_CHECK Status workbench_open(Workbench **out, const WorkbenchSetup *setup);
/* Whatever the block does is data in *r.  Failures as of python_start and bash_run: no block can run. */
MUST_CHECK Status workbench_run(Workbench *w, WorkbenchResult *r, Tool tool, Span code);
/* A new Python and a shell in /work; files stay. */
void workbench_reset(Workbench *w);
const char *
workbench_folder(const Workbench *w);           /* where the user's folder is, inside; NULL: none is shown */
bool workbench_holds_files(const Workbench *w); /* in the private /work, which the closing removes */
void workbench_close(Workbench *w);             /* NULL is fine */

#endif
