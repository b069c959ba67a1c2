/* theoremqa: from a sentence to a value, and what meets what. */
#include "eval/mark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_mark(MarkRule rule, const char *answer, const char *gold, Mark want)
{
    json_t *g = json_loads(gold, JSON_DECODE_ANY, NULL);
    assert_non_null(g);
    Mark mark = mark_theoremqa(rule, span(answer), g);
    if (mark != want)
        fail_msg("answer '%s', gold %s: %d", answer, gold, mark);
    json_decref(g);
}

static void values_are_found_in_answers(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *gold;
        Mark mark;
    } cases[] = {
        {"x = 3.14", "3.1", MARK_RIGHT},
        {"x \xE2\x89\x88 $3.14$", "3.1", MARK_RIGHT},
        {"approximately 442", "442.02", MARK_RIGHT},
        {"442 cm", "442.02", MARK_RIGHT},
        {"442%", "442.02", MARK_RIGHT},
        {"\xE2\x82\xAC"
         "442",
         "442.02", MARK_RIGHT},
        {"90\xC2\xB0", "90.0", MARK_RIGHT},
        {"12,600", "12600", MARK_RIGHT},
        {"2 or 3", "2", MARK_RIGHT},
        {"1/2 x 8", "4", MARK_RIGHT},
        {"2.5", "2", MARK_RIGHT},
        {"3.5", "3", MARK_WRONG},
        {"2^3", "1", MARK_RIGHT},
        {"10^3", "1000", MARK_WRONG},
        {"The answer is 5.", "5", MARK_WRONG},
        {"", "0", MARK_RIGHT},
        {"1e400", "3", MARK_RAISES},
        {"1e400", "3.0", MARK_WRONG},
        {"True", "1", MARK_RIGHT},
        {"'5'", "5", MARK_WRONG},
        {"abs(-5)", "5", MARK_UNDECIDED},
        {"math.sqrt(4)", "2", MARK_WRONG},
        {"True", "true", MARK_RIGHT},
        {"It is False.", "false", MARK_RIGHT},
        {"no", "false", MARK_RIGHT},
        {"0", "false", MARK_RIGHT},
        {"No", "false", MARK_WRONG},
        {"[6, 1]", "[1, 6]", MARK_RIGHT},
        {"(1, 6)", "[1, 6]", MARK_RIGHT},
        {"1, 6", "[1, 6]", MARK_RIGHT},
        {"{1, 6, 6.0}", "[1, 6]", MARK_RIGHT},
        {"[1, 6, 6]", "[1, 6]", MARK_WRONG},
        {"[1, '6']", "[1, 6]", MARK_WRONG},
        {"5", "[5]", MARK_WRONG},
        {"()", "[1]", MARK_RAISES},
        {"[6, 1]\n[6, 1]", "[1, 6]", MARK_WRONG},
        {"[1.04]", "[1.0]", MARK_RIGHT},
        {"(-8)**(1/3)", "1.0", MARK_RIGHT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (MarkRule rule = MARK_LEGACY; rule <= MARK_CURRENT; rule++)
            check_mark(rule, cases[i].answer, cases[i].gold, cases[i].mark);
}

static void legacy_meets_no_option(void **state)
{
    (void)state;
    check_mark(MARK_LEGACY, "c) the third", "\"c\"", MARK_WRONG);
    check_mark(MARK_CURRENT, "c) the third", "\"c\"", MARK_RIGHT);
    check_mark(MARK_LEGACY, "C", "\"c\"", MARK_WRONG);
    check_mark(MARK_CURRENT, "C", "\"c\"", MARK_RIGHT);
    check_mark(MARK_CURRENT, "b) or c)", "\"c\"", MARK_WRONG);
    check_mark(MARK_LEGACY, "\"c\"", "\"c\"", MARK_RIGHT);
    check_mark(MARK_CURRENT, "d )", "\"c\"", MARK_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_in_answers),
        cmocka_unit_test(legacy_meets_no_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
