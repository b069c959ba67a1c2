#include "corpus/ledger.h"

#include "corpus/scratch_test.h"

static void tables_say_what_the_counts_say(void **state)
{
    (void)state;
    CorpusRecipe r;
    const char *recipe = "corpus: {sources: [{name: alpha, kind: code, language: c, path: x}]}\n";
    assert_int_equal(corpus_recipe_parse(&r, recipe, strlen(recipe), "r"), ST_OK);
    SourceLedger l = {.files = 3,
                      .input = {10, 5000000},
                      .train = {6, 3000000},
                      .held_out = {1, 500000},
                      .duplicates = {2, 900000}};
    l.unusable[READ_NOT_UTF8] = (Tally){1, 600000};
    json_t *m = ledger_corpus_json(&r, &l);
    Str text = {0};
    ledger_corpus_text(&text, m);
    assert_non_null(strstr(
        str_c(&text),
        "alpha              code c                 10      5.00         1      0.60         2      0.90"
        "         6      3.00         1      0.50\n"));
    assert_non_null(strstr(str_c(&text), "  invalid_utf8                             1      0.60\n"));
    assert_non_null(strstr(str_c(&text), "  duplicate                                2      0.90\n"));
    assert_null(strstr(str_c(&text), "code_xml")); /* what dropped nothing takes no line */
    str_drop(&text);
    json_decref(m);
    corpus_recipe_drop(&r);
    ledger_drop(&l);
}

static void examples_are_few(void **state)
{
    (void)state;
    SourceLedger l = {0};
    for (int i = 0; i < 100; i++) {
        Document d = {
            .id = span("bad\xFFname"), .why = span("because"), .reason = i % 2 ? READ_BINARY : READ_NOT_JSON};
        ledger_example(&l, &d);
    }
    assert_int_equal(json_array_size(l.examples), 2 * LEDGER_EXAMPLES);
    assert_string_equal(json_string_value(json_object_get(json_array_get(l.examples, 0), "why")), "because");
    ledger_drop(&l);
}

static void any_manifest_prints(void **state)
{
    (void)state;
    const char *const manifests[] = {
        "{}", "{\"sources\":3}",
        "{\"sources\":[1,{\"name\":5,\"dropped\":[]},{\"unusable\":{\"x\":\"y\"}}]}"};
    for (size_t i = 0; i < 3; i++) {
        json_t *m = json_loads(manifests[i], 0, NULL);
        Str text = {0};
        ledger_corpus_text(&text, m);
        assert_non_null(strstr(str_c(&text), "total"));
        str_drop(&text);
        json_decref(m);
    }
}

/* The ledger has room for every rule. */
static void rules_fit(void **state)
{
    (void)state;
    assert_true(clean_code_rules_n <= LEDGER_RULES && clean_text_rules_n <= LEDGER_RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_say_what_the_counts_say),
        cmocka_unit_test(examples_are_few),
        cmocka_unit_test(any_manifest_prints),
        cmocka_unit_test(rules_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
