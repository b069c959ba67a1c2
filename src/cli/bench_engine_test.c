#include "cli/bench.h"

#include <jansson.h>

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
                 .max_position_embeddings = 400,
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

static char name[] = "bench-engine", short_m[] = "-m", history[] = "--history=150", turn[] = "--turn=5",
            requests[] = "--requests=4", shared[] = "--system=70", own[] = "--own=3", gen[] = "--gen=4",
            repeat[] = "--repeat=1", threads[] = "--threads=1", json[] = "--json";

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void the_result_adds_up(void **state)
{
    (void)state;
    save_model();
    char *words[] = {name,   short_m, scratch, history, turn,    requests,
                     shared, own,     gen,     repeat,  threads, json};
    Str out = {0};
    assert_int_equal(capture(&out, bench_engine, 12, words), 0);
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL);
    str_drop(&out);
    assert_non_null(j);
    static const char *const keys[] = {"turn_alone_s", "turn_cached_s",       "turn_uncached_s",
                                       "turn_ratio",   "shared_tokens_per_s", "unshared_tokens_per_s",
                                       "step_s",       "longest_step_s"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_true(number(j, keys[i]) > 0);
    /* 70 once and 3 each, against 73 each; three passes more for the tokens behind the first */
    assert_true(number(j, "shared_rows") == 70 + 4 * 3 + 4 * 3);
    assert_true(number(j, "unshared_rows") == 4 * 73 + 4 * 3);
    json_decref(j);
}

static void the_table_is_for_people(void **state)
{
    (void)state;
    save_model();
    char *words[] = {name, short_m, scratch, history, turn, requests, shared, own, gen, repeat, threads};
    Str out = {0};
    assert_int_equal(capture(&out, bench_engine, 11, words), 0);
    assert_non_null(strstr(str_c(&out), "behind 150 tokens in the cache"));
    assert_non_null(strstr(str_c(&out), "(94 rows)"));
    str_drop(&out);
}

static void a_model_must_be_named(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(capture(&out, bench_engine, 1, (char *[]){name, NULL}), 2);
    assert_int_equal(out.n, 0);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_adds_up),
        cmocka_unit_test(the_table_is_for_people),
        cmocka_unit_test(a_model_must_be_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
