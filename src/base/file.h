/* Files: whole reads, read-only maps, folders, and writes that either happen wholly or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/* Reads a whole file of at most `limit` bytes (0: no limit) into *out, appended.  ST_IO, ST_LIMIT. */
MUST_CHECK Status file_read(Str *out, const char *path, size_t limit);

/* A read-only map of a whole file.  An empty file maps to n = 0, and `at` is not NULL. */
typedef struct {
    const unsigned char *at;
    size_t n;
} FileMap;
MUST_CHECK Status file_map(FileMap *out, const char *path);
void file_unmap(FileMap *m);

/* A file being written under a temporary name beside its final one.  file_commit syncs and renames it;
 * file_abandon (also after a failure) removes it.  One owner, one thread. */
typedef struct {
    FILE *f;
    char *path, *temporary;
} FileWriter;
MUST_CHECK Status file_begin(FileWriter *w, const char *path);
MUST_CHECK Status file_write(FileWriter *w, const void *bytes, size_t n);
MUST_CHECK Status file_commit(FileWriter *w);
void file_abandon(FileWriter *w); /* nothing to do after a commit */

/* Whether `name` is what file_begin of a process that is no more left of a file: "NAME.tmp-PID".  *n: the
 * letters of NAME.  One of our own number counts, too: this process is not to be writing that file. */
bool file_is_left_over(const char *name, size_t *n);
/* Removes what such processes left of a file that is about to be written, as far as it can. */
void file_sweep(const char *path);

/* Durable write of a whole small file. */
MUST_CHECK Status file_replace(const char *path, const void *bytes, size_t n);

/* A symbolic link to the real path of `target`, which is there; an older link goes, at once.  ST_ARG: what
 * has that name is no link. */
MUST_CHECK Status link_replace(const char *link, const char *target);
MUST_CHECK Status link_possible(const char *link); /* the same question, before there is a target */

MUST_CHECK Status folder_make(const char *path);      /* with its parents; fine when it exists */
MUST_CHECK Status file_make_folder(const char *path); /* the one that the file is to lie in    */
MUST_CHECK Status folder_sync(const char *path);      /* makes renames inside it durable       */
MUST_CHECK Status folder_remove(const char *path);    /* with all in it; follows no links; fine if absent */
/* The names in a folder but "." and "..", sorted by their bytes.  *out is set on ST_OK only. */
typedef struct {
    char **at;
    size_t n, cap;
} FolderList;
MUST_CHECK Status folder_list(FolderList *out, const char *path);
void folder_list_drop(FolderList *l);

/* Takes a file, made where it is not there, for this process alone until *fd is closed or the process ends;
 * on a file system without locks it goes on without.  ST_LIMIT: another process has it.  ST_IO. */
MUST_CHECK Status file_lock(int *fd, const char *path);
/* The same beside others who only share it; nobody can then take it for himself. */
MUST_CHECK Status file_lock_shared(int *fd, const char *path);
/* Gives it back although children of this process may still have it open, and closes it. */
void file_unlock(int fd);
/* The same of a folder itself, in which nothing is left, for those who write it as a whole.  ST_ARG: another
 * process writes to it.  ST_IO. */
MUST_CHECK Status folder_lock(int *fd, const char *path);

bool path_exists(const char *path);
bool folder_holds(const char *folder, const char *name); /* folder/name exists */
bool path_is_folder(const char *path);
bool path_same(const char *a, const char *b);          /* both are there, and the same file or folder */
int64_t file_size(const char *path);                   /* -1 when it cannot be told */
char *path_join(const char *folder, const char *name); /* caller frees */
const char *path_base(const char *path);               /* after the last '/' */
int64_t disk_free(const char *folder);                 /* bytes an ordinary user may write; -1 unknown */

#endif
