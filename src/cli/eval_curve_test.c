#include "cli/eval_curve.h"

#include <string.h>

#include "base/json_file.h"
#include "base/scratch_test.h"

static json_t *results(double alone, double group)
{
    return json_pack("{s:{s:s}, s:{s:{s:f, s:[ff]}}, s:{s:{s:f}}, s:{s:[s]}}", "metrics", "numbers", "acc",
                     "results", "numbers", "acc,none", alone, "acc_ci95,none", 0.1, 0.9, "groups", "all",
                     "acc,none", group, "group_subtasks", "all", "numbers");
}

static void a_point_for_each_run(void **state)
{
    (void)state;
    Curve c = {0};
    json_t *one = results(0.25, 0.5), *two = results(0.75, 1), *read;
    curve_add(&c, 1, one);
    curve_add(&c, 2, two);
    assert_int_equal(curve_write(&c, scratch), ST_OK);
    assert_int_equal(json_file_read(&read, in_scratch("curve.json")), ST_OK);
    assert_true(json_equal(read, c.json));
    json_t *curves = json_object_get(read, "curves"), *numbers = json_object_get(curves, "numbers");
    assert_int_equal(json_array_size(json_object_get(read, "steps")), 2);
    assert_int_equal(json_array_size(numbers), 2);
    assert_true(json_real_value(json_object_get(json_array_get(numbers, 1), "value")) == 0.75);
    assert_int_equal(json_array_size(json_object_get(json_array_get(numbers, 0), "ci95")), 2);
    assert_int_equal(json_array_size(json_object_get(curves, "all")), 2);
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    curve_print(out, &c);
    fclose(out);
    assert_non_null(strstr(text, "25.0%   75.0%"));
    assert_non_null(strstr(text, "50.0%  100.0%"));
    free(text);
    json_decref(read);
    json_decref(one);
    json_decref(two);
    curve_drop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_for_each_run),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
