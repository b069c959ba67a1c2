/* Worlds in which an agent looks and acts, and which of its actions only look (docs/study.md).
 *
 * Three kinds: the household (alfworld, alfworld_python, mint_alfworld; an action is a command of the game,
 * also where code gave it), databases (ic_sql; a query) and shells (ic_bash, ic_ctf and others that end in
 * _bash or _shell; a command line). */
#ifndef STUDY_EXPLORE_LOOKS_H
#define STUDY_EXPLORE_LOOKS_H

#include "base/str.h"

typedef enum { EXPLORE_HOUSEHOLD, EXPLORE_SQL, EXPLORE_SHELL, EXPLORE_WORLDS, EXPLORE_NONE } ExploreWorld;
extern const char *const explore_world_names[EXPLORE_WORLDS]; /* "household", "databases", "shells" */
ExploreWorld explore_world(const char *benchmark); /* EXPLORE_NONE: it has no state, or none is known */

/* Whether an action of that world looks and changes nothing; its white space is made even. */
bool explore_looks(ExploreWorld world, const char *action);
/* The text begins with these words, in any case, and the last one ends there. */
bool explore_begins(const char *text, const char *words);

/* A command of the household in its parts: "take", "mug 1", "shelf 2".  Views; n 0: there is none. */
typedef struct {
    Span verb, object, place;
} HouseCommand;
HouseCommand explore_house_command(const char *action);

#endif
