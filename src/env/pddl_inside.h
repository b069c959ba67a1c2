/* What the readers of PDDL share; for pddl.c, which reads a task's sections, and pddl_formula.c, which reads
 * what stands in them. */
#ifndef ENV_PDDL_INSIDE_H
#define ENV_PDDL_INSIDE_H

#include "env/pddl.h"
#include "env/sexpr.h"

typedef struct {
    PddlTask *t;
    Arena *arena;
    const char *what;               /* "domain" or "problem" */
    uint64_t above[PDDL_TYPES_MAX]; /* of each type: itself and what it is a kind of */
    bool object_is_all;             /* :types does not name it */
    PddlAction *action;             /* whose formula is being read */
    int in_scope[PDDL_SLOTS_MAX], in_scope_n;
} PddlReader;

/* "domain: line 12: ..." */
Status pddl_wrong(const PddlReader *r, const Sexpr *s, Status st, const char *fmt, ...) PRINTF_LIKE(4, 5);
#define WRONG(r, s, ...) pddl_wrong(r, s, ST_FORMAT, __VA_ARGS__)

void *pddl_zeroed(Arena *a, size_t n, size_t size);
const char *pddl_name(const PddlReader *r, const char *word); /* the word, for the task to keep */
int pddl_count(const Sexpr *s);                               /* itself and what follows        */

/* "a b - c d": of the name at *s the type that follows, NULL where none does.  Typed lists are walked with
 * `pddl_typed_next`, which steps over "- c", once this has found them sound. */
MUST_CHECK Status pddl_typed_of(const PddlReader *r, const Sexpr *s, const Sexpr **type);
const Sexpr *pddl_typed_next(const Sexpr *s);
/* type NULL: none is given */
MUST_CHECK Status pddl_type_bits(const PddlReader *r, const Sexpr *type, uint64_t *bits, bool of_variable);

/* Variables of the list become slots of r->action, in scope from then on.  `around`: for sentences, where
 * there is no list. */
MUST_CHECK Status pddl_variables_read(PddlReader *r, const Sexpr *list, const Sexpr *around);
MUST_CHECK Status pddl_formula_read(PddlReader *r, const Sexpr *s, bool effect, PddlFormula **out);
MUST_CHECK Status pddl_atom_read(const PddlReader *r, const Sexpr *s, PddlFormula *out);

#endif
