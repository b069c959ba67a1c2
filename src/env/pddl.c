#include "env/pddl.h"

#include <stdlib.h>
#include <string.h>

#include "env/pddl_inside.h"

/* The section of (define ... (KEY ...) ...), NULL where there is none. */
static Sexpr *section(const Sexpr *define, const char *key)
{
    for (Sexpr *s = define->first; s; s = s->next)
        if (!s->word && sexpr_is(s->first, key))
            return s;
    return NULL;
}

static const char domain_sections[] = "domain :requirements :types :constants :predicates :functions",
                  problem_sections[] = "problem :domain :requirements :objects :init :goal :metric",
                  many[] = ":action :derived :durative-action";

static bool is_one_of(const Sexpr *word, const char *list)
{
    for (Span s = words_next(&list); s.n; s = words_next(&list))
        if (span_is(s, word->word))
            return true;
    return false;
}

/* (define (KIND NAME) ...), each section known and there once; a misspelt one would read as an absent one. */
static Status check_sections(const PddlReader *r, const Sexpr *define, const char *kind, const char *known)
{
    if (!sexpr_is(define->first, "define") || !define->first->next ||
        !sexpr_is(define->first->next->first, kind))
        return WRONG(r, define, "(define (%s NAME) ...) expected", kind);
    for (const Sexpr *s = define->first->next; s; s = s->next) {
        if (s->word || !s->first || !s->first->word)
            return WRONG(r, s, "a section in parentheses expected, (:NAME ...)");
        if (known == domain_sections && is_one_of(s->first, many))
            continue;
        if (!is_one_of(s->first, known))
            return WRONG(r, s, "unknown section \"%.60s\"", s->first->word);
        if (section(define, s->first->word) != s)
            return WRONG(r, s, "a second section \"%.60s\"", s->first->word);
    }
    return ST_OK;
}

int pddl_type(const PddlTask *t, Span name)
{
    for (int i = 0; i < t->types_n; i++)
        if (span_is(name, t->types[i]))
            return i;
    return -1;
}

int pddl_predicate(const PddlTask *t, Span name)
{
    for (int i = 0; i < t->predicates_n; i++)
        if (span_is(name, t->predicates[i].name))
            return i;
    return -1;
}

int pddl_object(const PddlTask *t, Span name)
{
    int from = 0, to = t->objects_n;
    while (from < to) {
        int mid = (from + to) / 2;
        const char *other = t->objects[mid].name;
        int order = strncmp(name.at, other, name.n);
        if (!order && !other[name.n])
            return mid;
        if (order <= 0)
            to = mid;
        else
            from = mid + 1;
    }
    return -1;
}

static Status read_types(PddlReader *r, const Sexpr *list)
{
    int parent[PDDL_TYPES_MAX];
    const Sexpr *type, *first = list ? list->first->next : NULL;
    r->t->types = pddl_zeroed(r->arena, PDDL_TYPES_MAX, sizeof *r->t->types);
    r->object_is_all = true;
    if (list && pddl_count(list->first) > 4 * PDDL_TYPES_MAX)
        return pddl_wrong(r, list, ST_LIMIT, "more than %d types", PDDL_TYPES_MAX);
    for (int pass = 0; pass < 2; pass++) /* types may be named as a parent before they are declared */
        for (const Sexpr *s = first; s; s = pddl_typed_next(s)) {
            TRY(pddl_typed_of(r, s, &type));
            const Sexpr *named = pass ? type : s;
            if (!named || pddl_type(r->t, span(named->word)) >= 0)
                continue;
            if (r->t->types_n == PDDL_TYPES_MAX)
                return pddl_wrong(r, s, ST_LIMIT, "more than %d types", PDDL_TYPES_MAX);
            r->object_is_all = r->object_is_all && (pass || !sexpr_is(named, "object"));
            parent[r->t->types_n] = -1;
            r->t->types[r->t->types_n++] = pddl_name(r, named->word);
        }
    for (const Sexpr *s = first; s; s = pddl_typed_next(s)) {
        TRY(pddl_typed_of(r, s, &type));
        if (type)
            parent[pddl_type(r->t, span(s->word))] = pddl_type(r->t, span(type->word));
    }
    for (int i = 0; i < r->t->types_n; i++)
        for (int up = i, steps = 0; up >= 0; up = parent[up], steps++) {
            if (steps > r->t->types_n)
                return WRONG(r, list, "type \"%.60s\" is above itself", r->t->types[i]);
            r->above[i] |= (uint64_t)1 << up;
        }
    return ST_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const PddlObject *)a)->name, ((const PddlObject *)b)->name);
}

static Status add_objects(PddlReader *r, const Sexpr *list, const char *what)
{
    const Sexpr *type = NULL;
    int left = 0; /* names for which `type` is known: a list without types is walked once */
    r->what = what;
    for (const Sexpr *s = list ? list->first->next : NULL; s; s = pddl_typed_next(s)) {
        if (!left) {
            TRY(pddl_typed_of(r, s, &type));
            for (const Sexpr *e = s; e && !sexpr_is(e, "-"); e = e->next)
                left++;
        }
        left--;
        if (r->t->objects_n == PDDL_OBJECTS_MAX)
            return pddl_wrong(r, s, ST_LIMIT, "more than %d objects", PDDL_OBJECTS_MAX);
        PddlObject *o = &r->t->objects[r->t->objects_n++];
        o->name = pddl_name(r, s->word);
        TRY(pddl_type_bits(r, type, &o->types, false));
    }
    return ST_OK;
}

/* Constants of the domain and objects of the problem; what is declared twice has both types. */
static Status read_objects(PddlReader *r, const Sexpr *domain, const Sexpr *problem)
{
    PddlTask *t = r->t;
    const Sexpr *constants = section(domain, ":constants"), *objects = section(problem, ":objects");
    int n = (constants ? pddl_count(constants->first) : 0) + (objects ? pddl_count(objects->first) : 0);
    t->objects =
        pddl_zeroed(r->arena, (size_t)(n < PDDL_OBJECTS_MAX ? n : PDDL_OBJECTS_MAX), sizeof *t->objects);
    TRY(add_objects(r, constants, "domain"));
    TRY(add_objects(r, objects, "problem"));
    qsort(t->objects, (size_t)t->objects_n, sizeof *t->objects, by_name);
    int kept = 0;
    for (int i = 0; i < t->objects_n; i++)
        if (kept && !strcmp(t->objects[kept - 1].name, t->objects[i].name))
            t->objects[kept - 1].types |= t->objects[i].types;
        else
            t->objects[kept++] = t->objects[i];
    t->objects_n = kept;
    return ST_OK;
}

static Status read_predicates(PddlReader *r, const Sexpr *list)
{
    const Sexpr *type;
    int n = list ? pddl_count(list->first) - 1 : 0;
    if (n > PDDL_PREDICATES_MAX)
        return pddl_wrong(r, list, ST_LIMIT, "more than %d predicates", PDDL_PREDICATES_MAX);
    r->t->predicates = pddl_zeroed(r->arena, (size_t)n, sizeof *r->t->predicates);
    for (const Sexpr *s = list ? list->first->next : NULL; s; s = s->next) {
        if (s->word || !s->first || !s->first->word)
            return WRONG(r, s, "a predicate is (NAME ?VARIABLE...)");
        if (pddl_predicate(r->t, span(s->first->word)) >= 0)
            return WRONG(r, s, "predicate \"%.60s\" is declared twice", s->first->word);
        PddlPredicate *p = &r->t->predicates[r->t->predicates_n++];
        p->name = pddl_name(r, s->first->word);
        for (const Sexpr *a = s->first->next; a; a = pddl_typed_next(a)) {
            TRY(pddl_typed_of(r, a, &type));
            if (p->arity++ == PDDL_ARGS_MAX)
                return pddl_wrong(r, s, ST_LIMIT, "more than %d arguments", PDDL_ARGS_MAX);
        }
    }
    return ST_OK;
}

static Status read_action(PddlReader *r, const Sexpr *s)
{
    PddlAction *a = &r->t->actions[r->t->actions_n++];
    const Sexpr *name = s->first->next, *at[3] = {NULL, NULL, NULL};
    static const char *const keys[] = {":parameters", ":precondition", ":effect"};
    if (!name || !name->word)
        return WRONG(r, s, "an action without a name");
    a->name = pddl_name(r, name->word);
    for (int i = 0; i + 1 < r->t->actions_n; i++)
        if (!strcmp(r->t->actions[i].name, a->name))
            return WRONG(r, s, "action \"%.60s\" is declared twice", a->name);
    for (const Sexpr *k = name->next; k; k = k->next->next) {
        int which = 0;
        while (which < 3 && !sexpr_is(k, keys[which]))
            which++;
        if (which == 3 || !k->next || at[which])
            return WRONG(r, k,
                         ":parameters, :precondition and :effect expected, each once and with its list");
        at[which] = k->next;
    }
    r->action = a;
    r->in_scope_n = 0;
    Sexpr nothing = {.line = s->line};
    TRY(pddl_variables_read(r, at[0] ? at[0] : &nothing, s));
    a->params_n = a->slots_n;
    TRY(pddl_formula_read(r, at[1] ? at[1] : &nothing, false, &a->condition));
    return pddl_formula_read(r, at[2] ? at[2] : &nothing, true, &a->effect);
}

static Status read_actions(PddlReader *r, const Sexpr *domain)
{
    int n = 0;
    for (const Sexpr *s = domain->first; s; s = s->next)
        n += !s->word && sexpr_is(s->first, ":action");
    if (n > PDDL_ACTIONS_MAX)
        return pddl_wrong(r, domain, ST_LIMIT, "more than %d actions", PDDL_ACTIONS_MAX);
    r->t->actions = pddl_zeroed(r->arena, (size_t)n, sizeof *r->t->actions);
    for (const Sexpr *s = domain->first; s; s = s->next) {
        if (!s->word && sexpr_is(s->first, ":action"))
            TRY(read_action(r, s));
        if (!s->word && (sexpr_is(s->first, ":derived") || sexpr_is(s->first, ":durative-action")))
            return pddl_wrong(r, s, ST_UNSUPPORTED, "\"%s\"", s->first->word);
    }
    return ST_OK;
}

static int by_fact(const void *a, const void *b)
{
    const PddlFact *x = a, *y = b;
    if (x->predicate != y->predicate)
        return x->predicate < y->predicate ? -1 : 1;
    for (int i = 0; i < PDDL_ARGS_MAX; i++)
        if (x->args[i] != y->args[i])
            return x->args[i] < y->args[i] ? -1 : 1;
    return 0;
}

static Status read_init(PddlReader *r, const Sexpr *list)
{
    PddlTask *t = r->t;
    PddlFormula f;
    int n = list ? pddl_count(list->first) - 1 : 0, kept = 0;
    if (n > PDDL_FACTS_MAX)
        return pddl_wrong(r, list, ST_LIMIT, "more than %d facts", PDDL_FACTS_MAX);
    t->init = pddl_zeroed(r->arena, (size_t)n, sizeof *t->init);
    for (const Sexpr *s = list ? list->first->next : NULL; s; s = s->next) {
        if (s->word || !s->first || !s->first->word)
            return WRONG(r, s, "a fact is (PREDICATE OBJECT...)");
        if (sexpr_is(s->first, "="))
            continue;
        f = (PddlFormula){.kind = PDDL_ATOM};
        TRY(pddl_atom_read(r, s, &f));
        PddlFact *fact = &t->init[t->init_n++];
        fact->predicate = f.predicate;
        memcpy(fact->args, f.args, sizeof fact->args);
    }
    qsort(t->init, (size_t)t->init_n, sizeof *t->init, by_fact);
    for (int i = 0; i < t->init_n; i++)
        if (!kept || by_fact(&t->init[kept - 1], &t->init[i]))
            t->init[kept++] = t->init[i];
    t->init_n = kept;
    return ST_OK;
}

static Status read_task(PddlReader *r, const Sexpr *d, const Sexpr *p)
{
    TRY(check_sections(r, d, "domain", domain_sections));
    r->what = "problem";
    TRY(check_sections(r, p, "problem", problem_sections));
    r->what = "domain";
    TRY(read_types(r, section(d, ":types")));
    TRY(read_objects(r, d, p));
    r->what = "domain";
    TRY(read_predicates(r, section(d, ":predicates")));
    TRY(read_actions(r, d));
    r->what = "problem";
    r->in_scope_n = 0;
    TRY(read_init(r, section(p, ":init")));
    const Sexpr *goal = section(p, ":goal");
    if (!goal || pddl_count(goal->first) != 2)
        return WRONG(r, goal ? goal : p, "(:goal FORMULA) expected");
    r->t->goal.name = "goal";
    r->action = &r->t->goal;
    r->in_scope_n = 0;
    return pddl_formula_read(r, goal->first->next, false, &r->t->goal.condition);
}

Status pddl_read(PddlTask *out, Arena *arena, Span domain, Span problem)
{
    Status st;
    PddlReader r = {.t = out, .arena = arena, .what = "domain"};
    Arena trees = {0}; /* most of their bytes say nothing that the task keeps */
    Sexpr *d, *p;
    *out = (PddlTask){0};
    TRY_TO(undo, sexpr_read(&d, &trees, domain, "domain"));
    TRY_TO(undo, sexpr_read(&p, &trees, problem, "problem"));
    TRY_TO(undo, read_task(&r, d, p));
undo:
    arena_drop(&trees);
    return st;
}
