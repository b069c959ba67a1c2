/* InterCode-CTF's world: a task's files in a sandbox, commands one after the other, a flag to submit.
 *
 *     CtfSpec spec = {.id = "4", .gold = "picoCTF{...}", .assets = "data/intercode/ctf/task_assets/4"};
 *     Ctf *c;
 *     TRY(ctf_open(&c, &spec));
 *     CtfTurn t = {0};
 *     TRY(ctf_act(c, &t, span("ls")));                          "flag\n"
 *     TRY(ctf_act(c, &t, span("submit picoCTF{...}")));         t.solved
 *     ctf_turn_drop(&t);  ctf_close(c);
 *
 * The files are copied, so that each episode finds them fresh, and shown at /ctf/<id>, where commands begin;
 * what commands write there stays, what they write elsewhere goes with the command.  Each action is a new
 * shell; only `cd` carries over, as the original has it.  There is no network.
 * Source: princeton-nlp/intercode, intercode/envs/ctf/ctf_env.py and ic_env.py. */
#ifndef ENV_CTF_H
#define ENV_CTF_H

#include "env/sandbox.h"

/* Where the data has InterCode's tasks, and a folder of files for each. */
#define CTF_TASKS "intercode/ctf/ic_ctf.json"
#define CTF_ASSETS "intercode/ctf/task_assets"

/* How an action becomes a command.  `python3 -c` and `python -c` are run without a shell in both. */
typedef enum {
    CTF_QUOTED,   /* the shell is given the action as it is: the current code                             */
    CTF_RECORDED, /* it stands between double quotes that its own ones end: the code of the recorded runs */
} CtfQuoting;

/* Strings are kept: they outlive it. */
typedef struct {
    const char *id, *gold;
    const char *assets; /* the folder with the task's files; NULL: it has none */
    CtfQuoting quoting;
    double seconds; /* of a command; 0: 10 */
} CtfSpec;

typedef struct Ctf Ctf; /* one thread at a time */

/*   ST_IO     the files cannot be read, or copied below TMPDIR
 *   ST_LIMIT  more than 4096 files or 512 MB */
MUST_CHECK Status ctf_open(Ctf **out, const CtfSpec *spec);
void ctf_close(Ctf *c);                           /* removes the copy; NULL is fine */
void ctf_set_quoting(Ctf *c, CtfQuoting quoting); /* of the actions from here on */
const char *ctf_folder(const Ctf *c);             /* where the next command begins: "/ctf/4" at first */

typedef struct {
    Str text;  /* stdout and stderr in their order, or what the original says instead; UTF-8 */
    bool done; /* the command ended with 0; a flag was right */
    bool submitted, solved, gave_up;
} CtfTurn; /* {0} the first time; later turns keep the memory */
/* Fills *out anew.  Failures as of sandbox_run. */
MUST_CHECK Status ctf_act(Ctf *c, CtfTurn *out, Span action);
void ctf_turn_drop(CtfTurn *t);

/* The second of the words between single blanks is the flag, whatever their case. */
bool ctf_flag_is_right(Span action, Span gold);

/* The words of the command that an action becomes, each ended by NUL, overwriting *out; false: a quote that
 * nothing closes. */
bool ctf_command(Str *out, CtfQuoting quoting, Span action);

#endif
