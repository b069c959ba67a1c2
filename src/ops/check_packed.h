/* Checks of inference's operations, for check_ops_test.c.  Packed weights and pages are tensors of words,
 * which both the table and the reference take as they are. */
#ifndef OPS_CHECK_PACKED_H
#define OPS_CHECK_PACKED_H

#include "ops/check_ops.h"
#include "ops/packed_layout.h"

static const QuantType packed_types[] = {QUANT_F32,  QUANT_BF16, QUANT_Q8_0, QUANT_Q4_0,
                                         QUANT_Q4_K, QUANT_Q5_K, QUANT_Q6_K};
enum { PACKED_TYPES = sizeof packed_types / sizeof packed_types[0] };

static inline bool is_plain(QuantType t)
{
    return t == QUANT_F32 || t == QUANT_F16 || t == QUANT_BF16;
}

/* `bytes` of words; as `role` says, rubbish or yet to be filled. */
static inline Tensor *call_words(Call *c, Role role, size_t bytes)
{
    return call_tensor(c, role, DTYPE_I32, 1, (int64_t)((bytes + 3) / 4), 0);
}

/* Rows as a file has them, of ordinary numbers. */
static inline Tensor *call_raw(Call *c, QuantType type, int64_t rows, int64_t cols)
{
    Tensor *t = call_words(c, ROLE_IN, quant_bytes(type, rows * cols));
    float *row = mem_array(float, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t k = 0; k < cols; k++)
            row[k] = (float)rng_normal(&c->rng);
        quant_encode((char *)t->data + quant_bytes(type, r * cols), type, row, cols);
    }
    mem_free(row);
    return t;
}

/* The same packed by the reference: matrix i of the call. */
static inline void call_packed(Call *c, Device *ref, int i, QuantType type, int64_t rows, int64_t cols)
{
    Call raw = call_start(NULL, (uint64_t)(7 + rows + i));
    call_raw(&raw, type, rows, cols);
    c->packed[i] = (PackedMatrix){.type = type, .rows = rows, .cols = cols};
    PackedMatrix w = c->packed[i];
    w.data = call_words(c, ROLE_IN, packed_bytes(type, rows, cols))->data;
    pack_weights(ref, &w, 0, rows, raw.t[0].data, type);
    call_drop(&raw);
}

static inline PackedMatrix packed_at(const Call *c, int i, int tensor)
{
    PackedMatrix w = c->packed[i];
    w.data = c->t[tensor].data;
    return w;
}

/* ---- pack_weights ---- */

/* All rows at once, or the first panel by itself and then the others. */
static void run_pack_weights(Device *dev, Call *c)
{
    PackedMatrix w = packed_at(c, 0, 0);
    int64_t first = c->flag ? PACKED_ROWS : 0;
    const char *raw = c->t[1].data;
    if (first)
        pack_weights(dev, &w, 0, first, raw, c->from);
    pack_weights(dev, &w, first, w.rows - first, raw + quant_bytes(c->from, first * w.cols), c->from);
}

static void check_pack(Harness *h, QuantType to, QuantType from, int64_t rows, int64_t cols)
{
    Call c = call_start(run_pack_weights, 31);
    c.packed[0] = (PackedMatrix){.type = to, .rows = rows, .cols = cols};
    c.from = from;
    c.flag = rows > PACKED_ROWS;
    c.tolerance = 1e-12; /* equal bits */
    call_words(&c, ROLE_OUT, packed_bytes(to, rows, cols));
    call_raw(&c, from, rows, cols);
    judge(h, &c);
}

static void check_pack_weights(Harness *h)
{
    static const int64_t rows[] = {1, 17, 47}, plain_cols[] = {1, 2, 31, 33, 64, 130};
    for (int r = 0; r < 3; r++) {
        for (int i = 0; i < 6; i++) {
            check_pack(h, QUANT_F32, i % 2 ? QUANT_F32 : QUANT_F16, rows[r], plain_cols[i]);
            check_pack(h, QUANT_BF16,
                       i % 3 == 0   ? QUANT_F32
                       : i % 3 == 1 ? QUANT_BF16
                                    : QUANT_F16,
                       rows[r], plain_cols[i]);
            check_pack(h, QUANT_BF16, QUANT_BF16, rows[r], plain_cols[i]);
        }
        for (int t = 2; t < PACKED_TYPES; t++)
            for (int64_t blocks = 1; blocks < 4; blocks++)
                check_pack(h, packed_types[t], packed_types[t], rows[r],
                           blocks * quant_block(packed_types[t]));
        check_pack(h, QUANT_BF16, QUANT_Q4_0, rows[r], 64);
    }
}

/* ---- matmul_packed: y, x, the matrices ---- */

static void run_matmul_packed(Device *dev, Call *c)
{
    PackedMatrix w[3];
    for (int i = 0; i < c->count; i++)
        w[i] = packed_at(c, i, 2 + i);
    matmul_packed(dev, &c->t[0], &c->t[1], w, (int)c->count, c->flag);
}

typedef struct {
    int64_t N, K, M[3]; /* K in blocks of 256 or, plain types, in numbers */
    int count;
} PackedShape;

static void check_packed_product(Harness *h, const PackedShape *s, const QuantType types[3], int variant)
{
    Call c = call_start(run_matmul_packed, 33);
    DType act = acts[variant & 1], out = acts[variant >> 1 & 1];
    int64_t M = 0, K = is_plain(types[0]) ? s->K : (s->K + 2) / 3 * 256;
    if ((types[0] == QUANT_Q8_0 || types[0] == QUANT_Q4_0) && s->count == 1)
        K = s->K * 32;
    c.flag = variant >> 2 & 1;
    c.count = s->count;
    c.gap = variant * 3 % 8;
    for (int i = 0; i < s->count; i++)
        M += s->M[i];
    c.tolerance = out == DTYPE_F32 ? 4e-6 : 0.005;
    call_tensor(&c, c.flag ? ROLE_ADD : ROLE_OUT, out, s->N, M, 1);
    call_tensor(&c, ROLE_IN, act, s->N, K, 1);
    for (int i = 0; i < s->count; i++)
        call_packed(&c, h->ref, i, types[i], s->M[i], K);
    judge(h, &c);
}

/* Numbers of weights and of x all at an end of their range, where sums of few bits are fullest. */
static void check_packed_ends(Harness *h, QuantType type, int byte, int64_t N)
{
    enum { COLS = 512, ROWS = 33 };
    Call c = call_start(run_matmul_packed, 36);
    const PackedForm *form = packed_form(type);
    c.count = 1;
    c.tolerance = 4e-6;
    call_tensor(&c, ROLE_OUT, DTYPE_F32, N, ROWS, 1);
    Tensor *x = call_tensor(&c, ROLE_IN, DTYPE_F32, N, COLS, 1);
    for (int64_t n = 0; n < N; n++)
        for (int64_t k = 0; k < COLS; k++)
            tensor_f32(x, n)[k] = n % 3 == 0 ? 1 : n % 3 == 1 ? -1 : k % 4 < 2 ? 1 : -1;
    call_packed(&c, h->ref, 0, type, ROWS, COLS);
    PackedMatrix w = packed_at(&c, 0, 2);
    for (int64_t p = 0; p < packed_panels(&w); p++)
        for (int64_t b = 0; b < COLS / form->block; b++)
            memset(packed_panel(&w, p) + packed_words_at(form, b), byte, (size_t)form->words * PACKED_VECTOR);
    judge(h, &c);
}

static void check_matmul_packed(Harness *h)
{
    for (int t = 0; t < PACKED_TYPES; t++)
        for (int i = 0; i < 6 && !is_plain(packed_types[t]); i++)
            check_packed_ends(h, packed_types[t], i % 2 ? 255 : 0, i < 2 ? 1 : i < 4 ? 7 : 70);
    static const PackedShape shapes_of[] = {
        {1, 1, {1}, 1},          {1, 3, {17}, 1},   {2, 5, {33}, 1},   {3, 2, {16}, 1},
        {5, 9, {48}, 1},         {7, 1, {100}, 1},  {8, 4, {64}, 1},   {9, 3, {65}, 1},
        {13, 2, {31}, 1},        {33, 3, {20}, 1},  {70, 5, {130}, 1}, {1, 2, {32, 7, 19}, 3},
        {19, 1, {40, 16, 3}, 3}, {1, 1, {2, 1}, 2},
    };
    for (int t = 0; t < PACKED_TYPES; t++) {
        for (int i = 0; i < (int)(sizeof shapes_of / sizeof shapes_of[0]); i++) {
            QuantType same = packed_types[t], types[3] = {same, same, same};
            check_packed_product(h, &shapes_of[i], types, i + 3 * t);
        }
    }
    /* The types of a file that mixes them, and plain among quantised ones. */
    static const QuantType mixed[][3] = {{QUANT_Q4_K, QUANT_Q4_K, QUANT_Q6_K},
                                         {QUANT_Q8_0, QUANT_BF16, QUANT_Q5_K},
                                         {QUANT_Q4_0, QUANT_Q6_K, QUANT_F32}};
    for (int t = 0; t < 3; t++)
        for (int i = 11; i < 13; i++)
            for (int v = t; v < 8; v += 3)
                check_packed_product(h, &shapes_of[i], mixed[t], v);
}

/* ---- embed_packed: out, ids, table ---- */

static void run_embed_packed(Device *dev, Call *c)
{
    PackedMatrix w = packed_at(c, 0, 2);
    embed_packed(dev, &c->t[0], &w, &c->t[1]);
}

static void check_embed_packed(Harness *h)
{
    static const int64_t plain_cols[] = {1, 2, 33, 64, 130, 256};
    for (int t = 0; t < PACKED_TYPES; t++) {
        for (int i = 0; i < 6; i++) {
            Call c = call_start(run_embed_packed, 34);
            int64_t cols = is_plain(packed_types[t]) ? plain_cols[i] : (i + 1) * quant_block(packed_types[t]);
            int64_t rows = i % 2 ? 37 : 5;
            c.gap = i * 5;
            c.tolerance = 1e-12;
            call_tensor(&c, ROLE_OUT, DTYPE_F32, 1 + i * 4, cols, 0);
            call_index(&c, 1 + i * 4, 0, rows);
            call_packed(&c, h->ref, 0, packed_types[t], rows, cols);
            judge(h, &c);
        }
    }
}

/* ---- pages: a batch of three sequences, of which two share their first page ---- */

static const AttentionShape paged_shapes[] = {
    {1, 1, 1, 1, 1},  {1, 1, 2, 2, 8},  {1, 1, 6, 2, 20}, {1, 1, 8, 1, 16},  {1, 1, 5, 1, 33},
    {1, 1, 4, 2, 64}, {1, 1, 8, 4, 32}, {1, 1, 3, 3, 80}, {1, 1, 2, 1, 128}, {1, 1, 12, 2, 48},
};
enum { PAGED_SHAPES = sizeof paged_shapes / sizeof paged_shapes[0], PAGED_PAGES = 12 };

/* How many positions each sequence has and how many of them are new. */
static const int64_t paged_rows[][6] = {
    {0, 1, 0, 0, 0, 0},     {3, 1, 64, 1, 127, 1},    {0, 5, 0, 64, 70, 3},
    {130, 9, 63, 2, 64, 0}, {0, 150, 100, 20, 65, 1}, {17, 47, 0, 65, 191, 1},
};
enum { PAGED_ROWS = sizeof paged_rows / sizeof paged_rows[0] };

static void place_pages(Call *c, const int64_t r[6], DType d, const AttentionShape *s)
{
    int64_t first = 0;
    c->shape = *s;
    c->kv = (KvPages){.dtype = d, .pages = PAGED_PAGES, .Hk = s->Hk, .D = s->D};
    for (int i = 0; i < 3; i++) {
        c->rows[i] = (PagedRows){.past = r[2 * i], .first = first, .n = r[2 * i + 1]};
        first += r[2 * i + 1];
        for (int p = 0; p < 4; p++) /* sequences 0 and 1 share their first page where neither writes to it */
            c->pages[4 * i + p] = p == 0 && i == 1 && r[0] >= KV_PAGE && r[2] >= KV_PAGE
                                      ? c->pages[0]
                                      : 11 - (4 * i + p) * 7 % 12;
    }
}

static int64_t new_rows(const Call *c)
{
    return c->rows[0].n + c->rows[1].n + c->rows[2].n;
}

/* Pointers into the call itself, which may have been copied. */
static KvPages paged_call(Call *c, int tensor)
{
    KvPages kv = c->kv;
    kv.data = c->t[tensor].data;
    for (int i = 0; i < 3; i++)
        c->rows[i].pages = c->pages + 4 * i;
    return kv;
}

/* t: the pages, k, v */
static void run_kv_write(Device *dev, Call *c)
{
    KvPages kv = paged_call(c, 0);
    kv_write(dev, &kv, &c->t[1], &c->t[2], c->rows, 3);
}

static void check_kv_write(Harness *h)
{
    for (int a = 0; a < 2 * ACTS; a++) {
        for (int i = a; i < PAGED_SHAPES * PAGED_ROWS; i += 7) { /* every shape and every batch */
            const AttentionShape *s = &paged_shapes[i % PAGED_SHAPES];
            Call c = call_start(run_kv_write, 35);
            place_pages(&c, paged_rows[i / PAGED_SHAPES], acts[a % 2], s);
            c.gap = i % 3 * 8;
            c.tolerance = 1e-12;
            call_words(&c, ROLE_ADD, PAGED_PAGES * kv_page_bytes(acts[a % 2], s->Hk, s->D));
            call_tensor(&c, ROLE_IN, acts[a / 2], new_rows(&c), s->Hk * s->D, 1);
            call_tensor(&c, ROLE_IN, acts[a / 2], new_rows(&c), s->Hk * s->D, 1);
            judge(h, &c);
        }
    }
}

/* t: out, q, pages */
static void run_attention_paged(Device *dev, Call *c)
{
    KvPages kv = paged_call(c, 2);
    attention_paged(dev, &c->t[0], &c->t[1], &kv, c->rows, 3, &c->shape);
}

/* Keys and values of every position, as kv_write leaves them. */
static void fill_pages(Device *ref, Call *c, const AttentionShape *s)
{
    Call kv = call_start(NULL, 37);
    kv.shape = *s;
    call_tensor(&kv, ROLE_IN, DTYPE_F32, PAGED_PAGES * KV_PAGE, s->Hk * s->D, 1.5);
    call_tensor(&kv, ROLE_IN, DTYPE_F32, PAGED_PAGES * KV_PAGE, s->Hk * s->D, 1);
    int32_t all[PAGED_PAGES];
    for (int i = 0; i < PAGED_PAGES; i++)
        all[i] = i;
    PagedRows rows = {.pages = all, .n = PAGED_PAGES * KV_PAGE};
    KvPages pages = c->kv;
    pages.data = c->t[2].data;
    kv_write(ref, &pages, &kv.t[0], &kv.t[1], &rows, 1);
    call_drop(&kv);
}

static void check_attention_paged(Harness *h)
{
    for (int a = 0; a < 2 * ACTS; a++) {
        for (int i = a; i < PAGED_SHAPES * PAGED_ROWS; i += 7) { /* every shape and every batch */
            const AttentionShape *s = &paged_shapes[i % PAGED_SHAPES];
            DType act = acts[a % 2], kept = acts[a / 2];
            Call c = call_start(run_attention_paged, 36);
            place_pages(&c, paged_rows[i / PAGED_SHAPES], kept, s);
            c.gap = i % 3 * 8;
            c.tolerance = act == DTYPE_BF16 || kept == DTYPE_BF16 ? 0.008 : 4e-6;
            call_tensor(&c, ROLE_OUT, act, new_rows(&c), s->H * s->D, 0);
            call_tensor(&c, ROLE_IN, act, new_rows(&c), s->H * s->D, 1.5);
            call_words(&c, ROLE_IN, PAGED_PAGES * kv_page_bytes(kept, s->Hk, s->D));
            fill_pages(h->ref, &c, s);
            judge(h, &c);
        }
    }
}

#endif
