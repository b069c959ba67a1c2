/* The verbs that a recipe's stages may run, and what of their folders counts. */
#ifndef CLI_RUN_VERBS_H
#define CLI_RUN_VERBS_H

#include "recipe/stages.h"

extern const RecipeVerbs run_verbs;

/* What a pipeline is given beside them: this program's file, which the caller frees, and what is known of the
 * machine, a new reference. */
char *run_program(void);
json_t *run_machine(void);

/* Whether a recipe's sections are in order, before anything runs: in train_settings.c and tune_settings.c. */
MUST_CHECK Status train_recipe_check(const json_t *recipe);
MUST_CHECK Status tune_recipe_check(const json_t *recipe);

#endif
