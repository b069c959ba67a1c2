/* Finds files by pattern, in an order that does not depend on the file system.
 *
 *   ?      one byte but '/'          *      any bytes but '/'         [a-z] [!a-z]   one of (not of) these
 *   **     any number of folders, where it is a whole part of the path:  src/ ** /x.c (without the blanks)
 *
 * Wildcards do not match a leading '.', and do not pass through symbolic links, so that a tree is met
 * once; what a pattern spells out literally may be a link.  A walk takes the first parts of a pattern
 * literally where there is a file or folder of that very name, "data [new].txt".  Entries of a folder come
 * sorted by their bytes; a folder's listing is all that is held in memory.  A folder that cannot be listed
 * comes itself, its name ending with '/', so that whoever opens what comes learns of it. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

bool glob_match(const char *pattern, const char *path);

/* Walks files that match one of patterns and none of excludes, each once, pattern by pattern.  A pattern
 * that names a folder means all files below it.  An exclude without '/' is matched against the last part
 * of the path, else the whole. */
typedef struct GlobWalk GlobWalk;

GlobWalk *glob_start(const char *const *patterns, size_t patterns_n, const char *const *excludes,
                     size_t excludes_n);
/* From now on this folder is not entered, by whatever name the walk meets it; fine where there is none. */
void glob_skip(GlobWalk *w, const char *folder);
/* The next path, valid until the next call; NULL at the end. */
const char *glob_next(GlobWalk *w);
void glob_end(GlobWalk *w);

#endif
