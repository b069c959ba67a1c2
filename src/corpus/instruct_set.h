/* From instruction sets to rows that train/ reads: what `lemur tune` does before its first step.
 *
 * First pass: every record is read, checked, rendered by the chat template (ids and loss mask by one
 * function) and its mask proved; what cannot be used goes to rejected.jsonl with reason, file and line.  Then
 * the mix (instruct_plan.h) says how often each source's examples are used.  Second pass: whole examples are
 * put into rows, each row of one source, and the rows of all sources are shuffled together.  Held-out
 * examples are a share of each source, by the sum of their tokens, so the same example falls on the same side
 * each time.
 *
 * Writes FOLDER/{train,held_out}-NNNNN.tok (with masks), FOLDER/rejected.jsonl, FOLDER/tokenizer/ and
 * FOLDER/manifest.json, all at once when they are whole.  Same files, settings, vocabulary and seed: same
 * bytes, whatever the number of threads. */
#ifndef CORPUS_INSTRUCT_SET_H
#define CORPUS_INSTRUCT_SET_H

#include "corpus/instruct_recipe.h"

typedef struct {
    const InstructRecipe *recipe; /* config.context is set */
    const Tokenizer *tok;         /* with the template's marks, as far as it is to have them */
    const ChatTemplate *tmpl;
    uint64_t seed;
    int threads;
} InstructJob;

/* Of everything that decides the rows: bytes of every input file, settings, template, vocabulary, seed.
 * ST_IO. */
MUST_CHECK Status instruct_inputs_hash(uint64_t *out, const InstructJob *job);

/* Whether the folder has a set of the same inputs, sound or not. */
bool instruct_is_prepared(const InstructJob *job, const char *folder);
/* Prepares the set, unless FOLDER holds one of the same inputs already (*reused).  Either way every row's
 * mask is proved before it returns.  *manifest: caller frees.
 *   ST_ARG     a source has no file, is of no known format, or of several
 *   ST_FORMAT  too much of a source is broken, or a mask hides what is to be learned: the place is named
 *   ST_IO, ST_CANCELLED */
MUST_CHECK Status instruct_prepare(const InstructJob *job, const char *folder, json_t **manifest,
                                   bool *reused);

/* The manifest of a prepared set.  ST_FORMAT: the folder holds other rows. */
MUST_CHECK Status instruct_manifest(json_t **out, const char *folder);

/* The proof over rows as they lie on disk: each example learns something, no first token is learned, each
 * learned stretch ends with an id that ends a turn (`ends`; none: not looked at), nothing of the padding is
 * learned, and sums are those of the manifest.  ST_FORMAT names the row. */
MUST_CHECK Status instruct_prove(const char *folder, const Ids *ends, const json_t *manifest);

#endif
