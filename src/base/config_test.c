#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct {
    int64_t warmup_steps;
    double learning_rate;
    bool shuffle;
    char *name, *schedule;
} Sample;

static const char *const schedules[] = {"cosine", "linear", NULL};
static const Field sample_fields[] = {
    F_INT(Sample, warmup_steps, 2000, 0, 1e9, "steps of linear warm-up"),
    F_FLOAT(Sample, learning_rate, 3e-4, 0, 1, "peak learning rate"),
    F_BOOL(Sample, shuffle, true, "in a new order each epoch"),
    F_STRING(Sample, name, "run", "what it is called"),
    F_CHOICE(Sample, schedule, "cosine", schedules, "learning-rate schedule"),
};
static const FieldTable table = FIELD_TABLE(sample_fields);

static void text_sets_fields_within_bounds(void **state)
{
    (void)state;
    Sample s = {0};
    config_defaults(&table, &s);
    assert_int_equal(s.warmup_steps, 2000);
    assert_true(s.shuffle);
    assert_string_equal(s.schedule, "cosine");
    assert_int_equal(config_set(&table, &s, "warmup-steps", "5k"), ST_OK);
    assert_int_equal(s.warmup_steps, 5000);
    assert_int_equal(config_set(&table, &s, "warmup_steps", "1e6"), ST_OK);
    assert_int_equal(s.warmup_steps, 1000000);
    assert_int_equal(config_set(&table, &s, "shuffle", "off"), ST_OK);
    assert_false(s.shuffle);
    assert_int_equal(config_set(&table, &s, "schedule", "linear"), ST_OK);
    assert_string_equal(s.schedule, "linear");
    assert_int_equal(config_set(&table, &s, "warmup_steps", "1.5"), ST_ARG);
    assert_int_equal(config_set(&table, &s, "warmup_steps", "2G"), ST_ARG);
    assert_non_null(strstr(error_text(), "at most 1e+09"));
    assert_int_equal(config_set(&table, &s, "learning_rate", "-1e-3"), ST_ARG);
    assert_int_equal(config_set(&table, &s, "learning_rate", "nan"), ST_ARG);
    assert_int_equal(config_set(&table, &s, "shuffle", "maybe"), ST_ARG);
    assert_int_equal(s.warmup_steps, 1000000);
    config_drop(&table, &s);
}

static void the_nearest_name_is_offered(void **state)
{
    (void)state;
    Sample s = {0};
    config_defaults(&table, &s);
    assert_int_equal(config_set(&table, &s, "lerning_rate", "1"), ST_ARG);
    assert_non_null(strstr(error_text(), "'learning_rate'"));
    assert_int_equal(config_set(&table, &s, "schedule", "cosin"), ST_ARG);
    assert_non_null(strstr(error_text(), "did you mean 'cosine'"));
    assert_int_equal(config_set(&table, &s, "qqqqqqqqqqqq", "1"), ST_ARG);
    config_drop(&table, &s);
}

static void json_round_trips_exactly(void **state)
{
    (void)state;
    Sample a = {0}, b = {0};
    config_defaults(&table, &a);
    config_defaults(&table, &b);
    a.learning_rate = 1.0 / 3;
    a.warmup_steps = 999999999;
    assert_int_equal(config_set(&table, &a, "name", "grüße"), ST_OK);
    json_t *o = config_to_json(&table, &a);
    char *text = json_dumps(o, 0);
    json_t *again = json_loads(text, 0, NULL);
    assert_int_equal(config_from_json(&table, &b, again), ST_OK);
    json_t *same = config_to_json(&table, &b);
    assert_true(json_equal(o, same));
    assert_true(a.learning_rate == b.learning_rate);
    assert_int_equal(b.warmup_steps, 999999999);
    assert_string_equal(b.name, "grüße");
    free(text);
    json_decref(same);
    json_decref(o);
    json_decref(again);
    config_drop(&table, &a);
    config_drop(&table, &b);
}

static Status set_from(Sample *s, const char *json)
{
    json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    Status st = config_from_json(&table, s, v);
    json_decref(v);
    return st;
}

static void json_of_the_wrong_kind_is_refused(void **state)
{
    (void)state;
    Sample s = {0};
    config_defaults(&table, &s);
    assert_int_equal(set_from(&s, "{\"warmup_steps\": 1e3, \"learning_rate\": 1, \"\\u0001line\": 4}"),
                     ST_OK);
    assert_int_equal(s.warmup_steps, 1000);
    assert_int_equal(set_from(&s, "{\"warmup_steps\": \"20k\"}"), ST_OK);
    assert_int_equal(s.warmup_steps, 20000);
    assert_int_equal(set_from(&s, "{\"warmup_steps\": 1.5}"), ST_ARG);
    assert_int_equal(set_from(&s, "{\"warmup_steps\": [1]}"), ST_ARG);
    assert_int_equal(set_from(&s, "{\"warmup_steps\": true}"), ST_ARG);
    assert_int_equal(set_from(&s, "{\"warmup_steps\": null}"), ST_ARG);
    assert_int_equal(set_from(&s, "{\"name\": 7}"), ST_ARG);
    assert_non_null(strstr(error_text(), "quotes"));
    assert_int_equal(set_from(&s, "{\"shuffle\": 1}"), ST_ARG);
    assert_int_equal(set_from(&s, "[1]"), ST_ARG);
    assert_int_equal(set_from(&s, "{\"\\u0001line\": 12, \"nam\": \"x\"}"), ST_ARG);
    assert_non_null(strstr(error_text(), "line 12"));
    assert_non_null(strstr(error_text(), "'name'"));
    assert_int_equal(config_from_json(&table, &s, NULL), ST_ARG);
    config_drop(&table, &s);
}

static void help_tells_defaults_and_bounds(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    config_help(&table, f);
    fclose(f);
    assert_non_null(strstr(text, "--warmup-steps N"));
    assert_non_null(strstr(text, "(2000; 0 to 1e+09)"));
    assert_non_null(strstr(text, "(cosine, linear; cosine)"));
    assert_non_null(strstr(text, "--[no-]shuffle"));
    assert_non_null(strstr(text, "(run)"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_sets_fields_within_bounds),
        cmocka_unit_test(the_nearest_name_is_offered),
        cmocka_unit_test(json_round_trips_exactly),
        cmocka_unit_test(json_of_the_wrong_kind_is_refused),
        cmocka_unit_test(help_tells_defaults_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
