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
    scratch_text("results.json",
                 "{\"steps\":2,\"tokens\":10,\"seconds\":3,\"parameters\":5000000,\"held_out\":{"
                 "\"loss_nats\":2.5,\"tokens\":7,\"bits_per_byte\":1.25,\"bytes\":20,\"rows\":8,"
                 "\"kinds\":{\"code\":{\"loss_nats\":2,\"tokens\":4}},\"sources\":{}}}");
    assert_int_equal(summary_text(&out, scratch), ST_OK);
    assert_non_null(strstr(str_c(&out), "5.00 M parameters, 2 steps"));
    assert_non_null(strstr(str_c(&out), "1.250"));
    assert_non_null(strstr(str_c(&out), "code"));
    assert_null(strstr(str_c(&out), "DIVERGED"));
    assert_null(strstr(str_c(&out), "held-out rows"));
    scratch_text("results.json", "{\"steps\":");
    assert_int_equal(summary_text(&out, scratch), ST_FORMAT);
    str_drop(&out);
}

static void what_did_not_go_well_is_said(void **state)
{
    (void)state;
    Str out = {0};
    scratch_text("log.jsonl", "{\"step\":1,\"loss_nats\":4}\n{\"step\":2,\"loss_nats\":3}\n");
    scratch_text("results.json",
                 "{\"status\":\"diverged\",\"divergence\":{\"mean\":9.5,\"best\":3.25,\"best_step\":120,"
                 "\"since\":131},\"held_out\":{\"rows\":8,\"rows_set\":64,\"loss_nats\":null}}");
    assert_int_equal(summary_text(&out, scratch), ST_OK);
    assert_non_null(strstr(str_c(&out), "DIVERGED: loss 9.500 at its end, best 3.250 at step 120"));
    assert_non_null(strstr(str_c(&out), "not finite"));
    assert_non_null(strstr(str_c(&out), "of 8 held-out rows, not of 64"));
    str_drop(&out);
}

static void an_object_for_programs(void **state)
{
    (void)state;
    json_t *out;
    unlink(in_scratch("results.json"));
    scratch_text("log.jsonl", "{\"step\":1,\"loss_nats\":4}\n{\"step\":2,\"loss_nats\":3.5}\n"
                              "{\"step\":2,\"event\":\"checkpoint\",\"loss_nats\":0}\n{\"step\":3,\"loss_n");
    assert_int_equal(summary_json(&out, scratch), ST_OK);
    assert_string_equal(json_string_value(json_object_get(out, "status")), "not complete");
    assert_string_equal(json_string_value(json_object_get(out, "run")), scratch);
    assert_int_equal(json_integer_value(json_object_get(out, "step")), 2);
    assert_true(json_number_value(json_object_get(out, "loss_nats")) == 3.5);
    json_decref(out);
    scratch_text("results.json", "{\"status\":\"done\",\"steps\":2}");
    assert_int_equal(summary_json(&out, scratch), ST_OK);
    assert_string_equal(json_string_value(json_object_get(out, "status")), "done");
    assert_int_equal(json_integer_value(json_object_get(out, "steps")), 2);
    json_decref(out);
    assert_int_equal(summary_json(&out, "/nonexistent"), ST_IO);
}

static void no_run_is_said(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(summary_text(&out, "/nonexistent"), ST_IO);
    assert_non_null(strstr(error_text(), "there is no folder"));
    scratch_text("some/file", "x");
    char *folder = path_join(scratch, "some"), *file = path_join(folder, "file");
    assert_int_equal(summary_text(&out, folder), ST_IO);
    assert_non_null(strstr(error_text(), "holds no training run"));
    assert_int_equal(summary_text(&out, file), ST_IO);
    assert_non_null(strstr(error_text(), "is a file"));
    mem_free(file);
    mem_free(folder);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_run_shows_curve_and_table),
        cmocka_unit_test(what_did_not_go_well_is_said),
        cmocka_unit_test(an_object_for_programs),
        cmocka_unit_test(no_run_is_said),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
