#include "infer/accepts_test.h"

typedef struct {
    const char *schema, *text;
    bool allowed;
} Case;

static void check(const Case *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (schema_takes(all[i].schema, all[i].text) != all[i].allowed)
            fail_msg("%s: %s", all[i].schema, all[i].text);
}

static const char abc[] =
    "{\"properties\":{\"a\":{\"const\":1},\"b\":{\"const\":2},\"c\":{\"const\":3}},\"required\":[\"b\"]}";
static const char open_ab[] =
    "{\"properties\":{\"a\":{\"const\":1},\"ab\":{\"const\":2}},\"additionalProperties\":{\"const\":9}}";
static const char with_unlisted[] = "{\"properties\":{\"a\":{\"const\":1}},\"required\":[\"z\",\"a\"],"
                                    "\"additionalProperties\":{\"const\":9}}";

static void members_come_in_order(void **state)
{
    (void)state;
    static const Case all[] = {
        {abc, "{\"b\":2}", true},
        {abc, "{\"a\":1,\"b\":2,\"c\":3}", true},
        {abc, "{\"b\":2, \"c\":3}", true},
        {abc, "{ \"a\":1, \"b\":2 }", true},
        {abc, "{\"a\":1,\"c\":3}", false},
        {abc, "{\"b\":2,\"a\":1}", false},
        {abc, "{\"b\":2,}", false},
        {abc, "{,\"b\":2}", false},
        {abc, "{}", false},
        {abc, "{\"b\":2,\"d\":3}", false},
        {open_ab, "{}", true},
        {open_ab, "{\"x\":9}", true},
        {open_ab, "{\"a\":1,\"abc\":9,\"b\":9,\"\":9}", true},
        {open_ab, "{\"x\":9,\"a\":1}", false},
        {open_ab, "{\"a\":9}", false},
        {open_ab, "{\"a\":1,\"ab\":9}", false},
        {open_ab, "{\"a\":1,\"x\":1}", false},
        {open_ab, "{\"\xC3\xA9\\n\":9}", true},
        {with_unlisted, "{\"a\":1,\"z\":9}", true},
        {with_unlisted, "{\"a\":1,\"z\":9,\"y\":9}", true},
        {with_unlisted, "{\"a\":1}", false},
        {with_unlisted, "{\"a\":1,\"z\":9,\"z\":9}", false},
        {"{\"type\":\"object\",\"properties\":{\"a\\\"\\u00e9\":{}}}", "{\"a\\\"\xC3\xA9\":1}", true},
        {"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}", "{}", true},
        {"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}", "{\"a\":1}", false},
        {"{\"properties\":{\"a\":false,\"b\":{}}}", "{\"b\":1}", true},
        {"{\"properties\":{\"a\":false,\"b\":{}}}", "{\"a\":1}", false},
        {"{\"type\":\"object\",\"minProperties\":1}", "{}", false},
        {"{\"type\":\"object\",\"minProperties\":1}", "{\"a\":1}", true},
        {"{\"type\":\"object\",\"maxProperties\":2}", "{\"a\":1,\"b\":1}", true},
        {"{\"type\":\"object\",\"maxProperties\":2}", "{\"a\":1,\"b\":1,\"c\":1}", false},
        {"{\"type\":\"object\",\"maxProperties\":0}", "{}", true},
        {"{\"type\":\"object\",\"maxProperties\":0}", "{\"a\":1}", false},
    };
    check(all, sizeof all / sizeof *all);
}

static void names_may_have_patterns(void **state)
{
    (void)state;
    static const char names[] = "{\"type\":\"object\",\"propertyNames\":{\"maxLength\":2}}";
    static const char patterns[] =
        "{\"patternProperties\":{\"^x\":{\"type\":\"null\"}},\"additionalProperties\":false}";
    static const Case all[] = {
        {names, "{\"ab\":1,\"\":2}", true}, {names, "{\"abc\":1}", false}, {patterns, "{\"xy\":null}", true},
        {patterns, "{\"yx\":null}", false}, {patterns, "{}", true},        {patterns, "{\"x\":1}", false},
    };
    check(all, sizeof all / sizeof *all);
    schema_refused("{\"patternProperties\":{\"a\":{},\"b\":{}}}", ST_UNSUPPORTED, "one pattern");
    schema_refused("{\"patternProperties\":{\"a\":{}},\"properties\":{\"a\":{}}}", ST_UNSUPPORTED, "several");
    schema_refused("{\"patternProperties\":{\"a\":{}},\"additionalProperties\":{}}", ST_UNSUPPORTED,
                   "additionalProperties");
    schema_refused("{\"propertyNames\":{\"maxLength\":1},\"properties\":{\"a\":{}}}", ST_UNSUPPORTED,
                   "beside properties");
    schema_refused("{\"propertyNames\":{\"type\":\"integer\"}}", ST_ARG, "schema of strings");
}

static void items_are_counted(void **state)
{
    (void)state;
    static const char two_to_four[] =
        "{\"type\":\"array\",\"items\":{\"const\":1},\"minItems\":2,\"maxItems\":4}";
    static const char pair[] = "{\"prefixItems\":[{\"const\":1},{\"const\":2}],\"minItems\":1}";
    static const char more[] = "{\"prefixItems\":[{\"const\":1},{\"const\":2}],\"minItems\":3,\"items\":{"
                               "\"const\":3},\"maxItems\":4}";
    static const char cut[] = "{\"prefixItems\":[{\"const\":1},{\"const\":2}],\"maxItems\":1}";
    static const char unsaid[] = "{\"prefixItems\":[{\"const\":1}],\"minItems\":2,\"maxItems\":2}";
    static const Case all[] = {
        {two_to_four, "[1]", false},
        {two_to_four, "[1,1]", true},
        {two_to_four, "[1, 1, 1, 1]", true},
        {two_to_four, "[1,1,1,1,1]", false},
        {two_to_four, "[]", false},
        {pair, "[]", false},
        {pair, "[1]", true},
        {pair, "[1,2]", true},
        {pair, "[1,2,3]", false},
        {pair, "[2]", false},
        {more, "[1,2]", false},
        {more, "[1,2,3]", true},
        {more, "[1,2,3,3]", true},
        {more, "[1,2,3,3,3]", false},
        {cut, "[]", true},
        {cut, "[1]", true},
        {cut, "[1,2]", false},
        {unsaid, "[1,\"any\"]", true},
        {unsaid, "[1]", false},
        {"{\"maxItems\":0}", "[]", true},
        {"{\"maxItems\":0}", "[1]", false},
        {"{\"items\":false}", "[]", true},
        {"{\"items\":false}", "[1]", false},
        {"{\"type\":\"array\",\"items\":{\"const\":1},\"minItems\":1}", "[]", false},
        {"{\"type\":\"array\",\"items\":{\"const\":1},\"minItems\":1}", "[1,1,1]", true},
        {"{\"type\":\"array\",\"maxItems\":1,\"uniqueItems\":true}", "[1]", true},
    };
    check(all, sizeof all / sizeof *all);
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    schema_refused("{\"minItems\":3,\"maxItems\":2}", ST_ARG, "maxItems");
    schema_refused("{\"minItems\":3,\"items\":false}", ST_ARG, "no finite text");
    schema_refused("{\"minItems\":-1}", ST_ARG, "whole number");
    schema_refused("{\"minItems\":\"1\"}", ST_ARG, "whole number");
    schema_refused("{\"minItems\":1e18}", ST_LIMIT, "minItems");
    schema_refused("{\"prefixItems\":[]}", ST_ARG, "prefixItems");
    schema_refused("{\"items\":3}", ST_ARG, "#/items");
    schema_refused("{\"required\":\"a\"}", ST_ARG, "list of names");
    schema_refused("{\"required\":[1]}", ST_ARG, "entry 0");
    schema_refused("{\"properties\":[]}", ST_ARG, "object of schemas");
    schema_refused("{\"required\":[\"a\"],\"additionalProperties\":false}", ST_ARG, "forbids");
    schema_refused("{\"minProperties\":2}", ST_UNSUPPORTED, "minProperties");
    schema_refused("{\"minProperties\":1,\"maxProperties\":0}", ST_ARG, "maxProperties");
    schema_refused("{\"properties\":{\"a\":{},\"b\":{}},\"maxProperties\":1}", ST_UNSUPPORTED,
                   "maxProperties");
    schema_refused("{\"properties\":{\"a\":false},\"required\":[\"a\"]}", ST_ARG, "no finite text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order),
        cmocka_unit_test(names_may_have_patterns),
        cmocka_unit_test(items_are_counted),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
