#include "train/run_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include "train/tiny_data_test.h"

static void put(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    assert_int_equal(file_replace(path, "{}", 2), ST_OK);
    mem_free(path);
}

static bool has(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool there = path_exists(path);
    mem_free(path);
    return there;
}

static void only_the_run_is_overwritten(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    tiny_open(&t);
    assert_int_equal(run_folder_open(&f, t.run, false, false), ST_OK);
    assert_false(f.holds_run);
    run_folder_close(&f);
    assert_false(path_exists(t.run)); /* nothing was put into it */
    assert_int_equal(folder_make(t.run), ST_OK);
    put(t.run, "config.json");
    put(t.run, "log.jsonl");
    put(t.run, "notes.txt");
    assert_int_equal(run_folder_open(&f, t.run, false, false), ST_ARG);
    assert_int_equal(run_folder_open(&f, t.run, true, true), ST_ARG);
    assert_int_equal(run_folder_open(&f, t.run, false, true), ST_OK);
    assert_true(f.stale && !f.holds_run && has(t.run, "log.jsonl"));
    assert_int_equal(run_folder_clear(&f), ST_OK);
    assert_false(has(t.run, "log.jsonl"));
    assert_true(has(t.run, "notes.txt")); /* somebody else's */
    run_folder_close(&f);
    tiny_close(&t);
}

static void expect_spared(const RunFolder *f, const char *folder, const char *name, bool spared)
{
    char *path = path_join(folder, name);
    assert_int_equal(run_folder_spares(f, "the model", path), spared ? ST_OK : ST_ARG);
    if (!spared)
        assert_non_null(strstr(error_text(), path));
    mem_free(path);
}

/* What a run is to begin with may lie beside it, not in it; also where a link leads there. */
static void a_run_does_not_delete_what_it_begins_with(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    tiny_open(&t);
    char *model = path_join(t.run, "model"), *aside = path_join(t.run, "models");
    assert_int_equal(folder_make(model), ST_OK);
    assert_int_equal(folder_make(aside), ST_OK);
    put(t.run, "config.json");
    put(model, "model.safetensors");
    assert_int_equal(symlink(model, t.other), 0);
    assert_int_equal(run_folder_open(&f, t.run, true, false), ST_OK);
    expect_spared(&f, t.run, "model", true); /* nothing is overwritten */
    run_folder_close(&f);
    assert_int_equal(run_folder_open(&f, t.run, false, true), ST_OK);
    expect_spared(&f, t.run, "model", false);
    expect_spared(&f, t.run, "model/model.safetensors", false);
    expect_spared(&f, t.other, "", false);
    expect_spared(&f, t.run, "models", true);
    expect_spared(&f, t.root, "data", true);
    expect_spared(&f, t.run, "", true);
    expect_spared(&f, t.run, "model/none", true);
    assert_int_equal(run_folder_spares(&f, "the model", NULL), ST_OK);
    run_folder_close(&f);
    mem_free(model);
    mem_free(aside);
    tiny_close(&t);
}

/* Its config.json would be taken for a run's and replaced. */
static void a_model_is_no_run_to_overwrite(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    tiny_open(&t);
    assert_int_equal(folder_make(t.run), ST_OK);
    put(t.run, "config.json");
    put(t.run, "model.safetensors");
    assert_int_equal(run_folder_open(&f, t.run, false, true), ST_ARG);
    assert_non_null(strstr(error_text(), "holds a model (model.safetensors)"));
    assert_true(has(t.run, "config.json") && !has(t.run, ".lock"));
    tiny_close(&t);
}

/* Only what the opening made goes again: not a folder that was there, and none with something in it. */
static void what_nobody_used_is_removed(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    tiny_open(&t);
    char *deep = path_join(t.other, "a/b");
    assert_int_equal(run_folder_open(&f, deep, false, false), ST_OK);
    assert_true(path_is_folder(deep));
    run_folder_close(&f);
    assert_false(path_exists(t.other));
    assert_int_equal(folder_make(t.other), ST_OK);
    assert_int_equal(run_folder_open(&f, deep, false, false), ST_OK);
    run_folder_close(&f);
    assert_true(path_exists(t.other) && !has(t.other, "a"));
    assert_int_equal(run_folder_open(&f, t.other, false, false), ST_OK);
    run_folder_close(&f);
    assert_true(path_exists(t.other));
    assert_int_equal(run_folder_open(&f, t.run, false, false), ST_OK);
    put(t.run, "notes.txt");
    run_folder_close(&f);
    assert_true(has(t.run, "notes.txt"));
    mem_free(deep);
    tiny_close(&t);
}

static void small_files_and_wishes(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    json_t *read;
    tiny_open(&t);
    assert_int_equal(run_folder_open(&f, t.run, true, false), ST_OK);
    json_t *j = json_pack("{s:f, s:f}", "lr", 6e-4, "third", 1.0 / 3);
    assert_int_equal(run_folder_write(&f, "config.json", j), ST_OK);
    assert_int_equal(run_folder_read_config(&read, t.run), ST_OK);
    assert_true(json_equal(j, read));
    json_decref(read);
    json_decref(j);
    Str text = {0};
    char *path = path_join(t.run, "config.json");
    assert_int_equal(file_read(&text, path, 0), ST_OK);
    assert_non_null(strstr(text.at, "0.333333333333333"));
    str_drop(&text);
    assert_int_equal(file_replace(path, "{", 1), ST_OK);
    assert_int_equal(run_folder_read_config(&read, t.run), ST_FORMAT);
    mem_free(path);
    assert_false(run_folder_save_asked(&f));
    put(t.run, "save");
    assert_true(run_folder_save_asked(&f));
    assert_false(run_folder_save_asked(&f));
    run_folder_close(&f);
    run_folder_close(&f);
    tiny_close(&t);
}

/* A process that has ended, and whose number is free. */
static pid_t dead_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return child;
}

static void left_over(char *name, size_t size, const char *of, pid_t pid)
{
    snprintf(name, size, "%s.tmp-%d", of, (int)pid);
}

static void what_a_kill_left_is_swept(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    char dead[3][64], alive[64], other[64];
    pid_t gone = dead_process();
    tiny_open(&t);
    left_over(dead[0], sizeof dead[0], "config.json", gone);
    left_over(dead[1], sizeof dead[1], "results.json", gone);
    left_over(dead[2], sizeof dead[2], "config.json", getpid()); /* of one that had our number before us */
    left_over(alive, sizeof alive, "config.json", getppid());
    left_over(other, sizeof other, "notes.txt", gone);
    const char *const kept[] = {"config.json", alive, other, "config.json.tmp-", "config.json.tmp-1x"};
    assert_int_equal(folder_make(t.run), ST_OK);
    for (int i = 0; i < 3; i++)
        put(t.run, dead[i]);
    for (int i = 0; i < 5; i++)
        put(t.run, kept[i]);
    assert_int_equal(run_folder_open(&f, t.run, false, false), ST_ARG); /* refused: nothing is touched */
    assert_true(has(t.run, dead[0]));
    assert_int_equal(run_folder_open(&f, t.run, true, false), ST_OK);
    for (int i = 0; i < 3; i++)
        assert_false(has(t.run, dead[i]));
    for (int i = 0; i < 5; i++)
        assert_true(has(t.run, kept[i]));
    run_folder_close(&f);
    tiny_close(&t);
}

/* Killed between the two renames of a swap: the model and the checkpoint that were moved aside are back. */
static void what_was_moved_aside_is_put_back(void **state)
{
    (void)state;
    Tiny t;
    RunFolder f;
    static const char *const made[] = {".old-model", ".tmp-model", "checkpoints/.old-step-00000004",
                                       "checkpoints/.tmp-step-4"};
    tiny_open(&t);
    for (int i = 0; i < 4; i++) {
        char *folder = path_join(t.run, made[i]);
        assert_int_equal(folder_make(folder), ST_OK);
        put(folder, i % 2 ? "new" : "old");
        mem_free(folder);
    }
    assert_int_equal(run_folder_open(&f, t.run, true, false), ST_OK);
    assert_true(has(t.run, "model/old") && has(t.run, "checkpoints/step-00000004/old"));
    for (int i = 0; i < 4; i++)
        assert_false(has(t.run, made[i]));
    run_folder_close(&f);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_run_is_overwritten),
        cmocka_unit_test(a_run_does_not_delete_what_it_begins_with),
        cmocka_unit_test(a_model_is_no_run_to_overwrite),
        cmocka_unit_test(what_nobody_used_is_removed),
        cmocka_unit_test(small_files_and_wishes),
        cmocka_unit_test(what_a_kill_left_is_swept),
        cmocka_unit_test(what_was_moved_aside_is_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
