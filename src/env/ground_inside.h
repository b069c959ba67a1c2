/* What the grounding of a task shares; for ground.c, which makes operators, ground_walk.c, which chooses
 * objects, ground_condition.c, which makes lists of bits, and ground_fact.c, which knows the facts. */
#ifndef ENV_GROUND_INSIDE_H
#define ENV_GROUND_INSIDE_H

#include "base/array.h"
#include "env/ground.h"

enum { GROUND_UNBOUND = -1, GROUND_STATIC_FACT = -1, GROUND_NEVER = -2 };

/* Facts, each with its bit or GROUND_STATIC_FACT.  Grounding asks for facts more than it does anything else,
 * and all are of one size: a table of their own is four times as fast as base/map.h.
 * Open addressing, at most half full. */
typedef struct {
    uint64_t key; /* the predicate and three arguments */
    int32_t last; /* the fourth                        */
    int32_t bit;  /* GROUND_NEVER: free                */
} GroundSlot;

typedef struct {
    GroundSlot *slots;
    size_t n, slots_n;
} GroundFactTable;

typedef Array(GroundList) GroundAlternatives; /* of nothing: false */

typedef struct {
    Ground *g;
    const PddlTask *t;
    Arena *arena;
    GroundFactTable known;
    Array(PddlFact) bits;           /* what each bit says                                 */
    bool adding;                    /* bits may still be made                             */
    int *from;                      /* by predicate: its first fact in init, and one more */
    int *of_type, of_type_from[65]; /* objects that have each bit of PddlObject.types */
    int64_t work;                   /* of all kinds, up to GROUND_WORK_MAX                */
    const char *doing;              /* the action, for sentences                          */
    Array(GroundOperator) operators;
    GroundAlternatives needs;    /* of the operators being made */
    Array(GroundEffect) effects; /* and what they do */
} Grounder;

/* One more piece of work.  ST_LIMIT  too much of it; all that loops adds to `work` or comes by here */
MUST_CHECK Status ground_spend(Grounder *g);
_Static_assert(PDDL_PREDICATES_MAX < 1 << 10 && PDDL_OBJECTS_MAX < 1 << 15 && PDDL_ARGS_MAX == 4,
               "a fact in 10 and four times 15 bits");
static inline uint64_t ground_fact_key(const PddlFact *f)
{
    return (uint64_t)f->predicate | (uint64_t)f->args[0] << 10 | (uint64_t)f->args[1] << 25 |
           (uint64_t)f->args[2] << 40;
}

/* Where the fact is or belongs.  The high bits of the product depend on all of the key. */
static inline GroundSlot *ground_fact_slot(const GroundFactTable *t, uint64_t key, int32_t last)
{
    uint64_t hash = (key ^ (uint64_t)last << 49) * 0x9e3779b97f4a7c15u;
    size_t mask = t->slots_n - 1, i = (size_t)(hash >> 40) & mask;
    while (t->slots[i].bit != GROUND_NEVER && (t->slots[i].key != key || t->slots[i].last != last))
        i = (i + 1) & mask;
    return &t->slots[i];
}

/* Its bit, GROUND_STATIC_FACT, or GROUND_NEVER: it can never be true. */
static inline int32_t ground_fact(const Grounder *g, const PddlFact *f)
{
    return g->known.n ? ground_fact_slot(&g->known, ground_fact_key(f), f->args[3])->bit : GROUND_NEVER;
}

/* Adds it, or gives it another bit. */
void ground_fact_set(Grounder *g, const PddlFact *f, int32_t bit);
/* The atom as a fact; false where a variable is unbound. */
static inline bool ground_fact_of(PddlFact *out, const PddlFormula *f, const int *binding)
{
    *out = (PddlFact){.predicate = f->predicate};
    for (int i = 0; i < f->args_n; i++) {
        out->args[i] = f->args[i] >= 0 ? f->args[i] : binding[~f->args[i]];
        if (out->args[i] == GROUND_UNBOUND)
            return false;
    }
    return true;
}

/* What is known without a state and with what is bound so far. */
typedef enum { GROUND_NO, GROUND_YES, GROUND_OPEN } GroundKnown;
GroundKnown ground_known(Grounder *g, const PddlFormula *f, const int *binding);

/* Every choice of objects for the slots [slot, slot + slots_n) of an action, led by what the guard demands.
 */
typedef struct GroundWalk GroundWalk;
struct GroundWalk {
    Grounder *g;
    const PddlAction *action;
    const PddlFormula *guard; /* no choice is given where it is known to be false; NULL: none */
    int slot, slots_n;
    int *binding;                             /* PDDL_SLOTS_MAX; what is bound before stays */
    Status (*visit)(GroundWalk *w);           /* called with all of them bound              */
    void *context;                            /* for visit                                  */
    const PddlFormula *leads[PDDL_SLOTS_MAX]; /* of the walk itself */
    int leads_n;
};
MUST_CHECK Status ground_walk(GroundWalk *w);

static const GroundList ground_always = {NULL, 0};

/* Both lists as one, sorted; false where they contradict each other. */
bool ground_unite(Grounder *g, GroundList a, GroundList b, GroundList *out);
/* Adds to *to the alternatives of `f`, or of its contrary; all variables that it does not bind are bound. */
MUST_CHECK Status ground_expand(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                                bool negated, GroundAlternatives *to);

#endif
