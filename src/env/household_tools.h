/* MINT's household: the eleven functions that a cell has for a game, as xingyaoww/mint-bench,
 * mint/envs/alfworld_env.py and mint/tools/alfworld_tools.py have them, and the text of its task.
 *
 *     HouseholdPlay *play = household_play_new();
 *     household_play_begin(play, game);                       a new episode
 *     PythonSpec spec = {.tools = household_play_tools(play), .tools_n = HOUSEHOLD_TOOLS};
 *     ...cells...
 *     if (household_play_succeeded(play)) ...
 *     household_play_free(play);
 *
 * A tool is one command; it returns what the game says, without the leading "You arrive at loc 7. ".
 * `toggle` is no command of the games: it always says "Nothing happens.".  As there, an episode has succeeded
 * as soon as one command was answered with "done", which the 50th command is, goal or not. */
#ifndef ENV_HOUSEHOLD_TOOLS_H
#define ENV_HOUSEHOLD_TOOLS_H

#include "env/household.h"
#include "env/python.h"

enum { HOUSEHOLD_TOOLS = 11 };

typedef struct HouseholdPlay HouseholdPlay;

HouseholdPlay *household_play_new(void);
void household_play_free(HouseholdPlay *p); /* NULL is fine */
/* Keeps `game` until the next beginning. */
void household_play_begin(HouseholdPlay *p, const Household *game);
/* They live as long as *p, and play what was begun last. */
const PythonTool *household_play_tools(const HouseholdPlay *p);
bool household_play_succeeded(const HouseholdPlay *p);
const HouseholdState *household_play_state(const HouseholdPlay *p); /* NULL: nothing was begun */
/* Commands after which the episode that was begun is done, instead of HOUSEHOLD_STEPS. */
void household_play_limit(HouseholdPlay *p, int commands);

/* One command, by itself; failures as of household_step. */
MUST_CHECK Status household_play_step(HouseholdPlay *p, const char *command);

/* The commands since it was asked last, [{"command", "heard"}, ...], those that a game that is done passed over
 * left out; a new reference. */
json_t *household_play_take(HouseholdPlay *p);

/* What the game said last, as the functions return it; a view until the next step. */
Span household_heard(const HouseholdState *s);

/* Appends the call that is this command: goto("fridge 1").  False: there is none, as for "inventory". */
bool household_call(Str *out, const char *command);

/* Appends what MINT asks of the model: a first line, the room and the task, without the welcome banner. */
void household_question(Str *out, const Household *game);

#endif
