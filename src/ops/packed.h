/* Weights as inference keeps them, and the KV cache's pages: layouts that products read without a detour.
 *
 * A PackedMatrix is w [M, K] in panels of 16 rows, so that one vector holds 16 outputs and every number of x
 * is broadcast: one row of x (decoding) and many rows (prefill) are then computed by the same chain of
 * operations in the same order.  Result y[n, m] depends on x[n, :] and w[m, :] alone, bit for bit, whatever
 * else is in the batch, however many threads.
 *
 * Numbers: plain types: x rounded to bf16, products bf16 x bf16 -> f32 in the order of k, or of pieces of 32
 * of it where a table says so (F32 and F16 weights are packed as BF16 where bf16 is fast, else as F32).
 * Quantised types: x is quantised to i8 in blocks of 32
 * with an f32 scale each (d = max|x| / 127), dot products inside a block are exact integers, and blocks are
 * added in f32 in the order of k.
 *
 * The layouts are the same for every table of operations, and what the bytes mean is in ops/packed_layout.h.
 * Rows of any length are packed as plain types, rows of whole blocks as quantised ones. */
#ifndef OPS_PACKED_H
#define OPS_PACKED_H

#include "tensor/quant.h"
#include "tensor/tensor.h"

enum { PACKED_ROWS = 16, KV_PAGE = 64 /* positions a page */ };

typedef struct {
    QuantType type;     /* of the packed numbers: F32, BF16, Q8_0, Q4_0, Q4_K, Q5_K or Q6_K;
                         * packed_takes says which */
    int64_t rows, cols; /* M, K; the last panel is filled up with zeros */
    void *data;         /* 64-byte aligned, packed_bytes() long */
} PackedMatrix;

bool packed_takes(QuantType type);                       /* numbers can be packed as they are */
size_t packed_panel_bytes(QuantType type, int64_t cols); /* of 16 rows; a multiple of 64 */
size_t packed_bytes(QuantType type, int64_t rows, int64_t cols);

/* Keys and values of one layer.  Page p holds KV_PAGE positions of every key/value head
 * (ops/packed_layout.h).  Memory need not be cleared: kv_write clears a page when it writes the first
 * position of it. */
typedef struct {
    void *data; /* [pages] of kv_page_bytes(), 64-byte aligned */
    DType dtype; /* bf16 or f32 */
    int64_t pages, Hk, D;
} KvPages;
size_t kv_page_bytes(DType dtype, int64_t Hk, int64_t D); /* a multiple of 64 */
int64_t kv_pages_for(int64_t positions);                  /* how many pages they take */

/* The rows of one sequence in a batch: row first + i (i < n) is at position past + i and sees positions 0 ..
 * past + i, of which position p is in page pages[p / KV_PAGE]. */
typedef struct {
    const int32_t *pages;
    int64_t past, first, n;
} PagedRows;

#endif
