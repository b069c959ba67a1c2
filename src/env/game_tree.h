/* The tree of a game's texts; for game_read.h's files, which read it, and game_expand.c, which speaks it. */
#ifndef ENV_GAME_TREE_H
#define ENV_GAME_TREE_H

#include "base/map.h"
#include "env/game_text.h"

enum { GAME_NO_TYPE = -1, GAME_QUERY_MAX = 16 };

typedef struct {
    int predicate;
    bool gone; /* not_PREDICATE */
    int variables[PDDL_ARGS_MAX], types[PDDL_ARGS_MAX];
} GameAtom;

typedef struct {
    GameAtom *atoms;
    int n;
} GameQuery;

typedef struct {
    bool conditional;
    GameQuery condition;
    const GamePiece *text;
} GameRule;

typedef struct {
    const char *name;
    int line;
    GameRule *rules;
    int rules_n;
    int mark, height; /* of the search for cycles: how many symbols deep */
} GameSymbol;

typedef enum {
    PIECE_WORDS,
    PIECE_SYMBOL,
    PIECE_NAME,
    PIECE_ID,
    PIECE_TYPE,
    PIECE_INDEFINITE,
    PIECE_EITHER,
    PIECE_EACH,
    PIECE_LIST
} PieceKind;

/* A text is its pieces in a row. */
struct GamePiece {
    PieceKind kind;
    Span words;
    int symbol, variable;
    const GamePiece *first, *second; /* of EITHER; first: the body of EACH and LIST */
    GameQuery query;                 /* of EACH                                     */
    const GamePiece *next;
};

struct GameText {
    const Ground *ground;
    GameSymbol *symbols;
    int symbols_n;
    GameAction *actions;
    int actions_n;
    const char *variables[GAME_VARIABLES_MAX];
    int variables_n;
    int (*variable_of)[PDDL_SLOTS_MAX];   /* by the task's action and its parameter; -1: in no text */
    int empty, separator, last_separator; /* symbols; -1: not in this grammar */
};

int game_variable(const GameText *g, Span name); /* -1: none */
int game_symbol(const GameText *g, Span name);   /* -1: none */

#endif
