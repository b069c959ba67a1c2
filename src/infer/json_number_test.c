#include "infer/json_build.h"

#include "infer/accepts_test.h"
#include "infer/validator_test.h"

/* Random numbers around the bounds, with up to so many digits behind the point: allowed exactly where the
 * validator says so. */
static void check_schema(const char *schema, int places, double low, double high, Rng *rng)
{
    Accepts a;
    json_t *root = json_loads(schema, 0, NULL);
    if (accepts_schema(&a, schema, true) != ST_OK)
        fail_msg("%s: %s", schema, error_text());
    for (int i = 0; i < 1500; i++) {
        char text[64];
        double x = low - 3 + (high - low + 6) * rng_uniform(rng);
        snprintf(text, sizeof text, "%.*f", (int)rng_below(rng, (uint64_t)places + 1), x);
        if (strcmp(text, "-0") == 0 || strncmp(text, "-0.", 3) == 0)
            continue; /* a negative zero between bounds is left out */
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
        bool fits = valid(root, root, value);
        if (accepts(&a, text) != fits)
            fail_msg("%s: %s is %s", schema, text, fits ? "valid and not allowed" : "allowed and not valid");
        json_decref(value);
    }
    accepts_drop(&a);
    json_decref(root);
}

static void bounds_are_kept_to_the_digit(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 9);
    check_schema("{\"type\":\"integer\",\"minimum\":-17,\"maximum\":123}", 0, -17, 123, &rng);
    check_schema("{\"type\":\"integer\",\"exclusiveMinimum\":98,\"exclusiveMaximum\":1002}", 0, 98, 1002,
                 &rng);
    check_schema("{\"type\":\"integer\",\"minimum\":-2.5,\"maximum\":9.99}", 0, -3, 10, &rng);
    check_schema("{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":-100,\"maximum\":1000}", 0, -100, 1000,
                 &rng);
    check_schema("{\"type\":\"integer\",\"maximum\":-5,\"minimum\":-1005}", 0, -1005, -5, &rng);
    check_schema("{\"type\":\"number\",\"minimum\":0.25,\"maximum\":10.125}", 4, 0, 11, &rng);
    check_schema("{\"type\":\"number\",\"exclusiveMinimum\":-1.5,\"exclusiveMaximum\":2}", 4, -2, 2, &rng);
    check_schema("{\"type\":\"number\",\"minimum\":-20.5,\"maximum\":-3}", 4, -21, -3, &rng);
    check_schema("{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":3,\"maximum\":4}", 2, 3, 4, &rng);
    check_schema("{\"type\":\"number\",\"minimum\":99.5}", 4, 90, 110, &rng);
}

static void bounds_themselves_are_in_or_out(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
        bool allowed;
    } all[] = {
        {"{\"type\":\"number\",\"minimum\":1.5}", "1.5", true},
        {"{\"type\":\"number\",\"minimum\":1.5}", "1.50", true},
        {"{\"type\":\"number\",\"minimum\":1.5}", "1.49999", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":1.5}", "1.5", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":1.5}", "1.500", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":1.5}", "1.5001", true},
        {"{\"type\":\"number\",\"maximum\":2}", "2.000", true},
        {"{\"type\":\"number\",\"maximum\":2}", "2.0001", false},
        {"{\"type\":\"number\",\"exclusiveMaximum\":0}", "0", false},
        {"{\"type\":\"number\",\"exclusiveMaximum\":0}", "-0.001", true},
        {"{\"type\":\"number\",\"exclusiveMinimum\":0}", "0.0", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":0}", "0.01", true},
        {"{\"type\":\"number\",\"minimum\":0,\"maximum\":1e-7}", "0.0000001", true},
        {"{\"type\":\"number\",\"minimum\":0,\"maximum\":1e-7}", "0.0000002", false},
        {"{\"type\":\"integer\",\"minimum\":9223372036854775807}", "9223372036854775807", true},
        {"{\"type\":\"integer\",\"maximum\":-9223372036854775807}", "-9223372036854775808", true},
        {"{\"type\":\"integer\"}", "-9223372036854775809", false},
        {"{\"type\":\"integer\"}", "-0", false},
        {"{\"type\":\"integer\"}", "007", false},
        {"{\"type\":\"integer\",\"minimum\":5,\"exclusiveMinimum\":7}", "7", false},
        {"{\"type\":\"number\"}", "1e99", true},
        {"{\"type\":\"number\"}", "1e100", false},
        {"{\"type\":\"number\"}", "1.", false},
        {"{\"type\":\"number\",\"multipleOf\":5}", "15", true},
        {"{\"type\":\"number\",\"multipleOf\":5}", "16", false},
        {"{\"type\":\"integer\",\"multipleOf\":0.5}", "3", true},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (schema_takes(all[i].schema, all[i].text) != all[i].allowed)
            fail_msg("%s: %s", all[i].schema, all[i].text);
}

static void impossible_bounds_are_refused(void **state)
{
    (void)state;
    schema_refused("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", ST_ARG, "leaves no integer");
    schema_refused("{\"type\":\"integer\",\"minimum\":0.2,\"maximum\":0.8}", ST_ARG, "leaves no integer");
    schema_refused("{\"type\":\"integer\",\"minimum\":1e300}", ST_UNSUPPORTED, "64 bits");
    schema_refused("{\"type\":\"number\",\"minimum\":3,\"maximum\":2}", ST_ARG, "less than the minimum");
    schema_refused("{\"type\":\"number\",\"exclusiveMinimum\":2,\"maximum\":2}", ST_ARG, "leaves no number");
    schema_refused("{\"type\":\"number\",\"minimum\":1e300}", ST_UNSUPPORTED, "digits");
    schema_refused("{\"type\":\"number\",\"minimum\":1e-300}", ST_UNSUPPORTED, "digits");
    schema_refused("{\"type\":\"number\",\"minimum\":true}", ST_ARG, "not a number");
    schema_refused("{\"type\":\"number\",\"exclusiveMinimum\":true}", ST_ARG, "draft 4");
    schema_refused("{\"type\":\"number\",\"multipleOf\":0.3}", ST_UNSUPPORTED, "multipleOf");
    schema_refused("{\"type\":\"integer\",\"multipleOf\":1000000}", ST_UNSUPPORTED, "multipleOf");
    schema_refused("{\"type\":\"integer\",\"multipleOf\":0}", ST_ARG, "multipleOf");
}

static void doubles_have_their_shortest_digits(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } all[] = {{0.1, "0.1"},
               {1, "1.0"},
               {-2.5, "-2.5"},
               {1e300, "1e+300"},
               {0.30000000000000004, "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char digits[32];
        json_real_digits(digits, all[i].value);
        assert_string_equal(digits, all[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_kept_to_the_digit),
        cmocka_unit_test(bounds_themselves_are_in_or_out),
        cmocka_unit_test(impossible_bounds_are_refused),
        cmocka_unit_test(doubles_have_their_shortest_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
