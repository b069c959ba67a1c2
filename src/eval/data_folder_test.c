#include "eval/data_folder.h"

#include <string.h>

#include "base/scratch_test.h"

static void text_files(void **state)
{
    (void)state;
    Str out = {0};
    scratch_text("d/good.txt", "caf\xC3\xA9\n");
    scratch_text("d/bytes.txt", "\xff\xfe");
    scratch_text("d/empty.txt", "");
    str_adds(&out, "> ");
    assert_int_equal(data_text(&out, scratch, "d/good.txt"), ST_OK);
    assert_string_equal(str_c(&out), "> caf\xC3\xA9\n");
    assert_int_equal(data_text(&out, scratch, "d/none.txt"), ST_IO);
    expect_words("d/none.txt is not there; ");
    expect_words("and whether --fetch gets it");
    assert_int_equal(data_text(&out, scratch, "d/bytes.txt"), ST_FORMAT);
    assert_int_equal(data_text(&out, scratch, "d/empty.txt"), ST_FORMAT);
    expect_words("is empty");
    assert_int_equal(data_text(&out, scratch, "d"), ST_IO);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_files),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
