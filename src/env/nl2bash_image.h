/* For nl2bash.c: an image of InterCode-Bash, and copies of it on the disk. */
#ifndef ENV_NL2BASH_IMAGE_H
#define ENV_NL2BASH_IMAGE_H

#include <pthread.h>

#include "env/file_tree.h"
#include "env/nl2bash.h"

/* A folder below TMPDIR, ready to be a sandbox's root.  {0} is none. */
typedef struct {
    char *path;
    struct timespec made; /* when we were last done with it */
} Copy;

/* Copies that nobody has; any thread. */
typedef struct {
    pthread_mutex_t lock;
    Array(Copy) idle;
} Copies;

struct Nl2BashImage {
    FileTree tree;
    int number;
    Copies *copies;
};

/* A new one with the tree.  ST_IO: nothing is left. */
MUST_CHECK Status copy_make(Copy *copy, const FileTree *tree);
void copy_remove(Copy *copy);
/* To and from an episode.  To make and remove one costs more than a sandbox, on some disks ten times as much,
 * so that one in which commands have only read is used again, with all times as in a new one.  One that was
 * changed is never repaired: the order in which a disk lists names might tell of it. */
MUST_CHECK Status copy_take(Copy *copy, const Nl2BashImage *image);
void copy_give(Copy *copy, const Nl2BashImage *image, bool unchanged); /* as of file_tree_unchanged */
/* The sandbox over it, with a limit on the time. */
SandboxSpec copy_sandbox(const char *path, double seconds);

#endif
