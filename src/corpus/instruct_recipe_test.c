#include "corpus/instruct_recipe.h"

#include "corpus/scratch_test.h"

static Status take(InstructRecipe *r, const char *yaml, json_t **rest)
{
    *rest = NULL;
    instruct_recipe_defaults(r);
    assert_int_equal(config_parse_yaml(rest, yaml, strlen(yaml), "tune"), ST_OK);
    return instruct_recipe_take(r, *rest);
}

static void keys_are_taken_and_others_left(void **state)
{
    (void)state;
    InstructRecipe r = {0};
    json_t *rest;
    assert_int_equal(take(&r,
                          "context: 512\nmax-repeats: 2\nheld_out: 0.1\nlearning_rate: 1e-4\nsources:\n"
                          "  - {name: a, kind: code, path: [x.jsonl, y.jsonl], share: 2, format: evol}\n"
                          "  - {name: b, kind: text, path: z, held_out: 0, paths: all}\n",
                          &rest),
                     ST_OK);
    assert_int_equal(r.config.context, 512);
    assert_true(r.config.max_repeats == 2);
    assert_int_equal(r.sources_n, 2);
    assert_int_equal(r.sources[0].path.n, 2);
    assert_true(r.sources[0].held_out == 0.1 && r.sources[1].held_out == 0);
    assert_true(instruct_recipe_options(&r.sources[1]).all_paths);
    assert_non_null(json_object_get(rest, "learning_rate"));
    assert_null(json_object_get(rest, "sources"));
    assert_null(json_object_get(rest, "max-repeats"));
    ReaderSpec spec = instruct_recipe_spec(&r, 0);
    assert_int_equal(spec.format, FORMAT_JSON);
    assert_string_equal(spec.patterns[1], "y.jsonl");
    json_t *all = instruct_recipe_to_json(&r);
    assert_int_equal(json_array_size(json_object_get(all, "sources")), 2);
    json_decref(all);
    json_decref(rest);
    instruct_recipe_drop(&r);
}

static void expect_refused(const char *yaml, const char *words)
{
    InstructRecipe r = {0};
    json_t *rest;
    assert_int_equal(take(&r, yaml, &rest), ST_ARG);
    expect_words(words);
    json_decref(rest);
    instruct_recipe_drop(&r);
}

static void slips_are_named(void **state)
{
    (void)state;
    expect_refused("packing: dense", "packing");
    expect_refused("sources: [{name: a, kind: text, path: x, wait: 2}]", "source 1");
    expect_refused("sources: [{name: a, kind: text, path: x, weigth: 2}]", "weight");
    expect_refused("sources: [{name: a, path: x}]", "kind: code or kind: text");
    expect_refused("sources: [{name: a, kind: text}]", "has no path");
    expect_refused("sources: [{name: a, kind: text, path: x}, {name: a, kind: text, path: y}]",
                   "two sources");
    expect_refused("sources: [{name: a/b, kind: text, path: x}]", "letters");
    expect_refused("sources: [{name: a, kind: text, path: x, format: sharegtp}]", "sharegpt");
    expect_refused("sources: {}", "must be a list");
    expect_refused("sources: [3]", "must be a map");
}

static void files_get_names(void **state)
{
    (void)state;
    InstructRecipe r = {0};
    static const char *const paths[] = {"a/evol.jsonl.gz", "b/evol.json", "my chats/", ".hidden.json",
                                        "evol.xz"};
    static const char *const names[] = {"evol", "evol-2", "my_chats", "_hidden", "evol-3"};
    instruct_recipe_defaults(&r);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(instruct_recipe_add_file(&r, paths[i], NULL), ST_OK);
        assert_string_equal(r.sources[i].name, names[i]);
        assert_true(r.sources[i].held_out == r.config.held_out);
    }
    assert_int_equal(instruct_recipe_add_file(&r, "x", "nonsense"), ST_ARG);
    assert_int_equal(instruct_recipe_add_file(&r, "", NULL), ST_ARG);
    instruct_recipe_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_taken_and_others_left),
        cmocka_unit_test(slips_are_named),
        cmocka_unit_test(files_get_names),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
