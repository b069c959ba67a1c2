#include "env/pddl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "env/sexpr.h"

typedef struct {
    PddlTask *t;
    Arena *arena;
    const char *what;               /* "domain" or "problem" */
    uint64_t above[PDDL_TYPES_MAX]; /* of each type: itself and what it is a kind of */
    bool object_is_all;             /* :types does not name it */
    PddlAction *action;             /* whose formula is being read */
    int in_scope[PDDL_SLOTS_MAX], in_scope_n;
} Reader;

#define WRONG(r, s, ...) wrong(r, s, ST_FORMAT, __VA_ARGS__)

static Status PRINTF_LIKE(4, 5) wrong(const Reader *r, const Sexpr *s, Status st, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fail(st, "%s: line %d: %s", r->what, s ? s->line : 1, text);
}

static void *zeroed(Arena *a, size_t n, size_t size)
{
    void *p = arena_alloc(a, n * size + 1);
    memset(p, 0, n * size + 1);
    return p;
}

static int count(const Sexpr *s)
{
    int n = 0;
    for (; s; s = s->next)
        n++;
    return n;
}

/* The section of (define ... (KEY ...) ...), NULL where there is none. */
static Sexpr *section(const Sexpr *define, const char *key)
{
    for (Sexpr *s = define->first; s; s = s->next)
        if (!s->word && sexpr_is(s->first, key))
            return s;
    return NULL;
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
        size_t n = strlen(other);
        int order = memcmp(name.at, other, name.n < n ? name.n : n);
        if (!order && name.n == n)
            return mid;
        if (order < 0 || (!order && name.n < n))
            to = mid;
        else
            from = mid + 1;
    }
    return -1;
}

/* "a b - c d": of the name at *s the type that follows, NULL where none does.  Typed lists are walked with
 * `typed_next`, which steps over "- c". */
static Status typed_of(const Reader *r, const Sexpr *s, const Sexpr **type)
{
    const Sexpr *name = s;
    *type = NULL;
    for (; s && !sexpr_is(s, "-"); s = s->next)
        if (!s->word)
            return WRONG(r, s, "a name expected, not a list");
    if (!s)
        return ST_OK;
    if (s == name || !s->next)
        return WRONG(r, s, "\"-\" stands between names and their type");
    if (!s->next->word)
        return wrong(r, s, ST_UNSUPPORTED, "(either ...) as a type");
    *type = s->next;
    return ST_OK;
}

static const Sexpr *typed_next(const Sexpr *s)
{
    s = s->next;
    return sexpr_is(s, "-") ? s->next->next : s;
}

static Status type_bits(const Reader *r, const Sexpr *type, uint64_t *bits, bool of_variable)
{
    int i = type ? pddl_type(r->t, span(type->word)) : pddl_type(r->t, span("object"));
    bool all = r->object_is_all && (!type || sexpr_is(type, "object"));
    if (i < 0 && type && !all)
        return WRONG(r, type, "unknown type \"%.60s\"", type->word);
    if (of_variable)
        *bits = !type || all || i < 0 ? ~(uint64_t)0 : (uint64_t)1 << i;
    else
        *bits = i < 0 ? (uint64_t)1 << 63 : r->above[i] | (uint64_t)1 << 63;
    return ST_OK;
}

static Status read_types(Reader *r, const Sexpr *list)
{
    int parent[PDDL_TYPES_MAX];
    const Sexpr *type, *first = list ? list->first->next : NULL;
    r->t->types = zeroed(r->arena, PDDL_TYPES_MAX, sizeof *r->t->types);
    r->object_is_all = true;
    if (list && count(list->first) > 4 * PDDL_TYPES_MAX)
        return wrong(r, list, ST_LIMIT, "more than %d types", PDDL_TYPES_MAX);
    for (int pass = 0; pass < 2; pass++) /* types may be named as a parent before they are declared */
        for (const Sexpr *s = first; s; s = typed_next(s)) {
            TRY(typed_of(r, s, &type));
            const Sexpr *named = pass ? type : s;
            if (!named || pddl_type(r->t, span(named->word)) >= 0)
                continue;
            if (r->t->types_n == PDDL_TYPES_MAX)
                return wrong(r, s, ST_LIMIT, "more than %d types", PDDL_TYPES_MAX);
            r->object_is_all = r->object_is_all && (pass || !sexpr_is(named, "object"));
            parent[r->t->types_n] = -1;
            r->t->types[r->t->types_n++] = named->word;
        }
    for (const Sexpr *s = first; s; s = typed_next(s)) {
        TRY(typed_of(r, s, &type));
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

static Status add_objects(Reader *r, const Sexpr *list, const char *what)
{
    const Sexpr *type = NULL;
    int left = 0; /* names for which `type` is known: a list without types is walked once */
    r->what = what;
    for (const Sexpr *s = list ? list->first->next : NULL; s; s = typed_next(s)) {
        if (!left) {
            TRY(typed_of(r, s, &type));
            for (const Sexpr *e = s; e && !sexpr_is(e, "-"); e = e->next)
                left++;
        }
        left--;
        if (r->t->objects_n == PDDL_OBJECTS_MAX)
            return wrong(r, s, ST_LIMIT, "more than %d objects", PDDL_OBJECTS_MAX);
        PddlObject *o = &r->t->objects[r->t->objects_n++];
        o->name = s->word;
        TRY(type_bits(r, type, &o->types, false));
    }
    return ST_OK;
}

/* Constants of the domain and objects of the problem; what is declared twice has both types. */
static Status read_objects(Reader *r, const Sexpr *domain, const Sexpr *problem)
{
    PddlTask *t = r->t;
    const Sexpr *constants = section(domain, ":constants"), *objects = section(problem, ":objects");
    int n = (constants ? count(constants->first) : 0) + (objects ? count(objects->first) : 0);
    t->objects = zeroed(r->arena, (size_t)(n < PDDL_OBJECTS_MAX ? n : PDDL_OBJECTS_MAX), sizeof *t->objects);
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

static Status read_predicates(Reader *r, const Sexpr *list)
{
    const Sexpr *type;
    int n = list ? count(list->first) - 1 : 0;
    if (n > PDDL_PREDICATES_MAX)
        return wrong(r, list, ST_LIMIT, "more than %d predicates", PDDL_PREDICATES_MAX);
    r->t->predicates = zeroed(r->arena, (size_t)n, sizeof *r->t->predicates);
    for (const Sexpr *s = list ? list->first->next : NULL; s; s = s->next) {
        if (s->word || !s->first || !s->first->word)
            return WRONG(r, s, "a predicate is (NAME ?VARIABLE...)");
        if (pddl_predicate(r->t, span(s->first->word)) >= 0)
            return WRONG(r, s, "predicate \"%.60s\" is declared twice", s->first->word);
        PddlPredicate *p = &r->t->predicates[r->t->predicates_n++];
        p->name = s->first->word;
        for (const Sexpr *a = s->first->next; a; a = typed_next(a)) {
            TRY(typed_of(r, a, &type));
            if (p->arity++ == PDDL_ARGS_MAX)
                return wrong(r, s, ST_LIMIT, "more than %d arguments", PDDL_ARGS_MAX);
        }
    }
    return ST_OK;
}

/* Variables of parameters, exists and forall become slots. */
static Status read_variables(Reader *r, const Sexpr *list)
{
    const Sexpr *type;
    PddlAction *a = r->action;
    if (!list || list->word)
        return WRONG(r, list, "a list of variables expected");
    for (const Sexpr *s = list->first; s; s = typed_next(s)) {
        TRY(typed_of(r, s, &type));
        if (s->word[0] != '?' || !s->word[1])
            return WRONG(r, s, "a variable expected, not \"%.60s\"", s->word);
        if (a->slots_n == PDDL_SLOTS_MAX)
            return wrong(r, s, ST_LIMIT, "more than %d variables", PDDL_SLOTS_MAX);
        a->names[a->slots_n] = s->word + 1;
        TRY(type_bits(r, type, &a->types[a->slots_n], true));
        r->in_scope[r->in_scope_n++] = a->slots_n++;
    }
    return ST_OK;
}

static Status read_argument(const Reader *r, const Sexpr *s, int *out)
{
    if (!s->word)
        return WRONG(r, s, "a name expected, not a list");
    if (s->word[0] == '?') {
        for (int i = r->in_scope_n; i-- > 0;)
            if (!strcmp(r->action->names[r->in_scope[i]], s->word + 1)) {
                *out = ~r->in_scope[i];
                return ST_OK;
            }
        return WRONG(r, s, "unknown variable \"%.60s\"", s->word);
    }
    *out = pddl_object(r->t, span(s->word));
    return *out >= 0 ? ST_OK : WRONG(r, s, "unknown object \"%.60s\"", s->word);
}

static Status read_arguments(const Reader *r, const Sexpr *s, int arity, int *args)
{
    int n = count(s->first) - 1, i = 0;
    if (n != arity)
        return WRONG(r, s, "\"%.60s\" has %d arguments, not %d", s->first->word, arity, n);
    for (const Sexpr *a = s->first->next; a; a = a->next)
        TRY(read_argument(r, a, &args[i++]));
    return ST_OK;
}

static Status read_atom(const Reader *r, const Sexpr *s, PddlFormula *f)
{
    bool equal = sexpr_is(s->first, "=");
    f->kind = equal ? PDDL_EQUAL : PDDL_ATOM;
    f->predicate = equal ? -1 : pddl_predicate(r->t, span(s->first->word));
    if (!equal && f->predicate < 0)
        return WRONG(r, s, "unknown predicate \"%.60s\"", s->first->word);
    f->args_n = equal ? 2 : r->t->predicates[f->predicate].arity;
    return read_arguments(r, s, f->args_n, f->args);
}

static Status read_formula(Reader *r, const Sexpr *s, bool effect, PddlFormula **out);

static Status read_parts(Reader *r, const Sexpr *s, const Sexpr *first, bool effect, PddlFormula *f)
{
    f->parts = zeroed(r->arena, (size_t)count(first), sizeof(PddlFormula *));
    for (; first; first = first->next) {
        bool condition = !effect || (f->kind == PDDL_WHEN && f->parts_n == 0);
        TRY(read_formula(r, first, !condition, &f->parts[f->parts_n++]));
    }
    int wanted = f->kind == PDDL_NOT || f->kind == PDDL_EXISTS || f->kind == PDDL_FORALL ? 1
                 : f->kind == PDDL_WHEN                                                  ? 2
                                                                                         : f->parts_n;
    if (f->parts_n != wanted)
        return WRONG(r, s, "\"%s\" takes %d formula(s), not %d", s->first->word, wanted, f->parts_n);
    return ST_OK;
}

static Status read_imply(Reader *r, const Sexpr *s, PddlFormula *f)
{
    PddlFormula *no = zeroed(r->arena, 1, sizeof *no);
    if (count(s->first) != 3)
        return WRONG(r, s, "\"imply\" takes two formulas");
    f->kind = PDDL_OR;
    TRY(read_parts(r, s, s->first->next, false, f));
    *no = (PddlFormula){.kind = PDDL_NOT, .parts = zeroed(r->arena, 1, sizeof(PddlFormula *)), .parts_n = 1};
    no->parts[0] = f->parts[0];
    f->parts[0] = no;
    return ST_OK;
}

/* Which kinds conditions and effects may have. */
static bool kind_of(const Sexpr *head, bool effect, PddlKind *kind)
{
    static const struct {
        const char *word;
        PddlKind kind;
        bool in_effect, in_condition;
    } kinds[] = {{"and", PDDL_AND, true, true},       {"or", PDDL_OR, false, true},
                 {"not", PDDL_NOT, true, true},       {"exists", PDDL_EXISTS, false, true},
                 {"forall", PDDL_FORALL, true, true}, {"when", PDDL_WHEN, true, false}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (sexpr_is(head, kinds[i].word) && (effect ? kinds[i].in_effect : kinds[i].in_condition)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

static Status read_formula(Reader *r, const Sexpr *s, bool effect, PddlFormula **out)
{
    PddlFormula *f = *out = zeroed(r->arena, 1, sizeof *f);
    if (s->word)
        return WRONG(r, s, "a formula in parentheses expected, not \"%.60s\"", s->word);
    if (!s->first) {
        f->kind = PDDL_AND;
        return ST_OK;
    }
    if (!s->first->word)
        return WRONG(r, s, "a formula begins with a word");
    if (effect && sexpr_is(s->first, "increase")) {
        f->kind = PDDL_AND;
        return ST_OK;
    }
    if (!effect && sexpr_is(s->first, "imply"))
        return read_imply(r, s, f);
    if (!kind_of(s->first, effect, &f->kind)) {
        TRY(read_atom(r, s, f));
        if (effect && f->kind == PDDL_EQUAL)
            return WRONG(r, s, "an effect cannot make things equal");
        if (effect)
            r->t->predicates[f->predicate].fluent = true;
        return ST_OK;
    }
    const Sexpr *first = s->first->next;
    int scope = r->in_scope_n;
    if (f->kind == PDDL_EXISTS || f->kind == PDDL_FORALL) {
        f->slot = r->action->slots_n;
        TRY(read_variables(r, first));
        f->slots_n = r->action->slots_n - f->slot;
        first = first->next;
    }
    TRY(read_parts(r, s, first, effect, f));
    r->in_scope_n = scope;
    if (effect && f->kind == PDDL_NOT && f->parts[0]->kind != PDDL_ATOM)
        return WRONG(r, s, "in an effect, \"not\" takes a predicate");
    return ST_OK;
}

static Status read_action(Reader *r, const Sexpr *s)
{
    PddlAction *a = &r->t->actions[r->t->actions_n++];
    const Sexpr *name = s->first->next, *at[3] = {NULL, NULL, NULL};
    static const char *const keys[] = {":parameters", ":precondition", ":effect"};
    if (!name || !name->word)
        return WRONG(r, s, "an action without a name");
    a->name = name->word;
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
    TRY(read_variables(r, at[0] ? at[0] : &nothing));
    a->params_n = a->slots_n;
    TRY(read_formula(r, at[1] ? at[1] : &nothing, false, &a->condition));
    return read_formula(r, at[2] ? at[2] : &nothing, true, &a->effect);
}

static Status read_actions(Reader *r, const Sexpr *domain)
{
    int n = 0;
    for (const Sexpr *s = domain->first; s; s = s->next)
        n += !s->word && sexpr_is(s->first, ":action");
    r->t->actions = zeroed(r->arena, (size_t)n, sizeof *r->t->actions);
    for (const Sexpr *s = domain->first; s; s = s->next) {
        if (!s->word && sexpr_is(s->first, ":action"))
            TRY(read_action(r, s));
        if (!s->word && (sexpr_is(s->first, ":derived") || sexpr_is(s->first, ":durative-action")))
            return wrong(r, s, ST_UNSUPPORTED, "\"%s\"", s->first->word);
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

static Status read_init(Reader *r, const Sexpr *list)
{
    PddlTask *t = r->t;
    PddlFormula f;
    int n = list ? count(list->first) - 1 : 0, kept = 0;
    if (n > PDDL_FACTS_MAX)
        return wrong(r, list, ST_LIMIT, "more than %d facts", PDDL_FACTS_MAX);
    t->init = zeroed(r->arena, (size_t)n, sizeof *t->init);
    for (const Sexpr *s = list ? list->first->next : NULL; s; s = s->next) {
        if (s->word || !s->first || !s->first->word)
            return WRONG(r, s, "a fact is (PREDICATE OBJECT...)");
        if (sexpr_is(s->first, "="))
            continue;
        f = (PddlFormula){.kind = PDDL_ATOM};
        TRY(read_atom(r, s, &f));
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

Status pddl_read(PddlTask *out, Arena *arena, Span domain, Span problem)
{
    Reader r = {.t = out, .arena = arena, .what = "domain"};
    Sexpr *d, *p;
    *out = (PddlTask){0};
    TRY(sexpr_read(&d, arena, domain, "domain"));
    TRY(sexpr_read(&p, arena, problem, "problem"));
    if (!sexpr_is(d->first, "define"))
        return WRONG(&r, d, "(define (domain ...) ...) expected");
    TRY(read_types(&r, section(d, ":types")));
    TRY(read_objects(&r, d, p));
    r.what = "domain";
    TRY(read_predicates(&r, section(d, ":predicates")));
    TRY(read_actions(&r, d));
    r.what = "problem";
    if (!sexpr_is(p->first, "define"))
        return WRONG(&r, p, "(define (problem ...) ...) expected");
    r.in_scope_n = 0;
    TRY(read_init(&r, section(p, ":init")));
    const Sexpr *goal = section(p, ":goal");
    if (!goal || count(goal->first) != 2)
        return WRONG(&r, goal ? goal : p, "(:goal FORMULA) expected");
    out->goal.name = "goal";
    r.action = &out->goal;
    r.in_scope_n = 0;
    return read_formula(&r, goal->first->next, false, &out->goal.condition);
}
