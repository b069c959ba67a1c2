#include "model/gguf_llama.h"

#include <math.h>

#include "base/scratch_test.h"
#include "model/gguf_write.h"
#include "model/quantize_model.h"
#include "model/rotations.h"

static HParams small(void)
{
    return (HParams){.vocab_size = 61, .hidden_size = 32, .intermediate_size = 64, .num_hidden_layers = 2,
                     .num_attention_heads = 4, .num_key_value_heads = 2, .head_dim = 16,
                     .max_position_embeddings = 64, .rms_norm_eps = 1e-5, .rope_theta = 10000,
                     .bos_token_id = -1, .eos_token_id = -1};
}

/* A file of random weights of that shape, with what `w` has been given. */
static Gguf *file_of(const HParams *h, GgufWriter *w)
{
    Params p;
    QuantPlan plan;
    Gguf *g;
    params_init(&p, h);
    WeightSource source = weight_source_random(&p, 1);
    quantize_plan(&plan, &p, quantize_mix_find("F32"), false);
    quantize_declare(w, &p, &plan);
    assert_int_equal(quantize_write_gguf(&source, &plan, w, in_scratch("l.gguf"), 1), ST_OK);
    gguf_writer_free(w);
    quantize_plan_drop(&plan);
    params_drop(&p);
    assert_int_equal(gguf_open(&g, in_scratch("l.gguf")), ST_OK);
    return g;
}

static void assert_same_shape(const HParams *a, const HParams *b)
{
    json_t *x = hparams_to_json(a), *y = hparams_to_json(b);
    if (!json_equal(x, y)) {
        char *s = json_dumps(x, 0), *t = json_dumps(y, 0);
        fail_msg("%s\n%s", s, t);
    }
    json_decref(x);
    json_decref(y);
}

static void shapes_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        HParams h = small(), back;
        h.tie_word_embeddings = i == 1;
        h.head_dim = i == 2 ? 24 : 16;
        h.rope_theta = i == 2 ? 500000 : 10000;
        if (i == 3)
            h.rope_scaling = (RopeScaling){8, 1, 4, 32};
        Gguf *g = file_of(&h, gguf_writer_new());
        assert_int_equal(gguf_hparams(&back, g), ST_OK);
        assert_same_shape(&h, &back);
        gguf_close(g);
    }
}

/* rope_freqs.weight alone, as llama.cpp's converter leaves it: the four numbers are not these, their effect
 * is. */
static void stretching_is_found_from_its_divisors(void **state)
{
    (void)state;
    Gguf *g;
    HParams want, have;
    assert_int_equal(hparams_read(&want, "tests/golden/llama/llama3"), ST_OK);
    assert_int_equal(gguf_open(&g, "tests/golden/quant/llama3.gguf"), ST_OK);
    assert_int_equal(gguf_hparams(&have, g), ST_OK);
    assert_true(have.rope_scaling.factor == 4);
    for (int64_t i = 0; i < want.head_dim / 2; i++) {
        double a = rotations_frequency(&want, i), b = rotations_frequency(&have, i);
        assert_true(fabs(a / b - 1) < 1e-4);
    }
    want.rope_scaling = have.rope_scaling;
    want.bos_token_id = want.eos_token_id = -1; /* this file has no vocabulary */
    assert_same_shape(&want, &have);
    gguf_close(g);
}

/* Llama 3.1's own numbers come out as such. */
static void known_numbers_are_found(void **state)
{
    (void)state;
    HParams h = small();
    float divisors[64];
    h.head_dim = 128;
    h.rope_theta = 500000;
    h.rope_scaling = (RopeScaling){8, 1, 4, 8192};
    gguf_rope_divisors(divisors, &h);
    GgufWriter *w = gguf_writer_new();
    static const char *const own[] = {"factor", "low_freq_factor", "high_freq_factor"};
    for (int i = 0; i < 3; i++) { /* as if another program had written it */
        char key[64];
        snprintf(key, sizeof key, "lemur.rope_scaling.%s", own[i]);
        gguf_put_f32(w, key, 0);
    }
    Gguf *g = file_of(&h, w);
    HParams back;
    assert_int_equal(gguf_hparams(&back, g), ST_OK);
    assert_same_shape(&h, &back);
    gguf_close(g);
}

static void expect_refused(GgufWriter *w, Status status, const char *words)
{
    HParams h = small(), back;
    Gguf *g = file_of(&h, w);
    assert_int_equal(gguf_hparams(&back, g), status);
    expect_words(words);
    gguf_close(g);
}

static GgufWriter *with_u32(const char *key, uint32_t value)
{
    GgufWriter *w = gguf_writer_new();
    gguf_put_u32(w, key, value);
    return w;
}

static GgufWriter *with_f32(const char *key, float value)
{
    GgufWriter *w = gguf_writer_new();
    gguf_put_f32(w, key, value);
    return w;
}

static GgufWriter *with_text(const char *key, const char *value)
{
    GgufWriter *w = gguf_writer_new();
    gguf_put_text(w, key, span(value));
    return w;
}

static void what_is_not_computed_is_refused(void **state)
{
    (void)state;
    expect_refused(with_text("general.architecture", "qwen2"), ST_UNSUPPORTED, "\"qwen2\"");
    expect_refused(with_u32("llama.expert_count", 8), ST_UNSUPPORTED, "llama.expert_count is 8");
    expect_refused(with_u32("llama.attention.sliding_window", 32), ST_UNSUPPORTED, "sliding_window is 32");
    expect_refused(with_u32("llama.attention.value_length", 8), ST_UNSUPPORTED, "values of 8");
    expect_refused(with_u32("llama.rope.dimension_count", 8), ST_UNSUPPORTED, "dimension_count is 8 of 16");
    expect_refused(with_f32("llama.rope.scaling.factor", 4), ST_UNSUPPORTED, "\"linear\" by 4");
    expect_refused(with_text("llama.rope.scaling.type", "yarn"), ST_UNSUPPORTED, "\"yarn\"");
    expect_refused(with_f32("llama.logit_scale", 2), ST_UNSUPPORTED, "llama.logit_scale is 2");
    expect_refused(with_u32("llama.attention.head_count_kv", 3), ST_FORMAT, "not a multiple");
    expect_refused(with_u32("llama.context_length", 0), ST_FORMAT, "max_position_embeddings is 0");
    expect_refused(with_text("llama.block_count", "two"), ST_FORMAT, "must be a whole number");
    const int32_t layers[] = {2, 1};
    GgufWriter *w = gguf_writer_new();
    gguf_put_ints(w, "llama.attention.head_count_kv", layers, 2);
    expect_refused(w, ST_UNSUPPORTED, "differs from layer to layer");
    w = gguf_writer_new();
    gguf_put_bool(w, "llama.attention.causal", false);
    expect_refused(w, ST_UNSUPPORTED, "causal");
}

/* One number for all layers may be a list of equal ones; a neutral scaling is none. */
static void harmless_words_are_passed_over(void **state)
{
    (void)state;
    const int32_t layers[] = {2, 2};
    HParams h = small(), back;
    GgufWriter *w = gguf_writer_new();
    gguf_put_ints(w, "llama.attention.head_count_kv", layers, 2);
    gguf_put_text(w, "llama.rope.scaling.type", span("linear"));
    gguf_put_f32(w, "llama.rope.scaling.factor", 1);
    gguf_put_u32(w, "llama.expert_count", 0);
    gguf_put_u32(w, "llama.attention.sliding_window", 4096);
    Gguf *g = file_of(&h, w);
    assert_int_equal(gguf_hparams(&back, g), ST_OK);
    assert_same_shape(&h, &back);
    gguf_close(g);
}

static void names_and_rows(void **state)
{
    (void)state;
    char name[GGUF_NAME_BYTES];
    HParams h = small();
    gguf_param_name(name, PARAM_O, 17);
    assert_string_equal(name, "blk.17.attn_output.weight");
    gguf_param_name(name, PARAM_HEAD, -1);
    assert_string_equal(name, "output.weight");
    assert_int_equal(gguf_permuted_heads(&h, PARAM_Q), 4);
    assert_int_equal(gguf_permuted_heads(&h, PARAM_K), 2);
    assert_int_equal(gguf_permuted_heads(&h, PARAM_V), 0);
    assert_int_equal(gguf_stored_row(5, 64, 0), 5);
    assert_int_equal(gguf_stored_row(16 + 1, 64, 4), 16 + 2);
    assert_int_equal(gguf_stored_row(16 + 8, 64, 4), 16 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_come_back),
        cmocka_unit_test(stretching_is_found_from_its_divisors),
        cmocka_unit_test(known_numbers_are_found),
        cmocka_unit_test(what_is_not_computed_is_refused),
        cmocka_unit_test(harmless_words_are_passed_over),
        cmocka_unit_test(names_and_rows),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
