/* Grounds in two rounds over all actions: the first finds the facts that can ever become true, which are the
 * bits of a state; the second makes the operators. */
#include "env/ground.h"

#include <stdlib.h>
#include <string.h>

#include "env/ground_inside.h"

static Status bit_add(Grounder *g, const PddlFact *f)
{
    if (ground_fact(g, f) != GROUND_NEVER)
        return ST_OK;
    if (g->bits.n == GROUND_OPERATORS_MAX)
        return fail(ST_LIMIT, "more than %d facts that can change", GROUND_OPERATORS_MAX);
    ground_fact_set(g, f, (int32_t)g->bits.n);
    array_push(&g->bits, *f);
    return ST_OK;
}

static Status effect_add(Grounder *g, const PddlFormula *atom, const int *binding, bool add, GroundList when)
{
    PddlFact fact;
    ground_fact_of(&fact, atom, binding);
    if (g->adding)
        return add ? bit_add(g, &fact) : ST_OK;
    int32_t bit = ground_fact(g, &fact);
    if (bit != GROUND_NEVER) /* what cannot become true need not be taken away */
        array_push(&g->effects, ((GroundEffect){when, bit, add}));
    return ST_OK;
}

static Status collect_effects(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                              GroundList when);

typedef struct {
    const PddlFormula *body;
    GroundList when;
} EffectOf;

static Status visit_effect(GroundWalk *w)
{
    const EffectOf *e = w->context;
    return collect_effects(w->g, w->action, e->body, w->binding, e->when);
}

static Status collect_when(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                           GroundList when)
{
    GroundAlternatives all = {0};
    if (g->adding)
        return collect_effects(g, a, f->parts[1], binding, ground_always);
    Status st = ground_expand(g, a, f->parts[0], binding, false, &all);
    for (size_t i = 0; i < all.n && st == ST_OK; i++) {
        GroundList both;
        if (ground_unite(g, when, all.at[i], &both))
            st = collect_effects(g, a, f->parts[1], binding, both);
    }
    array_drop(&all);
    return st;
}

static Status collect_effects(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                              GroundList when)
{
    TRY(ground_spend(g));
    if (f->kind == PDDL_ATOM)
        return effect_add(g, f, binding, true, when);
    if (f->kind == PDDL_NOT)
        return effect_add(g, f->parts[0], binding, false, when);
    if (f->kind == PDDL_WHEN)
        return collect_when(g, a, f, binding, when);
    if (f->kind == PDDL_FORALL) {
        EffectOf e = {f->parts[0], when};
        GroundWalk w = {.g = g,
                        .action = a,
                        .slot = f->slot,
                        .slots_n = f->slots_n,
                        .binding = binding,
                        .visit = visit_effect,
                        .context = &e};
        return ground_walk(&w);
    }
    for (int i = 0; i < f->parts_n; i++)
        TRY(collect_effects(g, a, f->parts[i], binding, when));
    return ST_OK;
}

static bool demands(GroundList list, int32_t literal)
{
    for (int i = 0; i < list.n; i++)
        if (list.at[i] == literal)
            return true;
    return false;
}

/* Whether some effect can change the state: what is added and taken away at once is added. */
static bool changes(Grounder *g, GroundList needs)
{
    for (size_t i = 0; i < g->effects.n; i++) {
        const GroundEffect *e = &g->effects.at[i];
        bool undone = demands(needs, e->bit << 1 | !e->add) || demands(e->when, e->bit << 1 | !e->add);
        g->work += needs.n + e->when.n;
        for (size_t j = 0; j < g->effects.n && !e->add && !undone; j++, g->work++)
            undone = g->effects.at[j].add && g->effects.at[j].bit == e->bit && !g->effects.at[j].when.n;
        if (!undone)
            return true;
    }
    return false;
}

static Status visit_action(GroundWalk *w)
{
    Grounder *g = w->g;
    array_clear(&g->needs);
    array_clear(&g->effects);
    if (g->adding)
        return collect_effects(g, w->action, w->action->effect, w->binding, ground_always);
    Status st = ground_expand(g, w->action, w->action->condition, w->binding, false, &g->needs);
    if (st == ST_OK && g->needs.n)
        st = collect_effects(g, w->action, w->action->effect, w->binding, ground_always);
    if (st == ST_OK && g->needs.n && g->operators.n + g->needs.n > GROUND_OPERATORS_MAX)
        st = fail(ST_LIMIT, "more than %d ground actions", GROUND_OPERATORS_MAX);
    size_t bytes = g->effects.n * sizeof *g->effects.at, args = (size_t)w->action->params_n * sizeof(int);
    GroundOperator op = {.action = (int)(w->action - g->t->actions), .effects_n = (int)g->effects.n};
    if (st == ST_OK && g->needs.n) {
        op.effects =
            memcpy(arena_alloc(g->arena, bytes + 1), g->effects.n ? (void *)g->effects.at : "", bytes);
        op.args = memcpy(arena_alloc(g->arena, args + 1), w->binding, args);
    }
    for (size_t i = 0; i < g->needs.n && st == ST_OK; i++) {
        op.needs = g->needs.at[i];
        if (changes(g, op.needs))
            array_push(&g->operators, op);
        st = ground_spend(g);
    }
    return st;
}

static Status ground_actions(Grounder *g, bool adding)
{
    g->adding = adding;
    for (int i = 0; i < g->t->actions_n; i++) {
        const PddlAction *a = &g->t->actions[i];
        int binding[PDDL_SLOTS_MAX];
        for (int s = 0; s < PDDL_SLOTS_MAX; s++)
            binding[s] = GROUND_UNBOUND;
        g->doing = a->name;
        GroundWalk w = {.g = g,
                        .action = a,
                        .guard = a->condition,
                        .slots_n = a->params_n,
                        .binding = binding,
                        .visit = visit_action};
        TRY(ground_walk(&w));
    }
    return ST_OK;
}

static Status ground_goal(Grounder *g)
{
    int binding[PDDL_SLOTS_MAX];
    GroundAlternatives all = {0};
    for (int s = 0; s < PDDL_SLOTS_MAX; s++)
        binding[s] = GROUND_UNBOUND;
    g->doing = "goal";
    Status st = ground_expand(g, &g->t->goal, g->t->goal.condition, binding, false, &all);
    g->g->goal_n = (int)all.n;
    g->g->goal = arena_alloc(g->arena, all.n * sizeof *all.at + 1);
    if (all.n)
        memcpy(g->g->goal, all.at, all.n * sizeof *all.at);
    array_drop(&all);
    return st;
}

static Status take_init(Grounder *g)
{
    const PddlTask *t = g->t;
    g->from = arena_alloc(g->arena, (size_t)(t->predicates_n + 1) * sizeof(int));
    for (int p = 0, i = 0; p <= t->predicates_n; p++) {
        while (i < t->init_n && t->init[i].predicate < p)
            i++;
        g->from[p] = i;
    }
    for (int i = 0; i < t->init_n; i++)
        if (t->predicates[t->init[i].predicate].fluent)
            TRY(bit_add(g, &t->init[i]));
        else
            ground_fact_set(g, &t->init[i], GROUND_STATIC_FACT);
    return ST_OK;
}

/* A slot's types are one bit, or all, and all objects have the last: lists by bits hold whatever may fit. */
static void list_types(Grounder *g)
{
    const PddlTask *t = g->t;
    int n = 0;
    for (int i = 0; i < t->objects_n; i++)
        n += __builtin_popcountll(t->objects[i].types);
    g->of_type = arena_alloc(g->arena, (size_t)n * sizeof(int) + 1);
    n = 0;
    for (int bit = 0; bit < 64; bit++) {
        g->of_type_from[bit] = n;
        for (int i = 0; i < t->objects_n; i++)
            if (t->objects[i].types >> bit & 1)
                g->of_type[n++] = i;
    }
    g->of_type_from[64] = n;
}

static int by_args(const void *a, const void *b)
{
    const int *x = a, *y = b; /* arguments, then the bit */
    for (int i = 0; i < PDDL_ARGS_MAX; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static void list_facts(Grounder *g, int predicate, GroundFacts *out)
{
    enum { WIDE = PDDL_ARGS_MAX + 1 };
    const PddlPredicate *p = &g->t->predicates[predicate];
    Array(int) rows = {0};
    size_t from = p->fluent ? 0 : (size_t)g->from[predicate];
    size_t to = p->fluent ? g->bits.n : (size_t)g->from[predicate + 1];
    for (size_t i = from; i < to; i++) {
        const PddlFact *f = p->fluent ? &g->bits.at[i] : &g->t->init[i];
        if (f->predicate != predicate)
            continue;
        for (int k = 0; k < PDDL_ARGS_MAX; k++)
            array_push(&rows, f->args[k]);
        array_push(&rows, (int)i);
    }
    size_t n = rows.n / WIDE;
    bool sorted = true; /* as those of :init are */
    for (size_t i = 1; i < n && sorted; i++)
        sorted = by_args(rows.at + (i - 1) * WIDE, rows.at + i * WIDE) <= 0;
    if (!sorted)
        qsort(rows.at, n, WIDE * sizeof(int), by_args);
    int *args = arena_alloc(g->arena, n * (size_t)p->arity * sizeof *args + 1);
    int32_t *bits = p->fluent ? arena_alloc(g->arena, n * sizeof *bits + 1) : NULL;
    for (size_t i = 0; i < n; i++) {
        memcpy(args + i * (size_t)p->arity, rows.at + i * WIDE, (size_t)p->arity * sizeof *args);
        if (bits)
            bits[i] = rows.at[i * WIDE + PDDL_ARGS_MAX];
    }
    *out = (GroundFacts){args, bits, (int)n};
    array_drop(&rows);
}

static void finish(Grounder *g)
{
    Ground *out = g->g;
    out->bits_n = (int)g->bits.n;
    size_t words = (size_t)ground_words(out);
    out->init = arena_alloc(g->arena, words * sizeof *out->init + 1);
    memset(out->init, 0, words * sizeof *out->init);
    for (int i = 0; i < g->t->init_n; i++)
        if (g->t->predicates[g->t->init[i].predicate].fluent) {
            ground_set(out->init, ground_fact(g, &g->t->init[i]), true);
        }
    out->facts = arena_alloc(g->arena, (size_t)g->t->predicates_n * sizeof *out->facts + 1);
    for (int p = 0; p < g->t->predicates_n; p++)
        list_facts(g, p, &out->facts[p]);
    out->operators_n = (int)g->operators.n;
    out->operators = arena_alloc(g->arena, g->operators.n * sizeof *out->operators + 1);
    if (g->operators.n)
        memcpy(out->operators, g->operators.at, g->operators.n * sizeof *out->operators);
}

Status ground_task(Ground *out, Arena *arena, const PddlTask *task)
{
    Status st;
    *out = (Ground){.task = task};
    Grounder g = {.g = out, .t = task, .arena = arena};
    list_types(&g);
    TRY_TO(undo, take_init(&g));
    TRY_TO(undo, ground_actions(&g, true));
    TRY_TO(undo, ground_actions(&g, false));
    TRY_TO(undo, ground_goal(&g));
    finish(&g);
undo:
    mem_free(g.known.slots);
    array_drop(&g.bits);
    array_drop(&g.operators);
    array_drop(&g.effects);
    array_drop(&g.needs);
    return st;
}
