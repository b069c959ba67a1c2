/* A household game that somebody won, as an episode to learn from: a line of transcripts, which `lemur tune`
 * reads (docs/formats/instruct.md).
 *
 * Each command is an answer of its own ("> go to fridge 1").  As Python an answer is one cell of MINT's
 * functions (household_tools.h), print(goto("fridge 1")) and what else is done there, as far as one could
 * know it when one writes: what is taken was named before, what is opened was said to be closed.  What the
 * game says is the next message, without "You arrive at loc 7. ", as MINT has it. */
#ifndef AGENT_HOUSEHOLD_LESSON_H
#define AGENT_HOUSEHOLD_LESSON_H

#include <jansson.h>

#include "env/household_expert.h"

typedef struct {
    bool python;
    /* The first message.  Its holes are {task} (room and task, as the game tells them), {steps}, and {begin}
     * and {end}, the marks of code.  at NULL: a short one of ours. */
    Span opening;
    const json_t *hints; /* the game's line (env/hint.h): its expert's words stand behind what the game says, as
                          * MINT has them; NULL: none do */
    bool fences; /* code between ```python and ```; otherwise between <execute> and </execute> */
} HouseholdLesson;

/* *out is a new reference: {"transcript": 1, "environment", "task", "messages", "success", "reward", "end",
 * "commands"}, and with hints "feedback": "hints".
 *   ST_ARG     the commands do not win the game, or one of them is no function's
 *   ST_FORMAT  the opening has other holes, or the game's words cannot be spoken */
MUST_CHECK Status household_lesson(json_t **out, const HouseholdLesson *how, const Household *game,
                                   const char *id, const HouseholdPlan *commands);

#endif
