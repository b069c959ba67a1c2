#include "train/summary.h"

#include "base/scratch_test.h"

static void a_complete_run_shows_curve_and_table(void **state)
{
    (void)state;
    Str out = {0};
    scratch_text("log.jsonl", "{\"step\":1,\"loss_nats\":4}\n{\"step\":2,\"loss_nats\":3}\n");
    assert_int_equal(summary_text(&out, scratch), ST_OK);
    assert_null(strstr(str_c(&out), "bits/byte")); /* not complete yet */
    str_clear(&out);
    scratch_text("results.json", "{\"steps\":2,\"tokens\":10,\"seconds\":3,\"parameters\":5000000,\"held_out\":{\"loss_nats\":2.5,"
                        "\"tokens\":7,\"bits_per_byte\":1.25,\"bytes\":20,\"kinds\":{\"code\":{\"loss_nats\":2,\"tokens\":4}},"
                        "\"sources\":{}}}");
    assert_int_equal(summary_text(&out, scratch), ST_OK);
    assert_non_null(strstr(str_c(&out), "5.00 M parameters, 2 steps"));
    assert_non_null(strstr(str_c(&out), "1.250"));
    assert_non_null(strstr(str_c(&out), "code"));
    scratch_text("results.json", "{\"steps\":");
    assert_int_equal(summary_text(&out, scratch), ST_FORMAT);
    str_drop(&out);
}

static void no_run_is_said(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(summary_text(&out, "/nonexistent"), ST_IO);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_run_shows_curve_and_table),
        cmocka_unit_test(no_run_is_said),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
