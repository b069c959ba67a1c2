/* The promises of decoder.h: the model's logits, and the same bits whatever else a pass holds. */
#include "model/decoder.h"

#include <string.h>

#include "base/scratch_test.h"
#include "model/decoder_state.h"
#include "model/tiny_test.h"

enum { T = 150, PAGES = 32, ROWS = 400 };

/* Wide enough for blocks of 256; the heads' width is that of real models. */
static HParams wide_hparams(void)
{
    HParams h = tiny_hparams();
    h.hidden_size = 256;
    h.intermediate_size = 256;
    h.num_hidden_layers = 1; /* blocks of K types take long to make; the other shape has three */
    h.num_attention_heads = 4;
    h.num_key_value_heads = 2;
    h.head_dim = 64;
    h.max_position_embeddings = 256;
    return h;
}

static HParams long_hparams(void)
{
    HParams h = tiny_hparams();
    h.max_position_embeddings = 256;
    return h;
}

static DecoderSetup setup_of(DType compute)
{
    return (DecoderSetup){.max_rows = ROWS, .max_logits = ROWS, .pages = PAGES, .compute = compute};
}

/* Weights of a model, rounded to a type on the way. */
typedef struct {
    Model *m;
    QuantType type;
    unsigned char *blocks;
    bool decoded; /* to f32 again: the same values, other products */
} Rounded;

static void rounded_tensor(const void *owner, ModelTensor *out, ParamKind kind, int layer)
{
    Rounded *r = (Rounded *)(uintptr_t)owner;
    const Param *p = params_find(model_params(r->m), kind, layer);
    const float *values = (const float *)model_weights(r->m).data + p->offset;
    bool vector = kind == PARAM_INPUT_NORM || kind == PARAM_POST_NORM || kind == PARAM_FINAL_NORM;
    *out = (ModelTensor){
        .type = QUANT_F32, .rows = p->rows, .cols = p->cols, .data = (const unsigned char *)values};
    if (vector || r->type == QUANT_F32)
        return;
    int64_t n = p->rows * p->cols;
    size_t bytes = (quant_bytes(r->type, n) + 63) / 64 * 64;
    mem_free(r->blocks);
    r->blocks = mem_zeroed(bytes + (size_t)n * sizeof(float), 1);
    quant_encode(r->blocks, r->type, values, n);
    *out = (ModelTensor){.type = r->type, .rows = p->rows, .cols = p->cols, .data = r->blocks};
    if (r->decoded) {
        quant_decode((float *)(void *)(r->blocks + bytes), r->blocks, r->type, n);
        out->type = QUANT_F32;
        out->data = r->blocks + bytes;
    }
}

static Decoder *open_rounded(Model *m, Device *dev, QuantType type, bool decoded, DType compute)
{
    Rounded r = {.m = m, .type = type, .decoded = decoded};
    DecoderSource from = {.h = model_hparams(m), .owner = &r, .tensor = rounded_tensor};
    DecoderSetup setup = setup_of(compute);
    Decoder *d;
    if (decoder_open_from(&d, dev, &from, &setup) != ST_OK)
        fail_msg("%s", error_text());
    mem_free(r.blocks);
    return d;
}

static Tiny open_model(HParams h)
{
    ModelSetup setup = {.batch = 1, .context = T, .compute = DTYPE_F32};
    return tiny_open(&h, &setup);
}

static void make_ids(int32_t *ids, int64_t n, uint64_t seed)
{
    Rng r;
    rng_seed(&r, seed);
    for (int64_t i = 0; i < n; i++)
        ids[i] = (int32_t)rng_below(&r, TINY_V);
}

static void pass(Decoder *d, const DecoderRun *runs, int64_t count, float *logits)
{
    if (decoder_pass(d, runs, count, logits) != ST_OK)
        fail_msg("%s", error_text());
}

/* Logits of every row of a sequence, given in pieces of sizes[0], sizes[1], ... and then from the front
 * again. */
static void in_pieces(float *logits, Decoder *d, const int32_t *ids, const int32_t *pages,
                      const int64_t *sizes)
{
    for (int64_t past = 0, i = 0, n; past < T; past += n) {
        n = sizes[i++];
        i = sizes[i] ? i : 0;
        n = n < T - past ? n : T - past;
        DecoderRun run = {.ids = ids + past, .n = n, .past = past, .pages = pages, .logits = n};
        pass(d, &run, 1, logits + past * TINY_V);
    }
}

static void expect_bits(const float *a, const float *b, int64_t n, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("%s: row %lld, column %lld: %.9g is not %.9g", what, (long long)(i / TINY_V),
                     (long long)(i % TINY_V), (double)a[i], (double)b[i]);
}

static const int32_t pages_in_order[] = {0, 1, 2}, pages_mixed[] = {17, 5, 11};
static const int64_t whole[] = {T, 0}, ones[] = {1, 0}, odd[] = {1, 3, 64, 7, 29, 2, 0};

/* A sequence in two halves, each in a pass with seven others that are longer, shorter, and further on. */
static void among_others(float *logits, Decoder *d, const int32_t *ids)
{
    enum { OTHERS = 7, HALF = 70 };
    int32_t pages[OTHERS + 1][3], other[T], at = 0;
    float *others = mem_array(float, ROWS *TINY_V);
    make_ids(other, T, 99);
    for (int i = 0; i <= OTHERS; i++)
        for (int k = 0; k < 3; k++)
            pages[i][k] = at++;
    for (int half = 0; half < 2; half++) {
        DecoderRun runs[OTHERS + 1];
        int64_t n = half ? T - HALF : HALF, before = 0;
        for (int i = 0; i <= OTHERS; i++)
            runs[i] = (DecoderRun){.ids = other + i,
                                   .n = 1 + 5 * i,
                                   .past = half * (1 + 5 * i),
                                   .pages = pages[i],
                                   .logits = i % 2};
        runs[4] = (DecoderRun){
            .ids = ids + half * HALF, .n = n, .past = half * HALF, .pages = pages[4], .logits = n};
        pass(d, runs, OTHERS + 1, others);
        for (int i = 0; i < 4; i++)
            before += runs[i].logits;
        memcpy(logits + half * HALF * TINY_V, others + before * TINY_V,
               (size_t)(n * TINY_V) * sizeof *logits);
    }
    mem_free(others);
}

static void check_bits(const HParams *h, QuantType type, DType compute, const char *table)
{
    int32_t ids[T];
    Tiny t = open_model(*h);
    Device *one;
    float *expected = mem_array(float, T *TINY_V), *got = mem_array(float, T *TINY_V);
    assert_int_equal(ops_open(&one, table, 1), ST_OK);
    assert_int_equal(ops_attach(t.dev, table), ST_OK);
    make_ids(ids, T, 5);
    Decoder *d = open_rounded(t.m, t.dev, type, false, compute);
    in_pieces(expected, d, ids, pages_in_order, whole);
    assert_true(isfinite(expected[0]) && expected[0] != expected[1]);
    in_pieces(got, d, ids, pages_in_order, ones);
    expect_bits(got, expected, T * TINY_V, "token by token");
    in_pieces(got, d, ids, pages_mixed, odd);
    expect_bits(got, expected, T * TINY_V, "odd pieces in mixed pages");
    among_others(got, d, ids);
    expect_bits(got, expected, T * TINY_V, "with seven others");
    DecoderRun last = {.ids = ids, .n = T, .pages = pages_mixed, .logits = 1};
    pass(d, &last, 1, got);
    expect_bits(got, expected + (T - 1) * TINY_V, TINY_V, "the last row alone");
    decoder_close(d);
    d = open_rounded(t.m, one, type, false, compute);
    in_pieces(got, d, ids, pages_mixed, odd);
    expect_bits(got, expected, T * TINY_V, "one thread");
    decoder_close(d);
    tiny_close(&t);
    device_close(one);
    mem_free(expected);
    mem_free(got);
}

static void rows_depend_on_their_sequence_alone(void **state)
{
    (void)state;
    HParams h = long_hparams(), wide = wide_hparams();
    static const DType types[] = {DTYPE_F32, DTYPE_BF16};
    for (int i = 0; i < 2; i++) {
        check_bits(&h, QUANT_F32, types[i], NULL);
        check_bits(&h, QUANT_F32, types[i], "ref");
        check_bits(&wide, QUANT_F32, types[i], NULL);
    }
}

static void quantised_rows_depend_on_their_sequence_alone(void **state)
{
    (void)state;
    HParams wide = wide_hparams();
    for (int type = QUANT_Q8_0; type <= QUANT_Q6_K; type++)
        check_bits(&wide, (QuantType)type, DTYPE_BF16, NULL);
    check_bits(&wide, QUANT_Q8_0, DTYPE_F32, NULL);
    check_bits(&wide, QUANT_Q4_K, DTYPE_F32, NULL);
}

/* The model's
 * ------------------------------------------------------------------------------------------------ */

static void expect_near(Decoder *d, const int32_t *ids, const float *expected, double tolerance,
                        const char *what)
{
    float *got = mem_array(float, T *TINY_V);
    in_pieces(got, d, ids, pages_in_order, odd);
    double off = relative_difference(got, expected, T * TINY_V);
    if (!(off < tolerance))
        fail_msg("%s: logits are off by %.3g, more than %.3g", what, off, tolerance);
    mem_free(got);
}

static void model_rows(Tiny *t, const int32_t *ids, float *logits)
{
    Batch b = {.ids = ids, .targets = ids};
    assert_int_equal(model_logits(t->m, &b, logits), ST_OK);
}

static void logits_are_the_models(void **state)
{
    (void)state;
    int32_t ids[T];
    float *expected = mem_array(float, T *TINY_V);
    make_ids(ids, T, 5);
    HParams shapes[] = {long_hparams(), wide_hparams()};
    for (int i = 0; i < 2; i++) {
        Tiny t = open_model(shapes[i]);
        model_rows(&t, ids, expected);
        static const DType types[] = {DTYPE_F32, DTYPE_BF16};
        for (int k = 0; k < 2; k++) {
            Decoder *d;
            DecoderSetup setup = setup_of(types[k]);
            assert_int_equal(decoder_open_model(&d, t.m, &setup), ST_OK);
            expect_near(d, ids, expected, k ? 0.03 : 1e-5, dtype_name(types[k]));
            decoder_close(d);
        }
        tiny_close(&t);
    }
    mem_free(expected);
}

/* Off by so much of the f32 logits, sum |a - b| / sum |b|, where all matrices are of the type; and by so much
 * of what the very same values give in f32 products, which is what x rounded to i8 costs. */
static void quantised_logits_are_within_the_types_error(void **state)
{
    (void)state;
    static const struct {
        QuantType type;
        double weights, products;
    } bounds[] = {{QUANT_Q8_0, 0.03, 0.02},
                  {QUANT_Q4_0, 0.4, 0.02},
                  {QUANT_Q4_K, 0.25, 0.02},
                  {QUANT_Q5_K, 0.15, 0.02},
                  {QUANT_Q6_K, 0.07, 0.02}};
    int32_t ids[T];
    float *expected = mem_array(float, T *TINY_V), *same = mem_array(float, T *TINY_V);
    make_ids(ids, T, 5);
    Tiny t = open_model(wide_hparams());
    model_rows(&t, ids, expected);
    for (int i = 0; i < 5; i++) {
        Decoder *d = open_rounded(t.m, t.dev, bounds[i].type, true, DTYPE_F32);
        in_pieces(same, d, ids, pages_in_order, whole);
        decoder_close(d);
        d = open_rounded(t.m, t.dev, bounds[i].type, false, DTYPE_F32);
        expect_near(d, ids, expected, bounds[i].weights, quant_name(bounds[i].type));
        expect_near(d, ids, same, bounds[i].products, quant_name(bounds[i].type));
        decoder_close(d);
    }
    tiny_close(&t);
    mem_free(expected);
    mem_free(same);
}

/* The cache
 * -------------------------------------------------------------------------------------------------- */

static void a_copied_page_goes_its_own_way(void **state)
{
    (void)state;
    enum { PAST = 100 };
    int32_t ids[T], other[T], mine[] = {3, 4, 6}, theirs[] = {3, 9, 7};
    float *expected = mem_array(float, T *TINY_V), *got = mem_array(float, T *TINY_V);
    make_ids(ids, T, 5);
    make_ids(other, T, 6);
    memcpy(other, ids, PAST * sizeof *ids);
    Tiny t = open_model(long_hparams());
    Decoder *d = open_rounded(t.m, t.dev, QUANT_F32, false, DTYPE_BF16);
    in_pieces(expected, d, other, pages_mixed, whole);
    DecoderRun start = {.ids = ids, .n = PAST, .pages = mine};
    pass(d, &start, 1, NULL);
    decoder_copy_page(d, 9, 4); /* page 3 is full and shared */
    DecoderRun on[] = {
        {.ids = ids + PAST, .n = T - PAST, .past = PAST, .pages = mine},
        {.ids = other + PAST, .n = T - PAST, .past = PAST, .pages = theirs, .logits = T - PAST}};
    pass(d, on, 2, got);
    expect_bits(got, expected + PAST * TINY_V, (T - PAST) * TINY_V, "behind a copied page");
    decoder_close(d);
    tiny_close(&t);
    mem_free(expected);
    mem_free(got);
}

static void without_a_cache_a_pass_stands_alone(void **state)
{
    (void)state;
    int32_t ids[T];
    float *expected = mem_array(float, T *TINY_V), *got = mem_array(float, 2 * T * TINY_V);
    make_ids(ids, T, 5);
    Tiny t = open_model(long_hparams());
    Decoder *d = open_rounded(t.m, t.dev, QUANT_F32, false, DTYPE_F32);
    in_pieces(expected, d, ids, pages_in_order, whole);
    decoder_close(d);
    DecoderSetup setup = {.max_rows = 2 * T, .max_logits = 2 * T, .compute = DTYPE_F32};
    assert_int_equal(decoder_open_model(&d, t.m, &setup), ST_OK);
    DecoderRun runs[] = {{.ids = ids + 2, .n = 70, .logits = 3}, {.ids = ids, .n = T, .logits = T}};
    pass(d, runs, 2, got);
    expect_bits(got + 3 * TINY_V, expected, T * TINY_V, "without a cache");
    decoder_close(d);
    tiny_close(&t);
    mem_free(expected);
    mem_free(got);
}

static void passes_allocate_nothing(void **state)
{
    (void)state;
    int32_t ids[T];
    float *logits = mem_array(float, T *TINY_V);
    make_ids(ids, T, 5);
    Tiny t = open_model(wide_hparams());
    Decoder *d = open_rounded(t.m, t.dev, QUANT_Q8_0, false, DTYPE_BF16);
    in_pieces(logits, d, ids, pages_in_order, whole);
    int64_t on_device = t.dev->allocations, in_all = mem_allocations();
    in_pieces(logits, d, ids, pages_mixed, odd);
    in_pieces(logits, d, ids, pages_in_order, ones);
    assert_int_equal(t.dev->allocations, on_device);
    assert_int_equal(mem_allocations(), in_all);
    decoder_close(d);
    tiny_close(&t);
    mem_free(logits);
}

/* Refusals
 * --------------------------------------------------------------------------------------------------- */

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    int32_t ids[T] = {0};
    float logits[4 * TINY_V];
    Tiny t = open_model(long_hparams());
    DecoderSetup setup = {.max_rows = 16, .max_logits = 4, .pages = 8, .context = 100, .compute = DTYPE_F32};
    Decoder *d;
    assert_int_equal(decoder_open_model(&d, t.m, &setup), ST_OK);
    assert_int_equal(decoder_setup(d)->context, 100);
    assert_int_equal(decoder_hparams(d)->vocab_size, TINY_V);
    DecoderRun run = {.ids = ids, .n = 17, .pages = pages_in_order};
    assert_int_equal(decoder_pass(d, &run, 1, logits), ST_LIMIT);
    expect_words("16 tokens");
    run.n = run.logits = 5;
    assert_int_equal(decoder_pass(d, &run, 1, logits), ST_LIMIT);
    expect_words("4 rows of logits");
    run.logits = 1;
    run.past = 96;
    assert_int_equal(decoder_pass(d, &run, 1, logits), ST_LIMIT);
    expect_words("context of 100");
    run.past = 95;
    assert_int_equal(decoder_pass(d, &run, 1, logits), ST_OK);
    for (int bad = 0; bad < 2; bad++) {
        ids[3] = bad ? TINY_V : -1;
        assert_int_equal(decoder_pass(d, &run, 1, logits), ST_ARG);
        expect_words("vocabulary");
    }
    decoder_close(d);
    tiny_close(&t);
}

static void setups_out_of_bounds_are_refused(void **state)
{
    (void)state;
    Tiny t = open_model(long_hparams());
    static const DecoderSetup bad[] = {
        {.max_rows = 0, .max_logits = 1, .compute = DTYPE_F32},
        {.max_rows = 1, .max_logits = 0, .compute = DTYPE_F32},
        {.max_rows = 1, .max_logits = 1, .pages = -1, .compute = DTYPE_F32},
        {.max_rows = 1, .max_logits = 1, .context = -1, .compute = DTYPE_F32},
        {.max_rows = 1, .max_logits = 1, .compute = DTYPE_F16},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Decoder *d = NULL;
        assert_int_equal(decoder_open_model(&d, t.m, &bad[i]), ST_ARG);
        assert_null(d);
    }
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_depend_on_their_sequence_alone),
        cmocka_unit_test(quantised_rows_depend_on_their_sequence_alone),
        cmocka_unit_test(logits_are_the_models),
        cmocka_unit_test(quantised_logits_are_within_the_types_error),
        cmocka_unit_test(a_copied_page_goes_its_own_way),
        cmocka_unit_test(without_a_cache_a_pass_stands_alone),
        cmocka_unit_test(passes_allocate_nothing),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(setups_out_of_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
