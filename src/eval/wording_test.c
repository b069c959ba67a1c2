#include "eval/wording.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void wordings(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        Wording is;
    } cases[] = {
        {"KeyError: 'a'", "KeyError: 'a'", WORDING_EQUAL},
        {"KeyError: 'a'", "KeyError: 'b'", WORDING_DIFFERENT},
        {"", "", WORDING_EQUAL},
        {"", "KeyError: 'b'", WORDING_DIFFERENT},
        {"SyntaxError: cannot assign to operator",
         "SyntaxError: cannot assign to expression here. Maybe you meant '==' instead of '='?",
         WORDING_REWORDED},
        {"SyntaxError: invalid syntax", "NameError: name 'x' is not defined", WORDING_DIFFERENT},
        {"UnboundLocalError: local variable 'y' referenced before assignment",
         "UnboundLocalError: cannot access local variable 'y' where it is not associated with a value",
         WORDING_REWORDED},
        {"UnboundLocalError: local variable 'y' referenced before assignment",
         "UnboundLocalError: cannot access local variable 'z' where it is not associated with a value",
         WORDING_DIFFERENT},
        {"ZeroDivisionError: integer division or modulo by zero", "ZeroDivisionError: integer modulo by zero",
         WORDING_REWORDED},
        {"TypeError: can't convert complex to float", "TypeError: must be real number, not complex",
         WORDING_REWORDED},
        {"TypeError: add() missing 1 required positional argument: 'b'",
         "TypeError: A.add() missing 1 required positional argument: 'b'", WORDING_REWORDED},
        {"TypeError: add() missing 1 required positional argument: 'b'",
         "TypeError: A.sub() missing 1 required positional argument: 'b'", WORDING_DIFFERENT},
        {"TypeError: B.add() missing 1 required positional argument: 'b'",
         "TypeError: A.add() missing 1 required positional argument: 'b'", WORDING_DIFFERENT},
        {"TypeError: float() argument must be a string or a number, not 'list'",
         "TypeError: float() argument must be a string or a real number, not 'list'", WORDING_REWORDED},
        {"TypeError: float() argument must be a string or a number, not 'list'",
         "TypeError: float() argument must be a string or a real number, not 'dict'", WORDING_DIFFERENT},
        {"ImportError: cannot import name 'f' from 'm' (/a/m.py)",
         "ImportError: cannot import name 'f' from 'm' (/b/m.py)", WORDING_REWORDED},
        {"ImportError: cannot import name 'f' from 'm' (/a/m.py)",
         "ImportError: cannot import name 'g' from 'm' (/b/m.py)", WORDING_DIFFERENT},
        {"ValueError: too many values to unpack (expected 2)",
         "ValueError: too many values to unpack (expected 2, got 3)", WORDING_REWORDED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (wording_compare(span(cases[i].a), span(cases[i].b)) != cases[i].is)
            fail_msg("%s\n%s", cases[i].a, cases[i].b);
        assert_int_equal(wording_compare(span(cases[i].b), span(cases[i].a)), cases[i].is);
    }
}

static void long_lines_end(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, '\'', N);
    memcpy(text, "ImportError: cannot import name '", 33);
    assert_int_equal(wording_compare((Span){text, N}, (Span){text, N - 1}), WORDING_DIFFERENT);
    assert_int_equal(wording_compare((Span){text, 4096}, (Span){text, 4095}), WORDING_DIFFERENT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wordings),
        cmocka_unit_test(long_lines_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
