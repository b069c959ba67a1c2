/* How fast each kernel is: every operation of every table this processor can run (but the reference), at the
 * shapes of a training step of a given model, its data in memory and not in the caches.  `lemur bench ops`
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
    /* What a run must move: each operand read once, each result written once.  A processor moves more where
     * it reads a line of memory before it overwrites it. */
    double bytes;
    double flops; /* what it must compute; 0 where moving is the work */
} OpTime;

enum { TIME_OPS_MAX = 256 };

/* Fills out[TIME_OPS_MAX], sets *count.  act: the activation type, f32 or bf16.  only: one operation; NULL:
 * all.  Takes measure_cold_bytes(threads) of memory, or one set of operands where that is more.
 *   ST_NOMEM  no room for the tensors    ST_ARG  no such operation */
MUST_CHECK Status time_ops(OpTime *out, int *count, const TimeShape *shape, DType act, int threads,
                           const char *only);

#endif
