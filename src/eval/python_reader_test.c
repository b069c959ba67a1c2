#include "eval/python_reader.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static PythonReader reader(const char *text)
{
    return (PythonReader){.at = text, .end = text + strlen(text)};
}

static void words_and_marks(void **state)
{
    (void)state;
    PythonReader p = reader("  not_x  not **=* # the rest\n+");
    assert_false(python_take_word(&p, "not")); /* a longer name */
    assert_true(python_take_word(&p, "not_x"));
    assert_true(python_take_word(&p, "not"));
    assert_false(python_take(&p, "**")); /* a longer mark */
    assert_true(python_take(&p, "**="));
    assert_int_equal(python_operator_at(&p).n, 1);
    assert_true(python_take(&p, "*"));
    assert_int_equal(python_next_char(&p), '\n'); /* ends the line outside brackets */
    p.brackets = 1;
    assert_int_equal(python_next_char(&p), '+');
    assert_true(python_take(&p, "+"));
    assert_int_equal(python_next_char(&p), 0);
    assert_int_equal(python_word_at(&p).n, 0);
    assert_false(python_stopped(&p));
}

static void flags_are_raised_once(void **state)
{
    (void)state;
    PythonReader p = reader("");
    p.unasked = 1;
    assert_int_equal(python_fails(&p).kind, PYTHON_BEYOND);
    assert_false(p.raised); /* nobody asks for it */
    p.unasked = 0;
    python_fails(&p);
    assert_true(p.raised && !python_stopped(&p));
    python_give_up(&p);
    python_break_off(&p);
    assert_true(p.beyond && !p.broken); /* the first counts */
    p = reader("");
    python_break_off(&p);
    python_give_up(&p);
    assert_true(p.broken && !p.beyond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_marks),
        cmocka_unit_test(flags_are_raised_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
