/* Typed lists, variables and formulas of PDDL; a formula's names become numbers as it is read. */
#include <stdio.h>
#include <string.h>

#include "env/pddl_inside.h"

Status pddl_wrong(const PddlReader *r, const Sexpr *s, Status st, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fail(st, "%s: line %d: %s", r->what, s ? s->line : 1, text);
}

void *pddl_zeroed(Arena *a, size_t n, size_t size)
{
    void *p = arena_alloc(a, n * size + 1);
    memset(p, 0, n * size + 1);
    return p;
}

const char *pddl_name(const PddlReader *r, const char *word)
{
    return arena_strn(r->arena, word, strlen(word));
}

int pddl_count(const Sexpr *s)
{
    int n = 0;
    for (; s; s = s->next)
        n++;
    return n;
}

Status pddl_typed_of(const PddlReader *r, const Sexpr *s, const Sexpr **type)
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
        return pddl_wrong(r, s, ST_UNSUPPORTED, "(either ...) as a type");
    *type = s->next;
    return ST_OK;
}

const Sexpr *pddl_typed_next(const Sexpr *s)
{
    s = s->next;
    return sexpr_is(s, "-") ? s->next->next : s;
}

Status pddl_type_bits(const PddlReader *r, const Sexpr *type, uint64_t *bits, bool of_variable)
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

Status pddl_variables_read(PddlReader *r, const Sexpr *list, const Sexpr *around)
{
    const Sexpr *type;
    PddlAction *a = r->action;
    if (!list || list->word)
        return WRONG(r, list ? list : around, "a list of variables expected");
    for (const Sexpr *s = list->first; s; s = pddl_typed_next(s)) {
        TRY(pddl_typed_of(r, s, &type));
        if (s->word[0] != '?' || !s->word[1])
            return WRONG(r, s, "a variable expected, not \"%.60s\"", s->word);
        if (a->slots_n == PDDL_SLOTS_MAX)
            return pddl_wrong(r, s, ST_LIMIT, "more than %d variables", PDDL_SLOTS_MAX);
        a->names[a->slots_n] = pddl_name(r, s->word + 1);
        TRY(pddl_type_bits(r, type, &a->types[a->slots_n], true));
        r->in_scope[r->in_scope_n++] = a->slots_n++;
    }
    return ST_OK;
}

static Status read_argument(const PddlReader *r, const Sexpr *s, int *out)
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

static Status read_arguments(const PddlReader *r, const Sexpr *s, int arity, int *args)
{
    int n = pddl_count(s->first) - 1, i = 0;
    if (n != arity)
        return WRONG(r, s, "\"%.60s\" has %d arguments, not %d", s->first->word, arity, n);
    for (const Sexpr *a = s->first->next; a; a = a->next)
        TRY(read_argument(r, a, &args[i++]));
    return ST_OK;
}

Status pddl_atom_read(const PddlReader *r, const Sexpr *s, PddlFormula *f)
{
    bool equal = sexpr_is(s->first, "=");
    f->kind = equal ? PDDL_EQUAL : PDDL_ATOM;
    f->predicate = equal ? -1 : pddl_predicate(r->t, span(s->first->word));
    if (!equal && f->predicate < 0)
        return WRONG(r, s, "unknown predicate \"%.60s\"", s->first->word);
    f->args_n = equal ? 2 : r->t->predicates[f->predicate].arity;
    TRY(read_arguments(r, s, f->args_n, f->args));
    for (int i = 0; i < f->args_n; i++)
        f->mentions |= f->args[i] < 0 ? (uint32_t)1 << ~f->args[i] : 0;
    return ST_OK;
}

static Status read_parts(PddlReader *r, const Sexpr *s, const Sexpr *first, bool effect, PddlFormula *f)
{
    f->parts = pddl_zeroed(r->arena, (size_t)pddl_count(first), sizeof(PddlFormula *));
    for (; first; first = first->next) {
        bool condition = !effect || (f->kind == PDDL_WHEN && f->parts_n == 0);
        TRY(pddl_formula_read(r, first, !condition, &f->parts[f->parts_n]));
        f->mentions |= f->parts[f->parts_n++]->mentions;
    }
    int wanted = f->kind == PDDL_NOT || f->kind == PDDL_EXISTS || f->kind == PDDL_FORALL ? 1
                 : f->kind == PDDL_WHEN                                                  ? 2
                                                                                         : f->parts_n;
    if (f->parts_n != wanted)
        return WRONG(r, s, "\"%s\" takes %d formula(s), not %d", s->first->word, wanted, f->parts_n);
    return ST_OK;
}

static Status read_imply(PddlReader *r, const Sexpr *s, PddlFormula *f)
{
    PddlFormula *no = pddl_zeroed(r->arena, 1, sizeof *no);
    if (pddl_count(s->first) != 3)
        return WRONG(r, s, "\"imply\" takes two formulas");
    f->kind = PDDL_OR;
    TRY(read_parts(r, s, s->first->next, false, f));
    *no = (PddlFormula){.kind = PDDL_NOT,
                        .mentions = f->parts[0]->mentions,
                        .parts = pddl_zeroed(r->arena, 1, sizeof(PddlFormula *)),
                        .parts_n = 1};
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

Status pddl_formula_read(PddlReader *r, const Sexpr *s, bool effect, PddlFormula **out)
{
    PddlFormula *f = *out = pddl_zeroed(r->arena, 1, sizeof *f);
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
        TRY(pddl_atom_read(r, s, f));
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
        TRY(pddl_variables_read(r, first, s));
        f->slots_n = r->action->slots_n - f->slot;
        first = first->next;
    }
    TRY(read_parts(r, s, first, effect, f));
    r->in_scope_n = scope;
    if (effect && f->kind == PDDL_NOT && f->parts[0]->kind != PDDL_ATOM)
        return WRONG(r, s, "in an effect, \"not\" takes a predicate");
    return ST_OK;
}
