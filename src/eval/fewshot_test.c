#include "eval/fewshot.h"

#include <string.h>

#include "base/scratch_test.h"

static void prompt(const Fewshot *f, int64_t n, const char *want)
{
    Str out = {0};
    fewshot_prompt(&out, f, n, span("Q"));
    assert_string_equal(str_c(&out), want);
    str_drop(&out);
}

static void examples_stand_in_order(void **state)
{
    (void)state;
    Fewshot f = {0};
    int64_t n = -1;
    prompt(&f, 0, "Q");
    assert_int_equal(fewshot_count(&n, &f, 0, 8, "x"), ST_OK);
    assert_int_equal(n, 0);
    str_adds(&f.head, "head\n");
    fewshot_add(&f, span("one "));
    fewshot_add(&f, span(""));
    fewshot_add(&f, span("three "));
    prompt(&f, 0, "head\nQ");
    prompt(&f, 2, "head\none Q");
    prompt(&f, 3, "head\none three Q");
    assert_int_equal(fewshot_count(&n, &f, -1, 3, "x"), ST_OK);
    assert_int_equal(n, 3);
    assert_int_equal(fewshot_count(&n, &f, 4, 3, "the file"), ST_ARG);
    expect_words("4 examples are asked for, the file has 3");
    assert_int_equal(n, 3);
    str_adds(&f.before, "<");
    str_adds(&f.after, ">");
    prompt(&f, 1, "head\none <Q>");
    fewshot_drop(&f);
}

static const char *hash_of(const json_t *facts)
{
    return json_string_value(json_object_get(facts, "prompt_sha256"));
}

static void other_prompts_have_other_facts(void **state)
{
    (void)state;
    Fewshot f = {0};
    str_adds(&f.head, "abc");
    json_t *none = fewshot_facts(&f, 1, 0, "file");
    fewshot_add(&f, span("x"));
    json_t *one = fewshot_facts(&f, 1, 1, "file"), *same = fewshot_facts(&f, 1, 0, "file");
    /* hashlib.sha256(b"abc").hexdigest() */
    assert_string_equal(hash_of(none), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(json_equal(none, same));
    assert_string_not_equal(hash_of(none), hash_of(one));
    assert_int_equal(json_integer_value(json_object_get(one, "shots")), 1);
    json_decref(none);
    json_decref(one);
    json_decref(same);
    fewshot_drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_stand_in_order),
        cmocka_unit_test(other_prompts_have_other_facts),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
