/* A planning task in PDDL: the domain and the problem, names resolved, ready to be grounded (ground.h).
 *
 *     Arena arena = {0};  PddlTask task;
 *     TRY(pddl_read(&task, &arena, domain_text, problem_text));
 *     ...
 *     arena_drop(&arena);
 *
 * The part of the language that ALFWorld uses, from Fox & Long 2003 (PDDL 2.1), arXiv:1106.4561: types,
 * predicates, actions whose conditions are made of and, or, not, imply, exists, forall and =, whose effects
 * of and, not, when and forall; the problem's objects, init and goal.  Words have no case.  :functions,
 * :metric, `increase` and facts that begin with "=" are costs, which no command here can see: passed over.
 * A section that is not PDDL's, or there twice, is refused; :requirements are not read.
 * As in ALFWorld's use, an argument need not have the type that :predicates declares: `(checked ?l)`.
 *
 * "object" is the type of whatever has none; it holds all other types only where :types does not name it. */
#ifndef ENV_PDDL_H
#define ENV_PDDL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum {
    PDDL_ARGS_MAX = 4,
    PDDL_SLOTS_MAX = 24,
    PDDL_TYPES_MAX = 60,
    PDDL_PREDICATES_MAX = 1000,
    PDDL_ACTIONS_MAX = 1000,
    PDDL_OBJECTS_MAX = 20000,
    PDDL_FACTS_MAX = 200000
};

typedef struct {
    const char *name;
    uint64_t types; /* a bit for its type and for each above it */
} PddlObject;

typedef struct {
    const char *name;
    int arity;
    bool fluent; /* some action changes it */
} PddlPredicate;

typedef struct {
    int predicate;
    int args[PDDL_ARGS_MAX]; /* objects; 0 beyond its arity */
} PddlFact;

typedef enum {
    PDDL_AND, /* of nothing: true */
    PDDL_OR,
    PDDL_NOT,
    PDDL_EXISTS,
    PDDL_FORALL,
    PDDL_ATOM,
    PDDL_EQUAL,
    PDDL_WHEN /* effects only: parts[0] condition, parts[1] effect */
} PddlKind;

typedef struct PddlFormula PddlFormula;
struct PddlFormula {
    PddlKind kind;
    int predicate, args_n;   /* of an atom; = has two             */
    int args[PDDL_ARGS_MAX]; /* an object, or ~slot of a variable */
    int slot, slots_n;       /* what exists and forall bind       */
    uint32_t mentions;       /* the slots in it and its parts, as bits */
    PddlFormula **parts;
    int parts_n;
};

typedef struct {
    const char *name;
    int params_n;
    const char *names[PDDL_SLOTS_MAX]; /* of slots; the first params_n are the parameters, without '?' */
    uint64_t types[PDDL_SLOTS_MAX];    /* an object fits that shares a bit: one bit, or all            */
    int slots_n;
    PddlFormula *condition, *effect;
} PddlAction;

typedef struct {
    const char **types;
    int types_n;
    PddlObject *objects; /* sorted by name, so that the order of numbers is the order of names */
    int objects_n;
    PddlPredicate *predicates;
    int predicates_n;
    PddlAction *actions;
    int actions_n;
    PddlFact *init; /* sorted by predicate, then by arguments, each once */
    int init_n;
    PddlAction goal; /* its condition; without parameters */
} PddlTask;

/* All of *out lives in *arena.  Sentences say "domain: line 12: ..." or "problem: ...".
 *   ST_FORMAT       not PDDL, an unknown name, a wrong number of arguments
 *   ST_UNSUPPORTED  PDDL beyond the above      ST_LIMIT  larger than the numbers above */
MUST_CHECK Status pddl_read(PddlTask *out, Arena *arena, Span domain, Span problem);
int pddl_object(const PddlTask *t, Span name);    /* -1: none */
int pddl_predicate(const PddlTask *t, Span name); /* -1: none */
int pddl_type(const PddlTask *t, Span name);      /* its bit; -1: none */

#endif
