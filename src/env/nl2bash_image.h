/* For nl2bash.c: an image of InterCode-Bash, and copies of it on the disk. */
#ifndef ENV_NL2BASH_IMAGE_H
#define ENV_NL2BASH_IMAGE_H

#include "env/file_tree.h"
#include "env/nl2bash.h"

struct Nl2BashImage {
    FileTree tree;
    int number;
};

/* A new folder below TMPDIR with the tree, ready to be a sandbox's root; the caller frees the path, with
 * copy_remove.  ST_IO: nothing is left. */
MUST_CHECK Status copy_make(char **path, const FileTree *tree);
void copy_remove(char *path); /* NULL is fine */
/* The sandbox over it, with a limit on the time. */
SandboxSpec copy_sandbox(const char *path, double seconds);

#endif
