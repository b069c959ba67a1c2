/* The words of a game: the text grammar that every game.tw-pddl carries, interpreted.
 *
 *     grammar :: """ {"SYMBOL": [{"condition": QUERY, "rhs": TEXT}, ...], ...} """;
 *     action NAME { template :: "TEXT"; feedback :: "TEXT"; grammar :: """...""" }
 *
 * TEXT is copied but for
 *
 *     #SYMBOL#             its first rule whose condition has a match, or that has none
 *     {EXPRESSION}         x, x.name, x.id, x.type, x.indefinite, 'words', #SYMBOL#, joined by + (in a row)
 *                          or `or` (the first that is not empty); x alone is its name
 *     {EXPRESSION | QUERY} once for each match
 *     [ {...} {...} ]      its expansions as a list, by the symbols list_empty, list_separator and
 *                          list_last_separator
 *
 * QUERY is `pred(x:type, y:type) & ...`: what is bound stays, what is not is bound by facts in the order of
 * their objects' names, different variables to different objects and none to one of the action's;
 * `not_pred(...)` is a fact from when it is taken away until it is true again.  What a condition binds is
 * forgotten with it.
 * (microsoft/TextWorld, textworld/textgen and textworld/envs/pddl; as ALFWorld's games use it.) */
#ifndef ENV_GAME_TEXT_H
#define ENV_GAME_TEXT_H

#include "env/ground.h"

enum {
    GAME_GRAMMAR_MAX = 1 << 20, /* bytes                                      */
    GAME_SYMBOLS_MAX = 2000,
    GAME_ACTIONS_MAX = 1000,
    GAME_VARIABLES_MAX = 64,
    GAME_DEPTH_MAX = 32,       /* symbols within symbols                     */
    GAME_TEXT_MAX = 256 << 10, /* bytes of what a text becomes               */
    GAME_COMMAND_MAX = 512     /* and of what one becomes without a state    */
};

typedef struct GameText GameText;
typedef struct GamePiece GamePiece;

/* A text, read; NULL is an empty one. */
typedef struct {
    const char *name; /* lower case; of an action */
    const GamePiece *template, *feedback;
} GameAction;

typedef struct {
    const uint64_t *state, *gone; /* bits that hold; bits that were taken away; NULL: only what no action
                                   * changes may be asked */
    const char *const *names;     /* by object; NULL: it has none */
} GameWorld;

/* Keeps `ground`; lives in *arena.
 *   ST_FORMAT  malformed, unknown symbol, predicate, attribute or type, a symbol that contains itself; with
 * the line in the grammar   ST_LIMIT  larger or deeper than the numbers above */
MUST_CHECK Status game_text_read(GameText **out, Arena *arena, Span grammar, const Ground *ground);
const GameAction *game_text_action(const GameText *g, const char *name); /* NULL: none of that name */
const GamePiece *game_text_symbol(const GameText *g, const char *name);  /* NULL: none              */
/* Appends the text where the parameters of the action, one of the task's, are `args`; NULL: nothing is bound.
 *   ST_FORMAT  a variable that nothing binds; with world->state NULL, a question about what changes
 *   ST_LIMIT   more bytes than the above, or more facts to look at than a text may need */
MUST_CHECK Status game_text_expand(Str *out, const GameText *g, const GamePiece *text, const GameWorld *world,
                                   const PddlAction *action, const int *args);

#endif
