/* Names and addresses of what is fetched; for fetch.c. */
#ifndef EVAL_FETCH_PATHS_H
#define EVAL_FETCH_PATHS_H

#include "eval/fetch.h"

typedef struct {
    char *url;    /* of the mirror where there is one, without "#into=" */
    char *target; /* where what the url gives goes; of an archive a hidden file that is removed after
                     unpacking */
    char *part, *note, *wrong; /* target.part, target.part.json, target.wrong */
    char *into;                /* the folder of an archive's files; NULL: it is none */
    char *marker;              /* an archive's: holds the sum of the one that was unpacked; NULL */
} FetchPaths;

/* ST_ARG: the mirror or the url is no address; there is nothing to drop then. */
MUST_CHECK Status fetch_paths(FetchPaths *out, const char *data, const char *mirror, const DataFile *file);
void fetch_paths_drop(FetchPaths *p);

extern const char fetch_unfinished[]; /* in a marker: the archive is not unpacked to its end */

/* SHA-256 of a file, in hexadecimal.  ST_IO. */
MUST_CHECK Status fetch_sum(char hex[65], const char *path);

#endif
