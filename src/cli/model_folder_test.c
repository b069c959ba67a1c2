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
    assert_int_equal(model_path_find(&found, "/absent"), ST_IO);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_folders_and_runs_are_told_apart),
        cmocka_unit_test(a_file_is_itself),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
