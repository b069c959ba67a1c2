#include "infer/accepts_test.h"

/* {"allOf": [x, y]} allows the one text and not the other. */
static void check(const char *x, const char *y, const char *yes, const char *no)
{
    Str schema = {0};
    str_addf(&schema, "{\"allOf\":[%s,%s]}", x, y);
    if (yes && !schema_takes(str_c(&schema), yes))
        fail_msg("%s does not allow %s", str_c(&schema), yes);
    if (no && schema_takes(str_c(&schema), no))
        fail_msg("%s allows %s", str_c(&schema), no);
    str_drop(&schema);
}

static void both_hold(void **state)
{
    (void)state;
    check("{\"type\":\"integer\",\"minimum\":3}", "{\"minimum\":5,\"maximum\":9}", "5", "4");
    check("{\"type\":[\"integer\",\"string\"]}", "{\"type\":[\"number\",\"null\"]}", "7", "\"a\"");
    check("{\"type\":\"number\"}", "{\"type\":\"integer\"}", "7", "7.5");
    check("{\"type\":\"string\",\"nullable\":true}", "{\"type\":\"string\"}", "\"a\"", "null");
    check("{\"type\":\"string\",\"nullable\":true}", "{\"type\":\"string\",\"nullable\":true}", "null", "1");
    check("{\"enum\":[1,2,3]}", "{\"enum\":[2,3.0,4]}", "2", "1");
    check("{\"type\":\"string\",\"minLength\":2}", "{\"maxLength\":3}", "\"ab\"", "\"a\"");
    check("{\"type\":\"array\",\"items\":{\"minimum\":2}}", "{\"items\":{\"type\":\"integer\"}}", "[2]",
          "[1]");
    check("{\"type\":\"integer\",\"multipleOf\":2}", "{\"multipleOf\":4}", "8", "6");
    check("{\"anyOf\":[{\"const\":1},{\"const\":2}]}", "{\"anyOf\":[{\"const\":2},{\"const\":3}]}", "2",
          NULL);
    check("true", "{\"const\":1}", "1", "2");
    check("{\"title\":\"a\"}", "{\"title\":\"b\",\"type\":\"null\"}", "null", "1");
}

static void properties_are_joined(void **state)
{
    (void)state;
    static const char a[] = "{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}";
    static const char b[] =
        "{\"properties\":{\"a\":{\"minimum\":3},\"b\":{\"const\":1}},\"required\":[\"b\"]}";
    static const char closed[] = "{\"properties\":{\"a\":{}},\"additionalProperties\":false}";
    static const char integers[] =
        "{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"integer\"}}";
    check(a, b, "{\"a\":3,\"b\":1}", "{\"a\":2,\"b\":1}");
    check(a, b, NULL, "{\"a\":3}");
    check(closed, "{\"properties\":{\"b\":{}}}", "{\"a\":1}", "{\"b\":1}");
    check("{\"properties\":{\"b\":{}}}", closed, "{\"a\":1}", "{\"b\":1}");
    check(integers, "{\"properties\":{\"b\":{\"minimum\":3}}}", "{\"a\":\"x\",\"b\":3}", "{\"b\":2}");
    check(integers, "{\"additionalProperties\":{\"maximum\":3}}", "{\"c\":3}", "{\"c\":4}");
}

static void references_have_company(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"$ref\":\"#/$defs/n\",\"maximum\":5,\"$defs\":{\"n\":{\"type\":\"integer\",\"minimum\":3}}}";
    assert_true(schema_takes(schema, "4"));
    assert_false(schema_takes(schema, "6"));
    assert_false(schema_takes(schema, "2"));
    /* A tree whose nodes are described by allOf refers to itself through it. */
    static const char tree[] =
        "{\"properties\":{\"kids\":{\"type\":\"array\",\"items\":{\"allOf\":[{\"$ref\":\"#\"}],"
        "\"description\":\"d\"}}}}";
    assert_true(schema_takes(tree, "{\"kids\":[{\"kids\":[{}]},{}]}"));
    assert_false(schema_takes(tree, "{\"kids\":[1]}"));
    static const char base[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":1},\"b\":{\"const\":2}},\"anyOf\":"
        "[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}";
    assert_true(schema_takes(base, "{\"b\":2}"));
    assert_false(schema_takes(base, "{}"));
}

static void what_does_not_join_is_refused(void **state)
{
    (void)state;
    schema_refused("{\"allOf\":[{\"pattern\":\"a\"},{\"pattern\":\"b\"}]}", ST_UNSUPPORTED, "#/allOf/1");
    schema_refused("{\"allOf\":[{\"oneOf\":[{}]},{\"oneOf\":[{\"type\":\"null\"}]}]}", ST_UNSUPPORTED,
                   "oneOf");
    schema_refused("{\"allOf\":[{\"patternProperties\":{\"a\":{}}},{\"properties\":{\"a\":{}}}]}",
                   ST_UNSUPPORTED, "patternProperties");
    schema_refused("{\"allOf\":[{\"prefixItems\":[{}]},{\"items\":{}}]}", ST_UNSUPPORTED, "items");
    schema_refused("{\"allOf\":[{\"multipleOf\":2},{\"multipleOf\":3}]}", ST_UNSUPPORTED, "multipleOf");
    schema_refused("{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", ST_ARG, "no finite text");
    schema_refused("{\"allOf\":[{\"const\":1},{\"enum\":[2]}]}", ST_ARG, "no finite text");
    schema_refused("{\"allOf\":[{\"const\":1},{\"const\":2}]}", ST_ARG, "no finite text");
    schema_refused("{\"allOf\":[{\"not\":{}},{}]}", ST_UNSUPPORTED, "\"not\"");
    schema_refused("{\"allOf\":[]}", ST_ARG, "list of schemas");
    schema_refused("{\"allOf\":[3]}", ST_ARG, "#/allOf/0");
    schema_refused("{\"allOf\":[{\"enum\":3},{\"enum\":4}]}", ST_ARG, "no finite text");
    schema_refused("{\"allOf\":[{\"anyOf\":3},{\"anyOf\":4}]}", ST_ARG, "anyOf");
    schema_refused("{\"allOf\":[{\"properties\":3},{\"properties\":4}]}", ST_ARG, "properties");
    schema_refused("{\"allOf\":[{\"minimum\":\"x\"},{\"minimum\":4}]}", ST_UNSUPPORTED, "minimum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_hold),
        cmocka_unit_test(properties_are_joined),
        cmocka_unit_test(references_have_company),
        cmocka_unit_test(what_does_not_join_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
