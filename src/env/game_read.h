/* What the readers of a game's texts share; for game_text.c, which reads the file, game_pieces.c, which reads
 * one text of it, and game_cycle.c, which looks at them all. */
#ifndef ENV_GAME_READ_H
#define ENV_GAME_READ_H

#include "env/game_tree.h"

typedef struct {
    GameText *g;
    Arena *arena;
    int line;
    const char *where; /* the symbol or action whose text is being read; NULL: none */
} GameReader;

/* "grammar: line 12: SYMBOL: ..." */
Status game_wrong(const GameReader *r, Status st, const char *fmt, ...) PRINTF_LIKE(3, 4);
const char *game_lower(const GameReader *r, Span s); /* lives in the arena */

/* A place in a text. */
typedef struct {
    Span text;
    size_t at;
} GameScan;

void game_scan_skip(GameScan *s); /* white space */
bool game_scan_at(const GameScan *s, char c);
bool game_scan_take(GameScan *s, const char *word); /* over it, if it stands here     */
Span game_scan_word(GameScan *s);                   /* letters, digits and _; maybe none */

/* One text, and one condition.  The names of all symbols must be known. */
MUST_CHECK Status game_pieces_read(GameReader *r, Span text, const GamePiece **out);
MUST_CHECK Status game_query_read(GameReader *r, Span text, GameQuery *out);

/* ST_FORMAT  a symbol that contains itself     ST_LIMIT  deeper than GAME_DEPTH_MAX */
MUST_CHECK Status game_cycle_refuse(GameReader *r);

#endif
