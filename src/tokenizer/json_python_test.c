/* Against json.dumps of Python 3.11, ensure_ascii=False. */
#include "tokenizer/json_python.h"

#include "base/scratch_test.h"

static void assert_dumps(const char *json, int indent, const char *wanted)
{
    Str out = {0};
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    json_python_add(&out, value, indent);
    assert_string_equal(str_c(&out), wanted);
    json_decref(value);
    str_drop(&out);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_dumps(
        "[0.1, 1e-4, 1e-5, 1.0, 1e15, 1e16, 123456789012345680.0, -0.0, 2.5e-310, 1.7976931348623157e308]", 0,
        "[0.1, 0.0001, 1e-05, 1.0, 1000000000000000.0, 1e+16, 1.2345678901234568e+17, -0.0, 2.5e-310, "
        "1.7976931348623157e+308]");
    assert_dumps("[0.30000000000000004, 100.25, 3, -9007199254740993]", 0,
                 "[0.30000000000000004, 100.25, 3, "
                 "-9007199254740993]");
}

static void test_text(void **state)
{
    (void)state;
    assert_dumps("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u00e9\\u2028\\ud83d\\ude00\"", 0,
                 "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80\"");
}

static void test_layout(void **state)
{
    (void)state;
    assert_dumps("{\"z\":[1,{}],\"a\":[],\"m\":{\"t\":true,\"f\":false,\"n\":null}}", 0,
                 "{\"z\": [1, {}], \"a\": [], \"m\": {\"t\": true, \"f\": false, \"n\": null}}");
    assert_dumps("{\"z\":[1,{}],\"a\":[],\"m\":{\"t\":true}}", 4,
                 "{\n    \"z\": [\n        1,\n        {}\n    ],\n    \"a\": [],\n    \"m\": {\n        "
                 "\"t\": true\n    }\n}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
