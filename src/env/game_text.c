/* Reads the grammar in two passes: first the names of all symbols, then their texts, which may use symbols
 * that come later. */
#include "env/game_text.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "env/game_tree.h"

typedef struct {
    GameText *g;
    Arena *arena;
    Span text;
    size_t at;
    int line;
    int depth;         /* of the search for cycles */
    const char *where; /* the symbol or action whose text is being read */
    Array(GameSymbol) symbols;
    Array(json_t *) blocks; /* grammars, whose rules are read last */
    Array(int) block_lines;
    Array(GameAction) actions;
    struct Pending {
        Span template, feedback;
        int line;
    } * pending;
    size_t pending_n, pending_cap;
} Reader;

static Status PRINTF_LIKE(3, 4) wrong(const Reader *r, Status st, const char *fmt, ...)
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

/* --- texts --------------------------------------------------------------------------------------------- */

typedef struct {
    Span text;
    size_t at;
} Text;

static bool text_take(Text *t, const char *word)
{
    Span rest = {t->text.at + t->at, t->text.n - t->at};
    if (!span_starts(rest, word))
        return false;
    t->at += strlen(word);
    return true;
}

static void text_skip(Text *t)
{
    while (t->at < t->text.n && isspace((unsigned char)t->text.at[t->at]))
        t->at++;
}

static bool text_at(const Text *t, char c)
{
    return t->at < t->text.n && t->text.at[t->at] == c;
}

static Span text_word(Text *t)
{
    size_t from = t->at;
    while (t->at < t->text.n && (isalnum((unsigned char)t->text.at[t->at]) || t->text.at[t->at] == '_'))
        t->at++;
    return (Span){t->text.at + from, t->at - from};
}

static const char *lower(const Reader *r, Span s)
{
    char *word = arena_strn(r->arena, s.at, s.n);
    for (char *c = word; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return word;
}

int game_variable(const GameText *g, Span name)
{
    for (int i = 0; i < g->variables_n; i++)
        if (span_is(name, g->variables[i]))
            return i;
    return -1;
}

static Status variable_of(Reader *r, Span name, int *out)
{
    const char *word = lower(r, name);
    *out = game_variable(r->g, span(word));
    if (*out >= 0)
        return ST_OK;
    if (r->g->variables_n == GAME_VARIABLES_MAX)
        return wrong(r, ST_LIMIT, "more than %d variables", GAME_VARIABLES_MAX);
    r->g->variables[ *out = r->g->variables_n++] = word;
    return ST_OK;
}

static int symbol_find(const GameText *g, Span name)
{
    for (int i = 0; i < g->symbols_n; i++)
        if (span_is(name, g->symbols[i].name))
            return i;
    return -1;
}

static GamePiece *piece_new(const Reader *r, PieceKind kind)
{
    GamePiece *p = arena_alloc(r->arena, sizeof *p);
    *p = (GamePiece){.kind = kind};
    return p;
}

static Status read_symbol(const Reader *r, Text *t, const GamePiece **out)
{
    const char *end = memchr(t->text.at + t->at + 1, '#', t->text.n - t->at - 1);
    if (!end)
        return wrong(r, ST_FORMAT, "'#' without its second");
    Span name = {t->text.at + t->at + 1, (size_t)(end - t->text.at) - t->at - 1};
    GamePiece *p = piece_new(r, PIECE_SYMBOL);
    p->symbol = symbol_find(r->g, name);
    if (p->symbol < 0)
        return wrong(r, ST_FORMAT, "unknown symbol #%.*s#", (int)(name.n < 60 ? name.n : 60), name.at);
    t->at += name.n + 2;
    *out = p;
    return ST_OK;
}

static Status read_reference(Reader *r, Text *t, const GamePiece **out)
{
    static const struct {
        const char *word;
        PieceKind kind;
    } attributes[] = {
        {"name", PIECE_NAME}, {"id", PIECE_ID}, {"type", PIECE_TYPE}, {"indefinite", PIECE_INDEFINITE}};
    GamePiece *p = piece_new(r, PIECE_NAME);
    Span name = text_word(t);
    if (!name.n)
        return wrong(r, ST_FORMAT, "in {...}, a variable, a quoted text or a symbol expected");
    TRY(variable_of(r, name, &p->variable));
    *out = p;
    if (!text_take(t, "."))
        return ST_OK;
    Span attribute = text_word(t);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (span_is(attribute, attributes[i].word)) {
            p->kind = attributes[i].kind;
            return ST_OK;
        }
    return wrong(r, ST_FORMAT, "unknown attribute \".%.*s\"", (int)(attribute.n < 60 ? attribute.n : 60),
                 attribute.at);
}

static Status read_primary(Reader *r, Text *t, const GamePiece **out)
{
    text_skip(t);
    if (text_at(t, '#'))
        return read_symbol(r, t, out);
    if (!text_at(t, '\'') && !text_at(t, '"'))
        return read_reference(r, t, out);
    char quote = t->text.at[t->at++];
    const char *end = memchr(t->text.at + t->at, quote, t->text.n - t->at);
    if (!end)
        return wrong(r, ST_FORMAT, "a quoted text that never ends");
    GamePiece *p = piece_new(r, PIECE_WORDS);
    p->words.n = (size_t)(end - t->text.at) - t->at;
    p->words.at = arena_strn(r->arena, t->text.at + t->at, p->words.n);
    t->at += p->words.n + 1;
    *out = p;
    return ST_OK;
}

/* a or b + c: as in Python, + binds first.  Sums are chained by `next`. */
static Status read_sum(Reader *r, Text *t, const GamePiece **out)
{
    TRY(read_primary(r, t, out));
    for (GamePiece *last = (GamePiece *)*out;; last = (GamePiece *)last->next) {
        text_skip(t);
        if (!text_take(t, "+"))
            return ST_OK;
        TRY(read_primary(r, t, &last->next));
    }
}

static Status read_expression(Reader *r, Text *t, const GamePiece **out, int depth)
{
    TRY(read_sum(r, t, out));
    if (!text_take(t, "or "))
        return ST_OK;
    if (depth == GAME_DEPTH_MAX)
        return wrong(r, ST_LIMIT, "more than %d alternatives in {...}", GAME_DEPTH_MAX);
    GamePiece *p = piece_new(r, PIECE_EITHER);
    p->first = *out;
    *out = p;
    return read_expression(r, t, &p->second, depth + 1);
}

static Status read_atom(Reader *r, Text *t, GameAtom *a)
{
    const PddlTask *task = r->g->ground->task;
    *a = (GameAtom){0};
    text_skip(t);
    Span word = text_word(t);
    Span name = span(lower(r, word));
    a->predicate = pddl_predicate(task, name);
    if (a->predicate < 0 && span_starts(name, "not_")) {
        a->gone = true;
        a->predicate = pddl_predicate(task, (Span){name.at + 4, name.n - 4});
    }
    if (a->predicate < 0)
        return wrong(r, ST_FORMAT, "unknown predicate \"%.60s\"", name.at);
    int n = 0, arity = task->predicates[a->predicate].arity;
    text_skip(t);
    bool open = text_take(t, "(");
    for (text_skip(t); open && !text_at(t, ')'); text_skip(t)) {
        if (n == arity)
            return wrong(r, ST_FORMAT, "\"%.60s\" has %d arguments", name.at, arity);
        Span variable = text_word(t);
        if (!variable.n)
            return wrong(r, ST_FORMAT, "\"%.60s(\": a variable expected", name.at);
        TRY(variable_of(r, variable, &a->variables[n]));
        a->types[n] = GAME_NO_TYPE;
        text_skip(t);
        if (text_take(t, ":")) {
            text_skip(t);
            Span type = span(lower(r, text_word(t)));
            a->types[n] = pddl_type(task, type);
            if (a->types[n] < 0)
                return wrong(r, ST_FORMAT, "unknown type \"%.60s\"", type.at);
        }
        n++;
        text_skip(t);
        if (!text_take(t, ",") && !text_at(t, ')'))
            return wrong(r, ST_FORMAT, "\"%.60s(\" is not closed", name.at);
    }
    if (!open || !text_take(t, ")") || n != arity)
        return wrong(r, ST_FORMAT, "\"%.60s\" has %d arguments", name.at, arity);
    return ST_OK;
}

static Status read_query(Reader *r, Text *t, GameQuery *q)
{
    GameAtom atoms[GAME_QUERY_MAX];
    do {
        if (q->n == GAME_QUERY_MAX)
            return wrong(r, ST_LIMIT, "a question of more than %d facts", GAME_QUERY_MAX);
        TRY(read_atom(r, t, &atoms[q->n++]));
        text_skip(t);
    } while (text_take(t, "&"));
    q->atoms = arena_alloc(r->arena, sizeof atoms);
    memcpy(q->atoms, atoms, (size_t)q->n * sizeof *atoms);
    return ST_OK;
}

static Status read_braces(Reader *r, Text *t, const GamePiece **out)
{
    t->at++;
    TRY(read_expression(r, t, out, 0));
    text_skip(t);
    GamePiece *each =
        piece_new(r, PIECE_EACH); /* of no question: once, and the expression's pieces are one */
    if (text_take(t, "|"))
        TRY(read_query(r, t, &each->query));
    text_skip(t);
    if (!text_take(t, "}"))
        return wrong(r, ST_FORMAT, "'{' without '}', or more in it than is understood");
    each->first = *out;
    *out = each;
    return ST_OK;
}

static Status read_list(Reader *r, Text *t, const GamePiece **out)
{
    GamePiece *list = piece_new(r, PIECE_LIST);
    const GamePiece **link = &list->first;
    *out = list;
    t->at++;
    for (text_skip(t); text_at(t, '{'); text_skip(t)) {
        TRY(read_braces(r, t, link));
        link = (const GamePiece **)&((GamePiece *)*link)->next;
    }
    if (!list->first || !text_take(t, "]"))
        return wrong(r, ST_FORMAT, "[...] holds one {...} or more, and nothing else");
    if (r->g->empty < 0 || r->g->separator < 0 || r->g->last_separator < 0)
        return wrong(r, ST_FORMAT, "[...] needs the symbols list_empty, list_separator, list_last_separator");
    return ST_OK;
}

static Status read_text(Reader *r, Span text, const GamePiece **out)
{
    Text t = {text, 0};
    const GamePiece **link = out;
    *out = NULL;
    while (t.at < text.n) {
        if (text_at(&t, '#')) {
            TRY(read_symbol(r, &t, link));
        } else if (text_at(&t, '{')) {
            TRY(read_braces(r, &t, link));
        } else if (text_at(&t, '[')) {
            TRY(read_list(r, &t, link));
        } else {
            size_t from = t.at;
            while (t.at < text.n && !strchr("#{[", text.at[t.at] ? text.at[t.at] : ' '))
                t.at++;
            GamePiece *p = piece_new(r, PIECE_WORDS);
            p->words = (Span){arena_strn(r->arena, text.at + from, t.at - from), t.at - from};
            *link = p;
        }
        link = (const GamePiece **)&((GamePiece *)*link)->next;
    }
    return ST_OK;
}

/* --- the file around them ------------------------------------------------------------------------------ */

static void skip(Reader *r)
{
    for (; r->at < r->text.n && isspace((unsigned char)r->text.at[r->at]); r->at++)
        r->line += r->text.at[r->at] == '\n';
}

static bool take(Reader *r, const char *word)
{
    skip(r);
    Text t = {r->text, r->at};
    if (!text_take(&t, word))
        return false;
    r->at = t.at;
    return true;
}

/* What stands between two `quote`s; *line is that of its beginning. */
static Status take_quoted(Reader *r, const char *quote, Span *out, int *line)
{
    if (!take(r, quote))
        return wrong(r, ST_FORMAT, "%s expected", quote);
    *line = r->line;
    size_t from = r->at;
    for (; r->at < r->text.n; r->at++) {
        Text t = {r->text, r->at};
        if (text_take(&t, quote)) {
            *out = (Span){r->text.at + from, r->at - from};
            r->at = t.at;
            return take(r, ";") ? ST_OK : wrong(r, ST_FORMAT, "';' expected");
        }
        r->line += r->text.at[r->at] == '\n';
    }
    r->line = *line;
    return wrong(r, ST_FORMAT, "%s is never closed", quote);
}

/* The line of the block on which the symbol's name stands. */
static int line_of(Span block, int line, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n + 1 < block.n; i++) {
        if (block.at[i] == '"' && !memcmp(block.at + i + 1, name, n) && block.at[i + 1 + n] == '"')
            return line;
        line += block.at[i] == '\n';
    }
    return line;
}

static Status take_grammar(Reader *r)
{
    Span block;
    int line;
    json_error_t error;
    const char *name;
    json_t *rules;
    if (!take(r, "::"))
        return wrong(r, ST_FORMAT, "\"::\" expected behind \"grammar\"");
    TRY(take_quoted(r, "\"\"\"", &block, &line));
    json_t *all = json_loadb(block.at, block.n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(all)) {
        json_decref(all);
        return fail(ST_FORMAT, "grammar: line %d: %s", line + (all ? 0 : error.line - 1),
                    all ? "an object of symbols expected" : error.text);
    }
    array_push(&r->blocks, all);
    array_push(&r->block_lines, line);
    json_object_foreach(all, name, rules)
    {
        int at = line_of(block, line, name);
        if (r->symbols.n == 2000)
            return fail(ST_LIMIT, "grammar: line %d: more than 2000 symbols", at);
        for (size_t i = 0; i < r->symbols.n; i++)
            if (!strcmp(r->symbols.at[i].name, name))
                return fail(ST_FORMAT, "grammar: line %d: symbol \"%.60s\" is defined twice", at, name);
        array_push(&r->symbols, ((GameSymbol){.name = arena_strn(r->arena, name, strlen(name)), .line = at}));
    }
    return ST_OK;
}

static Status take_action(Reader *r)
{
    skip(r);
    Text t = {r->text, r->at};
    Span word = text_word(&t);
    r->at = t.at;
    struct Pending texts = {.line = r->line};
    GameAction a = {.name = lower(r, word)};
    int line;
    if (!word.n || !take(r, "{"))
        return wrong(r, ST_FORMAT, "action NAME { expected");
    if (r->actions.n == 1000)
        return wrong(r, ST_LIMIT, "more than 1000 actions");
    for (size_t i = 0; i < r->actions.n; i++)
        if (!strcmp(r->actions.at[i].name, a.name))
            return wrong(r, ST_FORMAT, "action \"%.60s\" is defined twice", a.name);
    while (!take(r, "}")) {
        bool template = take(r, "template"), feedback = !template && take(r, "feedback");
        if (template || feedback) {
            if (!take(r, "::"))
                return wrong(r, ST_FORMAT, "\"::\" expected");
            TRY(take_quoted(r, "\"", template ? &texts.template : &texts.feedback, &line));
        } else if (take(r, "grammar")) {
            TRY(take_grammar(r));
        } else {
            return wrong(r, ST_FORMAT, "template, feedback, grammar or '}' expected");
        }
    }
    array_push(&r->actions, a);
    if (r->pending_n == r->pending_cap) {
        r->pending_cap = r->pending_cap ? r->pending_cap * 2 : 16;
        r->pending = mem_resize(r->pending, r->pending_cap, sizeof *r->pending);
    }
    r->pending[r->pending_n++] = texts;
    return ST_OK;
}

static Status read_rule(Reader *r, const json_t *json, GameRule *rule)
{
    const json_t *condition = json_object_get(json, "condition"), *rhs = json_object_get(json, "rhs");
    *rule = (GameRule){.conditional = condition};
    if (!json_is_string(rhs) || (condition && !json_is_string(condition)))
        return wrong(r, ST_FORMAT, "a rule is {\"condition\": QUERY, \"rhs\": TEXT}");
    if (condition) {
        Text t = {{json_string_value(condition), json_string_length(condition)}, 0};
        TRY(read_query(r, &t, &rule->condition));
        if (t.at < t.text.n)
            return wrong(r, ST_FORMAT, "a condition is facts joined by '&'");
    }
    return read_text(r, (Span){json_string_value(rhs), json_string_length(rhs)}, &rule->text);
}

static Status read_symbols(Reader *r)
{
    const char *name;
    json_t *rules;
    int at = 0;
    for (size_t b = 0; b < r->blocks.n; b++)
        json_object_foreach(r->blocks.at[b], name, rules)
        {
            GameSymbol *s = &r->g->symbols[at++];
            r->where = s->name;
            r->line = s->line;
            s->rules_n = (int)json_array_size(rules);
            if (!s->rules_n)
                return wrong(r, ST_FORMAT, "a list of rules expected");
            s->rules = arena_alloc(r->arena, (size_t)s->rules_n * sizeof *s->rules);
            for (int i = 0; i < s->rules_n; i++)
                TRY(read_rule(r, json_array_get(rules, (size_t)i), &s->rules[i]));
        }
    return ST_OK;
}

/* Quoted texts of the file, unlike those of its JSON, may hold \n and \". */
static Span unescaped(const Reader *r, Span s)
{
    char *to = arena_strn(r->arena, s.at, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.at[i];
        if (c == '\\' && i + 1 < s.n && s.at[i + 1] == 'n')
            c = '\n', i++;
        to[n++] = c;
    }
    return (Span){to, n};
}

static Status read_actions(Reader *r)
{
    for (size_t i = 0; i < r->actions.n; i++) {
        GameAction *a = &r->g->actions[i];
        r->where = a->name;
        r->line = r->pending[i].line;
        TRY(read_text(r, unescaped(r, r->pending[i].template), &a->template));
        TRY(read_text(r, unescaped(r, r->pending[i].feedback), &a->feedback));
    }
    return ST_OK;
}

/* --- no symbol contains itself ------------------------------------------------------------------------- */

enum { CYCLE_NEW, CYCLE_OPEN, CYCLE_DONE };

static Status search_symbol(Reader *r, int symbol, int *height);

/* *height: of the highest symbol in the text. */
static Status search_pieces(Reader *r, const GamePiece *p, int *height)
{
    for (; p; p = p->next) {
        if (p->kind == PIECE_SYMBOL)
            TRY(search_symbol(r, p->symbol, height));
        TRY(search_pieces(r, p->first, height)); /* as deep as {...}, [...] and `or` nest: bounded */
        TRY(search_pieces(r, p->second, height));
        if (p->kind == PIECE_LIST) {
            TRY(search_symbol(r, r->g->empty, height));
            TRY(search_symbol(r, r->g->separator, height));
            TRY(search_symbol(r, r->g->last_separator, height));
        }
    }
    return ST_OK;
}

static Status search_rules(Reader *r, GameSymbol *s, int depth)
{
    int height = 0;
    r->where = s->name;
    r->line = s->line;
    if (s->mark == CYCLE_OPEN)
        return wrong(r, ST_FORMAT, "the symbol contains itself");
    if (depth == GAME_DEPTH_MAX)
        return wrong(r, ST_LIMIT, "symbols within symbols, more than %d deep", GAME_DEPTH_MAX);
    s->mark = CYCLE_OPEN;
    for (int i = 0; i < s->rules_n; i++)
        TRY(search_pieces(r, s->rules[i].text, &height));
    s->mark = CYCLE_DONE;
    s->height = height + 1;
    return ST_OK;
}

static Status search_symbol(Reader *r, int symbol, int *height)
{
    GameSymbol *s = &r->g->symbols[symbol];
    r->depth++;
    if (s->mark != CYCLE_DONE)
        TRY(search_rules(r, s, r->depth - 1));
    r->depth--;
    if (s->height > GAME_DEPTH_MAX) {
        r->where = s->name;
        r->line = s->line;
        return wrong(r, ST_LIMIT, "symbols within symbols, more than %d deep", GAME_DEPTH_MAX);
    }
    *height = s->height > *height ? s->height : *height;
    return ST_OK;
}

static Status read_all(Reader *r)
{
    for (skip(r); r->at < r->text.n; skip(r)) {
        if (take(r, "grammar"))
            TRY(take_grammar(r));
        else if (take(r, "action"))
            TRY(take_action(r));
        else
            return wrong(r, ST_FORMAT, "\"grammar\" or \"action\" expected");
    }
    GameText *g = r->g;
    g->symbols_n = (int)r->symbols.n;
    g->symbols = arena_alloc(r->arena, r->symbols.n * sizeof *g->symbols + 1);
    if (r->symbols.n)
        memcpy(g->symbols, r->symbols.at, r->symbols.n * sizeof *g->symbols);
    g->actions_n = (int)r->actions.n;
    g->actions = arena_alloc(r->arena, r->actions.n * sizeof *g->actions + 1);
    if (r->actions.n)
        memcpy(g->actions, r->actions.at, r->actions.n * sizeof *g->actions);
    g->empty = symbol_find(g, span("list_empty"));
    g->separator = symbol_find(g, span("list_separator"));
    g->last_separator = symbol_find(g, span("list_last_separator"));
    TRY(read_symbols(r));
    TRY(read_actions(r));
    for (int i = 0, height = 0; i < g->symbols_n; i++)
        TRY(search_symbol(r, i, &height));
    return ST_OK;
}

Status game_text_read(GameText **out, Arena *arena, Span grammar, const Ground *ground)
{
    GameText *g = arena_alloc(arena, sizeof *g);
    *g = (GameText){.ground = ground};
    Reader r = {.g = g, .arena = arena, .text = grammar, .line = 1};
    if (grammar.n > GAME_GRAMMAR_MAX)
        return fail(ST_LIMIT, "grammar: %zu bytes, more than %d", grammar.n, GAME_GRAMMAR_MAX);
    Status st = read_all(&r);
    for (size_t i = 0; i < r.blocks.n; i++)
        json_decref(r.blocks.at[i]);
    array_drop(&r.blocks);
    array_drop(&r.block_lines);
    array_drop(&r.symbols);
    array_drop(&r.actions);
    mem_free(r.pending);
    if (st == ST_OK)
        *out = g;
    return st;
}

const GameAction *game_text_action(const GameText *g, const char *name)
{
    for (int i = 0; i < g->actions_n; i++)
        if (!strcmp(g->actions[i].name, name))
            return &g->actions[i];
    return NULL;
}
