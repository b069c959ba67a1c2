#include "cli/model_folder.h"

#include "base/scratch_test.h"
#include "infer/cycle_test.h"

static void make_file(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    scratch_text(path, "x");
    mem_free(path);
}
/* What is found for scratch/given ends in `end`. */
static void expect_found(const char *given, const char *end)
{
    char *path = path_join(scratch, given), *found = NULL;
    if (model_folder_find(&found, path) != ST_OK)
        fail_msg("%s", error_text());
    assert_true(span_ends(span(found), end));
    mem_free(path);
    mem_free(found);
}

static void expect_refused(const char *given, Status status, const char *words)
{
    char *path = path_join(scratch, given), *found = NULL;
    assert_int_equal(model_folder_find(&found, path), status);
    expect_words(words);
    mem_free(path);
}

static void model_folders_and_runs_are_told_apart(void **state)
{
    (void)state;
    make_file("plain", "model.safetensors");
    expect_found("plain", "/plain");
    make_file("shards", "model.safetensors.index.json");
    expect_found("shards", "/shards");
    make_file("run", "config.json"); /* the run's, not a model's */
    expect_refused("run", ST_IO, "neither a model folder");
    make_file("run/checkpoints", "x");
    expect_refused("run", ST_IO, "no checkpoint yet");
    make_file("run/checkpoints/step-00000010", "state.json");
    expect_refused("run", ST_FORMAT, "damaged");
    make_file("run/model", "model.safetensors");
    expect_found("run", "/run/model");
    expect_refused("absent", ST_IO, "no folder");
    expect_refused("plain/model.safetensors", ST_IO, "is a file; name the folder");
}

/* A run of `tune --lora` and a folder of PEFT's are no models; the sentence says what to do. */
static void adapters_are_told(void **state)
{
    (void)state;
    make_file("lora/checkpoints", "x");
    scratch_text("lora/adapter/adapter_config.json", "{\"base_model_name_or_path\": \"some/base\"}");
    expect_refused("lora", ST_IO, "/lora holds adapters and no model of its own");
    expect_words("-m some/base --adapter ");
    expect_words("/lora, or");
    expect_refused("lora/adapter", ST_IO, "/lora/adapter, or");
    scratch_text("peft/adapter_config.json", "{}");
    expect_refused("peft", ST_IO, "-m BASE --adapter ");
    scratch_text("peft/adapter_config.json", "no JSON");
    expect_refused("peft", ST_IO, "-m BASE --adapter ");
}

static void a_file_is_itself(void **state)
{
    (void)state;
    make_file("one", "model.gguf");
    char *path = scratch_path("one/model.gguf"), *found = NULL;
    assert_int_equal(model_path_find(&found, path), ST_OK);
    assert_string_equal(found, path);
    mem_free(found);
    mem_free(path);
    make_file("folder", "model.safetensors");
    path = scratch_path("folder");
    assert_int_equal(model_path_find(&found, path), ST_OK);
    assert_string_equal(found, path);
    mem_free(found);
    assert_int_equal(model_path_find(&found, "/absent.gguf"), ST_IO);
    expect_words("no such file or folder: /absent.gguf");
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_folders_and_runs_are_told_apart),
        cmocka_unit_test(adapters_are_told),
        cmocka_unit_test(a_file_is_itself),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
