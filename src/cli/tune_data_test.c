#include "cli/tune_data.h"

#include "cli/tune_fixture_test.h"

static void open_with(TuneData *d, const char *folder, const char *key, const char *value)
{
    InstructRecipe r = {0};
    instruct_recipe_defaults(&r);
    if (key)
        assert_int_equal(config_set(&instruct_table, &r.config, key, value), ST_OK);
    if (tune_data_open(d, in_scratch(folder), &r) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(r.config.context, 96); /* the model's */
    instruct_recipe_drop(&r);
}

static void marks_that_are_there_stay(void **state)
{
    (void)state;
    TuneData d;
    tune_base("base", TUNE_IDS, false);
    open_with(&d, "base", NULL, NULL);
    assert_string_equal(chat_template_name(d.tmpl), "chatml");
    assert_false(d.grows || d.padded);
    assert_int_equal(d.added.n, 0);
    tune_data_print(&d);
    tune_data_close(&d);
    tune_base("padded", TUNE_IDS + 12, false);
    open_with(&d, "padded", "system", "Be kind.");
    assert_true(d.padded && !d.grows);
    assert_string_equal(chat_template_system(d.tmpl), "Be kind.");
    tune_data_close(&d);
}

static void marks_that_lack_are_added(void **state)
{
    (void)state;
    TuneData d;
    tune_base("bare", TUNE_IDS, true);
    open_with(&d, "bare", NULL, NULL);
    assert_true(d.grows);
    assert_int_equal(tokenizer_vocab_size(d.tokenizer), TUNE_IDS + 2);
    assert_string_equal(str_c(&d.added), "<|im_start|> <|im_end|>");
    tune_data_close(&d);
    open_with(&d, "bare", "markers", "text");
    assert_false(d.grows);
    assert_int_equal(tokenizer_vocab_size(d.tokenizer), TUNE_IDS);
    tune_data_close(&d);
    tune_base("room", TUNE_IDS + 12, true); /* a padded embedding has rows for them already */
    open_with(&d, "room", NULL, NULL);
    assert_true(d.padded && !d.grows);
    tune_data_close(&d);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    TuneData d;
    InstructRecipe r = {0};
    instruct_recipe_defaults(&r);
    tune_base("wrong", TUNE_IDS, false);
    assert_int_equal(config_set(&instruct_table, &r.config, "template", "chatlm"), ST_OK);
    assert_int_equal(tune_data_open(&d, in_scratch("wrong"), &r), ST_ARG);
    expect_words("chatml");
    tune_data_close(&d);
    assert_int_equal(tune_data_open(&d, in_scratch("absent"), &r), ST_IO);
    tune_data_close(&d);
    instruct_recipe_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_that_are_there_stay),
        cmocka_unit_test(marks_that_lack_are_added),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
