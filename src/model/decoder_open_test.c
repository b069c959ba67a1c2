/* Decoders of files: what is planned, and that a model is the same whatever it is read from. */
#include <string.h>

#include "base/scratch_test.h"
#include "model/decoder.h"
#include "model/quantize_model.h"
#include "model/tiny_test.h"

enum { T = 80 };

static HParams shape(void)
{
    HParams h = tiny_hparams();
    h.hidden_size = 256;
    h.intermediate_size = 512;
    h.num_hidden_layers = 2;
    h.num_attention_heads = 8;
    h.num_key_value_heads = 2;
    h.head_dim = 32;
    h.max_position_embeddings = 128;
    h.rope_scaling = (RopeScaling){
        .factor = 4, .low_freq_factor = 1, .high_freq_factor = 4, .original_max_position_embeddings = 32};
    return h;
}

static DecoderSetup setup_of(DType compute)
{
    return (DecoderSetup){.max_rows = T, .max_logits = T, .pages = 2, .compute = compute};
}

static const char *folder(void)
{
    return in_scratch("folder");
}

/* A model in the folder, f32, and its shape. */
static Tiny saved_model(bool tied)
{
    HParams h = shape();
    h.tie_word_embeddings = tied;
    ModelSetup setup = {.batch = 1, .context = T, .compute = DTYPE_F32};
    Tiny t = tiny_open(&h, &setup);
    assert_int_equal(model_save(t.m, folder(), DTYPE_F32), ST_OK);
    return t;
}

static void write_gguf(const char *path, const char *type)
{
    ModelFile *f;
    QuantPlan plan;
    if (model_file_open(&f, folder()) != ST_OK)
        fail_msg("%s", error_text());
    WeightSource source = weight_source_file(f);
    GgufWriter *w = gguf_writer_new();
    quantize_plan(&plan, source.params, quantize_mix_find(type), false);
    quantize_declare(w, source.params, &plan);
    if (quantize_write_gguf(&source, &plan, w, path, 1) != ST_OK)
        fail_msg("%s", error_text());
    gguf_writer_free(w);
    quantize_plan_drop(&plan);
    model_file_close(f);
}

static Decoder *open_file(Device *dev, const char *path, DType compute)
{
    ModelFile *f;
    Decoder *d;
    DecoderSetup setup = setup_of(compute);
    if (model_file_open(&f, path) != ST_OK)
        fail_msg("%s", error_text());
    DecoderPlan plan = decoder_plan(f, &setup);
    size_t before = dev->bytes;
    if (decoder_open(&d, dev, f, &setup) != ST_OK)
        fail_msg("%s", error_text());
    assert_true(dev->bytes - before - dev->scratch_bytes <= plan.total);
    assert_true(plan.weights + plan.cache + plan.activations == plan.total);
    assert_true(plan.weights > decoder_token_bytes(d));
    model_file_close(f);
    return d;
}

/* Logits of a whole sequence, and the decoder is closed. */
static void logits_of(Decoder *d, float *logits)
{
    static const int32_t pages[] = {1, 0};
    int32_t ids[T];
    for (int i = 0; i < T; i++)
        ids[i] = i * 7 % TINY_V;
    DecoderRun run = {.ids = ids, .n = T, .pages = pages, .logits = T};
    if (decoder_pass(d, &run, 1, logits) != ST_OK)
        fail_msg("%s", error_text());
    decoder_close(d);
}

static void one_model_from_memory_folder_and_gguf(void **state)
{
    (void)state;
    static float memory[T * TINY_V], file[T * TINY_V], gguf[T * TINY_V];
    static const DType types[] = {DTYPE_F32, DTYPE_BF16};
    for (int i = 0; i < 4; i++) {
        Tiny t = saved_model(i >= 2);
        Decoder *d;
        DecoderSetup setup = setup_of(types[i % 2]);
        write_gguf(in_scratch("model.gguf"), "F32");
        assert_int_equal(decoder_open_model(&d, t.m, &setup), ST_OK);
        logits_of(d, memory);
        logits_of(open_file(t.dev, folder(), types[i % 2]), file);
        logits_of(open_file(t.dev, in_scratch("model.gguf"), types[i % 2]), gguf);
        assert_true(isfinite(memory[0]) && memory[0] != memory[1]);
        assert_memory_equal(file, memory, sizeof file);
        assert_memory_equal(gguf, memory, sizeof gguf);
        tiny_close(&t);
    }
}

/* Mixes of types side by side in one product.  The bounds are of sum |a - b| / sum |b| against the f32
 * logits. */
static void mixed_files_are_within_their_error(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        double bound;
        double bits; /* of a weight that a token reads, at most */
    } kinds[] = {{"BF16", 0.02, 16.5}, {"Q8_0", 0.03, 8.8}, {"Q4_K_M", 0.25, 6.2}, {"Q5_K_M", 0.15, 6.9}};
    static float expected[T * TINY_V], got[T * TINY_V];
    HParams h = shape();
    double weights = (double)(hparams_param_count(&h) - TINY_V * h.hidden_size);
    Tiny t = saved_model(false);
    logits_of(open_file(t.dev, folder(), DTYPE_F32), expected);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        write_gguf(in_scratch("mixed.gguf"), kinds[i].type);
        Decoder *d = open_file(t.dev, in_scratch("mixed.gguf"), DTYPE_BF16);
        double bits = 8 * (double)decoder_token_bytes(d) / weights;
        logits_of(d, got);
        double off = relative_difference(got, expected, T * TINY_V);
        if (!(off < kinds[i].bound && bits < kinds[i].bits))
            fail_msg("%s: off by %.3g, %.2f bits a weight", kinds[i].type, off, bits);
    }
    tiny_close(&t);
}

static void a_cache_beyond_the_memory_is_refused(void **state)
{
    (void)state;
    Tiny t = saved_model(false);
    ModelFile *f;
    Decoder *d = NULL;
    DecoderSetup setup = setup_of(DTYPE_BF16);
    setup.pages = INT32_MAX;
    assert_int_equal(model_file_open(&f, folder()), ST_OK);
    assert_int_equal(decoder_open(&d, t.dev, f, &setup), ST_NOMEM);
    expect_words("smaller cache");
    assert_null(d);
    model_file_close(f);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_model_from_memory_folder_and_gguf),
        cmocka_unit_test(mixed_files_are_within_their_error),
        cmocka_unit_test(a_cache_beyond_the_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
