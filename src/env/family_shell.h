/* The file systems of the family `shell`: projects, in them folders, in them small files of lines.  For
 * family_shell.c, family_shell_tree.c, which draws them, and family_shell_forms.c, which asks. */
#ifndef ENV_FAMILY_SHELL_H
#define ENV_FAMILY_SHELL_H

#include "env/family_draw.h"

enum { SHELL_PROJECTS = 2, SHELL_FOLDERS = 3, SHELL_FILES = 5, SHELL_NAMES = 20, SHELL_SLIPS = 2 };

/* What a folder's files hold; bits, so that a question says which it fits. */
typedef enum {
    SHELL_TEXT = 1,
    SHELL_LOG = 2,
    SHELL_TABLE = 4,   /* "name,number,colour" */
    SHELL_LIST = 8,    /* words, some more than once, none twice in a row, one most often */
    SHELL_SCRIPT = 16, /* which may not be executed */
    SHELL_TOOL = 32,   /* the same, which may */
} ShellKind;

/* But in a list no two lines are the same. */
typedef struct {
    const char *name, *ending; /* no two files of a project have the same name */
    Str text;                  /* no two files of a folder are equally long */
} ShellFile;

/* With files of two endings; the earlier a file stands, the older it is. */
typedef struct {
    const char *name; /* which ends in s: without it there is no such folder */
    ShellKind kind;
    ShellFile files[SHELL_FILES];
    size_t n;
} ShellFolder;

typedef struct {
    const char *name;
    ShellFolder folders[SHELL_FOLDERS]; /* of different kinds */
    const char *names[SHELL_NAMES];     /* for files, in drawn order: */
    size_t used;                        /* ... so many are taken */
} ShellProject;

/* Each kind of folder is in it.  Small: an episode of ic_bash writes it twice and more. */
typedef struct {
    ShellProject projects[SHELL_PROJECTS];
} ShellWorld;

/* Fills *out[n], which are {0}: no two of four neighbours, from the first on, have a project of the same
 * name. They are dropped one by one. */
void shell_worlds_draw(ShellWorld *out, size_t n, Rng *rng);
void shell_world_drop(ShellWorld *w);
void shell_world_script(Str *out, const ShellWorld *w); /* appends the script that makes it in / */

/* One task. */
typedef struct {
    Str question, command;
    Str slips[SHELL_SLIPS]; /* wrong ones, which do no harm: the command still comes right after them */
    const char *form;       /* "count", "show", ... */
} ShellAsked;
extern const size_t shell_forms_n; /* wordings aside */
/* Fills *out anew, by the form of that number. */
void shell_ask_draw(ShellAsked *out, const ShellWorld *w, size_t form, Rng *rng);
void shell_asked_drop(ShellAsked *a);

/* Gives the task its hints: by what another command lacks of the one that does it. */
void shell_hints(FamilyTask *t, const char *command);

#endif
