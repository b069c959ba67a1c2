/* The parts of a game.tw-pddl: a JSON object with three texts in it. */
#ifndef ENV_GAME_FILE_H
#define ENV_GAME_FILE_H

#include "base/arena.h"
#include "base/str.h"

enum { GAME_FILE_MAX = 16 << 20 };

typedef struct {
    Span domain, grammar, problem;
    int solvable; /* -1: the file does not say */
} GameFile;

/* The texts live in *arena.
 *   ST_LIMIT  larger than the above     ST_FORMAT  no JSON, a key given twice, or one of the texts missing */
MUST_CHECK Status game_file_read(GameFile *out, Arena *arena, Span json);

#endif
