#include "eval/eval_folder.h"

#include <unistd.h>

#include "base/scratch_test.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

/* Answered in any order, the lines end in one; what is half written is no line. */
static void lines_are_put_in_order(void **state)
{
    (void)state;
    static const char *const ids[] = {"10", "b", "9", "a-2", "a-10", "0"};
    LineFile l;
    must(line_file_open(&l, in_scratch("lines"), "id", NULL));
    must(line_file_sort(&l, "id"));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        json_t *line = json_pack("{s:s}", "id", ids[i]);
        must(line_file_add(&l, line));
        json_decref(line);
    }
    must(line_file_sort(&l, "id"));
    line_file_close(&l);
    Str text = scratch_read("lines");
    assert_string_equal(str_c(&text), "{\"id\":\"0\"}\n{\"id\":\"9\"}\n{\"id\":\"10\"}\n"
                                      "{\"id\":\"a-2\"}\n{\"id\":\"a-10\"}\n{\"id\":\"b\"}\n");
    str_drop(&text);
}

/* Killed while run.json was being written, a run begins; a folder of somebody else's stays his. */
static void what_was_hardly_begun_is_empty(void **state)
{
    (void)state;
    int lock;
    json_t *identity = json_pack("{s:s}", "model", "m");
    scratch_text("killed/run.json.tmp-77", "{\"mod");
    scratch_text("killed/.lock", "");
    must(eval_folder_begin(&lock, in_scratch("killed"), identity, false));
    close(lock);
    scratch_text("other/notes", "mine");
    assert_int_equal(eval_folder_begin(&lock, in_scratch("other"), identity, false), ST_ARG);
    expect_words("no run of lemur eval");
    json_decref(identity);
}

static void begins(Status code, const char *identity)
{
    int lock;
    json_t *o = json_loads(identity, 0, NULL);
    assert_non_null(o);
    assert_int_equal(eval_folder_begin(&lock, in_scratch("run"), o, false), code);
    if (code == ST_OK)
        close(lock);
    json_decref(o);
}

/* Names of files are keys, too, and have points in them. */
static void another_run_is_told_by_its_first_difference(void **state)
{
    (void)state;
    begins(ST_OK, "{\"n\": 1, \"facts\": {\"a/b.txt\": \"x\", \"c\": 2}}");
    begins(ST_OK, "{\"facts\": {\"c\": 2, \"a/b.txt\": \"x\"}, \"n\": 1}");
    begins(ST_ARG, "{\"n\": 1, \"facts\": {\"a/b.txt\": \"y\", \"c\": 2}}");
    expect_words("facts.a/b.txt was \"x\" and is now \"y\";");
    begins(ST_ARG, "{\"n\": 1, \"facts\": {\"a/b.txt\": \"x\", \"c\": 2, \"d\": 3}}");
    expect_words("facts.d was absent and is now 3;");
    begins(ST_ARG, "{\"n\": 1, \"facts\": {\"a/b.txt\": \"x\"}}");
    expect_words("facts.c was 2 and is now absent;");
    begins(ST_ARG, "{\"n\": {\"m\": 1}, \"facts\": {\"a/b.txt\": \"x\", \"c\": 2}}");
    expect_words("n was 1 and is now {\"m\":1};");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_put_in_order),
                                       cmocka_unit_test(what_was_hardly_begun_is_empty),
                                       cmocka_unit_test(another_run_is_told_by_its_first_difference)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
