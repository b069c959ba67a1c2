#include "cli/parts.h"

#include "cli/capture_test.h"
#include "cli/cmd.h"

static char seen[64]; /* what the part that ran was called, and its first word */

static int note(int argc, char **argv)
{
    snprintf(seen, sizeof seen, "%s|%s", argv[0], argc > 1 ? argv[1] : "");
    return 7;
}

static const Part parts[] = {
    {"bend", "FILE", "makes it crooked", note, false},
    {"straighten", NULL, "makes it straight", note, false},
};

static int verb(int argc, char **argv)
{
    return parts_run(parts, 2, argc, argv);
}

static int list(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    parts_list(stdout, parts, 2);
    return 0;
}

static void the_part_named_runs(void **state)
{
    (void)state;
    char form[] = "form", bend[] = "bend", word[] = "x", bent[] = "bent", empty[] = "";
    assert_int_equal(verb(3, (char *[]){form, bend, word, NULL}), 7);
    assert_string_equal(seen, "form bend|x");
    seen[0] = 0;
    assert_int_equal(verb(2, (char *[]){form, bent, NULL}), EXIT_USAGE);
    assert_int_equal(verb(2, (char *[]){form, empty, NULL}), EXIT_USAGE);
    assert_int_equal(verb(1, (char *[]){form, NULL}), EXIT_USAGE);
    assert_string_equal(seen, "");
}

static void the_list_stands_in_columns(void **state)
{
    (void)state;
    Str out = {0};
    char form[] = "form", help[] = "--help";
    capture(&out, list, 0, NULL);
    assert_string_equal(str_c(&out), "  bend FILE   makes it crooked\n"
                                     "  straighten  makes it straight\n");
    assert_int_equal(capture(&out, verb, 2, (char *[]){form, help, NULL}), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "usage: lemur form PART"));
    assert_non_null(strstr(str_c(&out), "  bend FILE   makes it crooked\n"));
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_named_runs),
        cmocka_unit_test(the_list_stands_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
