/* Speaks a game's texts: the second half of game_text.h. */
#include <string.h>

#include "base/array.h"
#include "env/game_text.h"
#include "env/game_tree.h"

/* Facts to look at and pieces to speak, in one text; a command's words, of which a game has very many, ask
 * for less. */
enum { UNBOUND = -1, WORK_MAX = 5000000, COMMAND_WORK_MAX = 20000 };

typedef struct {
    const GameText *g;
    const GameWorld *world;
    int bound[GAME_VARIABLES_MAX];
    const int *args; /* of the action: no other variable stands for one of them */
    int args_n;
    int64_t work_left;
    int bytes, bytes_max; /* spoken, and at most */
} Speaker;

static Status spend(Speaker *s)
{
    return s->work_left-- > 0 ? ST_OK : fail(ST_LIMIT, "grammar: a text that looks at too much");
}

static bool bit_of(const uint64_t *bits, int32_t bit)
{
    return bits[bit >> 6] >> (bit & 63) & 1;
}

/* Whether a free variable may stand for the object: different variables stand for different ones. */
static bool is_unused(const Speaker *s, int object)
{
    for (int v = 0; v < s->g->variables_n; v++)
        if (s->bound[v] == object)
            return false;
    for (int i = 0; i < s->args_n; i++)
        if (s->args[i] == object)
            return false;
    return true;
}

/* Whether objects may stand for the atom's variables; binds those that are free and tells which in *freed. */
static bool bind(Speaker *s, const GameAtom *a, const int *args, int arity, unsigned *freed)
{
    const PddlTask *t = s->g->ground->task;
    *freed = 0;
    for (int i = 0; i < arity; i++) {
        int *to = &s->bound[a->variables[i]];
        if (*to == args[i])
            continue;
        bool fits = a->types[i] == GAME_NO_TYPE || t->objects[args[i]].types >> a->types[i] & 1;
        if (*to != UNBOUND || !fits || !is_unused(s, args[i]))
            return false;
        *to = args[i];
        *freed |= 1u << i;
    }
    return true;
}

static void unbind(Speaker *s, const GameAtom *a, unsigned freed)
{
    for (int i = 0; i < PDDL_ARGS_MAX; i++)
        if (freed >> i & 1)
            s->bound[a->variables[i]] = UNBOUND;
}

/* The facts whose first argument is bound, or all. */
static void range_of(const Speaker *s, const GameAtom *a, const GroundFacts *f, int arity, int *from, int *to)
{
    *from = 0;
    *to = f->n;
    int first = arity ? s->bound[a->variables[0]] : UNBOUND;
    if (first == UNBOUND)
        return;
    for (int high = f->n; *from < high;) {
        int mid = (*from + high) / 2;
        if (f->args[mid * arity] < first)
            *from = mid + 1;
        else
            high = mid;
    }
    for (*to = *from; *to < f->n && f->args[*to * arity] == first;)
        ++*to;
}

typedef Status (*OnMatch)(Speaker *s, void *context, bool *enough);

/* Calls `on` with the variables bound, for each match, until it has enough. */
static Status matches(Speaker *s, const GameQuery *q, int at, OnMatch on, void *context, bool *enough)
{
    if (at == q->n)
        return on(s, context, enough);
    const GameAtom *a = &q->atoms[at];
    const GroundFacts *f = &s->g->ground->facts[a->predicate];
    const uint64_t *bits = a->gone ? s->world->gone : s->world->state;
    int arity = s->g->ground->task->predicates[a->predicate].arity, from, to;
    if (f->bits && !s->world->state)
        return fail(ST_FORMAT, "a command's words ask \"%s\", which actions change",
                    s->g->ground->task->predicates[a->predicate].name);
    if (a->gone && !f->bits)
        return ST_OK;
    range_of(s, a, f, arity, &from, &to);
    for (int i = from; i < to && !*enough; i++) {
        unsigned freed;
        TRY(spend(s));
        if (f->bits && !bit_of(bits, f->bits[i]))
            continue;
        if (bind(s, a, f->args + (size_t)i * (size_t)arity, arity, &freed))
            TRY(matches(s, q, at + 1, on, context, enough));
        unbind(s, a, freed);
    }
    return ST_OK;
}

static Status on_any(Speaker *s, void *context, bool *enough)
{
    (void)s;
    *(bool *)context = *enough = true;
    return ST_OK;
}

static Status speak(Speaker *s, Str *out, const GamePiece *p);

static Status speak_symbol(Speaker *s, Str *out, int symbol)
{
    const GameSymbol *y = &s->g->symbols[symbol];
    for (int i = 0; i < y->rules_n; i++) {
        bool found = !y->rules[i].conditional, enough = false;
        int saved[GAME_VARIABLES_MAX];
        TRY(spend(s));
        memcpy(saved, s->bound, sizeof saved);
        if (!found)
            TRY(matches(s, &y->rules[i].condition, 0, on_any, &found, &enough));
        memcpy(s->bound, saved, sizeof saved);
        if (found)
            return speak(s, out, y->rules[i].text);
    }
    return fail(ST_FORMAT, "grammar: line %d: no rule of \"%.80s\" has a match", y->line, y->name);
}

static Status speak_reference(Speaker *s, Str *out, const GamePiece *p)
{
    const PddlTask *t = s->g->ground->task;
    int object = s->bound[p->variable];
    if (object == UNBOUND)
        return fail(ST_FORMAT, "grammar: nothing binds the variable \"%.60s\"", s->g->variables[p->variable]);
    if (p->kind == PIECE_ID)
        str_adds(out, t->objects[object].name);
    else if (p->kind == PIECE_INDEFINITE)
        str_adds(out, "a"); /* TextWorld's entities of PDDL games have no other article */
    else if (p->kind == PIECE_NAME && s->world->names[object])
        str_adds(out, s->world->names[object]);
    for (int i = 0; p->kind == PIECE_TYPE && i < t->types_n; i++)
        if (t->objects[object].types >> i & 1) {
            str_adds(out, t->types[i]);
            break;
        }
    return ST_OK;
}

typedef struct {
    const GamePiece *body;
    Str *out;
    Array(size_t) ends; /* of a list: those of its items in *out */
} Each;

static Status on_match(Speaker *s, void *context, bool *enough)
{
    const Each *e = context;
    (void)enough;
    return speak(s, e->out, e->body);
}

static Status on_item(Speaker *s, void *context, bool *enough)
{
    Each *e = context;
    TRY(on_match(s, e, enough));
    array_push(&e->ends, e->out->n);
    return ST_OK;
}

static Status speak_each(Speaker *s, Str *out, const GamePiece *p)
{
    bool enough = false;
    Each e = {.body = p->first, .out = out};
    return matches(s, &p->query, 0, on_match, &e, &enough);
}

static Status join(Speaker *s, Str *out, const Each *e)
{
    if (!e->ends.n)
        return speak_symbol(s, out, s->g->empty);
    for (size_t i = 0, from = 0; i < e->ends.n; from = e->ends.at[i++]) {
        if (i)
            TRY(speak_symbol(s, out, i + 1 < e->ends.n ? s->g->separator : s->g->last_separator));
        str_add(out, str_c(e->out) + from, e->ends.at[i] - from);
    }
    return ST_OK;
}

/* All items first: what stands between them knows nothing of what they bind. */
static Status speak_list(Speaker *s, Str *out, const GamePiece *p)
{
    Str items = {0};
    Each e = {.out = &items};
    Status st;
    bool enough = false;
    for (const GamePiece *item = p->first; item; item = item->next) {
        e.body = item->first;
        TRY_TO(undo, matches(s, &item->query, 0, on_item, &e, &enough));
    }
    TRY_TO(undo, join(s, out, &e));
undo:
    array_drop(&e.ends);
    str_drop(&items);
    return st;
}

static Status speak_piece(Speaker *s, Str *out, const GamePiece *p)
{
    size_t before = out->n;
    switch (p->kind) {
    case PIECE_WORDS: str_add(out, p->words.at, p->words.n); break;
    case PIECE_SYMBOL: return speak_symbol(s, out, p->symbol);
    case PIECE_EITHER:
        TRY(speak(s, out, p->first));
        return out->n > before ? ST_OK : speak(s, out, p->second);
    case PIECE_EACH: return speak_each(s, out, p);
    case PIECE_LIST: return speak_list(s, out, p);
    default: TRY(speak_reference(s, out, p));
    }
    s->bytes += (int)(out->n - before);
    return s->bytes <= s->bytes_max ? ST_OK
                                    : fail(ST_LIMIT, "grammar: a text of more than %d bytes", s->bytes_max);
}

static Status speak(Speaker *s, Str *out, const GamePiece *p)
{
    for (; p; p = p->next) {
        TRY(speak_piece(s, out, p));
        TRY(spend(s));
    }
    return ST_OK;
}

const GamePiece *game_text_symbol(const GameText *g, const char *name)
{
    for (int i = 0; i < g->symbols_n; i++)
        if (!strcmp(g->symbols[i].name, name))
            return g->symbols[i].rules[0].text;
    return NULL;
}

Status game_text_expand(Str *out, const GameText *g, const GamePiece *text, const GameWorld *world,
                        const PddlAction *action, const int *args)
{
    bool command = !world->state;
    Speaker s = {.g = g,
                 .world = world,
                 .args = args,
                 .args_n = action ? action->params_n : 0,
                 .work_left = command ? COMMAND_WORK_MAX : WORK_MAX,
                 .bytes_max = command ? GAME_COMMAND_MAX : GAME_TEXT_MAX};
    for (int v = 0; v < GAME_VARIABLES_MAX; v++)
        s.bound[v] = UNBOUND;
    for (int i = 0; action && i < action->params_n; i++) {
        int v = g->variable_of[action - g->ground->task->actions][i];
        if (v >= 0)
            s.bound[v] = args[i];
    }
    return speak(&s, out, text);
}
