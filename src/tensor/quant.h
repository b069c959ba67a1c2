/* Types that weights have in files: plain ones, and GGUF's blocks of quantised numbers.
 *
 *   type   numbers a block  bytes  bits each   value of number i
 *   Q8_0         32           34     8.5       d q[i]                     d f16, q i8
 *   Q4_0         32           18     4.5       d (q[i] - 8)               d f16, q u4
 *   Q4_K        256          144     4.5       d sc[i/32] q[i] - dmin m[i/32]   d, dmin f16; sc, m u6; q u4
 *   Q5_K        256          176     5.5       the same, q u5
 *   Q6_K        256          210     6.5625    d sc[i/16] (q[i] - 32)     d f16, sc i8, q u6
 *   Q4_1         32           20     5         d q[i] + m                 d, m f16, q u4       read only
 *   Q5_0         32           22     5.5       d (q[i] - 16)              d f16, q u5          read only
 *   Q5_1         32           24     6         d q[i] + m                 d, m f16, q u5       read only
 *
 * The blocks' bytes are those of ggml (https://github.com/ggml-org/ggml, docs/gguf.md and ggml-common.h).
 * A row of a matrix is a whole number of blocks.  This is the reference in plain C; ops/ has the fast
 * products. */
#ifndef TENSOR_QUANT_H
#define TENSOR_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/dtype.h"

typedef enum {
    QUANT_F32, QUANT_F16, QUANT_BF16,                              /* plain: blocks of one number */
    QUANT_Q8_0, QUANT_Q4_0, QUANT_Q4_K, QUANT_Q5_K, QUANT_Q6_K,
    QUANT_Q4_1, QUANT_Q5_0, QUANT_Q5_1,                            /* read only: older files have them */
    QUANT_TYPES
} QuantType;

const char *quant_name(QuantType t);             /* "F32", "BF16", "Q8_0", "Q4_K", ... as in GGUF */
bool quant_find(QuantType *out, const char *name); /* either case; false: unknown */
int64_t quant_block(QuantType t);                /* numbers a block */
size_t quant_block_bytes(QuantType t);
bool quant_fits(QuantType t, int64_t cols);      /* whether a row of so many numbers is whole blocks */
size_t quant_bytes(QuantType t, int64_t n);      /* n is a multiple of the block; overflow is a bug */
QuantType quant_of_dtype(DType d);               /* f32, f16, bf16; any other is a bug */
bool quant_writes(QuantType t);                  /* whether quant_encode knows it */
float quant_limit(QuantType t);                  /* numbers beyond +-it cannot be held, not even roughly */

/* out[n] = the values of `blocks`.  n is a multiple of the block; blocks may be unaligned. */
void quant_decode(float *out, const void *blocks, QuantType t, int64_t n);
/* blocks = x[n], rounded to the type by least squared error (K types), or by the format's plain rule (Q8_0,
 * Q4_0: as ggml's reference, bit for bit).  A number that is not finite or beyond quant_limit is the
 * caller's to refuse. */
void quant_encode(void *blocks, QuantType t, const float *x, int64_t n);

#endif
