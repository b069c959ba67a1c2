/* Templates and their holes. */
#include "agent/prompt.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void holes_are_filled_once(void **state)
{
    (void)state;
    PromptHole holes[] = {{"a", span("<{b}>")}, {"b", span("2")}};
    Str out = {0};
    assert_int_equal(prompt_fill(&out, span("{a} {{x}} {b}{b}"), holes, 2), ST_OK);
    assert_string_equal(str_c(&out), "<{b}> {x} 22");
    str_drop(&out);
}

static void a_broken_template_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"{c}", "{a", "a}", "{", "}", "{}"};
    PromptHole holes[] = {{"a", span("1")}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        Str out = {0};
        assert_int_equal(prompt_fill(&out, span(broken[i]), holes, 1), ST_FORMAT);
        assert_non_null(strstr(error_text(), "template"));
        str_drop(&out);
    }
}

static void an_opening_has_its_five_parts(void **state)
{
    (void)state;
    MintOpening o = {.template = span("{max_total_steps} {max_propose_solution}\n{tool_desc}\n---\n"
                                      "{in_context_example}\n---\n{task_prompt}"),
                     .tools = span("[1] f\nit\n"),
                     .example = span("E"),
                     .task = span("{T}"),
                     .max_steps = 5,
                     .max_propose = 2};
    Str out = {0};
    assert_int_equal(prompt_mint_opening(&out, &o), ST_OK);
    assert_string_equal(str_c(&out), "5 2\n[1] f\nit\n\n\n---\nE\n---\nTask:\n{T}");
    str_clear(&out);
    o.tools = span("");
    assert_int_equal(prompt_mint_opening(&out, &o), ST_OK);
    assert_string_equal(str_c(&out), "5 2\n\n---\nE\n---\nTask:\n{T}");
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_are_filled_once),
        cmocka_unit_test(a_broken_template_is_refused),
        cmocka_unit_test(an_opening_has_its_five_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
