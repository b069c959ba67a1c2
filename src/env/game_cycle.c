/* No symbol contains itself, and none too many within each other: what bounds the depth of speaking. */
#include "env/game_read.h"

enum { CYCLE_NEW, CYCLE_OPEN, CYCLE_DONE };

static Status search_symbol(GameReader *r, int symbol, int depth, int *height);

/* *height: of the highest symbol in the text. */
static Status search_pieces(GameReader *r, const GamePiece *p, int depth, int *height)
{
    for (; p; p = p->next) {
        if (p->kind == PIECE_SYMBOL)
            TRY(search_symbol(r, p->symbol, depth, height));
        TRY(search_pieces(r, p->first, depth, height)); /* as deep as {...}, [...] and `or` nest: bounded */
        TRY(search_pieces(r, p->second, depth, height));
        if (p->kind == PIECE_LIST) {
            TRY(search_symbol(r, r->g->empty, depth, height));
            TRY(search_symbol(r, r->g->separator, depth, height));
            TRY(search_symbol(r, r->g->last_separator, depth, height));
        }
    }
    return ST_OK;
}

/* `depth` symbols are being searched around this one. */
static Status search_rules(GameReader *r, GameSymbol *s, int depth)
{
    int height = 0;
    r->where = s->name;
    r->line = s->line;
    if (s->mark == CYCLE_OPEN)
        return game_wrong(r, ST_FORMAT, "the symbol contains itself");
    if (depth == GAME_DEPTH_MAX)
        return game_wrong(r, ST_LIMIT, "symbols within symbols, more than %d deep", GAME_DEPTH_MAX);
    s->mark = CYCLE_OPEN;
    for (int i = 0; i < s->rules_n; i++)
        TRY(search_pieces(r, s->rules[i].text, depth + 1, &height));
    s->mark = CYCLE_DONE;
    s->height = height + 1;
    return ST_OK;
}

static Status search_symbol(GameReader *r, int symbol, int depth, int *height)
{
    GameSymbol *s = &r->g->symbols[symbol];
    if (s->mark != CYCLE_DONE)
        TRY(search_rules(r, s, depth));
    if (s->height > GAME_DEPTH_MAX) {
        r->where = s->name;
        r->line = s->line;
        return game_wrong(r, ST_LIMIT, "symbols within symbols, more than %d deep", GAME_DEPTH_MAX);
    }
    *height = s->height > *height ? s->height : *height;
    return ST_OK;
}

Status game_cycle_refuse(GameReader *r)
{
    for (int i = 0, height = 0; i < r->g->symbols_n; i++)
        TRY(search_symbol(r, i, 0, &height));
    return ST_OK;
}
