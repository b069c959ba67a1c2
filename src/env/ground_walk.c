/* Choices of objects, and what of a condition is known before there is a state. */
#include <string.h>

#include "env/ground_inside.h"

#define ALL_SLOTS (~(uint32_t)0)

Status ground_spend(Grounder *g)
{
    if (++g->work > GROUND_WORK_MAX)
        return fail(ST_LIMIT, "\"%s\" has too many choices: more than %d were looked at", g->doing,
                    GROUND_WORK_MAX);
    return ST_OK;
}

GroundKnown ground_known(Grounder *g, const PddlFormula *f, const int *binding)
{
    PddlFact fact;
    GroundKnown part, all = f->kind == PDDL_OR ? GROUND_NO : GROUND_YES;
    g->work++;
    switch (f->kind) {
    case PDDL_ATOM:
        if (!ground_fact_of(&fact, f, binding))
            return GROUND_OPEN;
        if (!g->t->predicates[f->predicate].fluent)
            return ground_fact(g, &fact) != GROUND_NEVER ? GROUND_YES : GROUND_NO;
        return g->adding || ground_fact(g, &fact) != GROUND_NEVER ? GROUND_OPEN : GROUND_NO;
    case PDDL_EQUAL:
        if (!ground_fact_of(&fact, f, binding))
            return GROUND_OPEN;
        return fact.args[0] == fact.args[1] ? GROUND_YES : GROUND_NO;
    case PDDL_NOT:
        part = ground_known(g, f->parts[0], binding);
        return part == GROUND_OPEN ? GROUND_OPEN : part == GROUND_YES ? GROUND_NO : GROUND_YES;
    case PDDL_AND:
    case PDDL_OR:
        for (int i = 0; i < f->parts_n; i++) {
            part = ground_known(g, f->parts[i], binding);
            if (part == (f->kind == PDDL_OR ? GROUND_YES : GROUND_NO))
                return part;
            if (part == GROUND_OPEN)
                all = GROUND_OPEN;
        }
        return all;
    default: return GROUND_OPEN;
    }
}

/* Facts that the guard demands and that nothing changes bind slots best. */
static void find_leads(GroundWalk *w, const PddlFormula *f)
{
    if (f->kind == PDDL_AND || (f->kind == PDDL_OR && f->parts_n == 1))
        for (int i = 0; i < f->parts_n; i++)
            find_leads(w, f->parts[i]);
    else if (f->kind == PDDL_ATOM && !w->g->t->predicates[f->predicate].fluent && w->leads_n < PDDL_SLOTS_MAX)
        w->leads[w->leads_n++] = f;
}

static Status walk_slots(GroundWalk *w, uint32_t bound);

static bool may_bind(const GroundWalk *w, int slot, int object)
{
    return slot >= w->slot && slot < w->slot + w->slots_n &&
           (w->action->types[slot] & w->g->t->objects[object].types);
}

/* Binds what the lead leaves unbound to the fact's objects; false where they differ. */
static bool match(const GroundWalk *w, const PddlFormula *lead, const PddlFact *fact)
{
    for (int i = 0; i < lead->args_n; i++) {
        int arg = lead->args[i], object = fact->args[i];
        int *slot = arg < 0 ? &w->binding[~arg] : &arg;
        if (*slot == GROUND_UNBOUND && may_bind(w, ~arg, object))
            *slot = object;
        else if (*slot != object)
            return false;
    }
    return true;
}

/* The facts of :init whose first argument is `first`; where that is not bound, all of the predicate. */
static void range_of(const Grounder *g, int predicate, int first, int *from, int *to)
{
    const PddlFact *init = g->t->init;
    *from = g->from[predicate];
    *to = g->from[predicate + 1];
    if (first == GROUND_UNBOUND)
        return;
    for (int high = *to; *from < high;) {
        int mid = (*from + high) / 2;
        if (init[mid].args[0] < first)
            *from = mid + 1;
        else
            high = mid;
    }
    int end = *from;
    while (end < *to && init[end].args[0] == first)
        end++;
    *to = end;
}

static Status walk_leads(GroundWalk *w, int lead)
{
    int *fresh[PDDL_ARGS_MAX], fresh_n = 0;
    if (lead == w->leads_n)
        return walk_slots(w, ALL_SLOTS);
    const PddlFormula *f = w->leads[lead];
    const PddlTask *t = w->g->t;
    PddlFact fact;
    if (ground_fact_of(&fact, f, w->binding)) {
        TRY(ground_spend(w->g));
        return ground_fact(w->g, &fact) != GROUND_NEVER ? walk_leads(w, lead + 1) : ST_OK;
    }
    for (int i = 0; i < f->args_n; i++)
        if (f->args[i] < 0 && w->binding[~f->args[i]] == GROUND_UNBOUND)
            fresh[fresh_n++] = &w->binding[~f->args[i]];
    int first = f->args[0] >= 0 ? f->args[0] : w->binding[~f->args[0]], i, to;
    range_of(w->g, f->predicate, first, &i, &to);
    for (; i < to; i++) {
        TRY(ground_spend(w->g));
        if (match(w, f, &t->init[i]))
            TRY(walk_leads(w, lead + 1));
        for (int k = 0; k < fresh_n; k++)
            *fresh[k] = GROUND_UNBOUND;
    }
    return ST_OK;
}

/* Leads are true where slots are walked. */
static bool is_lead(const GroundWalk *w, const PddlFormula *part)
{
    return part->kind == PDDL_ATOM && !w->g->t->predicates[part->predicate].fluent &&
           w->leads_n < PDDL_SLOTS_MAX;
}

static uint32_t unbound_slots(const GroundWalk *w)
{
    uint32_t slots = 0;
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        slots |= w->binding[s] == GROUND_UNBOUND ? (uint32_t)1 << s : 0;
    return slots;
}

/* Whether a glance tells that the part is open or a lead: most are, and need not be looked at. */
static bool tells_nothing(const GroundWalk *w, const PddlFormula *part, uint32_t unbound)
{
    const PddlFormula *atom = part->kind == PDDL_NOT ? part->parts[0] : part;
    if (is_lead(w, part))
        return true;
    return atom->kind == PDDL_ATOM &&
           (atom->mentions & unbound || (w->g->adding && w->g->t->predicates[atom->predicate].fluent));
}

/* Whether the guard may still be true, after `bound` were; what does not mention them is as it was. */
static bool may_hold(const GroundWalk *w, uint32_t bound, uint32_t unbound)
{
    const PddlFormula *f = w->guard;
    if (!f || f->kind != PDDL_AND)
        return !f || ground_known(w->g, f, w->binding) != GROUND_NO;
    for (int i = 0; i < f->parts_n; i++)
        if ((f->parts[i]->mentions & bound || bound == ALL_SLOTS) &&
            !tells_nothing(w, f->parts[i], unbound) &&
            ground_known(w->g, f->parts[i], w->binding) == GROUND_NO)
            return false;
    return true;
}

/* Whether a part of the guard is open and a choice for the slot alone decides it. */
static bool is_decisive(const GroundWalk *w, int slot, uint32_t unbound)
{
    const PddlFormula *f = w->guard;
    bool decides = false;
    for (int i = 0; !decides && f && f->kind == PDDL_AND && i < f->parts_n; i++) {
        if (!(f->parts[i]->mentions >> slot & 1) ||
            tells_nothing(w, f->parts[i], unbound & ~((uint32_t)1 << slot)))
            continue;
        w->binding[slot] = 0;
        decides = ground_known(w->g, f->parts[i], w->binding) != GROUND_OPEN;
        w->binding[slot] = GROUND_UNBOUND;
        decides = decides && ground_known(w->g, f->parts[i], w->binding) == GROUND_OPEN;
    }
    return decides;
}

/* The unbound slot that a part of the guard limits most: one that alone decides a part; else the first. */
static int next_slot(const GroundWalk *w, uint32_t unbound)
{
    for (uint32_t left = unbound; left; left &= left - 1)
        if (is_decisive(w, __builtin_ctz(left), unbound))
            return __builtin_ctz(left);
    return unbound ? __builtin_ctz(unbound) : -1;
}

/* `bound`: the slots that have become so since the guard was last looked at. */
static Status walk_slots(GroundWalk *w, uint32_t bound)
{
    TRY(ground_spend(w->g));
    uint32_t unbound = unbound_slots(w);
    if (!may_hold(w, bound, unbound))
        return ST_OK;
    int slot = next_slot(w, unbound);
    if (slot < 0)
        return w->visit(w);
    int bit = 63 - __builtin_clzll(w->action->types[slot]);
    for (int i = w->g->of_type_from[bit]; i < w->g->of_type_from[bit + 1]; i++) {
        w->binding[slot] = w->g->of_type[i];
        TRY(walk_slots(w, (uint32_t)1 << slot));
    }
    w->binding[slot] = GROUND_UNBOUND;
    return ST_OK;
}

Status ground_walk(GroundWalk *w)
{
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        w->binding[s] = GROUND_UNBOUND;
    if (w->guard)
        find_leads(w, w->guard);
    TRY(walk_leads(w, 0));
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        w->binding[s] = GROUND_UNBOUND;
    return ST_OK;
}
