/* Documents of a recipe's sources, cleaned, without repetitions, with a part held out: what `lemur corpus
 * build` does.
 *
 * Writes FOLDER/train/SOURCE.jsonl.zst, FOLDER/held_out/SOURCE.jsonl.zst, where asked
 * FOLDER/rejected/SOURCE.jsonl.zst, and FOLDER/manifest.json (docs/formats/corpus.md), all at once when they
 * are whole (manifest.h): what lay there before stays readable until then.
 * The bytes written depend on the recipe and the files alone, not on the number of threads.  Memory: three
 * batches of documents (about 40 MB), and a table on disk of sums of texts seen. */
#ifndef CORPUS_CORPUS_BUILD_H
#define CORPUS_CORPUS_BUILD_H

#include <jansson.h>

#include "corpus/corpus_recipe.h"

/* *manifest (NULL: not wanted) is what was written; caller frees.
 *   ST_ARG a source has no files, or nothing is left of all   ST_IO   ST_CANCELLED (stop.h) */
MUST_CHECK Status corpus_build(const CorpusRecipe *r, const char *folder, int threads, json_t **manifest);

/* Reads FOLDER/manifest.json and checks that it is a corpus.  Caller frees.  ST_IO, ST_FORMAT,
 * ST_UNSUPPORTED. */
MUST_CHECK Status corpus_manifest(json_t **out, const char *folder);

/* The path of one source's documents.  Caller frees.  ST_FORMAT the manifest names no such folder. */
MUST_CHECK Status corpus_file(char **out, const json_t *manifest, const char *folder, const char *split,
                              const char *source);

#endif
