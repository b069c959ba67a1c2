#include "corpus/instruct_ledger.h"

#include "corpus/instruct_fixture_test.h"

static void the_table_adds_up(void **state)
{
    (void)state;
    Fixture f;
    Str text = {0};
    fixture_open(&f, "{mix: tokens, sources: [{name: one, kind: text, path: x, weight: 2}, {name: two, kind: "
                     "code, path: y}]}");
    InstructLine lines[2] = {
        {.count = {.format = INSTRUCT_ORCA, .files = 1, .records = 12, .examples = 10, .cut = 1},
         .plan = {.wanted = 1800, .granted = 1800},
         .train = {9, 900, 300, 0},
         .held_out = {1, 100, 30, 1},
         .used = {18, 1800, 600, 20}},
        {.count = {.format = INSTRUCT_ALPACA, .files = 2, .records = 6, .examples = 6},
         .plan = {.wanted = 600, .granted = 600},
         .train = {6, 600, 200, 0},
         .used = {6, 600, 200, 5}},
    };
    lines[0].count.rejected[REJECT_TOO_LONG] = 2;
    json_t *ledger = instruct_ledger_json(&f.recipe, lines);
    const json_t *one = json_array_get(ledger, 0);
    assert_string_equal(json_string_value(json_object_get(one, "format")), "orca");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "rejected"), "too_long")), 2);
    assert_true(json_real_value(json_object_get(one, "repeats")) == 2);
    assert_true(json_real_value(json_object_get(one, "share")) == 0.75);
    json_t *manifest =
        json_pack("{s:i, s:{s:o, s:s, s:s, s:{s:s}}}", "row_tokens", 101, "tune", "ledger", ledger, "notes",
                  "a note\n", "template", "chatml", "settings", "mix", "tokens");
    instruct_ledger_text(&text, manifest);
    assert_non_null(strstr(str_c(&text), "total"));
    assert_non_null(strstr(str_c(&text), " 2400 ")); /* tokens used */
    assert_non_null(strstr(str_c(&text), "2.00x  75.00%"));
    assert_non_null(strstr(str_c(&text), "too_long 2"));
    assert_non_null(strstr(
        str_c(&text), "rows of 101 tokens, 95.0% full; 33.3% of the tokens are learned; template chatml"));
    assert_non_null(strstr(str_c(&text), "a note"));
    str_drop(&text);
    json_decref(manifest);
    /* One that somebody edited shows what it holds. */
    manifest = json_object();
    instruct_ledger_text(&text, manifest);
    assert_true(text.n > 0);
    json_decref(manifest);
    str_drop(&text);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_adds_up)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
