/* ALFWorld's household: plays any game.tw-pddl (alfworld/alfworld, Shridhar et al. 2021, arXiv:2010.03768),
 * with the words, names and rules of the original.
 *
 *     Household *game;
 *     TRY(household_open(&game, "games/.../game.tw-pddl"));
 *     HouseholdState *s = household_reset(game);
 *     TRY(household_step(game, s, "go to fridge 1"));
 *     puts(str_c(&s->observation));                 "You arrive at loc 12. The fridge 1 is closed."
 *     household_state_free(s);
 *     household_close(game);
 *
 * A game is never changed once open: many threads may play it, each with states of its own.
 *
 * Commands are matched as they are written, but for white space around them: exact names, no synonyms.  One
 * that is none of the admissible commands gets "Nothing happens." and still is a step.  Objects are named by
 * their kind and a number, counted downwards in the order of their ids ("cabinet 6" comes first). */
#ifndef ENV_HOUSEHOLD_H
#define ENV_HOUSEHOLD_H

#include "env/game_text.h"

enum { HOUSEHOLD_STEPS = 50 }; /* after which an episode is done: ALFWorld's dagger.training.max_nb_steps */

typedef struct Household Household;

typedef struct {
    Str observation; /* what the last command, or the beginning, said */
    int steps;
    bool won;       /* the goal holds                                    */
    bool done;      /* won or at the limit: commands change nothing more */
    int limit;      /* of steps; may be set; 0: none                     */
    uint64_t *bits; /* what holds, then what was taken away */
} HouseholdState;

/* ST_IO  cannot be read     ST_FORMAT  no game; the sentence has the part of it and the line
 * ST_UNSUPPORTED, ST_LIMIT  as of pddl.h, ground.h and game_text.h */
MUST_CHECK Status household_open(Household **out, const char *path);
MUST_CHECK Status household_read(Household **out, Span game_json); /* of the file's bytes */
void household_close(Household *h);                                /* NULL is fine        */

/* The opening text, welcome banner and all. */
const char *household_intro(const Household *h);
/* Its second and third paragraph: what one sees, and "Your task is to: ...". */
Span household_room(const Household *h);
Span household_task(const Household *h);

HouseholdState *household_reset(const Household *h);                         /* caller frees */
void household_state_free(HouseholdState *s);                                /* NULL is fine */
HouseholdState *household_fork(const Household *h, const HouseholdState *s); /* caller frees */
/* One command.  A done state stays as it is, and repeats its observation.
 *   ST_FORMAT, ST_LIMIT  the game's own words cannot be spoken; the state is as before */
MUST_CHECK Status household_step(const Household *h, HouseholdState *s, const char *command);

typedef struct {
    const char **at;
    size_t n, cap;
} HouseholdCommands;
/* Sets *out to the commands that now do something, sorted, each once; views into the game.  The caller drops
 * it with array_drop. */
void household_admissible(const Household *h, const HouseholdState *s, HouseholdCommands *out);

const Ground *household_ground(const Household *h);
const char *household_name(const Household *h, int object);    /* NULL: it has none */
const char *household_words(const Household *h, int operator); /* the command for it */
/* Whether `s` is what some play can reach as far as can be told at once: each thing that the agent holds is
 * one, hands and "holds" agree, and the agent stands in one place.  For tests. */
bool household_is_consistent(const Household *h, const HouseholdState *s);

#endif
