/* The data half of a recipe's section `tune:`: which instruction sets there are, how they are mixed, and how
 * examples become rows.  Its other keys are training settings, which this folder does not know.
 * Described in docs/formats/instruct.md. */
#ifndef CORPUS_INSTRUCT_RECIPE_H
#define CORPUS_INSTRUCT_RECIPE_H

#include "base/config.h"
#include "corpus/instruct.h"
#include "corpus/reader.h"
#include "corpus/recipe_words.h"
#include "corpus/shard.h"

typedef struct {
    char *name, *kind, *format, *paths, *language;
    int64_t limit;   /* examples to use at most; 0: all                 */
    double weight;   /* how often each example is used                  */
    double share;    /* of the whole mix, in its unit; 0: none is given */
    double held_out; /* share of examples; -1: the recipe's             */
    double min_reward;
    bool trim, optional;
    RecipeWords path, excludes, members;
} InstructSource;

typedef struct {
    int64_t context; /* a row has one token more; 0: left to the caller */
    char *packing;   /* "packed" or "single"      */
    char *too_long;  /* "reject" or "cut"         */
    char *mix;       /* "examples" or "tokens"    */
    int64_t total;   /* of the mix, in its unit; 0: what the sources give */
    double max_repeats, held_out, max_rejected;
    bool dedup;
    char *template, *system, *markers;
    int64_t max_record_bytes, shard_rows;
} InstructConfig;
extern const FieldTable instruct_table;

typedef struct {
    InstructConfig config;
    InstructSource *sources;
    size_t sources_n;
} InstructRecipe;

void instruct_recipe_defaults(InstructRecipe *out); /* zeroed memory before */
void instruct_recipe_drop(InstructRecipe *r);

/* Takes its keys out of a section: what is left there are the caller's.  Sources are added to those that are
 * there.  ST_ARG names the key, value or source. */
MUST_CHECK Status instruct_recipe_take(InstructRecipe *r, json_t *section);

/* A source for a file of the command line, named after it. */
MUST_CHECK Status instruct_recipe_add_file(InstructRecipe *r, const char *path, const char *format);

json_t *instruct_recipe_to_json(const InstructRecipe *r); /* all settings as they hold; new reference */
ReaderSpec instruct_recipe_spec(const InstructRecipe *r, size_t source); /* borrows from the recipe */
InstructOptions instruct_recipe_options(const InstructSource *s);

#endif
