/* A folder with all in it, in memory: read once, written out as often as wanted, or compared with another.
 *
 *     FileTree tree = {0};
 *     TRY(file_tree_read(&tree, "image", true));
 *     TRY(file_tree_write(&tree, "copy", &user));         into an empty folder
 *     file_tree_drop(&tree);
 *
 * Reading follows no links and stays in the folder, so that one which a sandboxed program has left can be
 * read; nothing may change it meanwhile. */
#ifndef ENV_FILE_TREE_H
#define ENV_FILE_TREE_H

#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"
#include "env/sandbox_host.h"

typedef struct {
    char *path;                    /* below the folder: "a/b" */
    mode_t mode;                   /* with the kind: a file, a folder, a link, or what else there is */
    struct timespec read, written; /* st_atim, st_mtim */
    struct timespec changed;       /* st_ctim, which nobody can set; 0 where it was not read */
    int64_t size;                  /* of a file, in bytes */
    uint64_t hash[2];              /* of a file's content or a link's target; of a file beyond the limit 0 */
    Str bytes;                     /* the same themselves; of a file only where they are kept */
} FileEntry;

/* {0} is an empty one.  Sorted by path, byte by byte: a folder stands before what is in it. */
typedef struct {
    FileEntry *at;
    size_t n, cap;
    bool cut; /* there is more than FILE_TREE_ENTRIES, or deeper than FILE_TREE_DEPTH: it is left out */
    struct timespec changed; /* the folder itself */
} FileTree;

enum { FILE_TREE_ENTRIES = 100000, FILE_TREE_DEPTH = 64, FILE_TREE_BYTES = 256 << 20 };

/* Overwrites *out.  `keep`: with the content of files; then more than FILE_TREE_BYTES of it are ST_LIMIT,
 * while without it those beyond are not looked at.  ST_IO. */
MUST_CHECK Status file_tree_read(FileTree *out, const char *folder, bool keep);
/* Files, folders and links with their modes and times, all `user`'s if that is to be become; the folder's own
 * mode is as it was.  Only of a tree that was kept.  ST_IO. */
MUST_CHECK Status file_tree_write(const FileTree *tree, const char *folder, const SandboxUser *user);
/* `now` was read from a folder in which the tree was written by the time `since`: nothing there was changed
 * after that, but for times of reading. */
bool file_tree_unchanged(const FileTree *tree, const FileTree *now, struct timespec since);
/* Sets all times in that folder again.  ST_IO. */
MUST_CHECK Status file_tree_touch(const FileTree *tree, const char *folder);
const FileEntry *file_tree_find(const FileTree *tree, Span path); /* NULL: none of that path */
/* Adds a file, folder or link of now with these bytes, at the end: file_tree_sort puts it where it belongs.
 */
void file_tree_add(FileTree *tree, const char *path, mode_t mode, Span bytes);
void file_tree_sort(FileTree *tree);
/* Takes out what `unwanted` says so of. */
void file_tree_prune(FileTree *tree, bool (*unwanted)(const FileTree *tree, const FileEntry *e));
/* Some entry that is no folder lies below the folder `path`, "" the whole. */
bool file_tree_holds_files(const FileTree *tree, Span path);
void file_tree_drop(FileTree *tree);

#endif
