/* Sizes of packed weights, and what inference promises beyond check_ops_test.c: a row's result is the same
 * bits whatever else is in the batch, whatever the pieces and the threads; quantised products are the same
 * bits in every table. */
#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ops/packed_layout.h"
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

static const QuantType types[] = {QUANT_F32,  QUANT_BF16, QUANT_Q8_0, QUANT_Q4_0,
                                  QUANT_Q4_K, QUANT_Q5_K, QUANT_Q6_K};
enum { TYPES = sizeof types / sizeof types[0] };

static Device *open_device(const char *table, int threads)
{
    Device *dev;
    check(ops_open(&dev, table, threads) == ST_OK);
    return dev;
}

static int tables(OpsTable *out)
{
    CpuFeatures cpu = cpu_features();
    return ops_tables(out, &cpu);
}

static Tensor random_tensor(DType d, int64_t rows, int64_t cols, uint64_t seed)
{
    Rng rng;
    rng_seed(&rng, seed);
    Tensor t = tensor_view(mem_zeroed((size_t)(rows * cols), dtype_size(d)), d, rows, cols);
    for (int64_t i = 0; i < rows * cols; i++)
        dtype_store(t.data, d, i, rng_normal(&rng));
    return t;
}

/* Rows as a file has them. */
static void *random_blocks(QuantType type, int64_t rows, int64_t cols, uint64_t seed)
{
    Tensor t = random_tensor(DTYPE_F32, rows, cols, seed);
    unsigned char *raw = mem_zeroed(1, quant_bytes(type, rows * cols));
    for (int64_t r = 0; r < rows; r++)
        quant_encode(raw + quant_bytes(type, r * cols), type, tensor_f32(&t, r), cols);
    mem_free(t.data);
    return raw;
}

static PackedMatrix packed_new(Device *dev, QuantType type, int64_t rows, int64_t cols, uint64_t seed)
{
    PackedMatrix w = {.type = type, .rows = rows, .cols = cols};
    void *raw = random_blocks(type, rows, cols, seed);
    w.data = mem_aligned(packed_bytes(type, rows, cols));
    pack_weights(dev, &w, 0, rows, raw, type);
    mem_free(raw);
    return w;
}

/* Whole groups of blocks take what they take in a file; a plain row of odd length its pair. */
static void packed_weights_are_as_long_as_in_their_file(void **state)
{
    (void)state;
    for (int t = 0; t < TYPES; t++)
        assert_int_equal(packed_bytes(types[t], 48, 1024), quant_bytes(types[t], 48 * 1024));
    assert_int_equal(packed_panel_bytes(QUANT_BF16, 33), 17 * 64);
    assert_int_equal(packed_panel_bytes(QUANT_Q8_0, 32), 9 * 64);
    assert_int_equal(packed_panel_bytes(QUANT_Q6_K, 256), 53 * 64);
    assert_int_equal(packed_bytes(QUANT_BF16, 17, 2), 2 * 64);
    assert_int_equal(kv_page_bytes(DTYPE_BF16, 4, 64), 4 * 2 * 64 * 64 * 2);
    assert_int_equal(kv_page_bytes(DTYPE_BF16, 1, 33), (34 + 48) * 64 * 2);
    assert_false(packed_takes(QUANT_F16) || packed_takes(QUANT_Q5_1));
}

static void a_packed_row_is_what_its_blocks_decode_to(void **state)
{
    (void)state;
    enum { ROWS = 21, COLS = 512 };
    OpsTable list[OPS_TABLES_MAX];
    for (int n = tables(list), i = 0; i < n; i++) {
        Device *dev = open_device(list[i].name, 2);
        for (int t = 0; t < TYPES; t++) {
            float want[COLS], got[ROWS][COLS];
            int32_t ids[ROWS];
            unsigned char *raw = random_blocks(types[t], ROWS, COLS, 3);
            PackedMatrix w = packed_new(dev, types[t], ROWS, COLS, 3);
            for (int r = 0; r < ROWS; r++)
                ids[r] = ROWS - 1 - r;
            Tensor out = tensor_view(got, DTYPE_F32, ROWS, COLS), rows = tensor_view(ids, DTYPE_I32, 1, ROWS);
            embed_packed(dev, &out, &w, &rows);
            for (int r = 0; r < ROWS; r++) {
                quant_decode(want, raw + quant_bytes(types[t], ids[r] * COLS), types[t], COLS);
                assert_memory_equal(got[r], want, sizeof want);
            }
            mem_free(raw);
            mem_free(w.data);
        }
        device_close(dev);
    }
}

/* y of all rows at once, in a table and with so many threads, is y of each row by itself, and, quantised, the
 * reference's. */
static void require_rows_alike(const OpsTable *table, QuantType type, DType act, int64_t N, int64_t M,
                               int64_t K)
{
    Device *dev = open_device(table->name, 3), *one = open_device(table->name, 1),
           *ref = open_device("ref", 1);
    PackedMatrix w[2] = {packed_new(dev, type, M, K, 5), packed_new(dev, type, 7, K, 6)};
    Tensor x = random_tensor(act, N, K, 7), y = random_tensor(DTYPE_F32, N, M + 7, 8);
    Tensor single = random_tensor(DTYPE_F32, 1, M + 7, 9), want = random_tensor(DTYPE_F32, N, M + 7, 10);
    matmul_packed(dev, &y, &x, w, 2, false);
    for (int64_t n = 0; n<N; n += N> 40 ? 13 : 1) {
        Tensor row = tensor_rows(&x, n, 1);
        matmul_packed(one, &single, &row, w, 2, false);
        assert_memory_equal(single.data, tensor_f32(&y, n), (size_t)(M + 7) * sizeof(float));
    }
    if (packed_form(type)) {
        matmul_packed(ref, &want, &x, w, 2, false);
        assert_memory_equal(want.data, y.data, tensor_bytes(&y));
    }
    mem_free(w[0].data);
    mem_free(w[1].data);
    mem_free(x.data);
    mem_free(y.data);
    mem_free(single.data);
    mem_free(want.data);
    device_close(dev);
    device_close(one);
    device_close(ref);
}

static void a_row_is_the_same_in_any_batch(void **state)
{
    (void)state;
    static const int64_t batches[] = {2, 5, 6, 7, 8, 9, 12, 13, 16, 17, 29, 33};
    OpsTable list[OPS_TABLES_MAX];
    for (int n = tables(list), i = 2; i < n; i++)
        for (int t = 0; t < TYPES; t++)
            for (int b = 0; b < 12; b++)
                require_rows_alike(&list[i], types[t], b % 2 ? DTYPE_BF16 : DTYPE_F32, batches[b], 30 + b * 8,
                                   b % 3 ? 256 : 768);
}

/* More rows than sums are kept for, and more of k than a piece. */
static void a_row_is_the_same_in_a_long_prompt(void **state)
{
    (void)state;
    OpsTable list[OPS_TABLES_MAX];
    int last = tables(list) - 1;
    require_rows_alike(&list[last], QUANT_BF16, DTYPE_BF16, 1030, 40, 512);
    require_rows_alike(&list[last], QUANT_Q4_K, DTYPE_BF16, 520, 24, 1536);
}

/* Blocks of all zeros, the smallest numbers, and what is no number: the same in every table; and a row that
 * has no numbers leaves the others alone. */
static void extreme_numbers_are_alike_in_every_table(void **state)
{
    (void)state;
    enum { N = 9, K = 256, M = 18 };
    OpsTable list[OPS_TABLES_MAX];
    Tensor x = random_tensor(DTYPE_F32, N, K, 11), y = random_tensor(DTYPE_F32, N, M, 12),
           want = random_tensor(DTYPE_F32, N, M, 12);
    for (int k = 0; k < K; k++) {
        tensor_f32(&x, 0)[k] = 0;
        tensor_f32(&x, 1)[k] *= 1e-44f;
        tensor_f32(&x, 2)[k] *= 1e-36f;
        tensor_f32(&x, 3)[k] *= 1e36f;
        tensor_f32(&x, 4)[k] = k % 32 ? 0 : k % 64 ? -0.0f : 127;
    }
    tensor_f32(&x, 5)[40] = INFINITY;
    tensor_f32(&x, 6)[200] = NAN;
    for (int t = 2; t < TYPES; t++) {
        Device *ref = open_device("ref", 1);
        PackedMatrix w = packed_new(ref, types[t], M, K, 13);
        matmul_packed(ref, &want, &x, &w, 1, false);
        for (int n = tables(list), i = 2; i < n; i++) {
            Device *dev = open_device(list[i].name, 2);
            matmul_packed(dev, &y, &x, &w, 1, false);
            for (int r = 0; r < N; r++)
                for (int m = 0; m < M; m++)
                    assert_true(r == 5 || r == 6 ? !isfinite(tensor_f32(&y, r)[m])
                                                 : tensor_f32(&y, r)[m] == tensor_f32(&want, r)[m]);
            device_close(dev);
        }
        mem_free(w.data);
        device_close(ref);
    }
    mem_free(x.data);
    mem_free(y.data);
    mem_free(want.data);
}

/* Behind an odd row there was no number before: a weight of 0 times it would be none either. */
static void an_odd_row_ends_where_it_ends(void **state)
{
    (void)state;
    enum { K = 33, M = 70 };
    static const int64_t rows[] = {1, 9, 80};
    OpsTable list[OPS_TABLES_MAX];
    for (int n = tables(list), i = 0; i < n; i++) {
        Device *dev = open_device(list[i].name, 1);
        PackedMatrix odd = packed_new(dev, QUANT_BF16, M, K, 14),
                     even = packed_new(dev, QUANT_BF16, M, K + 1, 14);
        for (int b = 0; b < 3; b++) {
            int64_t N = rows[b];
            Tensor none = random_tensor(DTYPE_F32, N, K + 1, 15), x = random_tensor(DTYPE_F32, N, K, 15),
                   y = random_tensor(DTYPE_F32, N, M, 16);
            for (int64_t k = 0; k < N * (K + 1); k++)
                tensor_f32(&none, 0)[k] = NAN;
            matmul_packed(dev, &y, &none, &even, 1, false);
            matmul_packed(dev, &y, &x, &odd, 1, false);
            for (int64_t k = 0; k < N * M; k++)
                assert_true(isfinite(tensor_f32(&y, 0)[k]));
            mem_free(none.data);
            mem_free(x.data);
            mem_free(y.data);
        }
        mem_free(odd.data);
        mem_free(even.data);
        device_close(dev);
    }
}

/* Attention ---------------------------------------------------------------------------------------------- */

enum { LENGTH = 150, PAGES = 8 };

typedef struct {
    Device *dev;
    KvPages kv;
    AttentionShape s;
    Tensor q, k, v;
} Sequence;

static Sequence sequence_new(const char *table, DType kept, AttentionShape s)
{
    Sequence a = {
        .dev = open_device(table, 2), .s = s, .kv = {.dtype = kept, .pages = PAGES, .Hk = s.Hk, .D = s.D}};
    size_t bytes = PAGES * kv_page_bytes(kept, s.Hk, s.D);
    a.kv.data = mem_aligned(bytes);
    memset(a.kv.data, 0xFF, bytes); /* not-a-number everywhere */
    a.q = random_tensor(kept, LENGTH, s.H * s.D, 20);
    a.k = random_tensor(kept, LENGTH, s.Hk * s.D, 21);
    a.v = random_tensor(kept, LENGTH, s.Hk * s.D, 22);
    return a;
}

static void sequence_drop(Sequence *a)
{
    assert_int_equal(device_sync(a->dev), ST_OK);
    device_close(a->dev);
    mem_free(a->kv.data);
    mem_free(a->q.data);
    mem_free(a->k.data);
    mem_free(a->v.data);
}

/* The sequence in pieces of `piece` rows, on pages in this order, next to another sequence or not. */
static void run_pieces(Sequence *a, const Tensor *out, int64_t piece, const int32_t *pages, bool beside)
{
    static const int32_t other_pages[] = {6, 7, 5};
    for (int64_t past = 0; past < LENGTH; past += piece) {
        int64_t n = LENGTH - past < piece ? LENGTH - past : piece;
        PagedRows rows[2] = {{.pages = pages, .past = past, .first = beside ? n : 0, .n = n},
                             {.pages = other_pages, .past = past, .first = 0, .n = n}};
        int64_t total = beside ? 2 * n : n;
        Tensor part[4], *from[] = {&a->q, &a->k, &a->v};
        for (int i = 0; i < 4; i++)
            part[i] =
                random_tensor(a->kv.dtype, total, i == 0 || i == 3 ? a->s.H * a->s.D : a->s.Hk * a->s.D, 30);
        for (int i = 0; i < 3; i++) {
            Tensor to = tensor_rows(&part[i], rows[0].first, n), source = tensor_rows(from[i], past, n);
            cast(a->dev, &to, &source);
        }
        kv_write(a->dev, &a->kv, &part[1], &part[2], rows, beside ? 2 : 1);
        attention_paged(a->dev, &part[3], &part[0], &a->kv, rows, beside ? 2 : 1, &a->s);
        Tensor to = tensor_rows(out, past, n), got = tensor_rows(&part[3], rows[0].first, n);
        cast(a->dev, &to, &got);
        for (int i = 0; i < 4; i++)
            mem_free(part[i].data);
    }
}

static void attention_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    static const AttentionShape shapes[] = {{1, 1, 8, 2, 32}, {1, 1, 3, 3, 20}, {1, 1, 5, 1, 80}};
    static const int32_t pages[] = {0, 1, 2}, others[] = {4, 0, 3};
    static const int64_t pieces[] = {1, 7, 64, 100};
    OpsTable list[OPS_TABLES_MAX];
    for (int n = tables(list), i = 2; i < n; i++) {
        for (int c = 0; c < 6; c++) {
            Sequence a = sequence_new(list[i].name, c % 2 ? DTYPE_BF16 : DTYPE_F32, shapes[c / 2]);
            Tensor whole = random_tensor(a.kv.dtype, LENGTH, a.s.H * a.s.D, 40),
                   got = random_tensor(a.kv.dtype, LENGTH, a.s.H * a.s.D, 41);
            run_pieces(&a, &whole, LENGTH, pages, false);
            for (int p = 0; p < 4; p++) {
                run_pieces(&a, &got, pieces[p], p % 2 ? others : pages, p > 1);
                assert_memory_equal(whole.data, got.data, tensor_bytes(&whole));
            }
            mem_free(whole.data);
            mem_free(got.data);
            sequence_drop(&a);
        }
    }
}

/* One key outdoes all others by far, in a late page: what was summed before must fall to nothing, not to
 * not-a-number. */
static void a_late_key_may_outdo_all_others(void **state)
{
    (void)state;
    static const int32_t pages[] = {0, 1, 2};
    OpsTable list[OPS_TABLES_MAX];
    for (int n = tables(list), i = 0; i < n; i++) {
        Sequence a = sequence_new(list[i].name, DTYPE_F32, (AttentionShape){1, 1, 1, 1, 16});
        Tensor out = random_tensor(DTYPE_F32, LENGTH, 16, 42);
        for (int d = 0; d < 16; d++) {
            tensor_f32(&a.q, LENGTH - 1)[d] = 30;
            tensor_f32(&a.k, 140)[d] = 30;
        }
        run_pieces(&a, &out, LENGTH, pages, false);
        for (int d = 0; d < 16; d++)
            assert_true(tensor_f32(&out, LENGTH - 1)[d] == tensor_f32(&a.v, 140)[d]);
        mem_free(out.data);
        sequence_drop(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_weights_are_as_long_as_in_their_file),
        cmocka_unit_test(a_packed_row_is_what_its_blocks_decode_to),
        cmocka_unit_test(a_row_is_the_same_in_any_batch),
        cmocka_unit_test(a_row_is_the_same_in_a_long_prompt),
        cmocka_unit_test(extreme_numbers_are_alike_in_every_table),
        cmocka_unit_test(an_odd_row_ends_where_it_ends),
        cmocka_unit_test(attention_is_the_same_in_any_pieces),
        cmocka_unit_test(a_late_key_may_outdo_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
