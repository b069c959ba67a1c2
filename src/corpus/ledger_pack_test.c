#include "corpus/ledger.h"

#include "corpus/scratch_test.h"

static void sums_stand_below_the_sources(void **state)
{
    (void)state;
    json_t *m =
        json_loads("{\"row_tokens\": 10, \"attention\": \"across\", \"notes\": \"a remark\\n\", \"ledger\": ["
                   "{\"source\": \"c\", \"kind\": \"code\", \"documents\": 4, \"bytes\": 2000000, "
                   "\"tokens_available\": 500,"
                   " \"tokens_wanted\": 1000, \"tokens\": 1000, \"rows\": 100, \"held_out\": {\"documents\": "
                   "1, \"rows\": 2}},"
                   "{\"source\": \"t\", \"kind\": \"text\", \"documents\": 1, \"bytes\": 1000000, "
                   "\"tokens_available\": 400,"
                   " \"tokens_wanted\": 100, \"tokens\": 100, \"rows\": 10}]}",
                   0, NULL);
    assert_non_null(m);
    Str text = {0};
    ledger_pack_text(&text, m);
    assert_non_null(strstr(str_c(&text), "c                  code         4      2.00          500         "
                                         "1000         1000      100   2.00x  90.91%         1      2\n"));
    assert_non_null(strstr(str_c(&text), "100 : 10 rows = 10.000 : 1"));
    assert_non_null(strstr(str_c(&text), "a remark"));
    str_drop(&text);
    json_array_remove(json_object_get(m, "ledger"), 1);
    ledger_pack_text(&text, m);
    assert_non_null(strstr(str_c(&text), "100 : 0 rows\n")); /* over none there is no ratio */
    str_drop(&text);
    json_decref(m);
    m = json_object();
    ledger_pack_text(&text, m);
    assert_non_null(strstr(str_c(&text), "total"));
    str_drop(&text);
    json_decref(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_stand_below_the_sources)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
