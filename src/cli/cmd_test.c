#include "cli/cmd.h"

#include "base/cpu.h"
#include "cli/capture_test.h"

static const Flag flags[] = {{"output", 'o', "FILE", "where to"}};
static const Command command = {
    .usage = "IN [OUT] [flags]", .words = "IN [OUT]", .about = "reads and writes", COMMAND_FLAGS(flags)};

static bool parse(int argc, char **argv, int *code)
{
    Args args;
    bool go_on = cmd_parse(&command, &args, argc, argv, code);
    if (go_on)
        args_drop(&args);
    return go_on;
}

static void usage_is_checked(void **state)
{
    (void)state;
    int code;
    char verb[] = "verb", in[] = "in", help[] = "--help", wrong[] = "--outptu", flag[] = "-o",
         dashes[] = "--", empty[] = "";
    assert_true(parse(2, (char *[]){verb, in}, &code));
    assert_true(parse(4, (char *[]){verb, in, flag, in}, &code));
    assert_false(parse(1, (char *[]){verb}, &code));
    assert_int_equal(code, EXIT_USAGE);
    expect_words("IN is missing");
    assert_false(parse(2, (char *[]){verb, empty}, &code));
    expect_words("IN is empty");
    assert_false(parse(4, (char *[]){verb, in, in, in}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_false(parse(3, (char *[]){verb, in, wrong}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_false(parse(3, (char *[]){verb, in, flag}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_true(parse(3, (char *[]){verb, dashes, help}, &code));
    assert_false(parse(3, (char *[]){verb, in, empty}, &code));
    expect_words("OUT is empty");
    assert_false(parse(2, (char *[]){verb, help}, &code));
    assert_int_equal(code, EXIT_DONE);
}

static void words_may_be_many_or_none(void **state)
{
    (void)state;
    int code;
    Args args;
    char verb[] = "verb", a[] = "a", b[] = "b", c[] = "c";
    const Command many = {.usage = "TO FROM...", .words = "TO FROM...", .about = ""},
                  none = {.usage = "", .about = ""};
    assert_true(cmd_parse(&many, &args, 4, (char *[]){verb, a, b, c}, &code));
    assert_int_equal(args.positional_n, 3);
    args_drop(&args);
    assert_false(cmd_parse(&many, &args, 2, (char *[]){verb, a}, &code));
    expect_words("FROM is missing");
    assert_false(cmd_parse(&none, &args, 2, (char *[]){verb, a}, &code));
    expect_words("'a' is one word too many");
    assert_true(cmd_parse(&none, &args, 1, (char *[]){verb}, &code));
    args_drop(&args);
    const Command any = {.usage = "", .words = "TO [FROM...]", .about = ""};
    assert_true(cmd_parse(&any, &args, 4, (char *[]){verb, a, b, c}, &code));
    assert_int_equal(args.positional_n, 3);
    args_drop(&args);
    assert_true(cmd_parse(&any, &args, 2, (char *[]){verb, a}, &code));
    args_drop(&args);
    assert_false(cmd_parse(&any, &args, 1, (char *[]){verb}, &code));
    expect_words("TO is missing");
}

typedef struct {
    int64_t n;
    char *text;
} Settings;

static Status work(const Args *args, void *context)
{
    const Settings *s = context;
    assert_string_equal(s->text, "default");
    assert_string_equal(args->positional[0], "in");
    return s->n == 3 ? ST_OK : ST_IO;
}

static void a_command_has_defaults_and_an_exit_code(void **state)
{
    (void)state;
    static const Field fields[] = {F_INT(Settings, n, 2, 0, 9, ""), F_STRING(Settings, text, "default", "")};
    static const FieldTable table_of = FIELD_TABLE(fields);
    Settings s = {0};
    const ArgsTable tables[] = {{&table_of, &s}};
    const Command c = {.usage = "IN", .words = "IN", .about = "", COMMAND_TABLES(tables)};
    char verb[] = "verb", in[] = "in", three[] = "--n=3", ten[] = "--n=10";
    assert_int_equal(cmd_run(&c, 3, (char *[]){verb, in, three}, work, &s), EXIT_DONE);
    assert_int_equal(cmd_run(&c, 2, (char *[]){verb, in}, work, &s), EXIT_FAILED);
    assert_int_equal(cmd_run(&c, 3, (char *[]){verb, in, ten}, work, &s), EXIT_USAGE);
}

static void input_is_a_file_or_standard_input(void **state)
{
    (void)state;
    Str text = {0};
    scratch_text("in", "four");
    assert_int_equal(cmd_read_input(&text, in_scratch("in"), 0), ST_OK);
    assert_non_null(freopen(in_scratch("in"), "r", stdin));
    assert_int_equal(cmd_read_input(&text, "-", 4), ST_OK);
    assert_string_equal(str_c(&text), "fourfour");
    rewind(stdin);
    assert_int_equal(cmd_read_input(&text, "-", 3), ST_LIMIT);
    expect_words("more than 3 bytes");
    str_drop(&text);
    assert_int_equal(cmd_read_input(&text, in_scratch("absent"), 0), ST_IO);
}

static void a_file_is_no_folder_to_write_to(void **state)
{
    (void)state;
    scratch_text("file", "x");
    assert_int_equal(cmd_folder_possible(scratch), ST_OK);
    assert_int_equal(cmd_folder_possible(in_scratch("new/newer")), ST_OK);
    assert_int_equal(cmd_folder_possible("lemur-test-no-such-folder"), ST_OK);
    assert_int_equal(cmd_folder_possible(in_scratch("file")), ST_ARG);
    expect_words("/file is a file and not a folder");
    assert_int_equal(cmd_folder_possible(in_scratch("file/new/newer")), ST_ARG);
    assert_int_equal(cmd_output_folder(in_scratch("file"), "lemur-corpus"), ST_ARG);
    scratch_text("other/manifest.json", "{\"format\": \"lemur-shards\"}");
    assert_int_equal(cmd_output_folder(in_scratch("other"), "lemur-shards"), ST_OK);
    assert_int_equal(cmd_output_folder(in_scratch("other"), "lemur-corpus"), ST_ARG);
    expect_words("holds something else");
}

static void each_status_has_its_code(void **state)
{
    (void)state;
    assert_int_equal(cmd_exit(ST_OK), 0);
    assert_int_equal(cmd_exit(ST_ARG), 2);
    assert_int_equal(cmd_exit(ST_CANCELLED), 130);
    for (int st = ST_IO; st < ST_CANCELLED; st++)
        assert_int_equal(cmd_exit((Status)st), 1);
}

static int threads_of(char *flag, Status wanted)
{
    static const Flag flag_list[] = {{"threads", 't', "N", "how many"}};
    char verb[] = "verb";
    char *words[] = {verb, flag};
    Args args;
    int n = -1;
    assert_int_equal(args_parse(&args, flag ? 2 : 1, words, flag_list, 1, NULL, 0), ST_OK);
    assert_int_equal(cmd_threads(&n, &args, 5), wanted);
    args_drop(&args);
    return n;
}

static void threads_have_bounds(void **state)
{
    (void)state;
    char three[] = "-t3", most[] = "--threads=1024", none[] = "--threads=0", many[] = "--threads=1025",
         word[] = "--threads=x";
    assert_int_equal(threads_of(NULL, ST_OK), 5);
    assert_int_equal(threads_of(three, ST_OK), 3);
    assert_int_equal(threads_of(most, ST_OK), 1024);
    assert_int_equal(threads_of(none, ST_OK), cpu_count());
    threads_of(many, ST_ARG);
    expect_words("0 to 1024");
    threads_of(word, ST_ARG);
    expect_words("--threads: 'x' is not a whole number");
}

static void table(Str *out, const json_t *manifest)
{
    str_addf(out, "third %g\n", json_number_value(json_object_get(manifest, "third")));
}

/* What is printed is what `as_json` asks for; argv[1] is a digit: how many of a real's. */
static int print_third(int argc, char **argv)
{
    json_t *o = json_pack("{s:f}", "third", 1.0 / 3);
    if (argc == 1)
        cmd_print_manifest(o, false, table);
    else
        cmd_print_json(o, argv[1][0] - '0');
    json_decref(o);
    return 0;
}

static void results_are_printed_as_json_or_as_a_table(void **state)
{
    (void)state;
    Str out = {0};
    char verb[] = "verb", all[] = "0", four[] = "4";
    capture(&out, print_third, 1, (char *[]){verb});
    assert_string_equal(str_c(&out), "third 0.333333\n");
    capture(&out, print_third, 2, (char *[]){verb, four});
    assert_string_equal(str_c(&out), "{\n  \"third\": 0.3333\n}\n");
    capture(&out, print_third, 2, (char *[]){verb, all});
    json_t *o = json_loadb(out.at, out.n, 0, NULL);
    assert_true(json_real_value(json_object_get(o, "third")) == 1.0 / 3);
    json_decref(o);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_checked),
        cmocka_unit_test(words_may_be_many_or_none),
        cmocka_unit_test(a_command_has_defaults_and_an_exit_code),
        cmocka_unit_test(input_is_a_file_or_standard_input),
        cmocka_unit_test(a_file_is_no_folder_to_write_to),
        cmocka_unit_test(each_status_has_its_code),
        cmocka_unit_test(threads_have_bounds),
        cmocka_unit_test(results_are_printed_as_json_or_as_a_table),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
