#include "ops/packed_layout.h"

#include "base/check.h"

/* Q6_K: half by half, first its scales, then what its first block of 32 takes (qh and ql in turn), then the
 * second block's ql. */
#define Q6_ORDER_QL(h) \
    h + 3, h + 5, h + 7, h + 9, h + 11, h + 13, h + 15, h + 17, /* of blocks 0 and 2 */ \
        h + 18, h + 19, h + 20, h + 21, h + 22, h + 23, h + 24, h + 25
#define Q6_ORDER_QH(h) h + 2, h + 4, h + 6, h + 8, h + 10, h + 12, h + 14, h + 16
static const unsigned char q6_order[52] = {Q6_ORDER_QL(0), Q6_ORDER_QL(26), Q6_ORDER_QH(0), Q6_ORDER_QH(26),
                                           0, 1, 26, 27};

static const PackedForm forms[QUANT_TYPES] = {
    [QUANT_Q8_0] = {.block = 32, .bytes = 34, .group = 2, .words = 8, .words_at = 2, .flip = 0x80808080u},
    [QUANT_Q4_0] = {.block = 32, .bytes = 18, .group = 2, .words = 4, .words_at = 2},
    [QUANT_Q4_K] = {.block = 256, .bytes = 144, .group = 1, .words = 35, .words_at = 4},
    [QUANT_Q5_K] = {.block = 256, .bytes = 176, .group = 1, .words = 43, .words_at = 4},
    [QUANT_Q6_K] = {.block = 256,
                    .bytes = 210,
                    .group = 2,
                    .words = 52,
                    .words_at = 0,
                    .scale_at = 208,
                    .order = q6_order},
};

const PackedForm *packed_form(QuantType type)
{
    check((unsigned)type < QUANT_TYPES);
    return forms[type].block ? &forms[type] : NULL;
}

bool packed_takes(QuantType type)
{
    return type == QUANT_F32 || type == QUANT_BF16 || packed_form(type);
}

static int64_t panel_vectors(QuantType type, int64_t cols)
{
    const PackedForm *f = packed_form(type);
    if (!f)
        return type == QUANT_BF16 ? packed_round_up(cols, 2) / 2 : cols;
    int64_t blocks = cols / f->block;
    return packed_round_up(blocks, f->group) / f->group + blocks * f->words;
}

size_t packed_panel_bytes(QuantType type, int64_t cols)
{
    size_t bytes;
    check(packed_takes(type) && cols >= 0 && quant_fits(type, cols));
    check(!__builtin_mul_overflow((size_t)panel_vectors(type, cols), (size_t)PACKED_VECTOR, &bytes));
    return bytes;
}

size_t packed_bytes(QuantType type, int64_t rows, int64_t cols)
{
    size_t bytes, panels = (size_t)(packed_round_up(rows, PACKED_ROWS) / PACKED_ROWS);
    check(rows >= 0 && !__builtin_mul_overflow(packed_panel_bytes(type, cols), panels, &bytes));
    return bytes;
}

size_t kv_page_bytes(DType dtype, int64_t Hk, int64_t D)
{
    size_t bytes;
    check((dtype == DTYPE_BF16 || dtype == DTYPE_F32) && Hk > 0 && D > 0);
    check(!__builtin_mul_overflow(kv_key_bytes(dtype, D) + kv_value_bytes(dtype, D), (size_t)Hk, &bytes));
    return bytes;
}

int64_t kv_pages_for(int64_t positions)
{
    return (positions + KV_PAGE - 1) / KV_PAGE;
}
