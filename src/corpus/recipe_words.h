/* What the sections of a recipe have in common: lists of texts, and names that also name files. */
#ifndef CORPUS_RECIPE_WORDS_H
#define CORPUS_RECIPE_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct {
    char **at;
    size_t n;
} RecipeWords; /* {0} is an empty list */

/* Takes `key` out of `object`: one text or a list of texts; fine where there is none.  ST_ARG: neither. */
MUST_CHECK Status recipe_words_take(RecipeWords *out, json_t *object, const char *key);
void recipe_words_add(RecipeWords *w, const char *word);
void recipe_words_drop(RecipeWords *w);
json_t *recipe_words_to_json(const RecipeWords *w); /* new reference */

/* 1 to 100 letters, digits, '.', '_' and '-', and no '.' in front. */
bool recipe_name_is_plain(const char *name);

#endif
