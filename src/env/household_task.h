/* The six types of tasks of ALFWorld's games, and which of them a house gives.
 * alfworld/alfworld: alfworld/agents/environment/alfred_tw_env.py (TASK_TYPES, in its order), and for how a
 * task is said alfworld/agents/utils/misc.py. */
#ifndef ENV_HOUSEHOLD_TASK_H
#define ENV_HOUSEHOLD_TASK_H

#include "env/household_house.h"

typedef enum {
    HOUSEHOLD_PUT,
    HOUSEHOLD_LIGHT,
    HOUSEHOLD_CLEAN,
    HOUSEHOLD_HEAT,
    HOUSEHOLD_COOL,
    HOUSEHOLD_TWO,
    HOUSEHOLD_TASKS,
    HOUSEHOLD_ANY = HOUSEHOLD_TASKS,
} HouseholdTask;

typedef struct {
    const char *name, *short_name; /* "pick_heat_then_place_in_recep", "heat" */
    bool in[ROOMS];                /* where there are such tasks */
    unsigned is;                   /* what the object must be */
    const char *does, *can;        /* of the object: "isHot", "heatable"; NULL: nothing is done to it */
    const char *with;              /* where that is done; nothing is to be put there */
    struct {
        const char *before, *between;
    } said[2]; /* around the object, in front of the target */
} HouseholdTaskKind;
extern const HouseholdTaskKind household_tasks[HOUSEHOLD_TASKS];

/* Of a game's name, which begins with its task's; HOUSEHOLD_PUT where it does not. */
HouseholdTask household_task_of(Span game);

/* By its name or its short one, or "any".  ST_ARG: the sentence has the nearest. */
MUST_CHECK Status household_task_find(HouseholdTask *out, const char *name);

/* What is to be put where; of HOUSEHOLD_LIGHT the target is a kind of object, a lamp. */
typedef struct {
    HouseholdTask task;
    int object, target;
} HouseholdAim;
typedef Array(HouseholdAim) HouseholdAims;

const char *household_aim_object(HouseholdAim aim); /* "Apple" */
const char *household_aim_target(HouseholdAim aim); /* "Fridge" */
/* Appends "Your task is to: put a hot apple in fridge."; way: 0 or 1. */
void household_aim_say(Str *out, HouseholdAim aim, int way);
/* Appends all tasks of a type that the house and what is in it give, none of them done already. */
void household_aims(HouseholdAims *out, const House *h, HouseholdTask task);

#endif
