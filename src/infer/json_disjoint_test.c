#include "infer/json_build.h"

#include "infer/accepts_test.h"

/* Whether {"oneOf": [x, y]} is taken, and the other way round alike. */
static bool apart(const char *x, const char *y)
{
    bool yes[2];
    for (int i = 0; i < 2; i++) {
        Accepts a;
        Str schema = {0};
        str_addf(&schema, "{\"oneOf\":[%s,%s]}", i ? y : x, i ? x : y);
        Status st = accepts_schema(&a, str_c(&schema), false);
        if (st != ST_OK && (st != ST_UNSUPPORTED || !strstr(error_text(), "oneOf")))
            fail_msg("%s: %s", str_c(&schema), error_text());
        yes[i] = st == ST_OK;
        accepts_drop(&a);
        str_drop(&schema);
    }
    assert_int_equal(yes[0], yes[1]);
    return yes[0];
}

static void types_tell_apart(void **state)
{
    (void)state;
    assert_true(apart("{\"type\":\"string\"}", "{\"type\":\"null\"}"));
    assert_true(apart("{\"type\":\"string\"}", "{\"type\":[\"null\",\"array\"]}"));
    assert_false(apart("{\"type\":\"integer\"}", "{\"type\":\"number\"}"));
    assert_false(apart("{\"type\":\"string\"}", "{}"));
    assert_false(apart("{\"type\":\"object\"}", "{\"minimum\":3}")); /* the second accepts every object */
    assert_true(apart("{\"const\":1}", "{\"const\":2}"));
    assert_false(apart("{\"const\":1}", "{\"const\":1.0}"));
    assert_true(apart("{\"enum\":[\"a\",1]}", "{\"type\":\"null\"}"));
    assert_false(apart("{\"enum\":[\"a\",1]}", "{\"type\":\"string\"}"));
    assert_false(apart("{\"enum\":[1.5]}", "{\"type\":\"number\"}"));
    assert_false(apart("{\"type\":\"string\",\"maxLength\":3}", "{\"type\":\"string\",\"minLength\":4}"));
}

static void properties_tell_apart(void **state)
{
    (void)state;
    static const char cat[] =
        "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"cat\"}},\"required\":[\"kind\"]}";
    static const char dog[] =
        "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"dog\"}},\"required\":[\"kind\"]}";
    static const char maybe_dog[] = "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"dog\"}}}";
    static const char maybe_cat[] = "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"cat\"}}}";
    static const char a[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"],\"additionalProperties\":false}";
    static const char b[] =
        "{\"type\":\"object\",\"properties\":{\"b\":{}},\"required\":[\"b\"],\"additionalProperties\":false}";
    static const char ab[] = "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\"]}";
    assert_true(apart(cat, dog));
    assert_true(apart(cat, maybe_dog)); /* what lacks it lacks what the other requires */
    assert_false(apart(maybe_cat, maybe_dog));
    assert_true(apart(a, b));
    assert_false(apart(a, ab));
    assert_false(apart(cat, cat));
}

static void unions_are_looked_into(void **state)
{
    (void)state;
    assert_true(apart("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"boolean\"}]}", "{\"type\":\"string\"}"));
    assert_false(apart("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "{\"type\":\"string\"}"));
    assert_true(apart("{\"allOf\":[{\"type\":\"null\"}]}", "{\"type\":\"string\"}"));
    assert_true(apart("false", "{}"));
    assert_false(apart("true", "{\"type\":\"null\"}"));
}

static void values_are_compared_as_the_standard_does(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } all[] = {{"1", "1.0", true},
               {"1", "2", false},
               {"[1,{\"a\":2}]", "[1.0,{\"a\":2.0}]", true},
               {"[1]", "[1,2]", false},
               {"{\"a\":1}", "{\"b\":1}", false},
               {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
               {"true", "1", false},
               {"\"1\"", "1", false},
               {"null", "null", true}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        json_t *a = json_loads(all[i].a, JSON_DECODE_ANY, NULL),
               *b = json_loads(all[i].b, JSON_DECODE_ANY, NULL);
        if (json_same_value(a, b) != all[i].same)
            fail_msg("%s and %s", all[i].a, all[i].b);
        json_decref(a);
        json_decref(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_tell_apart),
        cmocka_unit_test(properties_tell_apart),
        cmocka_unit_test(unions_are_looked_into),
        cmocka_unit_test(values_are_compared_as_the_standard_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
