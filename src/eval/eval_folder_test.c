#include "eval/eval_folder.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_put_in_order)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
