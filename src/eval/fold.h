/* A fixed part of a benchmark's questions, so that some are learned from and others are not: "2/5", the
 * second of five equal parts, or "3-5/5", the last three.
 *
 *     Fold f;
 *     TRY(fold_read(&f, "1/5"));
 *     fold_mark(in, &f, ids, n);
 *
 * Which questions a part has follows from their ids alone: not from their order, nor from any seed.  The
 * parts of one number are as large as each other, but for one question. */
#ifndef EVAL_FOLD_H
#define EVAL_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    int64_t first, last, of; /* 1 <= first <= last <= of; of 0: all questions */
} Fold;

/* "": all.  ST_ARG: not of that form. */
MUST_CHECK Status fold_read(Fold *out, const char *text);
/* in[i]: whether the question ids[i] is in the part. */
void fold_mark(bool *in, const Fold *f, const char *const *ids, int64_t n);

#endif
