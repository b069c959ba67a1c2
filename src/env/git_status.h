/* What `git status --short` says of a folder whose first state is committed, told from two readings of it;
 * and how InterCode-Bash reads that.
 *
 *     Str text = {0};
 *     git_status(&text, &before, &now);                    " M a.txt\n?? new/\n"
 *     GitChanges changes = {0};
 *     git_changes_read(&changes, str_span(&text));         {"a.txt", "M"}, {"new/", "??"}
 *
 * All files and links of the first state count as committed, but those that its /.gitignore names, of which
 * bare names are understood: neither patterns nor paths.  Source of the rules: git 2.39, wt-status.c, dir.c,
 * quote.c; of the reading: princeton-nlp/intercode, intercode/envs/bash/bash_env.py. */
#ifndef ENV_GIT_STATUS_H
#define ENV_GIT_STATUS_H

#include "env/file_tree.h"

/* Appends a line for each difference: " M", " D" and " T" (another kind) sorted, then "??" sorted.  A folder
 * without committed files is one line, with a slash; empty folders are none. */
void git_status(Str *out, const FileTree *before, const FileTree *now);
/* A component of the path is a name that the first state's .gitignore has. */
bool git_ignores(const FileTree *before, Span path);

typedef struct {
    Span path, code; /* views of the text */
} GitChange;
typedef Array(GitChange) GitChanges; /* a set; sorted by path */
/* Overwrites *out with the set of pairs of words in the text: a path with a blank, which git puts between
 * quotes, shifts all that follow, as in the original; a word that is left over is none. */
void git_changes_read(GitChanges *out, Span text);
bool git_changes_have(const GitChanges *c, const GitChange *change);

#endif
