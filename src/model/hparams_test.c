#include "model/hparams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static HParams preset(const char *name)
{
    HParams h;
    assert_int_equal(hparams_preset(&h, name), ST_OK);
    return h;
}

static void presets_have_their_published_sizes(void **state)
{
    (void)state;
    const struct {
        const char *name;
        int64_t parameters;
    } known[] = {
        {"5m", 4983040},               {"15m", 24407712},     {"60m", 58073600},       {"110m", 134105856},
        {"1b", 1100048384},     {"7b", 6738415616},    {"70b", 68976648192},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        HParams h = preset(known[i].name);
        assert_int_equal(hparams_param_count(&h), known[i].parameters);
    }
}

static void a_preset_that_is_not_there_names_the_known(void **state)
{
    (void)state;
    HParams h;
    assert_int_equal(hparams_preset(&h, "111m"), ST_ARG);
    assert_non_null(strstr(error_text(), "did you mean 110m"));
    assert_non_null(strstr(error_text(), "70b"));
    assert_int_equal(hparams_preset(&h, ""), ST_ARG);
}

static void a_tied_head_counts_once_as_parameter_and_as_product(void **state)
{
    (void)state;
    HParams h = preset("110m");
    int64_t untied = hparams_param_count(&h);
    double flops = hparams_train_flops(&h, 1024);
    assert_true(flops == 6.0 * (double)(untied - 32000 * 768) + 6.0 * 12 * 1024 * 768);
    assert_true(hparams_learned_flops(&h) == 6.0 * 768 * (double)(32000 + 768 + 3 * h.intermediate_size));
    h.tie_word_embeddings = true;
    assert_int_equal(untied - hparams_param_count(&h), 32000 * 768);
    assert_true(hparams_train_flops(&h, 1024) == flops);
}

static void expect_refused(HParams h, const char *word)
{
    assert_int_equal(hparams_check(&h), ST_ARG);
    if (!strstr(error_text(), word))
        fail_msg("\"%s\" does not name %s", error_text(), word);
}

static void what_is_inconsistent_is_named(void **state)
{
    (void)state;
    HParams good = preset("60m"), h;
    assert_int_equal(hparams_check(&good), ST_OK);
    expect_refused((h = good, h.vocab_size = 0, h), "vocab_size");
    expect_refused((h = good, h.hidden_size = -8, h), "hidden_size");
    expect_refused((h = good, h.intermediate_size = INT64_MAX, h), "intermediate_size");
    expect_refused((h = good, h.num_hidden_layers = 1 << 13, h), "num_hidden_layers");
    expect_refused((h = good, h.num_key_value_heads = 3, h), "multiple of num_key_value_heads");
    expect_refused((h = good, h.head_dim = 63, h), "head_dim 63 is odd");
    expect_refused((h = good, h.head_dim = 1 << 14, h.num_attention_heads = 1 << 11, h), "times head_dim");
    expect_refused((h = good, h.max_position_embeddings = 0, h), "max_position_embeddings");
    expect_refused((h = good, h.rms_norm_eps = 0, h), "rms_norm_eps");
    expect_refused((h = good, h.rms_norm_eps = 0.0 / 0.0, h), "rms_norm_eps");
    expect_refused((h = good, h.rope_theta = 0, h), "rope_theta");
    h = good;
    h.rope_scaling = (RopeScaling){8, 1, 4, 8192};
    assert_int_equal(hparams_check(&h), ST_OK);
    expect_refused((h.rope_scaling.low_freq_factor = 4, h), "low_freq_factor");
    expect_refused((h.rope_scaling = (RopeScaling){8, 1, 4, 0}, h), "original_max_position_embeddings");
    expect_refused((h.rope_scaling = (RopeScaling){-1, 1, 4, 8}, h), "factor");
}

static void the_largest_shape_that_is_allowed_does_not_overflow(void **state)
{
    (void)state;
    HParams h = {.vocab_size = 1 << 24, .hidden_size = 1 << 20, .intermediate_size = 1 << 24,
                 .num_hidden_layers = 1 << 12, .num_attention_heads = 1 << 12,
                 .num_key_value_heads = 1 << 12, .head_dim = 1 << 12,
                 .max_position_embeddings = INT32_MAX, .rms_norm_eps = 1e-5, .rope_theta = 1e4};
    assert_int_equal(hparams_check(&h), ST_OK);
    assert_true(hparams_param_count(&h) > (int64_t)1 << 57);
    /* times 16 bytes a parameter still fits a size_t */
    assert_true(hparams_param_count(&h) < (int64_t)1 << 59);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_their_published_sizes),
        cmocka_unit_test(a_preset_that_is_not_there_names_the_known),
        cmocka_unit_test(a_tied_head_counts_once_as_parameter_and_as_product),
        cmocka_unit_test(what_is_inconsistent_is_named),
        cmocka_unit_test(the_largest_shape_that_is_allowed_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
