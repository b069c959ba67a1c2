/* Grounding: a small task by hand, random tasks against their formulas evaluated as they stand, and tasks
 * that would fill the memory or take for ever. */
#include "env/ground.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static Status ground_texts(Ground *g, PddlTask *t, Arena *arena, const char *domain, const char *problem)
{
    if (pddl_read(t, arena, span(domain), span(problem)) != ST_OK)
        fail_msg("%s", error_text());
    return ground_task(g, arena, t);
}

static void show_list(Str *out, const Ground *g, GroundList list)
{
    for (int i = 0; i < list.n; i++)
        for (int p = 0; p < g->task->predicates_n; p++)
            for (int f = 0; g->facts[p].bits && f < g->facts[p].n; f++)
                if (g->facts[p].bits[f] == list.at[i] >> 1) {
                    str_addf(out, " %s%s", list.at[i] & 1 ? "!" : "", g->task->predicates[p].name);
                    for (int k = 0; k < g->task->predicates[p].arity; k++)
                        str_addf(
                            out, ".%s",
                            g->task->objects[g->facts[p].args[f * g->task->predicates[p].arity + k]].name);
                }
}

/* "sell pip if !on.pip.top; go pip" */
static void show(Str *out, const Ground *g)
{
    for (int i = 0; i < g->operators_n; i++) {
        const GroundOperator *op = &g->operators[i];
        str_addf(out, "%s%s", i ? "; " : "", g->task->actions[op->action].name);
        for (int k = 0; k < g->task->actions[op->action].params_n; k++)
            str_addf(out, " %s", g->task->objects[op->args[k]].name);
        str_adds(out, op->needs.n ? " if" : "");
        show_list(out, g, op->needs);
    }
}

/* What is fixed is looked at, alternatives make operators, and what changes nothing is left out. */
static void operators(void **state)
{
    (void)state;
    static const char domain[] =
        "(define (domain d) (:types place thing)\n"
        "(:predicates (road ?a ?b) (at ?a) (seen ?a) (has ?t) (never ?t))\n"
        "(:action go :parameters (?a ?b - place)\n"
        " :precondition (and (at ?a) (or (road ?a ?b) (= ?a ?b)))\n"
        " :effect (and (not (at ?a)) (at ?b)))\n"
        "(:action look :parameters (?a - place)\n"
        " :precondition (and (at ?a) (forall (?t - thing) (not (has ?t))))\n"
        " :effect (seen ?a))\n"
        "(:action pick :parameters (?t - thing)\n"
        " :precondition (or (seen v) (not (seen u)))\n"
        " :effect (and (has ?t) (not (never ?t))))\n"
        "(:action idle :parameters (?t - thing) :precondition (has ?t) :effect (has ?t))\n"
        "(:action wish :precondition (never key) :effect (has key)))";
    static const char problem[] = "(define (problem p) (:objects u v - place key - thing)\n"
                                  "(:init (road u v) (at u)) (:goal (exists (?a) (and (seen ?a) (at ?a)))))";
    Arena arena = {0};
    PddlTask t;
    Ground g;
    Str shown = {0}, goal = {0};
    if (ground_texts(&g, &t, &arena, domain, problem) != ST_OK)
        fail_msg("%s", error_text());
    show(&shown, &g);
    assert_string_equal(str_c(&shown), "go u v if at.u; look u if at.u !has.key; look v if at.v !has.key; "
                                       "pick key if seen.v; pick key if !seen.u");
    assert_int_equal(g.goal_n, 2);
    show_list(&goal, &g, g.goal[0]);
    assert_string_equal(str_c(&goal), " at.u seen.u");
    assert_int_equal(g.bits_n, 5); /* at 2, seen 2, has 1; nothing makes "never" true */
    int road = pddl_predicate(&t, span("road")), at = pddl_predicate(&t, span("at"));
    assert_true(g.facts[road].n == 1 && !g.facts[road].bits && g.facts[at].n == 2 && g.facts[at].bits);
    assert_true(g.init[0] >> g.facts[at].bits[0] & 1 && !(g.init[0] >> g.facts[at].bits[1] & 1));
    str_drop(&shown);
    str_drop(&goal);
    arena_drop(&arena);
}

/* --- random tasks -------------------------------------------------------------------------------------- */

enum { OBJECTS = 4, PREDICATES = 4, FACTS = PREDICATES * OBJECTS * OBJECTS, ROUNDS = 400 };

/* z, p ?a, q ?a ?b change; s ?a does not. */
static const char predicates[] =
    "(:types a - object b - a c - a)\n(:predicates (z) (p ?a) (q ?a ?b) (s ?a))\n";

typedef struct {
    Rng rng;
    Str out;
    int scope; /* variables ?v0 to ?v(scope-1) */
} Writer;

static int below(Writer *w, int n)
{
    return (int)rng_below(&w->rng, (uint64_t)n);
}

static void write_argument(Writer *w)
{
    if (w->scope && below(w, 4))
        str_addf(&w->out, " ?v%d", below(w, w->scope));
    else
        str_addf(&w->out, " o%d", below(w, OBJECTS));
}

static void write_atom(Writer *w, bool effect)
{
    static const char *const names[] = {"z", "p", "q", "s", "="};
    static const int arity[] = {0, 1, 2, 1, 2};
    int which = below(w, effect ? 3 : 5);
    str_addf(&w->out, "(%s", names[which]);
    for (int i = 0; i < arity[which]; i++)
        write_argument(w);
    str_addc(&w->out, ')');
}

static void write_variable(Writer *w)
{
    static const char *const types[] = {"", " - a", " - b", " - c"};
    str_addf(&w->out, " ?v%d%s", w->scope++, types[below(w, 4)]);
}

static void write_formula(Writer *w, int depth, bool effect)
{
    int scope = w->scope, which = depth ? below(w, 8) : 0;
    if (which < 2) {
        write_atom(w, effect);
        return;
    }
    if (which < 4) {
        str_adds(&w->out, "(not ");
        if (effect)
            write_atom(w, true);
        else
            write_formula(w, depth - 1, false);
    } else if (which == 4 || (which == 5 && effect)) {
        str_adds(&w->out, effect ? "(forall (" : below(w, 2) ? "(forall (" : "(exists (");
        write_variable(w);
        str_adds(&w->out, ") ");
        write_formula(w, depth - 1, effect);
    } else if (which == 6 && effect) {
        str_adds(&w->out, "(when ");
        write_formula(w, depth - 1, false);
        write_formula(w, depth - 1, true);
    } else {
        str_adds(&w->out, effect || which == 7 ? "(and " : which == 6 ? "(or " : "(imply ");
        write_formula(w, depth - 1, effect);
        write_formula(w, depth - 1, effect);
    }
    str_addc(&w->out, ')');
    w->scope = scope;
}

static void write_domain(Writer *w)
{
    str_clear(&w->out);
    str_addf(&w->out, "(define (domain d) %s", predicates);
    for (int i = 0; i < 3; i++) {
        str_addf(&w->out, "(:action a%d :parameters (", i);
        for (int k = below(w, 3); k > 0; k--)
            write_variable(w);
        str_adds(&w->out, ") :precondition ");
        write_formula(w, 3, false);
        str_adds(&w->out, " :effect ");
        write_formula(w, 3, true);
        str_adds(&w->out, ")\n");
        w->scope = 0;
    }
    str_addc(&w->out, ')');
}

static void write_problem(Writer *w)
{
    str_clear(&w->out);
    str_adds(&w->out, "(define (problem p) (:objects o0 - a o1 - b o2 - c o3) (:init ");
    for (int i = below(w, 6); i > 0; i--) {
        if (below(w, 3) == 0)
            str_addf(&w->out, "(s o%d)", below(w, OBJECTS));
        else
            write_atom(w, true);
    }
    str_adds(&w->out, ")\n(:goal ");
    write_formula(w, 3, false);
    str_adds(&w->out, "))");
}

static bool *fact_of(bool *facts, int predicate, const int *args)
{
    return &facts[(predicate * OBJECTS + args[0]) * OBJECTS + args[1]];
}

static bool *atom_of(bool *facts, const PddlFormula *f, const int *binding)
{
    int args[2] = {0, 0};
    for (int i = 0; i < f->args_n; i++)
        args[i] = f->args[i] >= 0 ? f->args[i] : binding[~f->args[i]];
    return fact_of(facts, f->predicate, args);
}

static bool fits(const PddlTask *t, const PddlAction *a, int slot, int object)
{
    return a->types[slot] & t->objects[object].types;
}

/* A formula as it stands, in a state given as a table of all facts. */
static bool holds(const PddlTask *t, const PddlAction *a, const PddlFormula *f, bool *facts, int *binding)
{
    bool all = f->kind == PDDL_AND || f->kind == PDDL_FORALL;
    switch (f->kind) {
    case PDDL_ATOM: return *atom_of(facts, f, binding);
    case PDDL_NOT: return !holds(t, a, f->parts[0], facts, binding);
    case PDDL_EQUAL:
        return (f->args[0] >= 0 ? f->args[0] : binding[~f->args[0]]) ==
               (f->args[1] >= 0 ? f->args[1] : binding[~f->args[1]]);
    case PDDL_AND:
    case PDDL_OR:
        for (int i = 0; i < f->parts_n; i++)
            if (holds(t, a, f->parts[i], facts, binding) != all)
                return !all;
        return all;
    default:
        for (int o = 0; o < t->objects_n; o++) {
            binding[f->slot] = o;
            if (fits(t, a, f->slot, o) && holds(t, a, f->parts[0], facts, binding) != all)
                return !all;
        }
        return all;
    }
}

/* What the effect adds (or else takes away) of what holds `before`. */
static void change(const PddlTask *t, const PddlAction *a, const PddlFormula *f, bool *before, bool *after,
                   int *binding, bool add)
{
    if (f->kind == PDDL_ATOM || f->kind == PDDL_NOT) {
        if ((f->kind == PDDL_ATOM) == add)
            *atom_of(after, add ? f : f->parts[0], binding) = add;
    } else if (f->kind == PDDL_WHEN) {
        if (holds(t, a, f->parts[0], before, binding))
            change(t, a, f->parts[1], before, after, binding, add);
    } else if (f->kind == PDDL_FORALL) {
        for (int o = 0; o < t->objects_n; o++) {
            binding[f->slot] = o;
            if (fits(t, a, f->slot, o))
                change(t, a, f->parts[0], before, after, binding, add);
        }
    } else {
        for (int i = 0; i < f->parts_n; i++)
            change(t, a, f->parts[i], before, after, binding, add);
    }
}

static void bits_of(const Ground *g, bool *facts, uint64_t *bits)
{
    memset(bits, 0, (size_t)ground_words(g) * sizeof *bits);
    for (int p = 0; p < g->task->predicates_n; p++) {
        const GroundFacts *list = &g->facts[p];
        int arity = g->task->predicates[p].arity;
        for (int i = 0; list->bits && i < list->n; i++) {
            int args[2] = {0, 0};
            memcpy(args, list->args + i * arity, (size_t)arity * sizeof *args);
            bits[list->bits[i] >> 6] |= (uint64_t)*fact_of(facts, p, args) << (list->bits[i] & 63);
        }
    }
}

static void apply(const GroundOperator *op, const uint64_t *before, uint64_t *after)
{
    for (int add = 0; add < 2; add++)
        for (int i = 0; i < op->effects_n; i++) {
            const GroundEffect *e = &op->effects[i];
            uint64_t one = (uint64_t)1 << (e->bit & 63);
            if (e->add == add && ground_holds(before, e->when))
                after[e->bit >> 6] = add ? after[e->bit >> 6] | one : after[e->bit >> 6] & ~one;
        }
}

/* One choice of objects: its operators say what the formulas say.  Whether it does something. */
static bool compare(const Ground *g, int action, int *binding, bool *facts, bool *after)
{
    const PddlTask *t = g->task;
    const PddlAction *a = &t->actions[action];
    uint64_t before[2], wanted[2], got[2];
    int saved[PDDL_SLOTS_MAX], held = 0;
    assert_true(g->bits_n <= 128);
    memcpy(saved, binding, sizeof saved);
    memcpy(after, facts, FACTS);
    bool applies = holds(t, a, a->condition, facts, binding);
    for (int add = 0; add < 2 && applies; add++)
        change(t, a, a->effect, facts, after, binding, add);
    bits_of(g, facts, before);
    bits_of(g, after, wanted);
    for (int i = 0; i < g->operators_n; i++) {
        const GroundOperator *op = &g->operators[i];
        if (op->action != action || memcmp(op->args, saved, (size_t)a->params_n * sizeof *saved) != 0 ||
            !ground_holds(before, op->needs))
            continue;
        memcpy(got, before, sizeof got);
        apply(op, before, got);
        assert_true(applies);
        assert_memory_equal(got, wanted, (size_t)ground_words(g) * sizeof *got);
        held++;
    }
    bool changed = memcmp(after, facts, FACTS) != 0;
    assert_true(held || !changed);
    return changed;
}

/* Every choice of objects for every action; *next is what one of those that change something makes. */
static bool compare_all(Writer *w, const Ground *g, bool *facts, bool *next)
{
    int seen = 0;
    for (int a = 0; a < g->task->actions_n; a++) {
        const PddlAction *action = &g->task->actions[a];
        int choices = action->params_n == 0 ? 1 : action->params_n == 1 ? OBJECTS : OBJECTS * OBJECTS;
        for (int c = 0; c < choices; c++) {
            int binding[PDDL_SLOTS_MAX] = {c % OBJECTS, c / OBJECTS};
            bool after[FACTS];
            bool typed = (action->params_n < 1 || fits(g->task, action, 0, binding[0])) &&
                         (action->params_n < 2 || fits(g->task, action, 1, binding[1]));
            if (typed && compare(g, a, binding, facts, after) && below(w, ++seen) == 0)
                memcpy(next, after, FACTS);
        }
    }
    return seen > 0;
}

static void compare_goal(const Ground *g, bool *facts)
{
    uint64_t bits[2];
    int binding[PDDL_SLOTS_MAX];
    bool won = false;
    bits_of(g, facts, bits);
    for (int i = 0; i < g->goal_n; i++)
        won = won || ground_holds(bits, g->goal[i]);
    assert_int_equal(won, holds(g->task, &g->task->goal, g->task->goal.condition, facts, binding));
}

static void random_tasks(void **state)
{
    (void)state;
    Writer w = {0};
    int steps = 0;
    rng_seed(&w.rng, 5);
    for (int round = 0; round < ROUNDS; round++) {
        Arena arena = {0};
        PddlTask t;
        Ground g;
        bool facts[FACTS] = {false}, next[FACTS];
        write_domain(&w);
        char *domain = strdup(str_c(&w.out));
        write_problem(&w);
        if (ground_texts(&g, &t, &arena, domain, str_c(&w.out)) != ST_OK)
            fail_msg("%s\n%s", error_text(), domain);
        for (int i = 0; i < t.init_n; i++)
            *fact_of(facts, t.init[i].predicate, t.init[i].args) = true;
        for (int i = 0; i < 8; i++) {
            compare_goal(&g, facts);
            if (!compare_all(&w, &g, facts, next))
                break;
            memcpy(facts, next, FACTS);
            steps++;
        }
        free(domain);
        arena_drop(&arena);
    }
    assert_true(steps > ROUNDS);
    str_drop(&w.out);
}

/* --- too much ------------------------------------------------------------------------------------------ */

static void too_much(void **state)
{
    (void)state;
    static const struct {
        const char *action, *why;
    } cases[] = {
        {"(:action go :parameters (?a ?b ?c ?d) :effect (q ?a ?b))",
         "\"go\" has too many choices: more than"},
        {"(:action go :parameters (?a ?b) :effect (q ?a ?b))", "more than 400000 facts that can change"},
        {"(:action go :effect (forall (?a ?b ?c ?d) (p ?d)))", "\"go\" has too many choices: more than"},
        {"(:action go :parameters (?a) :effect (p ?a))\n"
         "(:action run :precondition (and (exists (?a) (p ?a)) (exists (?a) (p ?a))) :effect (z))",
         "\"run\" has a condition of more than 20000 alternatives"},
        {"(:action go :parameters (?a) :effect (p ?a))\n"
         "(:action run :parameters (?a) :precondition (forall (?b) (p ?b)) :effect (p ?a))",
         "\"run\" has too many choices: more than"},
        {"(:action go :parameters (?a) :effect (p ?a))\n"
         "(:action run :parameters (?a) :precondition (exists (?b) (p ?b)) :effect (z))",
         "more than 400000 ground actions"},
        {"(:action hop :parameters (?b) :effect (and (forall (?a) (not (p ?a))) (forall (?a) (p ?a))))",
         "\"hop\" has too many choices: more than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        PddlTask t;
        Ground g;
        Str domain = {0}, problem = {0};
        str_addf(&domain, "(define (domain d) %s%s)", predicates, cases[i].action);
        str_adds(&problem, "(define (problem p) (:objects");
        for (int k = 0; k < 1000; k++)
            str_addf(&problem, " o%d", k);
        str_adds(&problem, ") (:goal (z)))");
        Status st = ground_texts(&g, &t, &arena, str_c(&domain), str_c(&problem));
        if (st != ST_LIMIT || !strstr(error_text(), cases[i].why))
            fail_msg("%s: status %d, \"%s\"", cases[i].action, st, st ? error_text() : "");
        str_drop(&domain);
        str_drop(&problem);
        arena_drop(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators),
        cmocka_unit_test(random_tasks),
        cmocka_unit_test(too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
