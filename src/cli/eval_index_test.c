#include "cli/eval_index.h"

#include "cli/capture_test.h"
#include "cli/cmd.h"
#include "corpus/stop.h"
#include "env/wikipedia.h"

static int run(Str *out, const char *flags)
{
    char words[512], *argv[16] = {"eval"};
    int argc = 1;
    snprintf(words, sizeof words, "%s", flags);
    for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    return capture(out, eval_index, argc, argv);
}

static void a_dump_becomes_an_index(void **state)
{
    (void)state;
    Str out = {0};
    char line[256];
    Wikipedia *w;
    scratch_text("dump", "{\"title\":\"A\",\"text\":\"First.\"}\n{\"title\":\"B\",\"text\":\"Second.\"}\n");
    snprintf(line, sizeof line, "--index %s/dump -o %s/index", scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "2 articles"));
    assert_int_equal(run(&out, line), EXIT_USAGE); /* it is there */
    snprintf(line, sizeof line, "--index %s/dump -o %s/index --overwrite --json", scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    json_t *all = json_loads(str_c(&out), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(all, "articles")), 2);
    assert_true(json_integer_value(json_object_get(all, "file_bytes")) > 0);
    json_decref(all);
    str_clear(&out);
    assert_int_equal(wikipedia_open_index(&w, in_scratch("index")), ST_OK);
    assert_int_equal(wikipedia_search(w, span("second"), &out), ST_OK);
    assert_string_equal(str_c(&out), "Page: B\nSummary: Second.");
    wikipedia_close(w);
    str_drop(&out);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    Str out = {0};
    char line[256];
    scratch_text("dump", "{\"title\":\"A\",\"text\":\"First.\"}\n{}\n");
    snprintf(line, sizeof line, "--index %s/dump -o %s/i", scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_FAILED);
    snprintf(line, sizeof line, "--index %s/dump -o %s/i --bad-lines 1", scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "1 bad lines"));
    assert_int_equal(run(&out, "--index x"), EXIT_USAGE);
    assert_int_equal(run(&out, "-o x"), EXIT_USAGE);
    assert_int_equal(run(&out, "--index x -o /tmp"), EXIT_USAGE);
    assert_int_equal(run(&out, "--index x -o y --bad-lines -1"), EXIT_USAGE);
    assert_int_equal(run(&out, "--indx x"), EXIT_USAGE);
    stop_ask(true);
    snprintf(line, sizeof line, "--index %s/dump -o %s/j", scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_INTERRUPTED);
    stop_ask(false);
    assert_false(path_exists(in_scratch("j")) || path_exists(in_scratch("j.part")));
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(a_dump_becomes_an_index),
        cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(all, scratch_make, scratch_remove);
}
