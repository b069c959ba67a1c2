#include "infer/accepts_test.h"

static void equal_nodes_are_one(void **state)
{
    (void)state;
    Grammar *g = grammar_new();
    int32_t end = grammar_return(g);
    assert_int_equal(grammar_return(g), end);
    int32_t a = grammar_text(g, span("abc"), end);
    assert_int_equal(grammar_text(g, span("abc"), end), a);
    assert_int_equal(grammar_either(g, a, a), a);
    assert_int_equal(grammar_either(g, a, GRAMMAR_NOTHING), a);
    assert_int_equal(grammar_text(g, span("x"), GRAMMAR_NOTHING), GRAMMAR_NOTHING);
    assert_int_equal(grammar_byte_range(g, 'b', 'a', end), GRAMMAR_NOTHING);
    grammar_free(g);
}

static void what_never_ends_is_refused(void **state)
{
    (void)state;
    Grammar *g = grammar_new();
    int32_t rule = grammar_rule(g), end = grammar_return(g);
    grammar_rule_set(g, rule, grammar_text(g, span("a"), grammar_call(g, rule, end)));
    assert_int_equal(grammar_finish(g, grammar_call(g, rule, end)), ST_ARG);
    assert_non_null(strstr(error_text(), "no finite text"));
    grammar_free(g);
}

/* a rule = "(" rule ")" | "x", twice */
static void rules_call_themselves(void **state)
{
    (void)state;
    Accepts a = {.g = grammar_new()};
    int32_t rule = grammar_rule(a.g), end = grammar_return(a.g);
    int32_t nested = grammar_text(a.g, span("("), grammar_call(a.g, rule, grammar_text(a.g, span(")"), end)));
    grammar_rule_set(a.g, rule, grammar_either(a.g, nested, grammar_text(a.g, span("x"), end)));
    int32_t start = grammar_call(a.g, rule, grammar_call(a.g, rule, end));
    assert_int_equal(accepts_finish(&a, ST_OK, start), ST_OK);
    assert_true(accepts(&a, "((x))x"));
    assert_true(accepts(&a, "x(x)"));
    assert_false(accepts(&a, "((x)x"));
    assert_false(accepts(&a, "xxx"));
    accepts_drop(&a);
}

static void loops_count(void **state)
{
    (void)state;
    Accepts a = {.g = grammar_new()};
    int32_t loop, end = grammar_text(a.g, span("."), grammar_return(a.g));
    int32_t back = grammar_loop_begin(a.g, 2, 3, &loop);
    int32_t start = grammar_loop_end(a.g, loop, grammar_text(a.g, span("ab"), back), end);
    assert_int_equal(accepts_finish(&a, ST_OK, start), ST_OK);
    assert_false(accepts(&a, "ab."));
    assert_true(accepts(&a, "abab."));
    assert_true(accepts(&a, "ababab."));
    assert_false(accepts(&a, "abababab."));
    accepts_drop(&a);
}

static void bytes_that_nothing_tells_apart_are_one_class(void **state)
{
    (void)state;
    Grammar *g = grammar_new();
    int32_t end = grammar_return(g);
    int32_t start =
        grammar_either(g, grammar_byte_range(g, 'a', 'z', end), grammar_byte_range(g, 'm', '~', end));
    assert_int_equal(grammar_finish(g, start), ST_OK);
    assert_int_equal(g->classes_n, 4); /* a..l, m..z, the rest of the second set, all others */
    assert_int_equal(g->classes['a'], g->classes['l']);
    assert_int_not_equal(g->classes['l'], g->classes['m']);
    assert_int_equal(g->classes[0], g->classes[255]);
    grammar_free(g);
}

static void growth_has_a_limit(void **state)
{
    (void)state;
    Grammar *g = grammar_new();
    int32_t node = grammar_return(g);
    char byte = 'a';
    for (int i = 0; i <= GRAMMAR_NODES_MAX; i++)
        node = grammar_text(g, (Span){&byte, 1}, node);
    assert_int_equal(node, GRAMMAR_NOTHING);
    assert_int_equal(grammar_finish(g, node), ST_LIMIT);
    grammar_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_nodes_are_one),
        cmocka_unit_test(what_never_ends_is_refused),
        cmocka_unit_test(rules_call_themselves),
        cmocka_unit_test(loops_count),
        cmocka_unit_test(bytes_that_nothing_tells_apart_are_one_class),
        cmocka_unit_test(growth_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
