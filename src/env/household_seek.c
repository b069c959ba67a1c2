#include "env/household_seek.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"

enum { ORDERS = 8 };

/* A place to look into. */
typedef struct {
    const char *name; /* behind "go to " */
    uint64_t rank;    /* of its kind */
    int number;
} Place;

typedef Array(Place) Places;

typedef struct {
    const Household *h;
    HouseholdState *s;
    HouseholdPlan *did;
    bool *unknown; /* by object: nothing was said of it yet */
    bool news;     /* something was said of one since the last plan was asked for */
} Seeker;

/* --- what is heard ------------------------------------------------------------------------------------- */

/* What can lie about: agents, places and types are known, as commands name them or need not. */
static bool *all_unknown(const PddlTask *t)
{
    int type = pddl_type(t, span("object"));
    bool *unknown = mem_array(bool, t->objects_n + 1);
    for (int o = 0; o < t->objects_n && type >= 0; o++)
        unknown[o] = t->objects[o].types >> type & 1;
    return unknown;
}

static bool is_named(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at++)
        if (at > text && at[-1] == ' ' && !(at[n] >= '0' && at[n] <= '9'))
            return true;
    return false;
}

static void hear(Seeker *k)
{
    for (int o = 0; o < household_ground(k->h)->task->objects_n; o++) {
        const char *name = k->unknown[o] ? household_name(k->h, o) : NULL;
        if (name && is_named(str_c(&k->s->observation), name)) {
            k->unknown[o] = false;
            k->news = true;
        }
    }
}

/* *happened: the command is one that does something. */
static Status act(Seeker *k, const char *command, bool *happened)
{
    HouseholdCommands now = {0};
    const char *known = NULL;
    household_admissible(k->h, k->s, &now);
    for (size_t i = 0; i < now.n && !known; i++)
        if (strcmp(now.at[i], command) == 0)
            known = now.at[i];
    array_drop(&now);
    *happened = known != NULL;
    if (!known)
        return ST_OK;
    TRY(household_step(k->h, k->s, known));
    array_push(k->did, known);
    hear(k);
    return ST_OK;
}

/* --- where to look ------------------------------------------------------------------------------------- */

static void mark_arguments(const Ground *g, int predicate, int fact, bool *marks)
{
    int arity = g->task->predicates[predicate].arity;
    for (int i = 0; i < arity; i++)
        marks[g->facts[predicate].args[fact * arity + i]] = true;
}

static bool has_marked(const Ground *g, int predicate, int fact, const bool *marks, const bool *lying)
{
    int arity = g->task->predicates[predicate].arity;
    bool any = false;
    for (int i = 0; i < arity; i++) {
        int o = g->facts[predicate].args[fact * arity + i];
        any |= marks[o] && lying[o];
    }
    return any;
}

/* By object: what may ever have to do with a thing that the goal is about. */
static bool *near_the_goal(const Ground *g, const bool *lying)
{
    int n = g->task->objects_n + 1;
    bool *of_goal = mem_array(bool, g->bits_n + 1), *wanted = mem_array(bool, n), *near = mem_array(bool, n);
    for (int i = 0; i < g->goal_n; i++)
        for (int k = 0; k < g->goal[i].n; k++)
            of_goal[g->goal[i].at[k] >> 1] = true;
    for (int pass = 0; pass < 2; pass++)
        for (int p = 0; p < g->task->predicates_n; p++)
            for (int f = 0; g->facts[p].bits && f < g->facts[p].n; f++)
                if (pass == 0 && of_goal[g->facts[p].bits[f]])
                    mark_arguments(g, p, f, wanted);
                else if (pass == 1 && has_marked(g, p, f, wanted, lying))
                    mark_arguments(g, p, f, near);
    mem_free(of_goal);
    mem_free(wanted);
    return near;
}

static bool is_near(const Household *h, const bool *near, const char *name)
{
    for (int o = 0; o < household_ground(h)->task->objects_n; o++)
        if (near[o] && household_name(h, o) && strcmp(household_name(h, o), name) == 0)
            return true;
    return false;
}

static int by_rank(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void find_places(const Seeker *k, Rng *rng, Places *out)
{
    static const char go[] = "go to ";
    HouseholdCommands now = {0};
    Map *ranks = map_new();
    bool *near = near_the_goal(household_ground(k->h), k->unknown);
    household_admissible(k->h, k->s, &now);
    for (size_t i = 0; i < now.n; i++) {
        if (!span_starts(span(now.at[i]), go))
            continue;
        const char *name = now.at[i] + strlen(go), *space = strrchr(name, ' ');
        size_t kind = space ? (size_t)(space - name) : strlen(name);
        int64_t *rank = map_find(ranks, name, kind);
        if (!rank) {
            rank = map_put(ranks, name, kind);
            *rank = (int64_t)(rng_next(rng) >> 2);
        }
        uint64_t far = is_near(k->h, near, name) ? 0 : (uint64_t)1 << 63;
        array_push(out, ((Place){name, (uint64_t)*rank | far, space ? atoi(space + 1) : 0}));
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_rank);
    array_drop(&now);
    map_free(ranks);
    mem_free(near);
}

/* --- the whole way ------------------------------------------------------------------------------------- */

static Status act_on(Seeker *k, const char *verb, const char *place, bool *happened)
{
    char *command = mem_format("%s %s", verb, place);
    Status st = act(k, command, happened);
    mem_free(command);
    return st;
}

/* Goes to places->at[i] and opens it.  One cannot go to where one stands, as where two places are one: then
 * the next that one can go to takes its turn, or, there being none, one steps aside first. */
static Status look_into(Seeker *k, Places *places, size_t i)
{
    bool went = false, opened;
    for (size_t other = i; other < places->n && !went; other++) {
        TRY(act_on(k, "go to", places->at[other].name, &went));
        if (went && other > i) {
            Place first = places->at[other];
            places->at[other] = places->at[i];
            places->at[i] = first;
        }
    }
    for (size_t aside = 0; aside < i && !went; aside++) {
        TRY(act_on(k, "go to", places->at[aside].name, &went));
        if (went)
            TRY(act_on(k, "go to", places->at[i].name, &went));
    }
    return act_on(k, "open", places->at[i].name, &opened);
}

static Status seek_in_order(Seeker *k, Places *places)
{
    HouseholdPlan plan = {0};
    Status st = ST_UNSUPPORTED;
    for (size_t i = 0; i <= places->n; i++) {
        if (k->news || i == 0 || i == places->n)
            st = household_plan_knowing(k->h, k->s, k->unknown, &plan);
        k->news = false;
        if (st != ST_UNSUPPORTED || i == places->n)
            break;
        TRY_TO(undo, look_into(k, places, i));
        st = ST_UNSUPPORTED;
    }
    for (size_t i = 0; i < plan.n && st == ST_OK; i++)
        array_push(k->did, plan.at[i]);
undo:
    array_drop(&plan);
    return st;
}

static Status seek_once(const Household *h, Rng *rng, HouseholdPlan *out)
{
    Seeker k = {h, household_reset(h), out, all_unknown(household_ground(h)->task), false};
    Places places = {0};
    array_clear(out);
    k.s->limit = 0;
    hear(&k);
    find_places(&k, rng, &places);
    Status st = seek_in_order(&k, &places);
    array_drop(&places);
    mem_free(k.unknown);
    household_state_free(k.s);
    return st;
}

Status household_seek(const Household *h, Rng *rng, HouseholdPlan *out)
{
    for (int order = 0; order < ORDERS; order++) {
        TRY(seek_once(h, rng, out));
        if (out->n <= HOUSEHOLD_STEPS)
            return ST_OK;
    }
    return fail(ST_LIMIT, "what is needed was not found within %d steps, in %d orders of looking",
                HOUSEHOLD_STEPS, ORDERS);
}
