/* Facts by what they say: the table grows. */
#include "env/ground_inside.h"

enum { FIRST_SLOTS = 1024 };

static void grow(GroundFactTable *t)
{
    GroundFactTable wider = {.slots_n = t->slots_n ? 2 * t->slots_n : FIRST_SLOTS, .n = t->n};
    wider.slots = mem_array(GroundSlot, wider.slots_n);
    for (size_t i = 0; i < wider.slots_n; i++)
        wider.slots[i].bit = GROUND_NEVER;
    for (size_t i = 0; i < t->slots_n; i++)
        if (t->slots[i].bit != GROUND_NEVER)
            *ground_fact_slot(&wider, t->slots[i].key, t->slots[i].last) = t->slots[i];
    mem_free(t->slots);
    *t = wider;
}

void ground_fact_set(Grounder *g, const PddlFact *f, int32_t bit)
{
    GroundFactTable *t = &g->known;
    if (2 * (t->n + 1) > t->slots_n)
        grow(t);
    GroundSlot *slot = ground_fact_slot(t, ground_fact_key(f), f->args[3]);
    t->n += slot->bit == GROUND_NEVER;
    *slot = (GroundSlot){ground_fact_key(f), f->args[3], bit};
}
