/* The file in which a download grows, and the note beside it; for fetch.c. */
#ifndef EVAL_FETCH_PART_H
#define EVAL_FETCH_PART_H

#include "eval/fetch_paths.h"

typedef struct {
    FetchPaths paths; /* owned from fetch_part_open on */
    int fd;           /* locked; -1: not open */
    int64_t at;       /* bytes in it */
    bool resumed;     /* its beginning is of an earlier exchange */
    Str validator;    /* of the version that it is a part of; "": unknown */
} FetchPart;

/* What is there is gone on with, but where neither a validator nor a checksum (`summed`) would tell whether
 * the pieces fit.  ST_IO: it cannot be written, or another process fetches it; p->fd is -1. */
MUST_CHECK Status fetch_part_open(FetchPart *p, bool summed);
/* Cuts it to so many bytes; adds behind what is there; keeps the validator for a later call.  ST_IO. */
MUST_CHECK Status fetch_part_cut(FetchPart *p, int64_t at);
MUST_CHECK Status fetch_part_write(FetchPart *p, const char *bytes, size_t n);
MUST_CHECK Status fetch_part_note(FetchPart *p);
/* Removes it where it is empty; drops the paths. */
void fetch_part_close(FetchPart *p);

#endif
