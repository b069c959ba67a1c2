/* Whole runs that train adapters over a frozen model: they learn, are killed and resumed to the same bytes,
 * allocate nothing after the first step, and leave the base as it was. */
#include "train/trainer.h"

#include "base/json_file.h"
#include "model/adapter.h"
#include "train/fixture_test.h"

/* A run of the whole model to stand on, in f->tiny.other; then settings for adapters. */
static Fixture *adapted_fixture(void)
{
    Fixture *f = fixture();
    f->job.output = f->tiny.other;
    f->c.steps = 4;
    f->c.eval_every = -1;
    expect_ok(train(f));
    mem_free(f->c.lora_targets);
    f->c.lora_targets = mem_str("q, v, mlp");
    f->c.lora = true;
    f->c.lora_rank = 4;
    f->c.lora_dropout = 0.1;
    f->c.steps = 12;
    f->c.eval_every = 6;
    f->c.learning_rate = 1e-2;
    f->job.init = path_join(f->tiny.other, "model");
    f->job.output = f->tiny.run;
    return f;
}

static void drop_adapted(Fixture *f)
{
    mem_free((char *)(uintptr_t)f->job.init);
    drop(f);
}

static void expect_same_adapters(const char *a, const char *b)
{
    expect_same_file(a, b, "checkpoints/step-00000012/adapter_model.safetensors");
    expect_same_file(a, b, "checkpoints/step-00000012/optimizer.safetensors");
    expect_same_file(a, b, "adapter/adapter_model.safetensors");
    expect_same_file(a, b, "adapter/adapter_config.json");
}

static void a_run_learns_and_leaves_an_adapter(void **state)
{
    (void)state;
    Fixture *f = adapted_fixture();
    f->c.steps = 40;
    f->count_from = 2;
    f->c.save_every = -1;
    f->c.eval_every = -1;
    Str before = bytes_of(f->job.init, "model.safetensors");
    expect_ok(train(f));
    assert_int_equal(f->mem_after, f->mem_before); /* a step allocates nothing */
    assert_true(f->last_loss < f->first_loss - 0.1);
    assert_false(is_there(f->tiny.run, "model"));
    Str after = bytes_of(f->job.init, "model.safetensors");
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.at, after.at, before.n);
    Adapter *a;
    HParams h;
    char *folder = adapter_path(f->tiny.run);
    expect_ok(hparams_read(&h, f->job.init));
    expect_ok(adapter_open(&a, folder, &h));
    assert_string_equal(adapter_base(a), f->job.init);
    assert_int_equal(adapter_find(a, PARAM_V, 1)->rank, 4);
    assert_null(adapter_find(a, PARAM_K, 1));
    adapter_close(a);
    mem_free(folder);
    str_drop(&before);
    str_drop(&after);
    drop_adapted(f);
}

static void resumed_runs_end_in_the_same_bytes(void **state)
{
    (void)state;
    Fixture *f = adapted_fixture();
    char second[96];
    snprintf(second, sizeof second, "%s/second", f->tiny.root);
    expect_ok(train(f));
    f->job.output = second;
    f->job.resume = true;
    f->stop_at = 5;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 9;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    expect_ok(train(f));
    expect_same_adapters(f->tiny.run, second);
    expect_ok(train(f)); /* it is complete */
    drop_adapted(f);
}

/* Killed between checkpoints: from the one before on. */
static void a_kill_costs_only_time(void **state)
{
    (void)state;
    Fixture *f = adapted_fixture();
    char second[96], path[160];
    snprintf(second, sizeof second, "%s/second", f->tiny.root);
    expect_ok(train(f));
    f->job.output = second;
    f->c.keep_checkpoints = 0;
    expect_ok(train(f));
    snprintf(path, sizeof path, "%s/checkpoints/step-00000012/adapter_config.json", second);
    assert_int_equal(unlink(path), 0); /* damaged */
    f->job.resume = true;
    expect_ok(train(f));
    expect_same_adapters(f->tiny.run, second);
    drop_adapted(f);
}

static void another_base_or_setting_is_refused(void **state)
{
    (void)state;
    Fixture *f = adapted_fixture();
    f->stop_at = 5;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    f->job.resume = true;
    f->c.lora_rank = 5;
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "lora_rank: was 4, is 5"));
    f->c.lora_rank = 4;
    Str bytes = bytes_of(f->job.init, "model.safetensors");
    bytes.at[bytes.n - 2] = (char)(bytes.at[bytes.n - 2] ^ 1);
    char *path = path_join(f->job.init, "model.safetensors");
    expect_ok(file_replace(path, bytes.at, bytes.n));
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "base: was"));
    mem_free(path);
    str_drop(&bytes);
    const char *init = f->job.init;
    f->job.init = NULL;
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "trained over a model"));
    f->job.init = init;
    mem_free(f->c.lora_targets);
    f->c.lora_targets = mem_str("q,w");
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "lora_targets: 'w'"));
    drop_adapted(f);
}

/* Tokens that are new to the model, in rows that were padding: adapters alone could not say them. */
static void rows_of_new_ids_are_trained_whole(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->job.output = f->tiny.other;
    f->job.hparams.vocab_size = TINY_V + 4;
    f->job.padded_vocab = true;
    f->c.steps = 2;
    f->c.eval_every = -1;
    expect_ok(train(f));
    char *base = path_join(f->tiny.other, "model");
    f->job.init = base;
    f->job.output = f->tiny.run;
    f->job.new_ids = true;
    f->c.lora = true;
    f->c.lora_rank = 4;
    f->c.steps = 6;
    f->stop_at = 3;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    f->job.resume = true;
    expect_ok(train(f));
    json_t *config;
    expect_ok(run_folder_read_config(&config, f->tiny.run));
    assert_true(json_is_true(json_object_get(config, "new_ids")));
    json_decref(config);
    char *path = path_join(f->tiny.run, "adapter/adapter_config.json");
    expect_ok(json_file_read(&config, path));
    assert_int_equal(json_array_size(json_object_get(config, "modules_to_save")), 2);
    json_decref(config);
    mem_free(path);
    mem_free(base);
    drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_learns_and_leaves_an_adapter),
        cmocka_unit_test(resumed_runs_end_in_the_same_bytes),
        cmocka_unit_test(a_kill_costs_only_time),
        cmocka_unit_test(rows_of_new_ids_are_trained_whole),
        cmocka_unit_test(another_base_or_setting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
