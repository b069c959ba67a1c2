#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct {
    int64_t top_k;
    double temperature;
    bool stream;
    char *stop;
} Sample;

static const Field sample_fields[] = {
    F_INT(Sample, top_k, 0, 0, 1000, "keep the k most likely"),
    F_FLOAT(Sample, temperature, 1, 0, 10, "of sampling"),
    F_BOOL(Sample, stream, true, "print as it comes"),
    F_STRING(Sample, stop, "", "stop at this text"),
};
static const FieldTable table = FIELD_TABLE(sample_fields);
static const Flag flags[] = {
    {"output", 'o', "FILE", "where to write"},
    {"json", 'j', NULL, "for programs"},
    {"verbose", 'v', NULL, "say more"},
    {"dry-run", 0, NULL, "plan only"},
};
enum { FLAGS = sizeof flags / sizeof flags[0], WORDS_MAX = 16 };

static Status parse(Args *a, Sample *s, const char *line)
{
    static char buf[256];
    char *argv[WORDS_MAX] = {(char[]){"verb"}};
    int argc = 1;
    strncpy(buf, line, sizeof buf - 1);
    for (char *save = NULL, *w = strtok_r(buf, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    ArgsTable tables[] = {{&table, s}};
    return args_parse(a, argc, argv, flags, FLAGS, tables, 1);
}

static void flags_take_every_usual_form(void **state)
{
    (void)state;
    Args a;
    Sample s = {0};
    config_defaults(&table, &s);
    assert_int_equal(
        parse(&a, &s, "in1 --top-k=5 --temperature -0 --no-stream -jv -oout in2 --dry_run -- --x -"), ST_OK);
    assert_int_equal(s.top_k, 5);
    assert_true(s.temperature == 0);
    assert_false(s.stream);
    assert_true(args_has(&a, "json") && args_has(&a, "verbose") && args_has(&a, "dry-run"));
    assert_string_equal(args_value(&a, "output"), "out");
    assert_int_equal(a.positional_n, 4);
    assert_string_equal(a.positional[1], "in2");
    assert_string_equal(a.positional[2], "--x");
    assert_string_equal(a.positional[3], "-");
    args_drop(&a);
    assert_int_equal(parse(&a, &s, "--top_k 7 --stream --output a -o b --stop=--"), ST_OK);
    assert_int_equal(s.top_k, 7);
    assert_true(s.stream);
    assert_string_equal(args_value(&a, "output"), "b");
    assert_string_equal(s.stop, "--");
    assert_int_equal(a.given_n, 2);
    size_t place = 0;
    assert_string_equal(args_next(&a, "output", &place), "a");
    assert_string_equal(args_next(&a, "output", &place), "b");
    assert_null(args_next(&a, "output", &place));
    assert_false(args_has(&a, "json"));
    assert_null(args_value(&a, "json"));
    args_drop(&a);
    config_drop(&table, &s);
}

static void wrong_usage_is_named(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"--tempratur 1", "--temperature"}, {"--outptu x", "--output"},   {"--top-k", "needs a value"},
        {"--top-k --json", "needs a value"}, {"--top-k 2000", "at most"}, {"--json=1", "takes no value"},
        {"-o", "needs a value"},             {"-jx", "-x"},               {"--no-top-k", "unknown flag"},
        {"--no-stream=1", "takes no value"}, {"--=3", "unknown flag"},    {"--zzzzzzzzzzzz", "--help"},
        {"--top-k=", "whole number"},        {"---", "unknown flag"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Args a;
        Sample s = {0};
        config_defaults(&table, &s);
        assert_int_equal(parse(&a, &s, wrong[i][0]), ST_ARG);
        if (!strstr(error_text(), wrong[i][1]))
            fail_msg("'%s' gives: %s", wrong[i][0], error_text());
        args_drop(&a);
        config_drop(&table, &s);
    }
}

static void help_lists_flags(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    args_help(f, flags, FLAGS);
    fclose(f);
    assert_non_null(strstr(text, "-o, --output FILE"));
    assert_non_null(strstr(text, "--dry-run"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_take_every_usual_form),
        cmocka_unit_test(wrong_usage_is_named),
        cmocka_unit_test(help_lists_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
