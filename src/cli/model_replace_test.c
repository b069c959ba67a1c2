#include "cli/model_replace.h"

#include "base/scratch_test.h"

/* What a file in the scratch folder says; "" : there is none. */
static void expect_text(const char *name, const char *text)
{
    Str bytes = {0};
    if (path_exists(in_scratch(name)))
        bytes = scratch_read(name);
    assert_string_equal(str_c(&bytes), text);
    str_drop(&bytes);
}

/* An old model of shards and tokenizer.json with other files beside it, in a folder of that name. */
static void make_old(const char *folder)
{
    static const char *const names[] = {
        "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json", "README.md",
        "model-card.safetensors"};
    assert_int_equal(folder_remove(in_scratch(folder)), ST_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *name = path_join(folder, names[i]);
        scratch_text(name, "old");
        mem_free(name);
    }
}

static void expect_old(const char *folder)
{
    FolderList names;
    assert_int_equal(folder_list(&names, in_scratch(folder)), ST_OK);
    assert_int_equal(names.n, 8);
    for (size_t i = 0; i < names.n; i++) {
        char *name = path_join(folder, names.at[i]);
        expect_text(name, "old");
        mem_free(name);
    }
    folder_list_drop(&names);
}

static void a_model_replaces_another_as_a_whole(void **state)
{
    (void)state;
    char *made, *out = scratch_path("swap");
    assert_null(model_replace_file(out));
    make_old("swap");
    char *file = model_replace_file(out);
    assert_string_equal(file, "config.json");
    mem_free(file);
    assert_int_equal(model_replace_begin(&made, out), ST_OK);
    mem_free(made);
    scratch_text("swap/.tmp-model/config.json", "new");
    scratch_text("swap/.tmp-model/model.safetensors", "new");
    scratch_text("swap/.tmp-model/tokenizer.model", "new");
    assert_int_equal(model_replace_commit(out), ST_OK);
    FolderList names;
    assert_int_equal(folder_list(&names, out), ST_OK);
    assert_int_equal(names.n, 5);
    folder_list_drop(&names);
    expect_text("swap/config.json", "new");
    expect_text("swap/model.safetensors", "new");
    expect_text("swap/tokenizer.model", "new");
    expect_text("swap/README.md", "old");
    expect_text("swap/model-card.safetensors", "old");
    mem_free(out);
}

static void a_failure_leaves_the_old_model(void **state)
{
    (void)state;
    char *made, *out = scratch_path("kept");
    make_old("kept");
    assert_int_equal(model_replace_begin(&made, out), ST_OK);
    scratch_text("kept/.tmp-model/tokenizer.model", "half");
    assert_int_equal((fail)(ST_LIMIT, "no room"), ST_LIMIT);
    model_replace_abandon(out);
    expect_words("no room");
    expect_old("kept");
    mem_free(made);
    /* too late: the old one has been moved away when the new one cannot come */
    assert_int_equal(model_replace_begin(&made, out), ST_OK);
    assert_int_equal(folder_remove(made), ST_OK);
    assert_int_equal(model_replace_commit(out), ST_IO);
    model_replace_abandon(out);
    expect_old("kept");
    mem_free(made);
    mem_free(out);
}

static void rename_in(const char *folder, const char *from, const char *to)
{
    char *inside = scratch_path(folder), *here = path_join(inside, from), *there = path_join(inside, to);
    assert_int_equal(rename(here, there), 0);
    mem_free(inside);
    mem_free(here);
    mem_free(there);
}

static void begin_and_abandon(const char *folder)
{
    char *made, *out = scratch_path(folder);
    assert_int_equal(model_replace_begin(&made, out), ST_OK);
    model_replace_abandon(out);
    mem_free(made);
    mem_free(out);
}

static void a_kill_is_mended(void **state)
{
    (void)state;
    /* while the old files went */
    make_old("killed");
    scratch_text("killed/.tmp-model/config.json", "new");
    scratch_text("killed/.tmp-model/tokenizer.model", "new");
    assert_int_equal(folder_make(in_scratch("killed/.old-model")), ST_OK);
    rename_in("killed", "tokenizer.json", ".old-model/tokenizer.json");
    begin_and_abandon("killed");
    expect_old("killed");
    /* while the new ones came */
    scratch_text("killed/.tmp-model/config.json", "new");
    assert_int_equal(folder_make(in_scratch("killed/.old-model")), ST_OK);
    static const char *const names[] = {
        "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *to = path_join(".old-model", names[i]);
        rename_in("killed", names[i], to);
        mem_free(to);
    }
    scratch_text("killed/tokenizer.model", "new");
    begin_and_abandon("killed");
    expect_old("killed");
    /* while the old ones were removed */
    scratch_text("killed/.old-model/config.json", "older");
    assert_int_equal(folder_make(in_scratch("killed/.tmp-model")), ST_OK);
    begin_and_abandon("killed");
    expect_old("killed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_replaces_another_as_a_whole),
        cmocka_unit_test(a_failure_leaves_the_old_model),
        cmocka_unit_test(a_kill_is_mended),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
