/* The verbs that a recipe's stages may run, and what of their folders counts. */
#ifndef CLI_RUN_VERBS_H
#define CLI_RUN_VERBS_H

#include "recipe/stages.h"

extern const RecipeVerbs run_verbs;

#endif
