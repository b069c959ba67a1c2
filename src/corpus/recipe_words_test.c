#include "corpus/recipe_words.h"

#include <string.h>

#include "corpus/scratch_test.h"

static void one_text_or_a_list(void **state)
{
    (void)state;
    json_t *o = json_pack("{s:s, s:[s, s], s:i, s:[s, i]}", "one", "a", "many", "b", "c", "number", 3,
                          "mixed", "d", 4);
    RecipeWords w = {0};
    assert_int_equal(recipe_words_take(&w, o, "one"), ST_OK);
    assert_int_equal(recipe_words_take(&w, o, "absent"), ST_OK);
    assert_int_equal(recipe_words_take(&w, o, "many"), ST_OK);
    assert_int_equal(w.n, 3);
    assert_string_equal(w.at[2], "c");
    assert_null(json_object_get(o, "many"));
    assert_int_equal(recipe_words_take(&w, o, "number"), ST_ARG);
    assert_int_equal(recipe_words_take(&w, o, "mixed"), ST_ARG);
    expect_words("list of texts");
    recipe_words_drop(&w);
    assert_int_equal(w.n, 0);
    json_decref(o);
}

static void names_are_plain(void **state)
{
    (void)state;
    assert_true(recipe_name_is_plain("open-orca_1.2"));
    assert_false(recipe_name_is_plain(""));
    assert_false(recipe_name_is_plain(".hidden"));
    assert_false(recipe_name_is_plain("a/b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_text_or_a_list),
                                       cmocka_unit_test(names_are_plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
