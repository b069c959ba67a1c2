#include "train/run_folder.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_run_is_overwritten),
        cmocka_unit_test(small_files_and_wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
