/* PEFT's folders: what they say, what is refused, and every truncation.
 * What is computed with them: adapter_model_test.c. */
#include "model/adapter.h"

#include <unistd.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/str.h"
#include "model/golden_lora_test.h"

static void patterns_are_honoured(void **state)
{
    (void)state;
    HParams h;
    Adapter *a;
    LoraSetup s;
    assert_int_equal(hparams_read(&h, base_folder), ST_OK);
    assert_int_equal(adapter_open(&a, "tests/golden/lora/patterns", &h), ST_OK);
    assert_true(fabs(adapter_find(a, PARAM_Q, 1)->scale - 6 / sqrt(4)) < 1e-12);
    assert_true(fabs(adapter_find(a, PARAM_V, 0)->scale - 3 / sqrt(4)) < 1e-12);
    assert_true(fabs(adapter_find(a, PARAM_DOWN, 1)->scale - 6 / sqrt(2)) < 1e-12);
    assert_null(adapter_find(a, PARAM_K, 0));
    assert_non_null(adapter_whole(a, PARAM_EMBED));
    assert_int_equal(adapter_setup(&s, a), ST_OK);
    assert_true(s.rslora && s.embed && s.head && s.rank[PARAM_DOWN - PARAM_Q] == 2);
    adapter_close(a);
}

/* Refusals ----------------------------------------------------------------------------------------------- */

static void copy_to(const char *folder, const char *name)
{
    Str bytes = {0};
    char *from = path_join("tests/golden/lora/all", name), *to = path_join(folder, name);
    assert_int_equal(file_read(&bytes, from, 0), ST_OK);
    assert_int_equal(file_replace(to, bytes.at, bytes.n), ST_OK);
    str_drop(&bytes);
    mem_free(from);
    mem_free(to);
}

static void expect_refused(const char *folder, const HParams *h, Status why, const char *words)
{
    Adapter *a = NULL;
    Status st = adapter_open(&a, folder, h);
    if (st != why || !strstr(error_text(), words))
        fail_msg("%s where '%s' is wanted: %s", status_name(st), words, error_text());
    assert_null(a);
}

static void what_is_not_computed_is_refused_by_name(void **state)
{
    (void)state;
    char folder[] = "/tmp/lemur-adapter-XXXXXX";
    static const struct {
        const char *key, *value;
        Status why;
        const char *words;
    } cases[] = {
        {"peft_type", "\"IA3\"", ST_UNSUPPORTED, "IA3"},
        {"use_dora", "true", ST_UNSUPPORTED, "use_dora"},
        {"bias", "\"all\"", ST_UNSUPPORTED, "bias"},
        {"fan_in_fan_out", "true", ST_UNSUPPORTED, "fan_in_fan_out"},
        {"init_lora_weights", "\"pissa_niter_4\"", ST_UNSUPPORTED, "pissa"},
        {"trainable_token_indices", "[1, 2]", ST_UNSUPPORTED, "trainable_token_indices"},
        {"brand_new_trick", "3", ST_UNSUPPORTED, "brand_new_trick"},
        {"lora_alpha", "\"much\"", ST_FORMAT, "lora_alpha"},
        {"alpha_pattern", "{\"(\": 3}", ST_FORMAT, "regular expression"},
    };
    HParams h;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(hparams_read(&h, base_folder), ST_OK);
    copy_to(folder, "adapter_model.safetensors");
    char *path = path_join(folder, "adapter_config.json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *c = NULL;
        copy_to(folder, "adapter_config.json");
        assert_int_equal(json_file_read(&c, path), ST_OK);
        json_object_set_new(c, cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        assert_int_equal(json_file_write(path, c), ST_OK);
        json_decref(c);
        expect_refused(folder, &h, cases[i].why, cases[i].words);
    }
    copy_to(folder, "adapter_config.json");
    HParams other = h;
    other.intermediate_size = 48;
    expect_refused(folder, &other, ST_FORMAT, "the model's matrix is [24, 48]");
    other = h;
    other.num_hidden_layers = 1;
    expect_refused(folder, &other, ST_FORMAT, "does not have");
    mem_free(path);
    path = path_join(folder, "adapter_model.safetensors");
    assert_int_equal(unlink(path), 0);
    expect_refused(folder, &h, ST_IO, "adapter_model.bin");
    mem_free(path);
    expect_refused("/nowhere", &h, ST_IO, "/nowhere");
    assert_int_equal(folder_remove(folder), ST_OK);
}

static void truncated_files_are_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/lemur-adapter-XXXXXX";
    HParams h;
    Adapter *a;
    Str bytes = {0};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(hparams_read(&h, base_folder), ST_OK);
    copy_to(folder, "adapter_config.json");
    assert_int_equal(file_read(&bytes, "tests/golden/lora/all/adapter_model.safetensors", 0), ST_OK);
    char *path = path_join(folder, "adapter_model.safetensors");
    for (size_t n = 0; n < bytes.n; n += n < 64 ? 1 : 977) {
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes.at, 1, n, f), n);
        fclose(f);
        assert_int_not_equal(adapter_open(&a, folder, &h), ST_OK);
    }
    mem_free(path);
    str_drop(&bytes);
    assert_int_equal(folder_remove(folder), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_honoured),
        cmocka_unit_test(what_is_not_computed_is_refused_by_name),
        cmocka_unit_test(truncated_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
