/* Archives of data: what is in a tar or zip (compressed or not), put below a folder. */
#ifndef EVAL_UNPACK_H
#define EVAL_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    bool (*stopped)(void *context); /* NULL: nobody asks */
    void *context;
    int64_t bytes_max, files_max; /* a small archive may hold much; 0: 64 GB, a million files */
} UnpackSpec;

/* Writes every regular file of the archive below `folder`, in the folders that its name has; each is whole or
 * not there.  Files of that name are replaced, all others stay.  Names are all checked before the first file
 * is written: none may lead out of the folder.  *files: how many.
 *   ST_FORMAT     no archive, damaged, empty, or a name such as "../x", "/x" or "a\b" in it: nothing or, of a
 *                 damaged one, the files before the damage were written
 *   ST_LIMIT      more comes out of it than allowed      ST_CANCELLED  `stopped` said so
 *   ST_IO         it cannot be read, or the folder not written (disk full)
 *   ST_UNSUPPORTED  encrypted, or packed in an unknown way */
MUST_CHECK Status unpack_archive(int64_t *files, const char *archive, const char *folder,
                                 const UnpackSpec *spec);

#endif
