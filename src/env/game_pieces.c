/* Reads one text of a game, and one question: the language that game_text.h describes, by recursive descent.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "env/game_read.h"

Status game_wrong(const GameReader *r, Status st, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (r->where)
        return fail(st, "grammar: line %d: %.80s: %s", r->line, r->where, text);
    return fail(st, "grammar: line %d: %s", r->line, text);
}

bool game_scan_take(GameScan *s, const char *word)
{
    Span rest = {s->text.at + s->at, s->text.n - s->at};
    if (!span_starts(rest, word))
        return false;
    s->at += strlen(word);
    return true;
}

void game_scan_skip(GameScan *s)
{
    while (s->at < s->text.n && isspace((unsigned char)s->text.at[s->at]))
        s->at++;
}

bool game_scan_at(const GameScan *s, char c)
{
    return s->at < s->text.n && s->text.at[s->at] == c;
}

Span game_scan_word(GameScan *s)
{
    size_t from = s->at;
    while (s->at < s->text.n && (isalnum((unsigned char)s->text.at[s->at]) || s->text.at[s->at] == '_'))
        s->at++;
    return (Span){s->text.at + from, s->at - from};
}

const char *game_lower(const GameReader *r, Span s)
{
    char *word = arena_strn(r->arena, s.at, s.n);
    for (char *c = word; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return word;
}

/* --- names ------------------------------------------------------------------------------------------ */

int game_variable(const GameText *g, Span name)
{
    for (int i = 0; i < g->variables_n; i++)
        if (span_is(name, g->variables[i]))
            return i;
    return -1;
}

static Status variable_of(GameReader *r, Span name, int *out)
{
    const char *word = game_lower(r, name);
    *out = game_variable(r->g, span(word));
    if (*out >= 0)
        return ST_OK;
    if (r->g->variables_n == GAME_VARIABLES_MAX)
        return game_wrong(r, ST_LIMIT, "more than %d variables", GAME_VARIABLES_MAX);
    r->g->variables[ *out = r->g->variables_n++] = word;
    return ST_OK;
}

int game_symbol(const GameText *g, Span name)
{
    for (int i = 0; i < g->symbols_n; i++)
        if (span_is(name, g->symbols[i].name))
            return i;
    return -1;
}

/* --- questions -------------------------------------------------------------------------------------- */

/* x or x:type, the n-th argument of `a`. */
static Status read_variable(GameReader *r, GameScan *s, const char *predicate, GameAtom *a, int n)
{
    Span variable = game_scan_word(s);
    if (!variable.n)
        return game_wrong(r, ST_FORMAT, "\"%.60s(\": a variable expected", predicate);
    TRY(variable_of(r, variable, &a->variables[n]));
    a->types[n] = GAME_NO_TYPE;
    game_scan_skip(s);
    if (!game_scan_take(s, ":"))
        return ST_OK;
    game_scan_skip(s);
    Span type = span(game_lower(r, game_scan_word(s)));
    a->types[n] = pddl_type(r->g->ground->task, type);
    if (a->types[n] < 0)
        return game_wrong(r, ST_FORMAT, "unknown type \"%.60s\"", type.at);
    game_scan_skip(s);
    return ST_OK;
}

static Status read_atom(GameReader *r, GameScan *s, GameAtom *a)
{
    const PddlTask *task = r->g->ground->task;
    *a = (GameAtom){0};
    game_scan_skip(s);
    Span name = span(game_lower(r, game_scan_word(s)));
    a->predicate = pddl_predicate(task, name);
    if (a->predicate < 0 && span_starts(name, "not_")) {
        a->gone = true;
        a->predicate = pddl_predicate(task, (Span){name.at + 4, name.n - 4});
    }
    if (a->predicate < 0)
        return game_wrong(r, ST_FORMAT, "unknown predicate \"%.60s\"", name.at);
    int n = 0, arity = task->predicates[a->predicate].arity;
    game_scan_skip(s);
    if (!game_scan_take(s, "("))
        return game_wrong(r, ST_FORMAT, "\"%.60s\": '(' expected", name.at);
    for (game_scan_skip(s); !game_scan_at(s, ')'); game_scan_skip(s)) {
        if (n == arity)
            return game_wrong(r, ST_FORMAT, "\"%.60s\" has %d arguments, not more", name.at, arity);
        TRY(read_variable(r, s, name.at, a, n++));
        if (!game_scan_take(s, ",") && !game_scan_at(s, ')'))
            return game_wrong(r, ST_FORMAT, "\"%.60s(\" is not closed", name.at);
    }
    if (n != arity)
        return game_wrong(r, ST_FORMAT, "\"%.60s\" has %d arguments, not %d", name.at, arity, n);
    s->at++; /* the ')' */
    return ST_OK;
}

/* pred(x:type) & pred(y) & ... */
static Status read_query(GameReader *r, GameScan *s, GameQuery *q)
{
    GameAtom atoms[GAME_QUERY_MAX];
    do {
        if (q->n == GAME_QUERY_MAX)
            return game_wrong(r, ST_LIMIT, "a question of more than %d facts", GAME_QUERY_MAX);
        TRY(read_atom(r, s, &atoms[q->n++]));
        game_scan_skip(s);
    } while (game_scan_take(s, "&"));
    size_t bytes = (size_t)q->n * sizeof *atoms;
    q->atoms = memcpy(arena_alloc(r->arena, bytes), atoms, bytes);
    return ST_OK;
}

Status game_query_read(GameReader *r, Span text, GameQuery *out)
{
    GameScan s = {text, 0};
    *out = (GameQuery){0};
    TRY(read_query(r, &s, out));
    return s.at == text.n ? ST_OK : game_wrong(r, ST_FORMAT, "a condition is facts joined by '&'");
}

/* --- texts ------------------------------------------------------------------------------------------ */

static GamePiece *piece_new(const GameReader *r, PieceKind kind)
{
    GamePiece *p = arena_alloc(r->arena, sizeof *p);
    *p = (GamePiece){.kind = kind};
    return p;
}

/* Where the piece behind `p` belongs. */
static const GamePiece **next_of(const GamePiece *p)
{
    return &((GamePiece *)p)->next;
}

static const GamePiece *read_words(const GameReader *r, GameScan *s)
{
    GamePiece *p = piece_new(r, PIECE_WORDS);
    size_t from = s->at;
    while (s->at < s->text.n && !strchr("#{[", s->text.at[s->at] ? s->text.at[s->at] : ' '))
        s->at++;
    p->words = (Span){arena_strn(r->arena, s->text.at + from, s->at - from), s->at - from};
    return p;
}

static Status read_symbol(const GameReader *r, GameScan *s, const GamePiece **out)
{
    const char *end = memchr(s->text.at + s->at + 1, '#', s->text.n - s->at - 1);
    if (!end)
        return game_wrong(r, ST_FORMAT, "'#' without its second");
    Span name = {s->text.at + s->at + 1, (size_t)(end - s->text.at) - s->at - 1};
    GamePiece *p = piece_new(r, PIECE_SYMBOL);
    p->symbol = game_symbol(r->g, name);
    if (p->symbol < 0)
        return game_wrong(r, ST_FORMAT, "unknown symbol #%.*s#", (int)(name.n < 60 ? name.n : 60), name.at);
    s->at += name.n + 2;
    *out = p;
    return ST_OK;
}

static Status read_reference(GameReader *r, GameScan *s, const GamePiece **out)
{
    static const struct {
        const char *word;
        PieceKind kind;
    } attributes[] = {
        {"name", PIECE_NAME}, {"id", PIECE_ID}, {"type", PIECE_TYPE}, {"indefinite", PIECE_INDEFINITE}};
    GamePiece *p = piece_new(r, PIECE_NAME);
    Span name = game_scan_word(s);
    if (!name.n)
        return game_wrong(r, ST_FORMAT, "in {...}, a variable, a quoted text or a symbol expected");
    TRY(variable_of(r, name, &p->variable));
    *out = p;
    if (!game_scan_take(s, "."))
        return ST_OK;
    Span attribute = game_scan_word(s);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (span_is(attribute, attributes[i].word)) {
            p->kind = attributes[i].kind;
            return ST_OK;
        }
    return game_wrong(r, ST_FORMAT, "unknown attribute \".%.*s\"", (int)(attribute.n < 60 ? attribute.n : 60),
                      attribute.at);
}

static Status read_primary(GameReader *r, GameScan *s, const GamePiece **out)
{
    game_scan_skip(s);
    if (game_scan_at(s, '#'))
        return read_symbol(r, s, out);
    if (!game_scan_at(s, '\'') && !game_scan_at(s, '"'))
        return read_reference(r, s, out);
    char quote = s->text.at[s->at++];
    const char *end = memchr(s->text.at + s->at, quote, s->text.n - s->at);
    if (!end)
        return game_wrong(r, ST_FORMAT, "a quoted text that never ends");
    GamePiece *p = piece_new(r, PIECE_WORDS);
    p->words.n = (size_t)(end - s->text.at) - s->at;
    p->words.at = arena_strn(r->arena, s->text.at + s->at, p->words.n);
    s->at += p->words.n + 1;
    *out = p;
    return ST_OK;
}

/* a or b + c: as in Python, + binds first.  Sums are chained by `next`. */
static Status read_sum(GameReader *r, GameScan *s, const GamePiece **out)
{
    TRY(read_primary(r, s, out));
    for (const GamePiece *last = *out;; last = last->next) {
        game_scan_skip(s);
        if (!game_scan_take(s, "+"))
            return ST_OK;
        TRY(read_primary(r, s, next_of(last)));
    }
}

static Status read_expression(GameReader *r, GameScan *s, const GamePiece **out, int depth)
{
    TRY(read_sum(r, s, out));
    if (!game_scan_take(s, "or "))
        return ST_OK;
    if (depth == GAME_DEPTH_MAX)
        return game_wrong(r, ST_LIMIT, "more than %d alternatives in {...}", GAME_DEPTH_MAX);
    GamePiece *p = piece_new(r, PIECE_EITHER);
    p->first = *out;
    *out = p;
    return read_expression(r, s, &p->second, depth + 1);
}

static Status read_braces(GameReader *r, GameScan *s, const GamePiece **out)
{
    s->at++;
    TRY(read_expression(r, s, out, 0));
    game_scan_skip(s);
    GamePiece *each = piece_new(r, PIECE_EACH); /* of no question: once, and its pieces are one item */
    if (game_scan_take(s, "|"))
        TRY(read_query(r, s, &each->query));
    game_scan_skip(s);
    if (!game_scan_take(s, "}"))
        return game_wrong(r, ST_FORMAT, "'{' without '}', or more in it than is understood");
    each->first = *out;
    *out = each;
    return ST_OK;
}

static Status read_list(GameReader *r, GameScan *s, const GamePiece **out)
{
    GamePiece *list = piece_new(r, PIECE_LIST);
    const GamePiece **link = &list->first;
    *out = list;
    s->at++;
    for (game_scan_skip(s); game_scan_at(s, '{'); game_scan_skip(s)) {
        TRY(read_braces(r, s, link));
        link = next_of(*link);
    }
    if (!list->first || !game_scan_take(s, "]"))
        return game_wrong(r, ST_FORMAT, "[...] holds one {...} or more, and nothing else");
    if (r->g->empty < 0 || r->g->separator < 0 || r->g->last_separator < 0)
        return game_wrong(r, ST_FORMAT,
                          "[...] needs the symbols list_empty, list_separator, list_last_separator");
    return ST_OK;
}

Status game_pieces_read(GameReader *r, Span text, const GamePiece **out)
{
    GameScan s = {text, 0};
    const GamePiece **link = out;
    *out = NULL;
    while (s.at < text.n) {
        if (game_scan_at(&s, '#'))
            TRY(read_symbol(r, &s, link));
        else if (game_scan_at(&s, '{'))
            TRY(read_braces(r, &s, link));
        else if (game_scan_at(&s, '['))
            TRY(read_list(r, &s, link));
        else
            *link = read_words(r, &s);
        link = next_of(*link);
    }
    return ST_OK;
}
