#include "infer/accepts_test.h"
#include "infer/validator_test.h"

static const char *format_of(const char *name)
{
    static char schema[64];
    snprintf(schema, sizeof schema, "{\"type\":\"string\",\"format\":\"%s\"}", name);
    return schema;
}

static void formats_are_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text;
        bool allowed;
    } all[] = {
        {"date", "2024-02-29", true},
        {"date", "2023-02-29", false},
        {"date", "2000-02-29", true},
        {"date", "1900-02-29", false},
        {"date", "2023-04-31", false},
        {"date", "0000-01-01", false},
        {"date", "0400-02-29", true},
        {"date", "2023-12-31", true},
        {"date", "2023-13-01", false},
        {"date", "2023-1-01", false},
        {"time", "23:59:59Z", true},
        {"time", "23:59:59.123+01:30", true},
        {"time", "24:00:00Z", false},
        {"time", "12:00:00", false},
        {"date-time", "2024-02-29T00:00:00Z", true},
        {"date-time", "2024-02-30T00:00:00Z", false},
        {"date-time", "2024-02-29 00:00:00Z", false},
        {"uuid", "123e4567-e89b-12d3-a456-426614174000", true},
        {"uuid", "123e4567e89b12d3a456426614174000", false},
        {"ipv4", "255.0.10.199", true},
        {"ipv4", "256.0.0.1", false},
        {"ipv4", "01.0.0.1", false},
        {"ipv6", "1:2:3:4:5:6:7:8", true},
        {"ipv6", "::1", true},
        {"ipv6", "fe80::1:2", true},
        {"ipv6", "1:2:3", false},
        {"hostname", "a-b.example.org", true},
        {"hostname", "-a.org", false},
        {"email", "jane.doe+x@example.org", true},
        {"email", "jane.doe", false},
        {"email", "a..b@example.org", false},
        {"duration", "P3Y6M4DT12H", true},
        {"duration", "P1Y2M3D", true},
        {"duration", "P2M3DT4M5S", true},
        {"duration", "P3D", true},
        {"duration", "PT1H30M", true},
        {"duration", "P12W", true},
        {"duration", "P", false},
        {"duration", "P3DT", false}, /* a T has a time behind it */
        {"duration", "PT", false},
        {"duration", "P1Y3D", false}, /* RFC 3339, appendix A: days behind months alone */
        {"duration", "PT1H5S", false},
        {"duration", "P1W2D", false},
        {"uri", "https://example.org:80/a/b?c=d#e", true},
        {"uri", "mailto:a@b.c", true},
        {"uri", "http://a//b/%41?", true},
        {"uri", "http://a/%4", false},
        {"uri", "//a/b", false},
        {"uri", "a b", false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Str text = {0};
        str_addf(&text, "\"%s\"", all[i].text);
        if (schema_takes(format_of(all[i].format), str_c(&text)) != all[i].allowed)
            fail_msg("%s: %s", all[i].format, all[i].text);
        str_drop(&text);
    }
    schema_refused(format_of("iri"), ST_UNSUPPORTED, "\"iri\"");
}

/* A character is one character in whatever form. */
static void lengths_count_characters(void **state)
{
    (void)state;
    static const char schema[] = "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}";
    static const struct {
        const char *text;
        bool allowed;
    } all[] = {{"\"a\"", false},
               {"\"ab\"", true},
               {"\"abc\"", true},
               {"\"abcd\"", false},
               {"\"\xC3\xA9\xF0\x9F\x98\x80\"", true},
               {"\"\\n\\u00e9\"", true},
               {"\"\\ud83d\\ude00\"", false},
               {"\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"", true},
               {"\"\\\\\\\"\\/x\"", false}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (schema_takes(schema, all[i].text) != all[i].allowed)
            fail_msg("%s", all[i].text);
}

static void lengths_bound_formats(void **state)
{
    (void)state;
    static const char url[] = "{\"type\":\"string\",\"format\":\"uri\",\"minLength\":1,\"maxLength\":2083}",
                      mail[] = "{\"type\":\"string\",\"format\":\"email\",\"maxLength\":254}",
                      date[] = "{\"type\":\"string\",\"format\":\"date\",\"minLength\":10,\"maxLength\":16777216}",
                      host[] = "{\"type\":\"string\",\"format\":\"hostname\",\"maxLength\":100}";
    assert_true(schema_takes(mail, "\"jane@example.org\""));
    assert_true(schema_takes(date, "\"2024-02-29\""));
    assert_true(schema_takes(host, "\"a-b.example.org\""));
    Accepts a;
    assert_int_equal(accepts_schema(&a, url, false), ST_OK); /* pydantic's HttpUrl */
    assert_true(accepts(&a, "\"https://example.org/a/b?c#d\""));
    for (size_t n = 2082; n <= 2084; n++) {
        Str text = {0};
        str_adds(&text, "\"http://a/");
        while (text.n < n + 1)
            str_addc(&text, 'x');
        str_addc(&text, '"');
        assert_int_equal(accepts(&a, str_c(&text)), n <= 2083);
        str_drop(&text);
    }
    accepts_drop(&a);
    /* What is too large is told by its place. */
    Status st = accepts_schema(
        &a, "{\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"(ab?c){9000}\",\"maxLength\":60000}}}", false);
    expect_refusal(&a, st, ST_LIMIT, "pattern and maxLength", "at #/properties/a needs more than");
}

static void patterns_are_sought_in_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool allowed;
    } all[] = {{"b", "\"abc\"", true},
               {"^b", "\"abc\"", false},
               {"^a\\\\n\\\"$", "\"a\\n\\\"\"", true},
               {"^[^a]$", "\"\\\\\"", true},
               {"^[^a]$", "\"\\\"", false},
               {"^\\\\s$", "\"\\t\"", true},
               {"^\\\\s$", "\"\t\"", false},
               {"^$", "\"\"", true},
               {"^.{2}$", "\"\xC3\xA9x\"", true},
               {"^\\\\x01$", "\"\\u0001\"", true},
               {"a|^b", "\"ba\"", true}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Str schema = {0};
        str_addf(&schema, "{\"type\":\"string\",\"pattern\":\"%s\"}", all[i].pattern);
        if (schema_takes(str_c(&schema), all[i].text) != all[i].allowed)
            fail_msg("%s: %s", all[i].pattern, all[i].text);
        str_drop(&schema);
    }
    schema_refused("{\"pattern\":\"(?=a)\"}", ST_UNSUPPORTED, "\"pattern\" at #: regular expression, byte 1");
    schema_refused("{\"pattern\":3}", ST_ARG, "not a string");
    schema_refused("{\"pattern\":\"a\",\"format\":\"date\"}", ST_UNSUPPORTED, "beside pattern");
    schema_refused("{\"minLength\":3,\"maxLength\":2}", ST_ARG, "maxLength");
}

static void constants_are_written_one_way(void **state)
{
    (void)state;
    static const struct {
        const char *constant, *text;
        bool allowed;
    } all[] = {
        {"\"a\\u00e9\\/\\n\"", "\"a\xC3\xA9/\\n\"", true},
        {"\"a\\u00e9\"", "\"a\\u00e9\"", false},
        {"0.1", "0.1", true},
        {"1e2", "100.0", true},
        {"-7", "-7", true},
        {"{\"a\":[1,{}],\"b\":null}", "{\"a\": [1, {}], \"b\": null}", true},
        {"{\"a\":[1,{}],\"b\":null}", "{\"b\":null,\"a\":[1,{}]}", false},
        {"[]", "[]", true},
        {"[[],[]]", "[[], [ ]]", true},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Str schema = {0};
        str_addf(&schema, "{\"const\":%s}", all[i].constant);
        if (schema_takes(str_c(&schema), all[i].text) != all[i].allowed)
            fail_msg("%s: %s", all[i].constant, all[i].text);
        str_drop(&schema);
    }
    static const char words[] = "{\"enum\":[\"a\",\"ab\",\"abc\",\"ab\",\"b\",1,12,true]}";
    static const char *const yes[] = {"\"a\"", "\"ab\"", "\"abc\"", "\"b\"", "1", "12", "true"},
                             *const no[] = {"\"abcd\"", "\"\"", "2", "tru"};
    for (size_t i = 0; i < 7; i++)
        assert_true(schema_takes(words, yes[i]));
    for (size_t i = 0; i < 4; i++)
        assert_false(schema_takes(words, no[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_what_they_say),
        cmocka_unit_test(lengths_count_characters),
        cmocka_unit_test(lengths_bound_formats),
        cmocka_unit_test(patterns_are_sought_in_the_text),
        cmocka_unit_test(constants_are_written_one_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
