/* What the verbs of a recipe's commands are to a pipeline, and the key of a stage: a hash of all that decides
 * what comes of it.
 *
 * The key is made of the verb and its version, the command's words and the settings with variables filled in
 * and other stages' folders replaced by their keys, and the content of the files outside that it names.  A
 * stage's name is no part of it, so that recipes share what is the same. */
#ifndef RECIPE_STAGES_H
#define RECIPE_STAGES_H

#include "recipe/recipe.h"

typedef enum {
    RESUME_ANEW, /* what was begun is thrown away */
    RESUME_SAME, /* the same command goes on      */
    RESUME_FLAG, /* ... with --resume             */
} RecipeResume;

typedef struct {
    const char *words; /* "corpus build": how its commands begin */
    int version;       /* raised when the same settings and inputs give other results */
    RecipeResume resume;
    /* What of its folder counts, as patterns below it (base/glob.h), "FILE:KEY" for one key of a JSON file,
     * "PATTERN:" for files that must be there whatever they hold; NULL at the end; NULL: all of it.  Logs and
     * times are what does not. */
    const char *const *products;
    /* Whether it would take these settings; NULL: nobody can tell before it runs. */
    Status (*check)(const json_t *settings);
} RecipeVerb;
typedef struct {
    const RecipeVerb *at;
    size_t n;
} RecipeVerbs;

/* Of another program: version 0, begun anew, all of its folder.  ST_ARG: no verb begins so; with the nearest.
 */
MUST_CHECK Status recipe_verb(const RecipeVerb **out, const RecipeVerbs *verbs, const RecipeStage *stage);

/* Every stage's settings, with variables filled in, by its verb's own check.  ST_ARG, with file, stage and
 * line. */
MUST_CHECK Status recipe_check(const Recipe *r, const RecipeVerbs *verbs);

enum { RECIPE_HASH = 33 }; /* hexadecimal digits and NUL */

/* Where a stage's words lead when they are filled in. */
typedef struct {
    const Recipe *recipe;
    const char *out, *settings;  /* what {out} and {recipe} become     */
    char (*others)[RECIPE_HASH]; /* what stages become: their keys; or */
    char *const *folders;        /* their folders                      */
} RecipePlaces;
json_t *recipe_places_look(void *places, Span name); /* a RecipeLookup */

/* keys[i] of stage i; inputs[i], where not NULL, an object {"files", "bytes", "hash"} each, new references.
 *   ST_ARG  an unknown verb   ST_IO  inputs that cannot be read, or a pattern without a file */
MUST_CHECK Status recipe_keys(char (*keys)[RECIPE_HASH], json_t **inputs, const Recipe *r,
                              const RecipeVerbs *verbs);

/* The hash of what counts in a folder.  ST_IO: cannot be read, or nothing is there that counts. */
MUST_CHECK Status recipe_product(char out[RECIPE_HASH], const RecipeVerb *verb, const char *folder);

#endif
