/* Facts by what they say: a table with open addressing, at most half full. */
#include <string.h>

#include "env/ground_inside.h"

enum { FIRST_SLOTS = 1024 };

/* PddlFact's numbers fit into 10 and four times 15 bits; the high bits of a product depend on all below. */
static size_t hash_of(const PddlFact *f)
{
    uint64_t low = (uint64_t)f->predicate | (uint64_t)f->args[0] << 10 | (uint64_t)f->args[1] << 25 |
                   (uint64_t)f->args[2] << 40;
    uint64_t h = (low ^ (uint64_t)f->args[3] << 49) * 0x9e3779b97f4a7c15u;
    return (size_t)(h ^ h >> 32);
}

/* Where the fact is or belongs. */
static GroundSlot *slot_for(const GroundFactTable *t, const PddlFact *f)
{
    size_t mask = t->slots_n - 1, i = hash_of(f) & mask;
    while (t->slots[i].bit != GROUND_NEVER && memcmp(&t->slots[i].fact, f, sizeof *f) != 0)
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
            *slot_for(&wider, &t->slots[i].fact) = t->slots[i];
    mem_free(t->slots);
    *t = wider;
}

int32_t ground_fact(const Grounder *g, const PddlFact *f)
{
    return g->known.n ? slot_for(&g->known, f)->bit : GROUND_NEVER;
}

void ground_fact_set(Grounder *g, const PddlFact *f, int32_t bit)
{
    GroundFactTable *t = &g->known;
    if (2 * (t->n + 1) > t->slots_n)
        grow(t);
    GroundSlot *slot = slot_for(t, f);
    t->n += slot->bit == GROUND_NEVER;
    *slot = (GroundSlot){*f, bit};
}
