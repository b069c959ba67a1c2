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

/* Each text is on the right side of a strict bound for those, too, who read it as a double. */
static void strict_bounds_hold_for_doubles(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
        bool allowed;
    } all[] = {
        {"{\"type\":\"number\",\"exclusiveMinimum\":5,\"exclusiveMaximum\":6}", "5.00000000000000006", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":5,\"exclusiveMaximum\":6}", "5.99999999999999999", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":5,\"exclusiveMaximum\":6}", "5.00000000000001", true},
        {"{\"type\":\"number\",\"exclusiveMinimum\":5,\"exclusiveMaximum\":6}", "5.99999999999999", true},
        {"{\"type\":\"number\",\"exclusiveMinimum\":-6,\"exclusiveMaximum\":-5}", "-5.00000000000000006", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":-6,\"exclusiveMaximum\":-5}", "-5.5", true},
        {"{\"type\":\"number\",\"exclusiveMaximum\":1}", "0.9999999999999999999", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":0}", "0.00000000000000001", true}, /* zeros in front */
        {"{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1e-15}", "0.00000000000000012", true},
        {"{\"type\":\"number\",\"exclusiveMinimum\":0.30000000000000004}", "0.3", false},
        {"{\"type\":\"number\",\"exclusiveMinimum\":0.30000000000000004}", "0.300000000000001", true},
        {"{\"type\":\"number\",\"exclusiveMaximum\":100000000000000001}", "99999999999999.5", true},
        {"{\"type\":\"number\",\"exclusiveMaximum\":100000000000000001}", "100000000000000000", false},
        {"{\"type\":\"number\",\"minimum\":5,\"maximum\":6}", "5.00000000000000006", true},
        {"{\"type\":\"number\",\"format\":\"float\",\"exclusiveMinimum\":5}", "5.0000001", false},
        {"{\"type\":\"number\",\"format\":\"float\",\"exclusiveMinimum\":5}", "5.001", true},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (schema_takes(all[i].schema, all[i].text) != all[i].allowed)
            fail_msg("%s: %s", all[i].schema, all[i].text);
    Rng rng;
    Str text = {0};
    Accepts a;
    rng_seed(&rng, 17);
    assert_int_equal(accepts_schema(&a, all[0].schema, true), ST_OK);
    for (int i = 0; i < 2000; i++) {
        assert_true(accepts_random(&a, &rng, &text, 100));
        double x = strtod(str_c(&text), NULL);
        if (!(x > 5 && x < 6))
            fail_msg("%s", str_c(&text));
    }
    accepts_drop(&a);
    str_drop(&text);
}

static void formats_bound_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
        bool allowed;
    } all[] = {
        {"{\"type\":\"integer\",\"format\":\"int32\"}", "2147483647", true},
        {"{\"type\":\"integer\",\"format\":\"int32\"}", "2147483648", false},
        {"{\"type\":\"integer\",\"format\":\"int32\"}", "-2147483648", true},
        {"{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":-5}", "-6", false},
        {"{\"type\":\"number\",\"format\":\"int32\"}", "1.5", false},
        {"{\"type\":\"integer\",\"format\":\"uint8\"}", "256", false},
        {"{\"type\":\"integer\",\"format\":\"uint32\"}", "4294967295", true},
        {"{\"type\":\"integer\",\"format\":\"uint32\"}", "-1", false},
        {"{\"type\":\"integer\",\"format\":\"uint64\"}", "9223372036854775807", true},
        {"{\"type\":\"integer\",\"format\":\"uint64\"}", "-1", false},
        {"{\"type\":\"integer\",\"format\":\"uint\",\"minimum\":0.0}", "7", true},
        {"{\"type\":\"integer\",\"format\":\"uint\"}", "-7", false},
        {"{\"type\":\"integer\",\"format\":\"int\"}", "-7", true},
        {"{\"type\":\"integer\",\"format\":\"int64\"}", "-9223372036854775808", true},
        {"{\"type\":\"number\",\"format\":\"double\"}", "1e99", true},
        {"{\"type\":\"number\",\"format\":\"float\"}", "1.5", true},
        {"{\"type\":\"number\",\"format\":\"float\"}", "1e39", false},
        {"{\"type\":[\"string\",\"integer\"],\"format\":\"date\"}", "12", true}, /* it speaks of strings */
        {"{\"type\":[\"string\",\"integer\"],\"format\":\"date\"}", "\"12\"", false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (schema_takes(all[i].schema, all[i].text) != all[i].allowed)
            fail_msg("%s: %s", all[i].schema, all[i].text);
    schema_refused("{\"type\":\"integer\",\"format\":\"banana\"}", ST_UNSUPPORTED,
                   "\"format\" at #: \"banana\" is not among those honoured of numbers: int8,");
    schema_refused("{\"type\":\"integer\",\"format\":\"date\"}", ST_UNSUPPORTED, "\"date\"");
    schema_refused("{\"type\":\"integer\",\"format\":\"double\"}", ST_UNSUPPORTED, "\"double\"");
    schema_refused("{\"type\":\"number\",\"format\":3}", ST_ARG, "not a string");
    schema_refused("{\"type\":\"integer\",\"format\":\"uint8\",\"minimum\":256}", ST_ARG, "leaves no integer");
}

/* More digits than an integer of 64 bits. */
static void bounds_may_lie_far_away(void **state)
{
    (void)state;
    static const char large[] = "{\"type\":\"integer\",\"minimum\":7,\"maximum\":18446744073709551615}";
    assert_true(schema_takes(large, "9223372036854775807"));
    assert_true(schema_takes(large, "7"));
    assert_false(schema_takes(large, "7.0"));
    assert_false(schema_takes(large, "6"));
    assert_true(schema_takes("{\"type\":\"integer\",\"minimum\":-9223372036854775809,\"maximum\":9223372036854775808}",
                             "-9223372036854775808"));
    assert_true(schema_takes("{\"type\":\"number\",\"maximum\":18446744073709551615}", "1.5"));
    assert_false(schema_takes("{\"type\":\"number\",\"maximum\":18446744073709551615}", "1e50"));
    assert_true(schema_takes("{\"anyOf\":[{\"const\":\"\\\"18446744073709551615\"},"
                             "{\"maximum\":18446744073709551615}]}",
                             "\"\\\"18446744073709551615\"")); /* text stays */
    schema_refused("{\"type\":\"integer\",\"minimum\":18446744073709551615}", ST_UNSUPPORTED, "64 bits");
    schema_refused("{\"enum\":[18446744073709551615]}", ST_UNSUPPORTED, "\"enum\" at #: an integer beyond 64 bits");
    schema_refused("{\"const\":[{\"a\":18446744073709551615}]}", ST_UNSUPPORTED, "\"const\" at #: an integer");
    schema_refused("{\"maximum\":1844674407370955161x}", ST_ARG, "not JSON at line 1");
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
        cmocka_unit_test(strict_bounds_hold_for_doubles),
        cmocka_unit_test(formats_bound_numbers),
        cmocka_unit_test(bounds_may_lie_far_away),
        cmocka_unit_test(impossible_bounds_are_refused),
        cmocka_unit_test(doubles_have_their_shortest_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
