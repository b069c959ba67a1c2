#include "cli/bench.h"

#include <jansson.h>

#include "base/log.h"
#include "cli/capture_test.h"
#include "model/model.h"
#include "ops/select.h"

static void save_model(void)
{
    HParams h = {.vocab_size = 40,
                 .hidden_size = 32,
                 .intermediate_size = 48,
                 .num_hidden_layers = 2,
                 .num_attention_heads = 4,
                 .num_key_value_heads = 2,
                 .head_dim = 8,
                 .max_position_embeddings = 16,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 10000,
                 .bos_token_id = -1,
                 .eos_token_id = -1};
    ModelSetup setup = {.batch = 1, .context = 8, .compute = DTYPE_F32};
    Device *dev;
    Model *m;
    assert_int_equal(ops_open(&dev, NULL, 1), ST_OK);
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_OK);
    model_init(m, 1);
    assert_int_equal(model_save(m, scratch, DTYPE_BF16), ST_OK);
    model_close(m);
    device_close(dev);
}

static char name[] = "bench-infer", short_m[] = "-m", prompt[] = "--prompt=70", gen[] = "--gen=3",
            json[] = "--json", parallel[] = "--parallel=3", repeat[] = "--repeat=2", rows[] = "--rows=50",
            threads[] = "--threads=1", flops[] = "--peak-flops=1e9", bytes[] = "--peak-read=1e9",
            profile[] = "--profile";

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* The JSON that scripts read: its keys, and that they agree with each other. */
static void the_result_adds_up(void **state)
{
    (void)state;
    save_model();
    char *words[] = {name, short_m, scratch, prompt, gen,     parallel, repeat,
                     rows, threads, flops,   bytes,  profile, json};
    Str out = {0};
    assert_int_equal(capture(&out, bench_infer, 13, words), 0);
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL);
    str_drop(&out);
    assert_non_null(j);
    static const char *const keys[] = {"load_seconds",          "peak_bytes",
                                       "planned_bytes",         "prefill_flops_per_s",
                                       "parallel_tokens_per_s", "parallel_ratio"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_true(number(j, keys[i]) > 0);
    double weights = 0,
           expected = number(j, "weight_bytes_per_token") * number(j, "decode_tokens_per_s") / 1e9;
    /* In bf16 and in f32: qkv 64 x 32, o 32 x 32, three of 48 x 32 in two layers; the head fills 3 panels of
     * 16 rows. */
    weights = 2 * (64 * 32 + 32 * 32 + 3 * 48 * 32) + 48 * 32;
    assert_true(number(j, "weight_bytes_per_token") == 2 * weights ||
                number(j, "weight_bytes_per_token") == 4 * weights);
    assert_true(number(j, "decode_bandwidth_fraction") > 0.999 * expected);
    assert_true(number(j, "decode_bandwidth_fraction") < 1.001 * expected);
    double tokens = number(j, "prefill_tokens_per_s") * number(j, "prompt_seconds");
    assert_true(tokens > 69.99 && tokens < 70.01);
    assert_true(number(j, "read_bytes_per_s") == 1e9 && number(j, "gemm_bf16_flops_per_s") == 1e9);
    assert_non_null(json_object_get(json_object_get(j, "operations"), "matmul_packed"));
    json_decref(j);
}

static void the_table_is_for_people(void **state)
{
    (void)state;
    save_model();
    char *words[] = {name, short_m, scratch, prompt, gen, repeat, threads, flops, bytes};
    Str out = {0};
    assert_int_equal(capture(&out, bench_infer, 9, words), 0);
    static const char *const lines[] = {"\nmachine ", "\nload ", "\nprefill ", "\ndecode "};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_non_null(strstr(str_c(&out), lines[i]));
    assert_null(strstr(str_c(&out), "together"));
    str_drop(&out);
}

static void a_model_must_be_there(void **state)
{
    (void)state;
    char absent[] = "/absent";
    log_level_set(LOG_ERROR);
    assert_int_equal(bench_infer(1, (char *[]){name}), 2);
    assert_int_equal(bench_infer(5, (char *[]){name, short_m, absent, flops, bytes}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_adds_up),
        cmocka_unit_test(the_table_is_for_people),
        cmocka_unit_test(a_model_must_be_there),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
