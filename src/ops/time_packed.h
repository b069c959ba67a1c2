/* Timings of inference's operations, for time_ops.c. */
#ifndef OPS_TIME_PACKED_H
#define OPS_TIME_PACKED_H

#include "ops/time_call.h"

/* The packed weights of one product, [F, C], as a tensor of bytes, all the same: no kernel
 * is faster or slower for what they are. */
static void packed_operand(Timing *a, QuantType type, int64_t rows, int64_t cols)
{
    a->packed = (PackedMatrix){.type = type, .rows = rows, .cols = cols};
    int64_t words = (int64_t)(packed_bytes(type, rows, cols) / sizeof(int32_t));
    Tensor *t = operand(a, DTYPE_I32, 1, words);
    for (int64_t i = 0; a->status == ST_OK && i < words; i++)
        tensor_i32(t, 0)[i] = 0x2C2C2C2C;
}

static PackedMatrix packed_of(const Timing *a, int i)
{
    PackedMatrix w = a->packed;
    w.data = a->t[i].data;
    return w;
}

/* Types whose rows are whole blocks of 256 numbers are timed at a width of them. */
static int64_t packed_cols(const Timing *a)
{
    return (a->s->C + 255) / 256 * 256;
}

/* Raw rows and the panels that they become. */
static void pack_weights_set(Timing *a)
{
    int64_t cols = packed_cols(a), rows = a->s->F;
    packed_operand(a, a->variant->type, rows, cols);
    int64_t raw = (int64_t)quant_bytes(a->variant->type, rows * cols);
    operand(a, DTYPE_I32, 1, (raw + 3) / 4);
    describe(a, (double)raw + (double)packed_bytes(a->variant->type, rows, cols), 0, "%lld x %lld", rows,
             cols);
}

static void pack_weights_run(Timing *a)
{
    PackedMatrix w = packed_of(a, 0);
    pack_weights(a->dev, &w, 0, w.rows, a->t[1].data, w.type);
}

static void matmul_packed_set(Timing *a)
{
    int64_t N = a->variant->rows, cols = packed_cols(a), rows = a->s->F;
    packed_operand(a, a->variant->type, rows, cols);
    operand(a, a->act, N, rows);
    operand(a, a->act, N, cols);
    double bytes = (double)packed_bytes(a->variant->type, rows, cols);
    describe(a, bytes, N >= 64 ? 2 * (double)(N * rows) * (double)cols : 0, "%lld x %lld", rows, cols);
}

static void matmul_packed_run(Timing *a)
{
    PackedMatrix w = packed_of(a, 0);
    matmul_packed(a->dev, &a->t[1], &a->t[2], &w, 1, false);
}

static void embed_packed_set(Timing *a)
{
    int64_t cols = packed_cols(a);
    packed_operand(a, a->variant->type, a->s->V, cols);
    operand(a, DTYPE_F32, a->N, cols);
    indices(a, a->N, a->s->V);
    describe(a, (double)a->N * (4 * (double)cols + (double)quant_bytes(a->variant->type, cols)), 0,
             "N %lld C %lld", a->N, cols);
}

static void embed_packed_run(Timing *a)
{
    PackedMatrix w = packed_of(a, 0);
    embed_packed(a->dev, &a->t[1], &w, &a->t[2]);
}

/* A sequence of as many positions as the pages hold, of which the last `rows` are new. */
static void paged_set(Timing *a)
{
    int64_t rows = a->variant->rows, Ck = a->s->Hk * a->head_dim, Cq = a->s->H * a->head_dim;
    a->kv = (KvPages){.dtype = a->act, .pages = TIME_PAGES, .Hk = a->s->Hk, .D = a->head_dim};
    for (int i = 0; i < TIME_PAGES; i++)
        a->pages[i] = TIME_PAGES - 1 - i;
    a->rows = (PagedRows){.pages = a->pages, .past = TIME_PAGES * KV_PAGE - rows, .first = 0, .n = rows};
    a->attention = (AttentionShape){1, rows, a->s->H, a->s->Hk, a->head_dim};
    operand(a, a->act, 1,
            (int64_t)(TIME_PAGES * kv_page_bytes(a->act, a->s->Hk, a->head_dim) / dtype_size(a->act)));
    operand(a, a->act, rows, Cq);
    operand(a, a->act, rows, Cq);
    operand(a, a->act, rows, Ck);
    operand(a, a->act, rows, Ck);
}

static void kv_write_set(Timing *a)
{
    paged_set(a);
    describe(a, (double)(a->variant->rows * a->s->Hk * a->head_dim) * 4 * act_size(a), 0, "D %lld Hk %lld",
             a->head_dim, a->s->Hk);
}

static void kv_write_run(Timing *a)
{
    a->kv.data = a->t[0].data;
    kv_write(a->dev, &a->kv, &a->t[3], &a->t[4], &a->rows, 1);
}

static void attention_paged_set(Timing *a)
{
    paged_set(a);
    double seen = (double)(TIME_PAGES * KV_PAGE) - (double)(a->variant->rows - 1) / 2,
           rows = (double)a->variant->rows;
    describe(a, 2 * seen * (double)(a->s->Hk * a->head_dim) * act_size(a),
             rows >= 64 ? 4 * seen * rows * (double)(a->s->H * a->head_dim) : 0, "cache %lld D %lld",
             TIME_PAGES * KV_PAGE, a->head_dim);
}

static void attention_paged_run(Timing *a)
{
    a->kv.data = a->t[0].data;
    attention_paged(a->dev, &a->t[2], &a->t[1], &a->kv, &a->rows, 1, &a->attention);
}

/* Lists end with no rows.  Plain weights are of the activations' type, whatever is said here. */
static const TimeVariant types_timed[] = {{1, QUANT_BF16}, {1, QUANT_Q8_0}, {1, QUANT_Q4_0}, {1, QUANT_Q4_K},
                                          {1, QUANT_Q5_K}, {1, QUANT_Q6_K}, {0, QUANT_BF16}};
static const TimeVariant products_timed[] = {
    {1, QUANT_BF16},   {1, QUANT_Q8_0},   {1, QUANT_Q4_0},   {1, QUANT_Q4_K},   {1, QUANT_Q5_K},
    {1, QUANT_Q6_K},   {8, QUANT_BF16},   {8, QUANT_Q8_0},   {8, QUANT_Q4_0},   {8, QUANT_Q4_K},
    {8, QUANT_Q5_K},   {8, QUANT_Q6_K},   {512, QUANT_BF16}, {512, QUANT_Q8_0}, {512, QUANT_Q4_0},
    {512, QUANT_Q4_K}, {512, QUANT_Q5_K}, {512, QUANT_Q6_K}, {0, QUANT_BF16}};
static const TimeVariant rows_timed[] = {
    {1, QUANT_BF16}, {8, QUANT_BF16}, {512, QUANT_BF16}, {0, QUANT_BF16}};

#endif
