#include "infer/accepts_test.h"
#include "infer/validator_test.h"

/* What people write, a schema each; also the set that random texts are made of. */
static const char *const schemas[] = {
    "{}",
    "true",
    "{\"type\":\"object\"}",
    "{\"type\":[\"integer\",\"null\"]}",
    "{\"type\":\"string\",\"nullable\":true}",
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8},"
    "\"age\":{\"type\":"
    "\"integer\",\"minimum\":0,\"maximum\":150},\"tags\":{\"type\":\"array\",\"items\":{\"enum\":[\"a\","
    "\"ab\",\"b\\n\"]},"
    "\"minItems\":1,\"maxItems\":3},\"x\":{\"type\":\"number\",\"exclusiveMinimum\":-1.5,\"maximum\":2.25}},"
    "\"required\":"
    "[\"name\",\"age\"]}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"},\"ab\":{\"type\":\"boolean\"}},"
    "\"additionalProperties\":"
    "{\"type\":\"integer\"},\"required\":[\"ab\",\"zz\"]}",
    "{\"$ref\":\"#/$defs/"
    "tree\",\"$defs\":{\"tree\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"boolean\"},\"kids\":"
    "{\"type\":\"array\",\"maxItems\":2,\"items\":{\"$ref\":\"#/$defs/tree\"}}},\"required\":[\"v\"]}}}",
    "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"cat\"},\"lives\":{\"type\":"
    "\"integer\"}},\"required\":"
    "[\"kind\"]},{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"dog\",\"wolf\"]},\"good\":{"
    "\"type\":\"boolean\"}},"
    "\"required\":[\"kind\",\"good\"]},{\"type\":\"string\",\"pattern\":\"^x+$\"}]}",
    "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"number\",\"minimum\":5},{\"type\":"
    "\"array\",\"prefixItems\":"
    "[{\"type\":\"boolean\"},{\"type\":\"null\"}],\"items\":{\"type\":\"integer\"}}]}",
    "{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},{"
    "\"properties\":{\"a\":"
    "{\"minimum\":3},\"b\":{\"type\":\"string\",\"maxLength\":2}},\"required\":[\"b\"]}]}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"integer\"}},"
    "\"anyOf\":[{\"required\":"
    "[\"a\"]},{\"required\":[\"b\"]}]}",
    "{\"enum\":[null,true,1.5,\"a\\\"b\\u0001\",[1,{\"k\":[]}],{\"a\":1,\"b\":{}}]}",
    "{\"type\":\"array\",\"minItems\":2,\"maxItems\":4,\"items\":{\"type\":\"integer\",\"minimum\":-20,"
    "\"maximum\":1234}}",
    "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":3,\"additionalProperties\":{\"type\":"
    "\"boolean\"}}",
    "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-c]{2}$\"},\"additionalProperties\":{\"type\":"
    "\"null\"}}",
    "{\"type\":\"object\",\"patternProperties\":{\"^n_\":{\"type\":\"integer\"}},\"additionalProperties\":"
    "false}",
    "{\"type\":\"string\",\"pattern\":\"[a-z]\\\\d|^\\\"\"}",
    "{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":-3}",
    "{\"minLength\":2,\"maxLength\":4,\"minItems\":1,\"maximum\":7}",
    "{\"type\":\"string\",\"minLength\":2,\"maxLength\":5}",
};

static void check_valid(const char *schema, const Str *text)
{
    json_error_t e;
    json_t *root = json_loads(schema, JSON_DECODE_ANY, NULL),
           *value = json_loadb(text->at, text->n, JSON_DECODE_ANY, &e);
    if (!value)
        fail_msg("%s allows what jansson refuses (%s): %s", schema, e.text, str_c(text));
    if (!valid(root, root, value))
        fail_msg("%s allows %s", schema, str_c(text));
    json_decref(value);
    json_decref(root);
}

static void what_is_allowed_is_valid(void **state)
{
    (void)state;
    Rng rng;
    Str text = {0};
    rng_seed(&rng, 11);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        Accepts a;
        int done = 0;
        if (accepts_schema(&a, schemas[i], i % 2) != ST_OK)
            fail_msg("%s: %s", schemas[i], error_text());
        for (int k = 0; k < 120; k++)
            if (accepts_random(&a, &rng, &text, 2000)) {
                check_valid(schemas[i], &text);
                done++;
            }
        assert_true(done > 20);
        accepts_drop(&a);
    }
    str_drop(&text);
}

/* Documents in the order of the schema, in the usual spacings. */
static void valid_documents_are_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
    } all[] = {
        {"{}", "{\"a\": [1, -2.5e3, \"\\u00e9\\ud83d\\ude00/\", null, true], \"b\": {}}"},
        {"{}", "{\n    \"a\": [\n        1,\n        2\n    ]\n}"},
        {"{}", "{\"a\":[],\"b\":[{}]}"},
        {"{\"properties\":{\"a\":{},\"b\":{}}}", "{\"b\":1}"},
        {"{\"properties\":{\"a\":{},\"b\":{}}}", "{}"},
        {"{\"properties\":{\"a\":{},\"b\":{}}}", "{\"a\":\"\xC3\xA9\xF0\x9F\x98\x80\",\"b\":[[]]}"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":true}", "{\"a\":1,\"aa\":2,\"\":3,\"b\":4}"},
        {"{\"type\":\"object\",\"required\":[\"q\"]}", "{\"q\":1}"},
        {"{\"type\":\"array\"}", "[ ]"},
        {"{\"type\":\"array\",\"prefixItems\":[{\"const\":1},{\"const\":2}]}", "[1]"},
        {"{\"type\":\"array\",\"items\":[{\"const\":1},{\"const\":2}],\"additionalItems\":{\"const\":3}}",
         "[1,2,3,3]"},
        {"{\"const\":{\"a\":[1,2]}}", "{\"a\": [1, 2]}"},
        {"{\"type\":\"integer\"}", "-9223372036854775808"},
        {"{\"type\":\"number\"}", "-0.5E-7"},
        {"{\"$ref\":\"#/$defs/a~1b\",\"$defs\":{\"a/b\":{\"const\":7}}}", "7"},
        {"{\"$ref\":\"#/$defs/a%20b\",\"$defs\":{\"a b\":{\"const\":7}}}", "7"},
        {"{\"anyOf\":[{\"$ref\":\"#\"},{\"const\":7}]}", "7"},
        {"{\"title\":\"t\",\"description\":\"d\",\"default\":1,\"examples\":[],\"$schema\":\"s\",\"x-y\":1,"
         "\"type\":\"null\"}",
         "null"},
        {"{\"const\":2,\"type\":\"integer\"}", "2"},
        {"{\"enum\":[1,\"a\"],\"type\":\"string\"}", "\"a\""},
        {"{\"type\":\"string\"}", "\"\\u0001\\uFFFF\\\"\\\\\\/\\b\\f\\n\\r\\t\""},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!schema_takes(all[i].schema, all[i].text))
            fail_msg("%s does not allow %s", all[i].schema, all[i].text);
}

static void invalid_documents_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
    } all[] = {
        {"{}", "{\"a\":01}"},
        {"{}", "[1,]"},
        {"{}", "\"\\ud83d\""},
        {"{}", "\"\\ude00\""},
        {"{}", "\"\\u0000\""},
        {"{}", "\"a\nb\""},
        {"{}", "\"\xC3\""},
        {"{}", "  1"},
        {"{}", "nul"},
        {"{\"properties\":{\"a\":{},\"b\":{}}}", "{\"c\":1}"},
        {"{\"properties\":{\"a\":{}},\"required\":[\"a\"]}", "{}"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":true}", "{\"a\":1,\"a\":2}"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":true}", "{\"\\u0061\":2}"},
        {"{\"enum\":[1,\"a\"],\"type\":\"string\"}", "1"},
        {"{\"type\":\"integer\"}", "1.0"},
        {"{\"type\":\"integer\"}", "9223372036854775808"},
        {"{\"type\":\"array\",\"prefixItems\":[{\"const\":1}],\"items\":false}", "[1,1]"},
        {"{\"anyOf\":[{\"type\":\"string\"},false]}", "1"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (schema_takes(all[i].schema, all[i].text))
            fail_msg("%s allows %s", all[i].schema, all[i].text);
}

static void what_is_refused_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        Status status;
        const char *words;
    } all[] = {
        {"{\"not\":{}}", ST_UNSUPPORTED, "\"not\" at #"},
        {"{\"properties\":{\"a\":{\"if\":{}}}}", ST_UNSUPPORTED, "\"if\" at #/properties/a"},
        {"{\"minimu\":3}", ST_UNSUPPORTED, "did you mean \"minimum\""},
        {"{\"frobnicate\":3}", ST_UNSUPPORTED, "\"frobnicate\" at #"},
        {"{\"type\":\"array\",\"uniqueItems\":true}", ST_UNSUPPORTED, "uniqueItems"},
        {"{\"type\":\"array\",\"contains\":{}}", ST_UNSUPPORTED, "contains"},
        {"{\"type\":\"object\",\"dependentRequired\":{}}", ST_UNSUPPORTED, "dependentRequired"},
        {"{\"unevaluatedProperties\":false}", ST_UNSUPPORTED, "unevaluatedProperties"},
        {"{\"$dynamicRef\":\"#a\"}", ST_UNSUPPORTED, "$dynamicRef"},
        {"{\"$ref\":\"https://example.org/x\"}", ST_UNSUPPORTED, "another document"},
        {"{\"$ref\":\"#name\"}", ST_UNSUPPORTED, "anchor"},
        {"{\"$ref\":\"#/$defs/x\"}", ST_ARG, "names nothing"},
        {"{\"$ref\":3}", ST_ARG, "not a string"},
        {"{\"type\":\"objet\"}", ST_ARG, "no type"},
        {"{\"type\":[\"null\",4]}", ST_ARG, "entry 1"},
        {"{\"anyOf\":[]}", ST_ARG, "list of schemas"},
        {"{\"anyOf\":[3]}", ST_ARG, "#/anyOf/0"},
        {"{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}", ST_UNSUPPORTED, "entries 0 and 1"},
        {"{\"enum\":[]}", ST_ARG, "list of values"},
        {"{\"enum\":[1],\"type\":\"string\"}", ST_ARG, "no value"},
        {"{\"enum\":[\"a\"],\"minLength\":3}", ST_UNSUPPORTED, "minLength"},
        {"{\"$ref\":\"#\"}", ST_ARG, "no finite text"},
        {"false", ST_ARG, "no finite text"},
        {"{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}", ST_ARG, "no finite text"},
        {"{\"allOf\":[{\"$ref\":\"#\"}]}", ST_LIMIT, "lead to themselves"},
        {"3", ST_ARG, "neither an object"},
        {"{\"a", ST_ARG, "not JSON at line 1"},
        {"", ST_ARG, "not JSON"},
        {"{\"type\":\"null\",\"type\":\"null\"}", ST_ARG, "duplicate"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        schema_refused(all[i].schema, all[i].status, all[i].words);
}

static void hostile_schemas_are_answered(void **state)
{
    (void)state;
    Str deep = {0}, huge = {0};
    Accepts a;
    for (int i = 0; i < 3000; i++)
        str_adds(&deep, "{\"items\":");
    schema_refused(str_c(&deep), ST_ARG, "not JSON");
    str_clear(&deep);
    for (int i = 0; i < 900; i++)
        str_adds(&deep, "{\"items\":");
    str_adds(&deep, "{\"type\":\"null\"}");
    for (int i = 0; i < 900; i++)
        str_adds(&deep, "}");
    assert_int_equal(accepts_schema(&a, str_c(&deep), false), ST_OK);
    accepts_drop(&a);
    str_adds(&huge, "{\"enum\":[");
    for (int i = 0; i < 20000; i++)
        str_addf(&huge, "%s\"value number %d\"", i ? "," : "", i);
    str_adds(&huge, "]}");
    assert_int_equal(accepts_schema(&a, str_c(&huge), false), ST_OK);
    assert_true(accepts(&a, "\"value number 19999\""));
    assert_false(accepts(&a, "\"value number 20000\""));
    accepts_drop(&a);
    /* A long chain of references. */
    str_clear(&huge);
    str_adds(&huge, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 10000; i++)
        str_addf(&huge, "\"%d\":{\"items\":{\"$ref\":\"#/$defs/%d\"},\"minItems\":1},", i, i + 1);
    str_adds(&huge, "\"10000\":{\"type\":\"null\"}}}");
    assert_int_equal(accepts_schema(&a, str_c(&huge), false), ST_OK);
    assert_false(accepts(&a, "[[null]]"));
    accepts_drop(&a);
    /* Every level asks for one more. */
    schema_refused(
        "{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"properties\":{\"c\":{\"allOf\":[{\"$ref\":"
        "\"#/$defs/a\"},{\"properties\":{\"c\":{\"minimum\":1}}}]}}}}}",
        ST_LIMIT, "allOf");
    str_drop(&deep);
    str_drop(&huge);
}

static void white_space_is_bounded(void **state)
{
    (void)state;
    Accepts a;
    assert_true(schema_takes("{}", "[1, 2]"));
    assert_false(schema_takes("{}", "[1,  2]"));
    assert_true(schema_takes("{}", "[\n\t \t1]"));
    assert_false(schema_takes("{}", "[\n\n1]"));
    assert_int_equal(accepts_schema(&a, "{}", true), ST_OK);
    assert_true(accepts(&a, "{\"a\":[1,2]}"));
    assert_false(accepts(&a, "{\"a\": 1}"));
    assert_true(accepts(&a, "\" \""));
    accepts_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_allowed_is_valid),     cmocka_unit_test(valid_documents_are_allowed),
        cmocka_unit_test(invalid_documents_are_not),    cmocka_unit_test(what_is_refused_is_named),
        cmocka_unit_test(hostile_schemas_are_answered), cmocka_unit_test(white_space_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
