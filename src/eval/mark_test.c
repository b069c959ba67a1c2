/* Answers and their marks, oddities included. */
#include "eval/mark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_reasoning(MarkRule rule, const char *answer, const char *gold, Mark want)
{
    if (mark_reasoning(rule, span(answer), span(gold)) != want)
        fail_msg("answer '%s', gold '%s'", answer, gold);
}

static void own_tasks_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *gold;
        Mark want;
    } cases[] = {{" 32 ", "32", MARK_RIGHT},      {"32.0", "32", MARK_RIGHT},    {"31", "32", MARK_WRONG},
                 {"Paris", " paris", MARK_RIGHT}, {"Paris!", "Paris", MARK_WRONG}, {"", "32", MARK_WRONG},
                 {"nan", "nan", MARK_RIGHT},      {"", "", MARK_RIGHT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (mark_exact(span(cases[i].answer), span(cases[i].gold)) != cases[i].want)
            fail_msg("answer '%s', gold '%s'", cases[i].answer, cases[i].gold);
}

static void numbers_are_near_and_words_inside(void **state)
{
    (void)state;
    for (MarkRule rule = MARK_LEGACY; rule <= MARK_CURRENT; rule++) {
        check_reasoning(rule, " 31 ", "32", MARK_RIGHT);
        check_reasoning(rule, "30", "32", MARK_WRONG);
        check_reasoning(rule, "1e3", "1000.0", MARK_RIGHT);
        check_reasoning(rule, "nan", "32", MARK_WRONG);
        check_reasoning(rule, "0", "0", MARK_RIGHT);
        check_reasoning(rule, "the answer is 32 apples", "32", MARK_RIGHT);
        check_reasoning(rule, "EYES", " Yes ", MARK_RIGHT);
        check_reasoning(rule, "Harrison", "George Harrison", MARK_WRONG);
        check_reasoning(rule, "", "x", MARK_WRONG);
    }
}

static void legacy_fails_below_zero(void **state)
{
    (void)state;
    check_reasoning(MARK_LEGACY, "-108", "-108.0", MARK_WRONG);
    check_reasoning(MARK_CURRENT, "-108", "-108.0", MARK_RIGHT);
    check_reasoning(MARK_CURRENT, "108", "-108.0", MARK_WRONG);
    check_reasoning(MARK_LEGACY, "it is -108.0", "-108.0", MARK_RIGHT); /* as text */
}

static void check_choice(const char *answer, const char *prompt, const char *gold, Mark want)
{
    if (mark_choice(span(answer), span(prompt), span(gold)) != want)
        fail_msg("answer '%s', gold '%s'", answer, gold);
}

static void choices_are_letters_or_texts(void **state)
{
    (void)state;
    static const char numbers[] = "How many?\nOptions: A ) 6 , B ) 121 , C ) 18107 , D ) 54,320";
    check_choice("C", numbers, "c", MARK_RIGHT);
    check_choice("the choice", numbers, "c", MARK_RIGHT); /* any c will do */
    check_choice("18107", numbers, "c", MARK_RIGHT);
    check_choice("121", numbers, "c", MARK_WRONG);
    check_choice("19000", numbers, "c", MARK_RIGHT); /* a twentieth off, at most */
    check_choice("19100", numbers, "c", MARK_WRONG);
    check_choice("(a) 6", numbers, "c", MARK_WRONG); /* only the letter a is taken out */
    check_choice("(b) 18107", numbers, "c", MARK_RIGHT);
    check_choice("6 or 18107", numbers, "c", MARK_WRONG); /* names another option, too */
    check_choice("18107", numbers, "e", MARK_RAISES);
    check_choice("18107", "no options", "c", MARK_RAISES);
    /* "net" and "worth" are parts of the right one; only the first goes, for its neighbour is not looked at.
     */
    check_choice("net worth", "Options: A ) net , B ) worth , C ) net worth , D ) x1", "C", MARK_WRONG);
    check_choice("net worth", "Options: A ) net , B ) x1 , C ) net worth , D ) worth", "C", MARK_WRONG);
    check_choice("net worth", "Options: A ) net , B ) x1 , C ) net worth , D ) x2 , E ) worth", "C",
                 MARK_RIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_tasks_are_exact),
        cmocka_unit_test(numbers_are_near_and_words_inside),
        cmocka_unit_test(legacy_fails_below_zero),
        cmocka_unit_test(choices_are_letters_or_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
