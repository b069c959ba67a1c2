/* How fast each kernel is: every operation of every table this processor can run (but the reference), at the
 * shapes of a training step of a given model, its data out of cache before each run.  `lemur bench ops`
 * prints it. */
#ifndef OPS_TIME_OPS_H
#define OPS_TIME_OPS_H

#include "ops/ops.h"

typedef struct {
    const char *name;
    int64_t B, T, C, F, H, Hk, V; /* head width C / H */
} TimeShape;

extern const TimeShape time_shapes[]; /* the presets of `lemur bench train`; ends with a NULL name */

typedef struct {
    const char *op, *variant; /* of ops.def, of select.h */
    char shape[64];           /* "N 2048 C 768" */
    double seconds;           /* the fastest of several runs: what else the machine does only adds to it */
    double bytes, flops; /* that must move, that must be done, per run; flops 0 where moving is the work */
} OpTime;

enum { TIME_OPS_MAX = 128 };

/* Fills out[TIME_OPS_MAX], sets *count.  act: the activation type, f32 or bf16.  only: one operation; NULL:
 * all. ST_NOMEM  no room for the tensors     ST_ARG  no such operation */
MUST_CHECK Status time_ops(OpTime *out, int *count, const TimeShape *shape, DType act, int threads,
                           const char *only);

#endif
