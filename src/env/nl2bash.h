/* InterCode-Bash's world: a small file system to change and to ask, beside a second one in which the gold
 * command runs; a reward each turn for how near the two are.
 *
 *     Nl2BashImage *image;
 *     TRY(nl2bash_image_open(&image, "data", 1));                    runs setup_nl2b_fs_1.sh in a sandbox
 *     Nl2BashSpec spec = {.query = "Count ...", .gold = "find ... | wc -l"};
 *     Nl2Bash *b;
 *     TRY(nl2bash_open(&b, image, &spec));
 *     Nl2BashTurn t = {0};
 *     TRY(nl2bash_act(b, &t, span("ls /testbed")));                  t.reward.total
 *     nl2bash_turn_drop(&t);  nl2bash_close(b);  nl2bash_image_close(image);
 *
 * An image is read into memory; an episode's files are a copy of it, written in some milliseconds, which is /
 * of the sandbox. Commands are quoted as in the original, which takes their double quotes away
 * (docker_exec.h), and each is a new shell: only files, and the folder of a `cd`, carry over.  What differs
 * from the original's containers:
 *   - the user is not root: /usr (with /bin, /lib), /etc and /dev cannot be written, files be given away, nor
 *     those be read or written that their modes keep from their owner;
 *   - the programs are this machine's (tree, cal, dig, ... may be missing), and there is no network;
 *   - there is no /.git: changes are found by comparing (git_status.h);
 *   - an episode's files are always fresh; there, what .gitignore names and the modes of restored files
 * stayed;
 *   - the files are as old as in an image built a day and a half ago;
 *   - a gold command has a limit on time, 60 s or that of commands; one that reaches it has no output.
 * Source: princeton-nlp/intercode, intercode/envs/bash/bash_env.py, ic_env.py; docker/nl2bash.Dockerfile. */
#ifndef ENV_NL2BASH_H
#define ENV_NL2BASH_H

#include "env/nl2bash_reward.h"
#include "env/sandbox.h"

enum { NL2BASH_IMAGES = 4 }; /* of the benchmark; other data may have more, numbered on from there */
/* Where the data has the tasks of the file system n, from 1, the script that makes it, and what git ignores.
 */
#define NL2BASH_TASKS "intercode/bash/nl2bash_fs_%d.json"
#define NL2BASH_SCRIPT "intercode/bash/setup_nl2b_fs_%d.sh"
#define NL2BASH_IGNORE "intercode/bash/docker.gitignore"

typedef struct Nl2BashImage Nl2BashImage; /* shared by any number of threads */
/*   ST_IO     the script or the list of ignored names is not below `data`
 *   ST_LIMIT  the script does not end in time, or makes too much
 *   others as of sandbox_run */
MUST_CHECK Status nl2bash_image_open(Nl2BashImage **out, const char *data, int number);
void nl2bash_image_close(Nl2BashImage *image); /* NULL is fine */

/* All file systems that the data has tasks of. */
typedef struct {
    Nl2BashImage **at; /* [n] */
    int n;
} Nl2BashImages;
int nl2bash_images_in(const char *data); /* how many they are: at least the benchmark's, there or not */
/* Failures as of nl2bash_image_open; *out may then be closed. */
MUST_CHECK Status nl2bash_images_open(Nl2BashImages *out, const char *data);
void nl2bash_images_close(Nl2BashImages *all);
/* That of the task with this id: its number, "-", and the task's. */
const Nl2BashImage *nl2bash_image_of(const Nl2BashImages *all, const char *task);

/* Strings are kept: they outlive it. */
typedef struct {
    const char *query, *gold;
    double seconds; /* of a command; 0: 10 */
} Nl2BashSpec;

typedef struct Nl2Bash Nl2Bash; /* an episode; one thread at a time */
/* Keeps the image.  ST_IO: the copy cannot be written below TMPDIR. */
MUST_CHECK Status nl2bash_open(Nl2Bash **out, const Nl2BashImage *image, const Nl2BashSpec *spec);
void nl2bash_close(Nl2Bash *b); /* before the image; NULL is fine */

typedef struct {
    Str text; /* stdout and stderr in their order, or what the original says instead; UTF-8 */
    Str agent_status, gold_status; /* as of git_status.h */
    Str gold;                      /* the gold command's output; empty where it has none */
    Nl2BashDiff diff;
    Nl2BashReward reward;
    bool done;        /* the command ended with 0 */
    bool gave_up;     /* `skip` */
    bool gold_failed; /* the gold command ran into its limit or prints no UTF-8: there is no output to be like
                       */
} Nl2BashTurn;        /* {0} the first time; later turns keep the memory */
/* A command, or `submit` or `skip`, which run none, and the reward after it.  Fills *out anew.  Failures as
 * of sandbox_run; ST_IO as of nl2bash_open. */
MUST_CHECK Status nl2bash_act(Nl2Bash *b, Nl2BashTurn *out, Span action);
void nl2bash_turn_drop(Nl2BashTurn *t);
const char *nl2bash_folder(const Nl2Bash *b); /* where the next command begins: "/" at first */

#endif
