#include "cli/slash.h"

#include "base/scratch_test.h"

typedef struct {
    int64_t steps;
    double temp;
} Config;

static const Field fields[] = {F_INT(Config, steps, 20, 1, 100, "of a turn"),
                               F_FLOAT(Config, temp, 0, 0, 5, "0: the likeliest")};
static const FieldTable table = FIELD_TABLE(fields);
static Config config;
static const ArgsTable tables[] = {{&table, &config}};

static Status do_say(void *self, Span words, bool *over)
{
    (void)over;
    str_clear(self);
    str_add(self, words.at, words.n);
    return ST_OK;
}

static Status do_quit(void *self, Span words, bool *over)
{
    (void)self, (void)words;
    *over = true;
    return ST_OK;
}

static const SlashCommand commands[] = {
    {"/say", "TEXT", "says it", do_say}, {"/quit", "", "leaves", do_quit}, {NULL, NULL, NULL, NULL}};

static void commands_are_found_by_name(void **state)
{
    (void)state;
    Str said = {0};
    bool over = false;
    assert_int_equal(slash_run(commands, &said, span("/say  two words "), &over), ST_OK);
    assert_string_equal(str_c(&said), "two words");
    assert_int_equal(slash_run(commands, &said, span("/say"), &over), ST_OK);
    assert_int_equal(said.n, 0);
    assert_false(over);
    assert_int_equal(slash_run(commands, &said, span("/quit now"), &over), ST_ARG);
    assert_false(over);
    assert_int_equal(slash_run(commands, &said, span("/quit"), &over), ST_OK);
    assert_true(over);
    assert_int_equal(slash_run(commands, &said, span("/qiut"), &over), ST_ARG);
    assert_non_null(strstr(error_text(), "do you mean /quit?"));
    const char *names[3];
    slash_names(names, 2, commands);
    assert_string_equal(names[1], "/quit");
    assert_null(names[2]);
    str_drop(&said);
}

static void settings_are_shown_and_set(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    config_defaults(&table, &config);
    assert_int_equal(slash_set(out, tables, 1, span("")), ST_OK);
    fflush(out);
    assert_non_null(strstr(text, "steps                20"));
    assert_non_null(strstr(text, "temp"));
    assert_int_equal(slash_set(out, tables, 1, span("steps 5")), ST_OK);
    assert_int_equal(config.steps, 5);
    assert_int_equal(slash_set(out, tables, 1, span("steps=7")), ST_OK);
    assert_int_equal(config.steps, 7);
    assert_int_equal(slash_set(out, tables, 1, span("steps")), ST_OK);
    assert_int_equal(slash_set(out, tables, 1, span("steps 0")), ST_ARG);
    assert_int_equal(config.steps, 7);
    assert_int_equal(slash_set(out, tables, 1, span("stesp 5")), ST_ARG);
    assert_non_null(strstr(error_text(), "do you mean steps?"));
    slash_help(out, commands);
    fclose(out);
    assert_non_null(strstr(text, "  /say TEXT              says it\n"));
    free(text);
    const char *names[9];
    slash_setting_names(names, 8, tables, 1);
    assert_string_equal(names[0], "steps");
    assert_null(names[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands_are_found_by_name),
                                       cmocka_unit_test(settings_are_shown_and_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
