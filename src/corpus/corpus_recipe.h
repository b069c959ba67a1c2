/* The `corpus:` section of a recipe: which sources there are and what is done to their documents.
 * Described in docs/formats/recipe.md; other sections of the file are passed over. */
#ifndef CORPUS_CORPUS_RECIPE_H
#define CORPUS_CORPUS_RECIPE_H

#include "base/config.h"
#include "corpus/clean.h"
#include "corpus/reader.h"
#include "corpus/recipe_words.h"

typedef struct {
    char *name, *kind, *language, *format, *text_key, *separator;
    int64_t limit;   /* bytes of text kept; 0: all          */
    double weight;   /* for packing: times its natural share */
    double held_out; /* share of documents; the recipe's where the source has none of its own */
    bool optional;   /* finding no file is no error          */
    RecipeWords paths, excludes, members;
    CleanText text; /* the recipe's thresholds with this source's own on top */
    CleanCode code;
} CorpusSource;

typedef struct {
    int64_t seed, max_document_bytes;
    double held_out;
    bool keep_rejected;
    char *dedup; /* "exact" or "none" */
    CleanText text;
    CleanCode code;
    CorpusSource *sources;
    size_t sources_n;
} CorpusRecipe;

/* ST_IO, ST_FORMAT (no YAML), ST_ARG: a key, value or missing part that is named.  Fill or not, drop it. */
MUST_CHECK Status corpus_recipe_read(CorpusRecipe *out, const char *path);
/* The same from text; `name` stands for the file in errors. */
MUST_CHECK Status corpus_recipe_parse(CorpusRecipe *out, const char *text, size_t n, const char *name);
/* The same from a file's content that is read already. */
MUST_CHECK Status corpus_recipe_take(CorpusRecipe *out, const json_t *file);
void corpus_recipe_drop(CorpusRecipe *r);

json_t *corpus_recipe_to_json(const CorpusRecipe *r); /* all settings as they hold; caller frees */
ReaderSpec corpus_recipe_spec(const CorpusRecipe *r, size_t source); /* borrows from the recipe */

/* The section `name` of a recipe file as JSON, or NULL in *out where the file has none.  Caller frees. */
MUST_CHECK Status corpus_recipe_section(json_t **out, const char *path, const char *name);

#endif
