#include "env/household_expert.h"

#include <string.h>

#include "base/array.h"
#include "env/ground_plan.h"

static int shared_arguments(const Ground *g, int op, int other)
{
    const GroundOperator *a = &g->operators[op], *b = &g->operators[other];
    int n = 0;
    for (int i = 0; i < g->task->actions[a->action].params_n; i++)
        for (int k = 0; k < g->task->actions[b->action].params_n; k++)
            n += a->args[i] == b->args[k];
    return n;
}

/* Whether `op` has more to do with what comes behind plan->at[at] than that has. */
static bool fits_better(const Ground *g, const GroundPlan *plan, size_t at, int op)
{
    for (size_t next = at + 1; next < plan->n; next++) {
        int more =
            shared_arguments(g, op, plan->at[next]) - shared_arguments(g, plan->at[at], plan->at[next]);
        if (more)
            return more > 0;
    }
    return false;
}

/* Of operators that do the same the one that a person would name: one who wants something from the counter
 * goes to the counter, and not to the toaster that stands at the same place. */
static void name_the_same(const Ground *g, const uint64_t *state, GroundPlan *plan)
{
    size_t words = (size_t)ground_words(g), bytes = words * sizeof *state;
    uint64_t *now = mem_array(uint64_t, 3 * words + 1), *next = now + words, *other = next + words;
    memcpy(now, state, bytes);
    for (size_t i = 0; i < plan->n; i++) {
        memcpy(next, now, bytes);
        ground_apply(&g->operators[plan->at[i]], now, next);
        for (int op = 0; op < g->operators_n; op++) {
            const GroundOperator *o = &g->operators[op];
            if (o->action != g->operators[plan->at[i]].action || !ground_holds(now, o->needs))
                continue;
            memcpy(other, now, bytes);
            ground_apply(o, now, other);
            if (memcmp(other, next, bytes) == 0 && fits_better(g, plan, i, op))
                plan->at[i] = op;
        }
        memcpy(now, next, bytes);
    }
    mem_free(now);
}

static Status find_operators(const Household *h, const HouseholdState *s, const bool *unknown,
                             GroundPlan *out)
{
    const Ground *g = household_ground(h);
    TRY(ground_plan(out, g, s->bits, unknown));
    name_the_same(g, s->bits, out);
    return ST_OK;
}

Status household_plan_knowing(const Household *h, const HouseholdState *s, const bool *unknown,
                              HouseholdPlan *out)
{
    GroundPlan ops = {0};
    array_clear(out);
    Status st = find_operators(h, s, unknown, &ops);
    for (size_t i = 0; i < ops.n && st == ST_OK; i++)
        array_push(out, household_words(h, ops.at[i]));
    array_drop(&ops);
    return st;
}

Status household_plan(const Household *h, const HouseholdState *s, HouseholdPlan *out)
{
    return household_plan_knowing(h, s, NULL, out);
}

/* --- step by step -------------------------------------------------------------------------------------- */

struct HouseholdExpert {
    const Household *h;
    GroundPlan plan;
    size_t at;          /* the operator that was told last */
    uint64_t *expected; /* the state that it leads to; NULL: nothing was told */
};

HouseholdExpert *household_expert_new(const Household *h)
{
    HouseholdExpert *e = mem_new(HouseholdExpert);
    e->h = h;
    return e;
}

void household_expert_free(HouseholdExpert *e)
{
    if (!e)
        return;
    array_drop(&e->plan);
    mem_free(e->expected);
    mem_free(e);
}

Status household_expert_next(HouseholdExpert *e, const HouseholdState *s, const char **command)
{
    const Ground *g = household_ground(e->h);
    size_t bytes = (size_t)ground_words(g) * sizeof *s->bits;
    bool follows = e->expected && memcmp(e->expected, s->bits, bytes) == 0;
    e->at = follows ? e->at + 1 : 0;
    if (!follows) {
        mem_free(e->expected);
        e->expected = NULL;
        TRY(find_operators(e->h, s, NULL, &e->plan));
    }
    *command = NULL;
    if (e->at >= e->plan.n)
        return ST_OK;
    int op = e->plan.at[e->at];
    if (!e->expected)
        e->expected = mem_array(uint64_t, bytes / sizeof *s->bits + 1);
    memcpy(e->expected, s->bits, bytes);
    ground_apply(&g->operators[op], s->bits, e->expected);
    *command = household_words(e->h, op);
    return ST_OK;
}
