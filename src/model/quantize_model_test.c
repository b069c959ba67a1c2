#include "model/quantize_model.h"

#include <math.h>

#include "base/scratch_test.h"
#include "model/gguf_llama.h"

static HParams shape(int64_t hidden, int64_t layers, bool tied)
{
    return (HParams){.vocab_size = 67,
                     .hidden_size = hidden,
                     .intermediate_size = 256,
                     .num_hidden_layers = layers,
                     .num_attention_heads = 4,
                     .num_key_value_heads = 2,
                     .head_dim = 32,
                     .max_position_embeddings = 64,
                     .rms_norm_eps = 1e-5,
                     .rope_theta = 10000,
                     .tie_word_embeddings = tied,
                     .bos_token_id = -1,
                     .eos_token_id = -1};
}

static QuantType planned(const QuantPlan *plan, const Params *p, ParamKind kind, int layer)
{
    return plan->types[params_find(p, kind, layer) - p->at];
}

/* Of 16 layers llama.cpp's rule gives more to 0 1, 4 7 10 13 and 14 15. */
static void mixes_give_some_matrices_more(void **state)
{
    (void)state;
    static const bool more[16] = {1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1};
    HParams h = shape(256, 16, false);
    Params p;
    QuantPlan m, s, plain, pure;
    params_init(&p, &h);
    quantize_plan(&m, &p, quantize_mix_find("q4_k_m"), false);
    quantize_plan(&s, &p, quantize_mix_find("Q4_K_S"), false);
    quantize_plan(&plain, &p, quantize_mix_find("Q4_0"), false);
    quantize_plan(&pure, &p, quantize_mix_find("Q4_K_M"), true);
    for (int l = 0; l < 16; l++) {
        assert_int_equal(planned(&m, &p, PARAM_V, l), more[l] ? QUANT_Q6_K : QUANT_Q4_K);
        assert_int_equal(planned(&m, &p, PARAM_DOWN, l), more[l] ? QUANT_Q6_K : QUANT_Q4_K);
        assert_int_equal(planned(&m, &p, PARAM_Q, l), QUANT_Q4_K);
        assert_int_equal(planned(&m, &p, PARAM_INPUT_NORM, l), QUANT_F32);
        assert_int_equal(planned(&s, &p, PARAM_V, l), l < 4 ? QUANT_Q5_K : QUANT_Q4_K);
        assert_int_equal(planned(&s, &p, PARAM_DOWN, l), l < 2 ? QUANT_Q5_K : QUANT_Q4_K);
        assert_int_equal(planned(&plain, &p, PARAM_DOWN, l), QUANT_Q4_0);
        assert_int_equal(planned(&pure, &p, PARAM_DOWN, l), QUANT_Q4_K);
    }
    assert_int_equal(planned(&m, &p, PARAM_HEAD, -1), QUANT_Q6_K);
    assert_int_equal(planned(&m, &p, PARAM_EMBED, -1), QUANT_Q4_K);
    assert_int_equal(planned(&plain, &p, PARAM_HEAD, -1), QUANT_Q6_K);
    assert_int_equal(planned(&pure, &p, PARAM_HEAD, -1), QUANT_Q4_K);
    quantize_plan_drop(&m);
    quantize_plan_drop(&s);
    quantize_plan_drop(&plain);
    quantize_plan_drop(&pure);
    params_drop(&p);
}

static void rows_that_do_not_fit_get_another_type(void **state)
{
    (void)state;
    HParams h = shape(96, 1, true);
    Params p;
    QuantPlan plan;
    Str text = {0};
    params_init(&p, &h);
    quantize_plan(&plan, &p, quantize_mix_find("Q4_K"), false);
    assert_int_equal(planned(&plan, &p, PARAM_DOWN, 0), QUANT_Q4_K);
    assert_int_equal(planned(&plan, &p, PARAM_Q, 0), QUANT_Q8_0);
    assert_int_equal(planned(&plan, &p, PARAM_EMBED, -1), QUANT_Q8_0);
    assert_int_equal(plan.replaced, 7);
    quantize_plan_text(&text, &plan, &p);
    assert_string_equal(text.at, "F32 3  Q8_0 7  Q4_K 1");
    str_drop(&text);
    quantize_plan_drop(&plan);
    params_drop(&p);
    h.hidden_size = 40;
    params_init(&p, &h);
    quantize_plan(&plan, &p, quantize_mix_find("Q8_0"), false);
    assert_int_equal(planned(&plan, &p, PARAM_Q, 0), QUANT_BF16);
    quantize_plan_drop(&plan);
    params_drop(&p);
    assert_null(quantize_mix_find("Q3_K_M"));
}

static Status write_gguf(const WeightSource *s, const char *type, const char *name, int threads)
{
    QuantPlan plan;
    GgufWriter *w = gguf_writer_new();
    quantize_plan(&plan, s->params, quantize_mix_find(type), false);
    quantize_declare(w, s->params, &plan);
    uint64_t bytes = gguf_file_bytes(w);
    Status st = quantize_write_gguf(s, &plan, w, in_scratch(name), threads);
    gguf_writer_free(w);
    quantize_plan_drop(&plan);
    if (st == ST_OK)
        assert_int_equal(file_size(in_scratch(name)), bytes);
    return st;
}

static ModelFile *open_file(const char *name)
{
    ModelFile *f;
    if (model_file_open(&f, in_scratch(name)) != ST_OK)
        fail_msg("%s", error_text());
    return f;
}

/* The largest |a - b| over the root mean square of a, of all matrices. */
static double distance(const WeightSource *a, const WeightSource *b)
{
    double worst = 0;
    const Params *p = a->params;
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i], *other = params_find(b->params, one->kind, one->layer);
        float *x = mem_array(float, one->cols), *y = mem_array(float, one->cols);
        for (int64_t row = 0; row < one->rows; row++) {
            double sum = 0, most = 0;
            a->row(a, one, row, x);
            b->row(b, other, row, y);
            for (int64_t k = 0; k < one->cols; k++) {
                sum += (double)x[k] * (double)x[k];
                assert_true(isfinite(y[k]));
                most = fmax(most, fabs((double)(x[k] - y[k])));
            }
            worst = fmax(worst, most / sqrt(sum / (double)one->cols));
        }
        mem_free(x);
        mem_free(y);
    }
    return worst;
}

/* Random weights to a folder, to GGUF and to a folder again. */
static void plain_types_lose_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        DType dtype;
    } types[] = {{"F32", DTYPE_F32}, {"F16", DTYPE_F16}, {"BF16", DTYPE_BF16}};
    for (int tied = 0; tied < 2; tied++)
        for (int i = 0; i < 3; i++) {
            HParams h = shape(48, 3, tied);
            if (tied)
                h.rope_scaling = (RopeScaling){8, 1, 4, 32};
            Params p;
            params_init(&p, &h);
            WeightSource random = weight_source_random(&p, 7);
            assert_int_equal(quantize_write_folder(&random, in_scratch("first"), types[i].dtype), ST_OK);
            ModelFile *first = open_file("first");
            WeightSource of_folder = weight_source_file(first);
            assert_int_equal(write_gguf(&of_folder, types[i].name, "m.gguf", 3), ST_OK);
            ModelFile *gguf = open_file("m.gguf");
            assert_non_null(model_file_gguf(gguf));
            WeightSource of_gguf = weight_source_file(gguf);
            assert_true(distance(&of_folder, &of_gguf) == 0);
            assert_int_equal(quantize_write_folder(&of_gguf, in_scratch("second"), types[i].dtype), ST_OK);
            Str a = scratch_read("first/model.safetensors"), b = scratch_read("second/model.safetensors");
            assert_int_equal(a.n, b.n);
            assert_memory_equal(a.at, b.at, a.n);
            str_drop(&a);
            str_drop(&b);
            a = scratch_read("first/config.json");
            b = scratch_read("second/config.json");
            assert_string_equal(a.at, b.at);
            str_drop(&a);
            str_drop(&b);
            model_file_close(gguf);
            model_file_close(first);
            params_drop(&p);
        }
}

static void quantised_models_are_near(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double most;
    } types[] = {{"Q8_0", 0.03}, {"Q6_K", 0.15}, {"Q5_K_M", 0.4}, {"Q4_K_M", 0.8}, {"Q4_0", 0.9}};
    HParams h = shape(256, 2, false);
    Params p;
    params_init(&p, &h);
    WeightSource random = weight_source_random(&p, 7);
    double before = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write_gguf(&random, types[i].name, "q.gguf", 2), ST_OK);
        ModelFile *f = open_file("q.gguf");
        WeightSource s = weight_source_file(f);
        double d = distance(&random, &s);
        if (!(d > before && d < types[i].most))
            fail_msg("%s is %g away", types[i].name, d);
        before = d * 0.9;
        model_file_close(f);
    }
    params_drop(&p);
}

/* The same bytes whatever the threads; blocks of the same type are copied, not made anew. */
static void files_are_the_same_every_time(void **state)
{
    (void)state;
    HParams h = shape(256, 2, false);
    Params p;
    params_init(&p, &h);
    WeightSource random = weight_source_random(&p, 7);
    assert_int_equal(write_gguf(&random, "Q4_K_M", "one.gguf", 1), ST_OK);
    assert_int_equal(write_gguf(&random, "Q4_K_M", "three.gguf", 3), ST_OK);
    ModelFile *f = open_file("one.gguf");
    WeightSource s = weight_source_file(f);
    assert_int_equal(write_gguf(&s, "Q4_K_M", "again.gguf", 2), ST_OK);
    model_file_close(f);
    Str one = scratch_read("one.gguf"), three = scratch_read("three.gguf"),
        again = scratch_read("again.gguf");
    assert_int_equal(one.n, three.n);
    assert_memory_equal(one.at, three.at, one.n);
    assert_memory_equal(one.at, again.at, one.n);
    str_drop(&one);
    str_drop(&three);
    str_drop(&again);
    params_drop(&p);
}

static void spoilt_row(const WeightSource *s, const Param *p, int64_t row, float *out)
{
    const float *value = s->context;
    for (int64_t i = 0; i < p->cols; i++)
        out[i] = p->kind == PARAM_UP && row == 3 && i == 5 ? *value : 0.5f;
}

static void impossible_numbers_are_refused(void **state)
{
    (void)state;
    HParams h = shape(64, 1, false);
    Params p;
    params_init(&p, &h);
    float value = NAN;
    WeightSource s = {.params = &p, .context = &value, .row = spoilt_row};
    assert_int_equal(write_gguf(&s, "Q8_0", "bad.gguf", 2), ST_LIMIT);
    expect_words("model.layers.0.mlp.up_proj.weight, row 3");
    assert_false(path_exists(in_scratch("bad.gguf")));
    value = 1e5f;
    assert_int_equal(write_gguf(&s, "F16", "bad.gguf", 2), ST_LIMIT);
    expect_words("BF16 holds larger ones");
    assert_int_equal(write_gguf(&s, "BF16", "good.gguf", 2), ST_OK);
    assert_int_equal(quantize_write_folder(&s, in_scratch("bad"), DTYPE_F16), ST_LIMIT);
    expect_words("too large for f16");
    params_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_give_some_matrices_more),
        cmocka_unit_test(rows_that_do_not_fit_get_another_type),
        cmocka_unit_test(plain_types_lose_nothing),
        cmocka_unit_test(quantised_models_are_near),
        cmocka_unit_test(files_are_the_same_every_time),
        cmocka_unit_test(impossible_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
