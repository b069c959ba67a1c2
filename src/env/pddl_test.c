/* PDDL read: a small task, each way to be wrong with its line, and sizes out of bounds. */
#include "env/pddl.h"

#include <stdlib.h>
#include <string.h>

#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static const char domain[] = "(define (domain shop) (:requirements :adl)\n"
                             "(:types apple - fruit fruit - thing shelf)\n"
                             "(:constants Top - shelf)\n"
                             "(:predicates (on ?f - fruit ?s - shelf) (red ?f) (sold ?f))\n"
                             "(:functions (cost))\n"
                             "(:action sell :parameters (?f - fruit ?x)\n"
                             " :precondition (and (imply (red ?f) (on ?f top)) (not (= ?f ?x)))\n"
                             " :effect (and (sold ?f) (increase (cost) 1)\n"
                             "  (forall (?s - shelf) (when (on ?f ?s) (not (on ?f ?s)))))))\n";

static const char problem[] = "(define (problem p) (:domain shop)\n"
                              "(:objects pip - apple low - shelf plain gala - apple gala - shelf)\n"
                              "(:init (= (cost) 0) (red pip) (on pip top) (on gala low) (red pip))\n"
                              "(:goal (exists (?f - apple) (sold ?f))) (:metric minimize (cost)))\n";

static bool is_a(const PddlTask *t, const char *object, const char *type)
{
    return t->objects[pddl_object(t, span(object))].types >> pddl_type(t, span(type)) & 1;
}

static void names(void **state)
{
    (void)state;
    Arena arena = {0};
    PddlTask t;
    static const char *const sorted[] = {"gala", "low", "pip", "plain", "top"};
    if (pddl_read(&t, &arena, span(domain), span(problem)) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(t.objects_n, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(t.objects[i].name, sorted[i]);
        assert_int_equal(pddl_object(&t, span(sorted[i])), i);
    }
    assert_int_equal(pddl_object(&t, span("gal")), -1);
    assert_int_equal(pddl_object(&t, span("galas")), -1);
    assert_int_equal(pddl_object(&t, span("zed")), -1);
    assert_int_equal(t.types_n, 4);
    assert_true(is_a(&t, "pip", "apple") && is_a(&t, "pip", "fruit") && is_a(&t, "pip", "thing"));
    assert_true(!is_a(&t, "pip", "shelf") && is_a(&t, "top", "shelf") && !is_a(&t, "low", "thing"));
    assert_true(is_a(&t, "gala", "apple") && is_a(&t, "gala", "shelf")); /* declared as both */
    assert_int_equal(t.predicates_n, 3);
    assert_int_equal(t.predicates[0].arity, 2);
    assert_true(t.predicates[0].fluent && !t.predicates[1].fluent && t.predicates[2].fluent);
    assert_int_equal(t.init_n, 3); /* no cost, nothing twice; (on gala low) (on pip top) (red pip) */
    assert_true(t.init[0].predicate == 0 && t.init[0].args[0] == 0 && t.init[0].args[1] == 1);
    assert_true(t.init[2].predicate == 1 && t.init[2].args[0] == 2 && t.init[2].args[1] == 0);
    arena_drop(&arena);
}

static void formulas(void **state)
{
    (void)state;
    Arena arena = {0};
    PddlTask t;
    assert_int_equal(pddl_read(&t, &arena, span(domain), span(problem)), ST_OK);
    const PddlAction *a = &t.actions[0];
    assert_string_equal(a->name, "sell");
    assert_true(a->params_n == 2 && a->slots_n == 3 && !strcmp(a->names[2], "s"));
    assert_true(a->types[0] & t.objects[pddl_object(&t, span("pip"))].types);
    assert_false(a->types[0] & t.objects[pddl_object(&t, span("top"))].types);
    assert_true(a->types[1] & t.objects[pddl_object(&t, span("top"))].types); /* of no type: all */
    const PddlFormula *c = a->condition;
    assert_true(c->kind == PDDL_AND && c->parts_n == 2);
    const PddlFormula *imply = c->parts[0]; /* red is not so, or on is */
    assert_true(imply->kind == PDDL_OR && imply->parts_n == 2 && imply->parts[0]->kind == PDDL_NOT);
    assert_int_equal(imply->parts[0]->parts[0]->predicate, 1);
    assert_int_equal(imply->parts[1]->args[0], ~0);
    assert_int_equal(imply->parts[1]->args[1], pddl_object(&t, span("top")));
    assert_int_equal(c->parts[1]->parts[0]->kind, PDDL_EQUAL);
    const PddlFormula *e = a->effect;
    assert_true(e->parts_n == 3 && e->parts[1]->kind == PDDL_AND && e->parts[1]->parts_n == 0);
    assert_true(e->parts[2]->kind == PDDL_FORALL && e->parts[2]->slot == 2 && e->parts[2]->slots_n == 1);
    assert_int_equal(e->parts[2]->parts[0]->kind, PDDL_WHEN);
    assert_true(t.goal.params_n == 0 && t.goal.slots_n == 1 && t.goal.condition->kind == PDDL_EXISTS);
    arena_drop(&arena);
}

static Status read_with(bool of_problem, const char *from, const char *to)
{
    Arena arena = {0};
    PddlTask t;
    char *text = tiny_with(of_problem ? problem : domain, from, to);
    Status st = pddl_read(&t, &arena, span(of_problem ? domain : text), span(of_problem ? text : problem));
    free(text);
    arena_drop(&arena);
    return st;
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        bool of_problem;
        const char *from, *to, *why;
        Status status; /* ST_OK stands for ST_FORMAT */
    } cases[] = {
        {0, "(define", "(defined", "domain: line 1: (define (domain NAME) ...) expected", 0},
        {0, "(domain shop)", "(problem shop)", "domain: line 1: (define (domain NAME) ...) expected", 0},
        {0, "(domain shop)", "", "domain: line 1: (define (domain NAME) ...) expected", 0},
        {1, "(problem p)", "p", "problem: line 1: (define (problem NAME) ...) expected", 0},
        {0, "(:functions (cost))", ":functions",
         "domain: line 5: a section in parentheses expected, (:NAME ...)", 0},
        {0, "(:functions", "((:functions)", "domain: line 5: a section in parentheses expected, (:NAME ...)",
         0},
        {0, "(:functions", "(:function", "domain: line 5: unknown section \":function\"", 0},
        {0, "(:functions (cost))", "(:types a)", "domain: line 5: a second section \":types\"", 0},
        {1, "(:metric minimize", "(:init", "problem: line 4: a second section \":init\"", 0},
        {0, "(:functions (cost))", "(:derived (red ?x) (sold ?x))", "domain: line 5: \":derived\"",
         ST_UNSUPPORTED},
        {0, "shelf)\n(:c", "shelf -)\n(:c", "domain: line 2: \"-\" stands between names and their type", 0},
        {0, "(:types apple", "(:types - apple", "domain: line 2: \"-\" stands between names and their type",
         0},
        {0, "- thing", "- thing - thing", "domain: line 2: \"-\" stands between names and their type", 0},
        {0, "- thing", "- (either thing shelf)", "domain: line 2: (either ...) as a type", ST_UNSUPPORTED},
        {0, "fruit - thing", "fruit - apple", "domain: line 2: type \"apple\" is above itself", 0},
        {0, "fruit - thing", "fruit - fruit", "domain: line 2: type \"apple\" is above itself", 0},
        {0, "(red ?f) (sold", "(red ?f) (red ?g) (sold",
         "domain: line 4: predicate \"red\" is declared twice", 0},
        {0, "(red ?f) (sold", "red (sold", "domain: line 4: a predicate is (NAME ?VARIABLE...)", 0},
        {0, "(red ?f) (sold", "(red ?f) () (sold", "domain: line 4: a predicate is (NAME ?VARIABLE...)", 0},
        {0, "(red ?f) (sold", "(red ?a ?b ?c ?d ?e) (sold", "domain: line 4: more than 4 arguments",
         ST_LIMIT},
        {0, "action sell", "action (sell)", "domain: line 6: an action without a name", 0},
        {0, "action sell :parameters", "action sell :params",
         "domain: line 6: :parameters, :precondition and :effect expected, each once and with its list", 0},
        {0, ":precondition (and", ":effect (and",
         "domain: line 8: :parameters, :precondition and :effect expected, each once and with its list", 0},
        {0, "(:action sell", "(:action sell) (:action sell",
         "domain: line 6: action \"sell\" is declared twice", 0},
        {0, "(?f - fruit ?x)", "?f", "domain: line 6: a list of variables expected", 0},
        {0, "(?f - fruit ?x)", "(?f - fruit x)", "domain: line 6: a variable expected, not \"x\"", 0},
        {0, "(?f - fruit ?x)", "(?f - fruit ?)", "domain: line 6: a variable expected, not \"?\"", 0},
        {0, "(?f - fruit ?x)", "(?f - fruits ?x)", "domain: line 6: unknown type \"fruits\"", 0},
        {0, "(red ?f) (on ?f top)", "(red ?f) (over ?f top)", "domain: line 7: unknown predicate \"over\"",
         0},
        {0, "(red ?f) (on ?f top)", "(red ?f) (on ?f bottom)", "domain: line 7: unknown object \"bottom\"",
         0},
        {0, "(red ?f) (on ?f top)", "(red ?f) (on ?f ?s)", "domain: line 7: unknown variable \"?s\"", 0},
        {0, "(red ?f) (on ?f top)", "(red ?f) (on ?f)", "domain: line 7: \"on\" has 2 arguments, not 1", 0},
        {0, "(red ?f) (on ?f top)", "(red ?f) (on ?f (top))", "domain: line 7: a name expected, not a list",
         0},
        {0, "(red ?f) (on ?f top)", "(red ?f) ((on ?f top))", "domain: line 7: a formula begins with a word",
         0},
        {0, "(red ?f) (on ?f top)", "(red ?f) top",
         "domain: line 7: a formula in parentheses expected, not \"top\"", 0},
        {0, "(red ?f) (on ?f top)", "(red ?f)", "domain: line 7: \"imply\" takes two formulas", 0},
        {0, "(not (= ?f ?x))", "(not)", "domain: line 7: \"not\" takes 1 formula(s), not 0", 0},
        {0, "(not (= ?f ?x))", "(= ?f ?x ?f)", "domain: line 7: \"=\" has 2 arguments, not 3", 0},
        {0, "(not (= ?f ?x))", "(exists)", "domain: line 7: a list of variables expected", 0},
        {0, "(not (= ?f ?x))", "(exists (?y))", "domain: line 7: \"exists\" takes 1 formula(s), not 0", 0},
        {0, "(not (= ?f ?x))", "(exists (?y) (red ?y) (red ?y))",
         "domain: line 7: \"exists\" takes 1 formula(s), not 2", 0},
        {0, "(not (= ?f ?x))", "(and (exists (?y) (red ?y)) (red ?y))",
         "domain: line 7: unknown variable \"?y\"", 0},
        {0, "(not (= ?f ?x))", "(when (red ?f) (red ?x))", "domain: line 7: unknown predicate \"when\"", 0},
        {0, "(sold ?f) (inc", "(or (sold ?f)) (inc", "domain: line 8: unknown predicate \"or\"", 0},
        {0, "(sold ?f) (inc", "(= ?f ?x) (inc", "domain: line 8: an effect cannot make things equal", 0},
        {0, "(sold ?f) (inc", "(not (and (sold ?f))) (inc",
         "domain: line 8: in an effect, \"not\" takes a predicate", 0},
        {0, "(when (on ?f ?s) (not (on ?f ?s)))", "(when (on ?f ?s))",
         "domain: line 9: \"when\" takes 2 formula(s), not 1", 0},
        {1, "pip - apple", "pip - pear", "problem: line 2: unknown type \"pear\"", 0},
        {1, "pip - apple", "(pip) - apple", "problem: line 2: a name expected, not a list", 0},
        {1, "(on gala low)", "(on gala high)", "problem: line 3: unknown object \"high\"", 0},
        {1, "(on gala low)", "(on gala ?s)", "problem: line 3: unknown variable \"?s\"", 0},
        {1, "(on gala low)", "(off gala low)", "problem: line 3: unknown predicate \"off\"", 0},
        {1, "(on gala low)", "(not (on gala low))", "problem: line 3: unknown predicate \"not\"", 0},
        {1, "(on gala low)", "(on gala)", "problem: line 3: \"on\" has 2 arguments, not 1", 0},
        {1, "(on gala low)", "on", "problem: line 3: a fact is (PREDICATE OBJECT...)", 0},
        {1, "(:goal (exists (?f - apple) (sold ?f)))", "", "problem: line 1: (:goal FORMULA) expected", 0},
        {1, "(sold ?f)))", "(sold ?f)) (sold pip))", "problem: line 4: (:goal FORMULA) expected", 0},
        {1, "(sold ?f)))", "(sold ?g)))", "problem: line 4: unknown variable \"?g\"", 0},
        {1, "(cost)))", "(cost)) ", "problem: line 1: '(' is never closed", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Status wanted = cases[i].status ? cases[i].status : ST_FORMAT;
        Status st = read_with(cases[i].of_problem, cases[i].from, cases[i].to);
        if (st != wanted || strcmp(error_text(), cases[i].why) != 0)
            fail_msg("%s: status %d, \"%s\", not \"%s\"", cases[i].to, st, st ? error_text() : "",
                     cases[i].why);
    }
}

/* `many` times "<before>NUMBER<after>" in place of a part. */
static Status read_many(bool of_problem, const char *part, const char *before, int many, const char *after)
{
    Str text = {0};
    str_adds(&text, part);
    for (int i = 0; i < many; i++)
        str_addf(&text, " %s%d%s", before, i, after);
    str_addc(&text, ' ');
    Status st = read_with(of_problem, part, str_c(&text));
    str_drop(&text);
    return st;
}

static void too_many(void **state)
{
    (void)state;
    static const struct {
        bool of_problem;
        const char *part, *before, *after;
        int fits, too_many;
        const char *why;
    } cases[] = {
        {0, "(:types", "t", "", PDDL_TYPES_MAX - 4, PDDL_TYPES_MAX - 3, "domain: line 2: more than 60 types"},
        {0, "(:types", "t", "", 0, 100000, "domain: line 2: more than 60 types"},
        {0, "(:predicates", "(p", ")", PDDL_PREDICATES_MAX - 3, PDDL_PREDICATES_MAX - 2,
         "domain: line 4: more than 1000 predicates"},
        {0, "(:functions (cost))", "(:action a", ")", PDDL_ACTIONS_MAX - 1, PDDL_ACTIONS_MAX,
         "domain: line 1: more than 1000 actions"},
        {0, "(:action sell :parameters (", "?v", "", PDDL_SLOTS_MAX - 3, PDDL_SLOTS_MAX - 2,
         "domain: line 9: more than 24 variables"},
        {1, "(:objects", "o", "", 0, PDDL_OBJECTS_MAX, "problem: line 2: more than 20000 objects"},
        {1, "(:init", "(= (cost) ", ")", 1000, PDDL_FACTS_MAX, "problem: line 3: more than 200000 facts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int more = 0; more < 2; more++) {
            int n = more ? cases[i].too_many : cases[i].fits;
            Status st = read_many(cases[i].of_problem, cases[i].part, cases[i].before, n, cases[i].after);
            if (st != (more ? ST_LIMIT : ST_OK) || (more && strcmp(error_text(), cases[i].why) != 0))
                fail_msg("%s %d: status %d, \"%s\"", cases[i].before, n, st, st ? error_text() : "");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(formulas),
        cmocka_unit_test(refused),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
