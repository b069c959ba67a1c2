#include "train/curve.h"

#include "base/scratch_test.h"

static void falls_from_left_top_to_right_bottom(void **state)
{
    (void)state;
    Str log = {0}, plot = {0};
    for (int i = 0; i <= 100; i++)
        str_addf(&log, "{\"step\":%d,\"loss_nats\":%g}\n", i, 5.0 - 0.03 * i);
    str_adds(&log, "{\"step\":100,\"held_out_loss_nats\":2.5}\n");
    str_adds(&log, "{\"step\":101,\"loss_n"); /* and a line cut short */
    scratch_text("log.jsonl", str_c(&log));
    assert_int_equal(curve_plot(&plot, scratch, 40, 9), ST_OK);
    const char *second = strchr(plot.at, '\n') + 1;
    assert_int_equal(plot.at[9], '*');                  /* first column, first row */
    assert_int_not_equal(second[9], '*');
    assert_non_null(strstr(plot.at, "4.985 |*"));
    assert_non_null(strchr(plot.at, 'o'));
    assert_non_null(strstr(plot.at, "100 steps"));
    str_drop(&log);
    str_drop(&plot);
}

/* Losses of single steps scatter far about the mean that is drawn: the curve fills its frame all the same. */
static void noise_leaves_no_row_empty(void **state)
{
    (void)state;
    enum { WIDTH = 20, HEIGHT = 9 };
    Str log = {0}, plot = {0};
    for (int i = 0; i <= 1000; i++)
        str_addf(&log, "{\"step\":%d,\"loss_nats\":%g}\n", i, 5.0 - 0.002 * i + (i % 2 ? 3 : -3));
    scratch_text("log.jsonl", str_c(&log));
    assert_int_equal(curve_plot(&plot, scratch, WIDTH, HEIGHT), ST_OK);
    const char *line = plot.at;
    for (int y = 0; y < HEIGHT; y++) {
        const char *end = strchr(line, '\n');
        assert_non_null(memchr(line, '*', (size_t)(end - line)));
        line = end + 1;
    }
    str_drop(&log);
    str_drop(&plot);
}

/* Numbers that nobody trained are passed over; equal ones lie in one row. */
static void wild_numbers_stay_in_the_frame(void **state)
{
    (void)state;
    Str plot = {0};
    scratch_text("log.jsonl", "{\"step\":1,\"loss_nats\":1e308}\n{\"step\":1,\"loss_nats\":1e308}\n"
                              "{\"step\":-9000000000000000000,\"loss_nats\":2}\n{\"step\":-1e300,\"loss_nats\":2}\n"
                              "{\"step\":0,\"held_out_loss_nats\":-1e308}\n"
                              "{\"step\":2,\"loss_nats\":2e20}\n{\"step\":4,\"loss_nats\":2e20}\n");
    assert_int_equal(curve_plot(&plot, scratch, 41, 9), ST_OK);
    assert_null(strstr(plot.at, "inf"));
    assert_null(strstr(plot.at, "nan"));
    const char *second = strchr(plot.at, '\n') + 1, *axis = strstr(plot.at, " steps");
    assert_non_null(memchr(plot.at, '*', (size_t)(second - plot.at)));
    assert_null(memchr(second, '*', (size_t)(axis - second)));
    assert_null(memchr(plot.at, 'o', (size_t)(axis - plot.at)));
    str_drop(&plot);
}

static void an_empty_log_is_said(void **state)
{
    (void)state;
    Str plot = {0};
    scratch_text("log.jsonl", "\n");
    assert_int_equal(curve_plot(&plot, scratch, 40, 9), ST_FORMAT);
    assert_int_equal(curve_plot(&plot, "/nonexistent", 40, 9), ST_IO);
    str_drop(&plot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(falls_from_left_top_to_right_bottom),
        cmocka_unit_test(noise_leaves_no_row_empty),
        cmocka_unit_test(wild_numbers_stay_in_the_frame),
        cmocka_unit_test(an_empty_log_is_said),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
