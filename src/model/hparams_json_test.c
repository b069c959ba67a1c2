#include "model/hparams.h"
#include "base/scratch_test.h"

static Status from_text(HParams *h, const char *text)
{
    json_error_t error;
    json_t *object = json_loads(text, JSON_DECODE_ANY, &error);
    assert_non_null(object);
    Status st = hparams_from_json(h, object);
    json_decref(object);
    return st;
}

static HParams read_text(const char *text)
{
    HParams h;
    if (from_text(&h, text) != ST_OK)
        fail_msg("%s", error_text());
    return h;
}

static void expect_same(const HParams *a, const HParams *b)
{
    json_t *x = hparams_to_json(a), *y = hparams_to_json(b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
}

/* What meta-llama/Llama-2-70b-hf and Llama-3.1-8B carry, as far as it is read. */
static const char llama2_70b[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"bos_token_id\":1,\"eos_token_id\":2,\"hidden_act\":\"silu\","
    "\"hidden_size\":8192,\"initializer_range\":0.02,\"intermediate_size\":28672,\"max_position_embeddings\":"
    "4096,"
    "\"model_type\":\"llama\",\"num_attention_heads\":64,\"num_hidden_layers\":80,\"num_key_value_heads\":8,"
    "\"pretraining_tp\":1,\"rms_norm_eps\":1e-05,\"rope_scaling\":null,\"tie_word_embeddings\":false,"
    "\"torch_dtype\":\"float16\",\"transformers_version\":\"4.32.0.dev0\",\"use_cache\":true,\"vocab_size\":"
    "32000}";
static const char llama31_8b[] = "{\"architectures\":[\"LlamaForCausalLM\"],\"attention_bias\":false,"
                                 "\"attention_dropout\":0.0,\"bos_token_id\":128000,"
                                 "\"eos_token_id\":[128001,128008,128009],\"hidden_act\":\"silu\",\"hidden_"
                                 "size\":4096,\"intermediate_size\":14336,"
                                 "\"max_position_embeddings\":131072,\"mlp_bias\":false,\"model_type\":"
                                 "\"llama\",\"num_attention_heads\":32,"
                                 "\"num_hidden_layers\":32,\"num_key_value_heads\":8,\"rms_norm_eps\":1e-05,"
                                 "\"rope_scaling\":{\"factor\":8.0,"
                                 "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_"
                                 "embeddings\":8192,\"rope_type\":\"llama3\"},"
                                 "\"rope_theta\":500000.0,\"tie_word_embeddings\":false,\"torch_dtype\":"
                                 "\"bfloat16\",\"vocab_size\":128256}";

static void configurations_of_known_models_are_read(void **state)
{
    (void)state;
    HParams h = read_text(llama2_70b), preset;
    assert_int_equal(hparams_preset(&preset, "70b"), ST_OK);
    expect_same(&h, &preset);
    h = read_text(llama31_8b);
    assert_int_equal(h.head_dim, 128);
    assert_int_equal(h.eos_token_id, 128001);
    assert_true(h.rope_theta == 500000 && h.rope_scaling.factor == 8 && h.rope_scaling.high_freq_factor == 4);
    assert_int_equal(h.rope_scaling.original_max_position_embeddings, 8192);
    assert_int_equal(hparams_param_count(&h), 8030261248);
}

static void both_spellings_of_rotary_settings_are_one(void **state)
{
    (void)state;
    HParams old = read_text(
        "{\"rope_theta\":5e5,\"rope_scaling\":{\"type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
        "\"high_freq_factor\":4,\"original_max_position_embeddings\":8192}}");
    HParams new = read_text(
        "{\"rope_parameters\":{\"rope_theta\":5e5,\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":"
        "1,"
        "\"high_freq_factor\":4,\"original_max_position_embeddings\":8192},\"dtype\":\"bfloat16\"}");
    expect_same(&old, &new);
    HParams plain = read_text("{\"rope_parameters\":{\"rope_theta\":123.5,\"rope_type\":\"default\"}}");
    assert_true(plain.rope_theta == 123.5 && plain.rope_scaling.factor == 0);
}

static void absent_fields_have_transformers_defaults(void **state)
{
    (void)state;
    HParams h = read_text("{\"num_key_value_heads\":null}");
    assert_int_equal(h.vocab_size, 32000);
    assert_int_equal(h.intermediate_size, 11008);
    assert_int_equal(h.num_key_value_heads, 32);
    assert_int_equal(h.max_position_embeddings, 2048);
    assert_true(h.rms_norm_eps == 1e-6 && h.rope_theta == 10000);
    h = read_text("{\"model_type\":\"mistral\",\"sliding_window\":null}");
    assert_int_equal(h.intermediate_size, 14336);
    assert_int_equal(h.num_key_value_heads, 8);
    h = read_text("{\"eos_token_id\":null,\"bos_token_id\":null}");
    assert_int_equal(h.eos_token_id, -1);
    assert_int_equal(h.bos_token_id, -1);
}

static void what_is_not_computed_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"model_type\":\"qwen2\"}", "qwen2"},
        {"{\"architectures\":[\"LlamaForSequenceClassification\"]}", "LlamaForSequenceClassification"},
        {"{\"hidden_act\":\"gelu\"}", "gelu"},
        {"{\"attention_bias\":true}", "attention_bias"},
        {"{\"mlp_bias\":true}", "mlp_bias"},
        {"{\"quantization_config\":{\"quant_method\":\"gptq\"}}", "quantization_config"},
        {"{\"rope_scaling\":{\"type\":\"linear\",\"factor\":4.0}}", "linear"},
        {"{\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":4.0}}", "yarn"},
        {"{\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"default\"}}}", "full_attention"},
        {"{\"rope_parameters\":{\"partial_rotary_factor\":0.5}}", "partial_rotary_factor"},
        {"{\"partial_rotary_factor\":0.5}", "partial_rotary_factor"},
        {"{\"model_type\":\"mistral\"}", "sliding_window"},
        {"{\"model_type\":\"mistral\",\"sliding_window\":4096,\"max_position_embeddings\":32768}", "4096"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HParams h;
        assert_int_equal(from_text(&h, cases[i][0]), ST_UNSUPPORTED);
        expect_words(cases[i][1]);
    }
    HParams h =
        read_text("{\"model_type\":\"mistral\",\"sliding_window\":4096,\"max_position_embeddings\":4096}");
    assert_int_equal(h.max_position_embeddings, 4096);
}

static void wrong_types_and_values_are_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"hidden_size\":\"4096\"}", "hidden_size"},
        {"{\"hidden_size\":4096.5}", "hidden_size"},
        {"{\"num_attention_heads\":31}", "num_attention_heads 31"},
        {"{\"num_attention_heads\":0}", "num_attention_heads"},
        {"{\"num_attention_heads\":-4}", "num_attention_heads"},
        {"{\"rms_norm_eps\":\"small\"}", "rms_norm_eps"},
        {"{\"tie_word_embeddings\":1}", "tie_word_embeddings"},
        {"{\"eos_token_id\":\"</s>\"}", "eos_token_id"},
        {"{\"rope_scaling\":[1]}", "rope_scaling"},
        {"{\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}}", "low_freq_factor"},
        {"{\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":0,\"low_freq_factor\":1,\"high_freq_"
         "factor\":4}}",
         "factor"},
        {"[1,2]", "object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HParams h;
        Status st = from_text(&h, cases[i][0]);
        assert_true(st == ST_FORMAT || st == ST_ARG);
        expect_words(cases[i][1]);
    }
}

static void what_is_written_is_read_again_exactly(void **state)
{
    (void)state;
    HParams h = read_text(llama31_8b), again;
    h.rms_norm_eps = 9.999999974752427e-07; /* 1e-6 rounded to f32, as some converters write it */
    assert_int_equal(hparams_write(&h, scratch, "bfloat16"), ST_OK);
    assert_int_equal(hparams_read(&again, scratch), ST_OK);
    expect_same(&h, &again);
    assert_int_equal(hparams_preset(&h, "5m"), ST_OK);
    h.eos_token_id = -1;
    assert_int_equal(hparams_write(&h, scratch, "float32"), ST_OK);
    assert_int_equal(hparams_read(&again, scratch), ST_OK);
    expect_same(&h, &again);
    Str text = {0};
    assert_int_equal(file_read(&text, in_scratch("config.json"), 0), ST_OK);
    assert_non_null(strstr(text.at, "\"rms_norm_eps\": 1e-5,"));
    assert_non_null(strstr(text.at, "\"torch_dtype\": \"float32\""));
    str_drop(&text);
}

static void a_damaged_file_is_named_with_its_line(void **state)
{
    (void)state;
    HParams h;
    scratch_write("config.json", "{\n \"hidden_size\": 1,\n \"hidden_size\": 2}", 40);
    assert_int_equal(hparams_read(&h, scratch), ST_FORMAT);
    expect_words("config.json line 3");
    size_t whole = strlen(llama31_8b);
    for (size_t n = 0; n < whole; n++) {
        scratch_write("config.json", llama31_8b, n);
        assert_int_equal(hparams_read(&h, scratch), ST_FORMAT);
    }
    scratch_write("config.json", "{\"head_dim\": 3}", 15);
    assert_int_equal(hparams_read(&h, scratch), ST_FORMAT);
    expect_words("config.json: head_dim 3 is odd");
    assert_int_equal(hparams_read(&h, in_scratch("absent")), ST_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_of_known_models_are_read),
        cmocka_unit_test(both_spellings_of_rotary_settings_are_one),
        cmocka_unit_test(absent_fields_have_transformers_defaults),
        cmocka_unit_test(what_is_not_computed_is_refused_by_name),
        cmocka_unit_test(wrong_types_and_values_are_named),
        cmocka_unit_test(what_is_written_is_read_again_exactly),
        cmocka_unit_test(a_damaged_file_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
