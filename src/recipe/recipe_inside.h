/* What the files of a recipe's reader share. */
#ifndef RECIPE_RECIPE_INSIDE_H
#define RECIPE_RECIPE_INSIDE_H

#include "recipe/recipe.h"

typedef struct {
    const char **at;
    size_t n, cap;
} RecipeNames;
/* ST_ARG: "there is no stage 'bsae' (did you mean base?)". */
Status recipe_no_such(const char *what, Span word, const RecipeNames *names);
/* Puts file, line and stage in front of what failed. */
Status recipe_in_place(Status st, const Recipe *r, const char *stage, int line);

/* A value as a word: a text as it is, anything else as JSON, numbers as they are written (0.1). */
void recipe_add_value(Str *out, const json_t *value);

/* One choice of the values of "each". */
typedef struct {
    Str suffix;     /* ".10-1.3" */
    json_t *values; /* {"mix": "10-1", "seed": "3"} */
    json_t *vars;   /* what names stand for: {"mix": "10-1", "mix-code": 10, "seed": 3} */
} RecipeChoice;
typedef Array(RecipeChoice) RecipeChoices;
/* Every choice of one value for each name, the last name's values fastest; "{NAME}" is a variable that
 * is a list.  ST_ARG: no map of lists of scalars, or of maps with a "name"; a name that is a variable's. */
MUST_CHECK Status recipe_choices(RecipeChoices *out, const json_t *each, const json_t *vars);
json_t *recipe_choice_fill(const RecipeChoice *c, const json_t *stage); /* new reference */
void recipe_choices_drop(RecipeChoices *c);

/* Finds the stages that each stage names, writes them as the one or the many that are meant, and sorts. */
MUST_CHECK Status recipe_order(Recipe *r);

#endif
