/* Where the weights of a model come from when it is written anew: a file, or random numbers, or what
 * another module makes of a file (an adapter merged into it).  Rows are asked for one by one, in Hugging
 * Face's order, from any thread. */
#ifndef MODEL_WEIGHT_SOURCE_H
#define MODEL_WEIGHT_SOURCE_H

#include <signal.h>

#include "model/model_file.h"

typedef struct WeightSource WeightSource;
struct WeightSource {
    const Params *params;
    const void *context;
    uint64_t seed;
    const volatile sig_atomic_t *stop; /* non-zero: nobody wants them any longer.  NULL: never */
    /* out[p->cols] = that row. */
    void (*row)(const WeightSource *s, const Param *p, int64_t row, float *out);
    /* The row's blocks where they lie ready in this type; NULL: they do not.  The function may be NULL. */
    const void *(*stored)(const WeightSource *s, const Param *p, int64_t row, QuantType type);
};

/* ST_CANCELLED once `stop` says so. */
MUST_CHECK Status weight_source_wanted(const WeightSource *s);

WeightSource weight_source_file(const ModelFile *f); /* lives as long as `f` */
/* A model fresh from model_init's distribution, though not with the same numbers; the same for a seed,
 * whatever the threads.  Keeps `params`. */
WeightSource weight_source_random(const Params *params, uint64_t seed);

#endif
