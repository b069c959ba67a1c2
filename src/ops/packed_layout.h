/* What the bytes of a panel and of a KV page mean.  For kernels and their reference; everybody else:
 * packed.h.
 *
 * A panel is 16 rows.  Everything in it comes in vectors of 64 bytes, one 32-bit lane to a row, in the order
 * of k.
 *
 *   F32    vector k             lane = number k of the row
 *   BF16   vector k / 2         lane = numbers k, k + 1 of the row; 0 behind the last of an odd row
 *
 * Quantised rows are blocks as their file has them (tensor/quant.h), cut in two: all that is not a scale of
 * the whole block goes into vectors word by word (32 bits), unchanged but for Q8_0's numbers, whose sign bit
 * is flipped so that they are q + 128; the f16 scales of 16 rows go into a vector ahead, two to it, the first
 * in its lower half.
 *
 *   Q8_0, Q4_0   [d of block 0, d of block 1] [words of block 0] [words of block 1] ...   words: q
 *   Q6_K         the same                                      words: ql, qh, scales, in the order of use
 *   Q4_K, Q5_K   [d, dmin of block 0] [words of block 0] ...   words: scales, (qh,) qs
 *
 * So a panel is as long as its rows are in the file, but for a vector's half where the blocks are odd in
 * number.
 *
 * A page has the keys of head 0, its values, the keys of head 1, and so on:
 *
 *   bf16   keys    [position / 16][d / 2]   lane = numbers d, d + 1 of position % 16; 0 behind an odd D
 *          values  [position / 2][d / 16]   lane = positions p, p + 1 of number d % 16; 0 behind the last d
 *   f32    keys    [position / 16][d]       lane = number d of position % 16
 *          values  [position][d / 16]       lane = number d % 16 */
#ifndef OPS_PACKED_LAYOUT_H
#define OPS_PACKED_LAYOUT_H

#include "ops/packed.h"

enum { PACKED_VECTOR = 64 /* bytes */, DOT_BLOCK = 32 /* numbers of x that share a scale */ };

/* A quantised type in a panel.  Offsets are into a block as files have it. */
typedef struct {
    int64_t block; /* numbers */
    int bytes;     /* of a block in a file */
    int group;     /* blocks that share a vector of scales: 2, or 1 with two scales */
    int words, words_at;
    int scale_at;  /* the f16 d; K types with a minimum have dmin behind it */
    uint32_t flip; /* what words are xored with */
    /* In which vector of the block each word lies; NULL: in the file's order.  Processors read ahead only
     * where bytes are asked for in their order. */
    const unsigned char *order;
} PackedForm;

const PackedForm *packed_form(QuantType type); /* NULL: plain */

static inline int64_t packed_round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static inline unsigned char *packed_panel(const PackedMatrix *w, int64_t panel)
{
    return (unsigned char *)w->data + (size_t)panel * packed_panel_bytes(w->type, w->cols);
}

static inline int64_t packed_panels(const PackedMatrix *w)
{
    return packed_round_up(w->rows, PACKED_ROWS) / PACKED_ROWS;
}

/* Where the vector of scales of block b is in a panel, and where its words begin. */
static inline size_t packed_scales_at(const PackedForm *f, int64_t b)
{
    return (size_t)(b / f->group * (1 + f->group * f->words)) * PACKED_VECTOR;
}

static inline size_t packed_words_at(const PackedForm *f, int64_t b)
{
    return (size_t)(b / f->group + 1 + b * f->words) * PACKED_VECTOR;
}

/* The vector of a block in which word i of the file's block lies. */
static inline int packed_word_place(const PackedForm *f, int i)
{
    return f->order ? f->order[i] : i;
}

/* Bytes of one head's keys, and of its values, in a page; and where they begin. */
static inline size_t kv_key_bytes(DType d, int64_t D)
{
    return d == DTYPE_BF16 ? (size_t)(KV_PAGE * packed_round_up(D, 2)) * 2 : (size_t)(KV_PAGE * D) * 4;
}

static inline size_t kv_value_bytes(DType d, int64_t D)
{
    return (size_t)(KV_PAGE * packed_round_up(D, 16)) * (d == DTYPE_BF16 ? 2 : 4);
}

static inline unsigned char *kv_keys(const KvPages *kv, int64_t page, int64_t head)
{
    size_t each = kv_key_bytes(kv->dtype, kv->D) + kv_value_bytes(kv->dtype, kv->D);
    return (unsigned char *)kv->data + (size_t)(page * kv->Hk + head) * each;
}

static inline unsigned char *kv_values(const KvPages *kv, int64_t page, int64_t head)
{
    return kv_keys(kv, page, head) + kv_key_bytes(kv->dtype, kv->D);
}

/* Number d of a position's key or value: which of the head's elements it is. */
static inline int64_t kv_key_index(DType t, int64_t D, int64_t position, int64_t d)
{
    int64_t lane = position % 16, vectors = position / 16;
    return t == DTYPE_BF16 ? (vectors * (packed_round_up(D, 2) / 2) + d / 2) * 32 + lane * 2 + d % 2
                           : (vectors * D + d) * 16 + lane;
}

static inline int64_t kv_value_index(DType t, int64_t D, int64_t position, int64_t d)
{
    int64_t wide = packed_round_up(D, 16);
    return t == DTYPE_BF16 ? position / 2 * wide * 2 + d * 2 + position % 2 : position * wide + d;
}

#endif
