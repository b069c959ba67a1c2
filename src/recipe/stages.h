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

/* Whence a forecast of time comes. */
typedef enum {
    FORECAST_NONE,
    FORECAST_COARSE,   /* an order of magnitude at best                     */
    FORECAST_COMPUTED, /* of work and what this machine does in a second    */
    FORECAST_MEASURED, /* of the last time that the same was done           */
    FORECAST_TOLD,     /* by the recipe                                     */
} ForecastFrom;
extern const char *const forecast_from_names[]; /* "", "coarse", "computed", "last time", "recipe" */

/* What a stage will take. */
typedef struct {
    ForecastFrom from;
    double seconds;       /* 0: not known */
    int64_t memory, disk; /* bytes; 0: not known */
    int64_t memory_least; /* what it can by no means do without: a machine with less is no place for it */
    json_t *facts;        /* of what it makes, for stages that read it: {"context": 512}; NULL: none; owned */
} RecipeForecast;

/* A stage's folder, there or not, and the facts of what it will hold. */
typedef struct {
    const char *folder;
    const json_t *facts;
} RecipeKnown;

/* A stage as it is asked for a forecast: with all names filled in. */
typedef struct {
    char *const *words; /* NULL at the end */
    size_t words_n;
    const json_t *settings; /* NULL: none */
    const char *out;
    bool done;                /* what `out` holds is whole */
    bool wanted;              /* else only facts are asked for */
    const RecipeKnown *known; /* the stages before it */
    size_t known_n;
    void *machine; /* PipelineSpec's */
} RecipeAsk;
/* The facts of the stage whose folder a path leads into; NULL: of none. */
const json_t *recipe_facts(const RecipeAsk *ask, const char *path);

typedef struct {
    const char *words; /* "corpus build": how its commands begin */
    int version;       /* raised when the same settings and inputs give other results */
    RecipeResume resume;
    bool uses_all; /* the processors it is given: with half of them it takes about twice as long */
    /* What of its folder counts, as patterns below it (base/glob.h), "FILE:KEY" for one key of a JSON file,
     * "PATTERN:" for files that must be there whatever they hold; NULL at the end; NULL: all of it.  Logs and
     * times are what does not. */
    const char *const *products;
    /* Whether it would take these settings; NULL: nobody can tell before it runs. */
    Status (*check)(const json_t *settings);
    /* Fills *out, which is zeroed memory, as far as anything is known; NULL: nothing ever is.  ST_ARG: the
     * words or settings are wrong.  Any other failure: it cannot be told. */
    Status (*forecast)(RecipeForecast *out, const RecipeAsk *ask);
} RecipeVerb;
typedef struct {
    const RecipeVerb *at;
    size_t n;
} RecipeVerbs;

/* Its verb; a `program` has version 0, is begun anew, and all of its folder counts.  ST_ARG: none. */
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

/* keys[i] of stage i; inputs[i] an object {"files", "bytes", "hash", "missing"} or NULL, new references.
 * "missing" is there where patterns match no file, a list of them: the key is then that of no stage that was
 * ever done.
 *   ST_ARG  an unknown verb   ST_IO  inputs that cannot be read */
MUST_CHECK Status recipe_keys(char (*keys)[RECIPE_HASH], json_t **inputs, const Recipe *r,
                              const RecipeVerbs *verbs);

/* The hash of a stage's words and settings alone, whatever it reads: stages that look alike take about as
 * long. */
void recipe_likeness(char out[RECIPE_HASH], const Recipe *r, const RecipeStage *s, const RecipeVerb *verb);

/* The hash of what counts in a folder.  ST_IO: cannot be read, or nothing is there that counts. */
MUST_CHECK Status recipe_product(char out[RECIPE_HASH], const RecipeVerb *verb, const char *folder);

#endif
