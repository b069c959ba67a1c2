/* A planning task made ground: every action with every choice of objects that can ever be taken, and its
 * conditions as lists of bits to look at.
 *
 * Predicates that no action changes are looked at here, once; the others become bits of a state, one for each
 * fact that is in :init or that some action can add.  An action whose condition has several alternatives
 * becomes one operator for each.  An operator that changes nothing whenever it applies is left out, as Fast
 * Downward's translator does (aibasel/downward, src/translate/pddl/actions.py and simplify.py), on which
 * ALFWorld stands: going to where one stands is therefore no command. */
#ifndef ENV_GROUND_H
#define ENV_GROUND_H

#include "env/pddl.h"

enum { GROUND_WORK_MAX = 20000000, GROUND_OPERATORS_MAX = 400000, GROUND_ALTERNATIVES_MAX = 20000 };

/* A bit and the value that is wanted of it: bit << 1 | false. */
typedef struct {
    const int32_t *at; /* sorted */
    int n;
} GroundList;

typedef struct {
    GroundList when; /* of nothing: always */
    int32_t bit;
    bool add;
} GroundEffect;

typedef struct {
    int action;      /* of the task                   */
    const int *args; /* its parameters                */
    GroundList needs;
    const GroundEffect *effects;
    int effects_n;
} GroundOperator;

/* The facts of one predicate in the order of their arguments. */
typedef struct {
    const int *args;     /* n times arity                                   */
    const int32_t *bits; /* NULL: of a predicate that nothing changes: true */
    int n;
} GroundFacts;

typedef struct {
    const PddlTask *task;
    GroundOperator *operators; /* in the order of the domain's actions */
    int operators_n;
    int bits_n;
    uint64_t *init;     /* bits_n, in words of 64 */
    GroundFacts *facts; /* by predicate */
    GroundList *goal;   /* alternatives */
    int goal_n;
} Ground;

static inline int ground_words(const Ground *g)
{
    return (g->bits_n + 63) / 64;
}

static inline bool ground_holds(const uint64_t *state, GroundList list)
{
    for (int i = 0; i < list.n; i++) {
        int32_t bit = list.at[i] >> 1;
        if ((state[bit >> 6] >> (bit & 63) & 1) == (uint64_t)(list.at[i] & 1))
            return false;
    }
    return true;
}

static inline bool ground_has(const uint64_t *state, int32_t bit)
{
    return state[bit >> 6] >> (bit & 63) & 1;
}

static inline void ground_set(uint64_t *state, int32_t bit, bool on)
{
    uint64_t one = (uint64_t)1 << (bit & 63);
    state[bit >> 6] = on ? state[bit >> 6] | one : state[bit >> 6] & ~one;
}

/* What the operator makes of `before`, into *after, which is a copy of it.  All conditions look at the state
 * before; what is taken away and added is added. */
static inline void ground_apply(const GroundOperator *op, const uint64_t *before, uint64_t *after)
{
    for (int add = 0; add < 2; add++)
        for (int i = 0; i < op->effects_n; i++)
            if (op->effects[i].add == add && ground_holds(before, op->effects[i].when))
                ground_set(after, op->effects[i].bit, add);
}

/* Keeps `task`; lives in *arena.  ST_LIMIT  more choices, operators or alternatives than the above. */
MUST_CHECK Status ground_task(Ground *out, Arena *arena, const PddlTask *task);

#endif
