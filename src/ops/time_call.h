/* What an operation is timed with, for time_ops.c and time_packed.h: tensors of ordinary numbers, and what
 * they say of the work. */
#ifndef OPS_TIME_CALL_H
#define OPS_TIME_CALL_H

#include <stdio.h>

#include "base/rng.h"
#include "ops/time_ops.h"

/* What of an operation that has several is timed: rows at once, of weights of this type. */
typedef struct {
    int64_t rows;
    QuantType type;
} TimeVariant;

enum { TENSORS = 10, TIME_PAGES = 32 };

/* An operation runs on one set of operands after the other, round and round, all of them together too large
 * for the caches.  So each run finds its operands in memory, and pays for pushing out what runs before it
 * wrote; were the caches cleared between runs, what a run writes would stay in them and cost nothing. */

typedef struct {
    Device *dev;
    Status status; /* of the first allocation that failed */
    const TimeShape *s;
    DType act;
    Tensor (*sets)[TENSORS];
    int n_sets;
    Tensor *t; /* the set in use */
    int n;     /* tensors in it */
    int64_t head_dim, N;
    AttentionShape attention;
    const TimeVariant *variant;
    PackedMatrix packed; /* without its data, which is a tensor of the set */
    KvPages kv;
    PagedRows rows;
    int32_t pages[TIME_PAGES];
    Rng rng;
    OpTime *result;
} Timing;

/* One more tensor of ordinary numbers. */
static inline Tensor *operand(Timing *a, DType d, int64_t rows, int64_t cols)
{
    Tensor *t = &a->t[a->n];
    *t = tensor_view(NULL, d, rows, cols);
    if (a->status == ST_OK)
        a->status = device_alloc(a->dev, &t->data, tensor_bytes(t), "timing operations");
    if (a->status != ST_OK)
        return t;
    a->n++;
    for (int64_t i = 0; i < tensor_count(t); i++)
        dtype_store(t->data, d, i, 2 * rng_uniform(&a->rng) - 1);
    return t;
}

static inline void indices(Timing *a, int64_t n, int64_t below)
{
    Tensor *t = operand(a, DTYPE_I32, 1, n);
    for (int64_t i = 0; a->status == ST_OK && i < n; i++)
        tensor_i32(t, 0)[i] = (int32_t)rng_below(&a->rng, (uint64_t)below);
}

static inline void describe(Timing *a, double bytes, double flops, const char *names, int64_t first,
                            int64_t second)
{
    a->result->bytes = bytes;
    a->result->flops = flops;
    snprintf(a->result->shape, sizeof a->result->shape, names, (long long)first, (long long)second);
}

static inline double act_size(const Timing *a)
{
    return (double)dtype_size(a->act);
}

#endif
