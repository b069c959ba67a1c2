/* Facts by what they say: a table with open addressing, at most half full. */
#include "env/ground_inside.h"

enum { FIRST_SLOTS = 1024 };
_Static_assert(PDDL_PREDICATES_MAX < 1 << 10 && PDDL_OBJECTS_MAX < 1 << 15 && PDDL_ARGS_MAX == 4,
               "a fact in 10 and four times 15 bits");

static uint64_t key_of(const PddlFact *f)
{
    return (uint64_t)f->predicate | (uint64_t)f->args[0] << 10 | (uint64_t)f->args[1] << 25 |
           (uint64_t)f->args[2] << 40;
}

/* Where the fact is or belongs.  The high bits of the product depend on all of the key. */
static GroundSlot *slot_for(const GroundFactTable *t, uint64_t key, int32_t last)
{
    uint64_t hash = (key ^ (uint64_t)last << 49) * 0x9e3779b97f4a7c15u;
    size_t mask = t->slots_n - 1, i = (size_t)(hash >> 40) & mask;
    while (t->slots[i].bit != GROUND_NEVER && (t->slots[i].key != key || t->slots[i].last != last))
        i = (i + 1) & mask;
    return &t->slots[i];
}

static void grow(GroundFactTable *t)
{
    GroundFactTable wider = {.slots_n = t->slots_n ? 2 * t->slots_n : FIRST_SLOTS, .n = t->n};
    wider.slots = mem_array(GroundSlot, wider.slots_n);
    for (size_t i = 0; i < wider.slots_n; i++)
        wider.slots[i].bit = GROUND_NEVER;
    for (size_t i = 0; i < t->slots_n; i++)
        if (t->slots[i].bit != GROUND_NEVER)
            *slot_for(&wider, t->slots[i].key, t->slots[i].last) = t->slots[i];
    mem_free(t->slots);
    *t = wider;
}

int32_t ground_fact(const Grounder *g, const PddlFact *f)
{
    return g->known.n ? slot_for(&g->known, key_of(f), f->args[3])->bit : GROUND_NEVER;
}

void ground_fact_set(Grounder *g, const PddlFact *f, int32_t bit)
{
    GroundFactTable *t = &g->known;
    if (2 * (t->n + 1) > t->slots_n)
        grow(t);
    GroundSlot *slot = slot_for(t, key_of(f), f->args[3]);
    t->n += slot->bit == GROUND_NEVER;
    *slot = (GroundSlot){key_of(f), f->args[3], bit};
}
