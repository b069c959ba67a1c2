#include "infer/json_build.h"

#include "base/clock.h"
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

/* As pydantic writes a union with a tag. */
#define TAGGED(name, more) \
    "\"" name "\":{\"type\":\"object\",\"required\":[\"kind\"]," \
    "\"properties\":{\"kind\":{\"const\":\"" name "\"}" more "}}"

static void references_are_looked_into(void **state)
{
    (void)state;
    static const char pets[] = "{\"discriminator\":{\"propertyName\":\"kind\"},"
                               "\"oneOf\":[{\"$ref\":\"#/$defs/cat\"},{\"$ref\":\"#/$defs/dog\"}],"
                               "\"$defs\":{" TAGGED("cat", "") "," TAGGED("dog", "") "}}";
    assert_true(schema_takes(pets, "{\"kind\":\"dog\"}"));
    assert_false(schema_takes(pets, "{\"kind\":\"cow\"}"));
    assert_true(schema_takes("{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"type\":\"null\"}],"
                             "\"$defs\":{\"a\":{\"type\":\"boolean\"}}}",
                             "null"));
    /* A tree, whose nodes have trees. */
    static const char tree[] =
        "{\"$ref\":\"#/$defs/tree\",\"$defs\":{\"tree\":{\"oneOf\":[{\"$ref\":\"#/$defs/leaf\"},"
        "{\"$ref\":\"#/$defs/node\"}]}," TAGGED("leaf", "") ","
        TAGGED("node", ",\"of\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/tree\"}}") "}}";
    assert_true(schema_takes(tree, "{\"kind\":\"node\",\"of\":[{\"kind\":\"leaf\"},{\"kind\":\"node\"}]}"));
    assert_false(schema_takes(tree, "{\"kind\":\"node\",\"of\":[1]}"));
    schema_refused("{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"}],"
                   "\"$defs\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\",\"maxLength\":3}}}",
                   ST_UNSUPPORTED, "might be valid for both entries 0 and 1");
    schema_refused("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},"
                   "{\"type\":\"null\"}]}}}",
                   ST_UNSUPPORTED, "might be valid for both entries 0 and 1"); /* itself: no end of it */
}

/* {"anyOf" or "allOf": [the one below, eight times]}, `depth` times over. */
static void add_wide(Str *out, const char *keyword, int depth)
{
    str_addf(out, "\"%s0\":{\"type\":\"string\"}", keyword);
    for (int d = 1; d <= depth; d++) {
        str_addf(out, ",\"%s%d\":{\"%s\":[", keyword, d, keyword);
        for (int i = 0; i < 8; i++)
            str_addf(out, "%s{\"allOf\":[{\"$ref\":\"#/$defs/%s%d\"}]}", i ? "," : "", keyword, d - 1);
        str_adds(out, "]}");
    }
}

/* Eight ways a level are 16 million at the eighth: given up, soon and without much memory. */
static void looking_has_an_end(void **state)
{
    (void)state;
    for (int all = 0; all < 2; all++) {
        const char *keyword = all ? "allOf" : "anyOf";
        Str schema = {0};
        str_addf(&schema, "{\"oneOf\":[{\"$ref\":\"#/$defs/%s8\"},{\"type\":\"null\"}],\"$defs\":{", keyword);
        add_wide(&schema, keyword, 8);
        str_adds(&schema, "}}");
        double begun = clock_now();
        schema_refused(str_c(&schema), all ? ST_LIMIT : ST_UNSUPPORTED,
                       all ? "leads to more than" : "might be valid for both entries 0 and 1");
        assert_true(clock_now() - begun < 10); /* of a minute and more, and of gigabytes */
        str_drop(&schema);
    }
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
        cmocka_unit_test(references_are_looked_into),
        cmocka_unit_test(looking_has_an_end),
        cmocka_unit_test(values_are_compared_as_the_standard_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
