/* What counts as an action. */
#include "agent/action.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_action(ActionRule rule, const char *answer, ActionKind kind, const char *text)
{
    Action a = {0};
    action_find(&a, ACTION_TAGS, span("<execute>before</execute>")); /* must leave nothing behind */
    action_find(&a, rule, span(answer));
    if (a.kind != kind || strcmp(str_c(&a.text), text) != 0 || a.unreadable != (*text == 0))
        fail_msg("'%s' became '%s'", answer, str_c(&a.text));
    action_drop(&a);
}

static void code_stands_between_tags(void **state)
{
    (void)state;
    check_action(ACTION_TAGS, "<thought>x</thought> <execute>\n print(1) \n</execute> and on", ACTION_CODE,
                 "print(1)");
    check_action(ACTION_TAGS, "<execute>a</execute><execute> b </execute>", ACTION_CODE, "a\nb");
    check_action(ACTION_TAGS, "<execute>a<execute>b</execute></execute>", ACTION_CODE, "a<execute>b");
    check_action(ACTION_FENCES, "```python\na = 1\n``` ```python b```", ACTION_CODE, "a = 1\nb");
}

static void a_solution_wins(void **state)
{
    (void)state;
    check_action(ACTION_TAGS, "<execute>a</execute> <solution> 42\xC2\xA0</solution>", ACTION_SOLUTION, "42");
    check_action(ACTION_TAGS, "<solution>1</solution> or <solution>2</solution>", ACTION_SOLUTION, "1\n2");
    check_action(ACTION_FENCES, "<solution>7</solution>", ACTION_SOLUTION, "7");
}

static void nothing_between_marks_is_unreadable(void **state)
{
    (void)state;
    check_action(ACTION_TAGS, "", ACTION_CODE, "");
    check_action(ACTION_TAGS, "<execute>print(1)", ACTION_CODE, "");
    check_action(ACTION_TAGS, "<execute> </execute>", ACTION_CODE, "");
    check_action(ACTION_TAGS, "```python\n1\n```", ACTION_CODE, "");
    check_action(ACTION_TAGS, "<execute>a</execute> <solution> 4", ACTION_SOLUTION, "");
    assert_non_null(strstr(action_unreadable_message(ACTION_TAGS), "<execute> YOUR_CODE_HERE </execute>."));
    assert_non_null(strstr(action_unreadable_message(ACTION_FENCES), "```python\nYOUR_CODE_HERE\n```."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_stands_between_tags),
        cmocka_unit_test(a_solution_wins),
        cmocka_unit_test(nothing_between_marks_is_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
