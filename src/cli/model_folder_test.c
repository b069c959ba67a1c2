#include "cli/model_folder.h"

#include <stdlib.h>

#include "infer/cycle_test.h"

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/lemur-test-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    return folder_remove(root) == ST_OK ? 0 : -1;
}

static void make_file(const char *folder, const char *name)
{
    char *where = path_join(root, folder), *path = path_join(where, name);
    assert_int_equal(folder_make(where), ST_OK);
    assert_int_equal(file_replace(path, "x", 1), ST_OK);
    mem_free(where);
    mem_free(path);
}

/* What is found for root/given ends in `end`. */
static void expect_found(const char *given, const char *end)
{
    char *path = path_join(root, given), *found = NULL;
    if (model_folder_find(&found, path) != ST_OK)
        fail_msg("%s", error_text());
    assert_true(span_ends(span(found), end));
    mem_free(path);
    mem_free(found);
}

static void expect_refused(const char *given, Status status, const char *words)
{
    char *path = path_join(root, given), *found = NULL;
    assert_int_equal(model_folder_find(&found, path), status);
    if (!strstr(error_text(), words))
        fail_msg("\"%s\" does not say \"%s\"", error_text(), words);
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(model_folders_and_runs_are_told_apart)};
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
