/* Reads the file of a game's words in two passes: first the names of all symbols, then their texts, which may
 * use symbols that come later. */
#include "env/game_text.h"

#include <jansson.h>
#include <string.h>

#include "base/array.h"
#include "env/game_read.h"

typedef struct {
    Span text;
    int line; /* where it begins */
} Quoted;

typedef struct {
    GameReader r;
    GameScan scan;
    Array(json_t *) blocks;    /* grammars, whose rules are read last */
    Array(GameSymbol) symbols; /* of the blocks, in order             */
    Array(GameAction) actions; /* and the texts of each               */
    Array(Quoted) templates, feedbacks;
} Reader;

/* --- marks and quotes ---------------------------------------------------------------------------------- */

static void advance(Reader *f, size_t to)
{
    for (; f->scan.at < to; f->scan.at++)
        f->r.line += f->scan.text.at[f->scan.at] == '\n';
}

static void skip(Reader *f)
{
    GameScan s = f->scan;
    game_scan_skip(&s);
    advance(f, s.at);
}

static bool take(Reader *f, const char *word)
{
    skip(f);
    return game_scan_take(&f->scan, word);
}

/* What stands between two `quote`s, and the ';' behind. */
static Status take_quoted(Reader *f, const char *quote, Quoted *out)
{
    if (!take(f, quote))
        return game_wrong(&f->r, ST_FORMAT, "%s expected", quote);
    const char *from = f->scan.text.at + f->scan.at;
    const char *end = memmem(from, f->scan.text.n - f->scan.at, quote, strlen(quote));
    if (!end)
        return game_wrong(&f->r, ST_FORMAT, "%s is never closed", quote);
    *out = (Quoted){{from, (size_t)(end - from)}, f->r.line};
    advance(f, f->scan.at + out->text.n + strlen(quote));
    return take(f, ";") ? ST_OK : game_wrong(&f->r, ST_FORMAT, "';' expected");
}

/* --- first pass ---------------------------------------------------------------------------------------- */

/* The line of the block on which the symbol's name stands. */
static int line_of(Quoted block, const char *name)
{
    Str quoted = {0};
    str_addf(&quoted, "\"%s\"", name);
    const char *from = block.text.at, *end = memmem(from, block.text.n, quoted.at, quoted.n);
    int line = block.line;
    while (end && (from = memchr(from, '\n', (size_t)(end - from)))) {
        from++;
        line++;
    }
    str_drop(&quoted);
    return line;
}

static Status add_symbol(Reader *f, const char *name, int line)
{
    f->r.line = line;
    if (f->symbols.n == GAME_SYMBOLS_MAX)
        return game_wrong(&f->r, ST_LIMIT, "more than %d symbols", GAME_SYMBOLS_MAX);
    for (size_t i = 0; i < f->symbols.n; i++)
        if (!strcmp(f->symbols.at[i].name, name))
            return game_wrong(&f->r, ST_FORMAT, "symbol \"%.60s\" is defined twice", name);
    array_push(&f->symbols, ((GameSymbol){.name = arena_strn(f->r.arena, name, strlen(name)), .line = line}));
    return ST_OK;
}

static Status take_grammar(Reader *f)
{
    Quoted block;
    json_error_t error;
    const char *name;
    json_t *rules;
    if (!take(f, "::"))
        return game_wrong(&f->r, ST_FORMAT, "\"::\" expected behind \"grammar\"");
    TRY(take_quoted(f, "\"\"\"", &block));
    int behind = f->r.line;
    json_t *all = json_loadb(block.text.at, block.text.n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(all)) {
        f->r.line = block.line + (all ? 0 : error.line - 1);
        json_decref(all);
        return game_wrong(&f->r, ST_FORMAT, "%s", all ? "an object of symbols expected" : error.text);
    }
    array_push(&f->blocks, all);
    json_object_foreach(all, name, rules) TRY(add_symbol(f, name, line_of(block, name)));
    f->r.line = behind;
    return ST_OK;
}

static Status take_action(Reader *f)
{
    skip(f);
    GameAction a = {.name = game_lower(&f->r, game_scan_word(&f->scan))};
    Quoted template = {{"", 0}, f->r.line}, feedback = template;
    if (!*a.name || !take(f, "{"))
        return game_wrong(&f->r, ST_FORMAT, "action NAME { expected");
    if (f->actions.n == GAME_ACTIONS_MAX)
        return game_wrong(&f->r, ST_LIMIT, "more than %d actions", GAME_ACTIONS_MAX);
    for (size_t i = 0; i < f->actions.n; i++)
        if (!strcmp(f->actions.at[i].name, a.name))
            return game_wrong(&f->r, ST_FORMAT, "action \"%.60s\" is defined twice", a.name);
    while (!take(f, "}")) {
        bool is_template = take(f, "template");
        if (is_template || take(f, "feedback")) {
            if (!take(f, "::"))
                return game_wrong(&f->r, ST_FORMAT, "\"::\" expected");
            TRY(take_quoted(f, "\"", is_template ? &template : &feedback));
        } else if (take(f, "grammar")) {
            TRY(take_grammar(f));
        } else {
            return game_wrong(&f->r, ST_FORMAT, "template, feedback, grammar or '}' expected");
        }
    }
    array_push(&f->actions, a);
    array_push(&f->templates, template);
    array_push(&f->feedbacks, feedback);
    return ST_OK;
}

static Status read_names(Reader *f)
{
    GameText *g = f->r.g;
    for (skip(f); f->scan.at < f->scan.text.n; skip(f)) {
        if (take(f, "grammar"))
            TRY(take_grammar(f));
        else if (take(f, "action"))
            TRY(take_action(f));
        else
            return game_wrong(&f->r, ST_FORMAT, "\"grammar\" or \"action\" expected");
    }
    g->symbols_n = (int)f->symbols.n;
    g->symbols = arena_alloc(f->r.arena, f->symbols.n * sizeof *g->symbols + 1);
    if (f->symbols.n)
        memcpy(g->symbols, f->symbols.at, f->symbols.n * sizeof *g->symbols);
    g->actions_n = (int)f->actions.n;
    g->actions = arena_alloc(f->r.arena, f->actions.n * sizeof *g->actions + 1);
    if (f->actions.n)
        memcpy(g->actions, f->actions.at, f->actions.n * sizeof *g->actions);
    g->empty = game_symbol(g, span("list_empty"));
    g->separator = game_symbol(g, span("list_separator"));
    g->last_separator = game_symbol(g, span("list_last_separator"));
    return ST_OK;
}

/* --- second pass --------------------------------------------------------------------------------------- */

static Status read_rule(GameReader *r, const json_t *json, GameRule *rule)
{
    const json_t *condition = json_object_get(json, "condition"), *rhs = json_object_get(json, "rhs");
    *rule = (GameRule){.conditional = condition};
    if (!json_is_string(rhs) || (condition && !json_is_string(condition)))
        return game_wrong(r, ST_FORMAT, "a rule is {\"condition\": QUERY, \"rhs\": TEXT}");
    if (condition)
        TRY(game_query_read(r, (Span){json_string_value(condition), json_string_length(condition)},
                            &rule->condition));
    return game_pieces_read(r, (Span){json_string_value(rhs), json_string_length(rhs)}, &rule->text);
}

static Status read_rules(GameReader *r, const json_t *rules, GameSymbol *s)
{
    r->where = s->name;
    r->line = s->line;
    s->rules_n = (int)json_array_size(rules);
    if (!s->rules_n)
        return game_wrong(r, ST_FORMAT, "a list of rules expected");
    s->rules = arena_alloc(r->arena, (size_t)s->rules_n * sizeof *s->rules);
    for (int i = 0; i < s->rules_n; i++)
        TRY(read_rule(r, json_array_get(rules, (size_t)i), &s->rules[i]));
    return ST_OK;
}

/* A text in quotes, where "\n" stands for the end of a line. */
static Status read_quoted(GameReader *r, Quoted quoted, const GamePiece **out)
{
    char *to = arena_strn(r->arena, quoted.text.at, quoted.text.n);
    size_t n = 0;
    for (size_t i = 0; i < quoted.text.n; i++) {
        bool newline = to[i] == '\\' && to[i + 1] == 'n';
        to[n++] = newline ? '\n' : to[i];
        i += newline;
    }
    r->line = quoted.line;
    return game_pieces_read(r, (Span){to, n}, out);
}

static Status read_texts(Reader *f)
{
    const char *name;
    json_t *rules;
    GameSymbol *symbol = f->r.g->symbols;
    for (size_t b = 0; b < f->blocks.n; b++)
        json_object_foreach(f->blocks.at[b], name, rules) TRY(read_rules(&f->r, rules, symbol++));
    for (size_t i = 0; i < f->actions.n; i++) {
        GameAction *a = &f->r.g->actions[i];
        f->r.where = a->name;
        TRY(read_quoted(&f->r, f->templates.at[i], &a->template));
        TRY(read_quoted(&f->r, f->feedbacks.at[i], &a->feedback));
    }
    return ST_OK;
}

static void find_parameters(GameText *g, Arena *arena)
{
    const PddlTask *t = g->ground->task;
    g->variable_of = arena_alloc(arena, (size_t)t->actions_n * sizeof *g->variable_of + 1);
    for (int a = 0; a < t->actions_n; a++)
        for (int i = 0; i < t->actions[a].params_n; i++)
            g->variable_of[a][i] = game_variable(g, span(t->actions[a].names[i]));
}

Status game_text_read(GameText **out, Arena *arena, Span grammar, const Ground *ground)
{
    Status st;
    GameText *g = arena_alloc(arena, sizeof *g);
    *g = (GameText){.ground = ground};
    Reader f = {.r = {.g = g, .arena = arena, .line = 1}, .scan = {grammar, 0}};
    if (grammar.n > GAME_GRAMMAR_MAX)
        return fail(ST_LIMIT, "grammar: %zu bytes, more than %d", grammar.n, GAME_GRAMMAR_MAX);
    TRY_TO(undo, read_names(&f));
    TRY_TO(undo, read_texts(&f));
    TRY_TO(undo, game_cycle_refuse(&f.r));
    find_parameters(g, arena);
    *out = g;
undo:
    for (size_t i = 0; i < f.blocks.n; i++)
        json_decref(f.blocks.at[i]);
    array_drop(&f.blocks);
    array_drop(&f.symbols);
    array_drop(&f.actions);
    array_drop(&f.templates);
    array_drop(&f.feedbacks);
    return st;
}

const GameAction *game_text_action(const GameText *g, const char *name)
{
    for (int i = 0; i < g->actions_n; i++)
        if (!strcmp(g->actions[i].name, name))
            return &g->actions[i];
    return NULL;
}
