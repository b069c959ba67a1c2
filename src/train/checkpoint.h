/* Checkpoints: everything a run needs to go on as if it had never stopped.  docs/formats/run-folder.md draws
 * the folder.
 *
 *   RUN/checkpoints/step-00001000/
 *       model.safetensors             f32 master weights, Hugging Face's names (sharded above 5 GB)
 *       config.json, tokenizer files  the checkpoint loads as a model
 *       adapter_model.safetensors, adapter_config.json
 *                                     instead of the two, where adapters are trained (model/adapter.h)
 *       optimizer.safetensors         exp_avg.NAME and exp_avg_sq.NAME, f32: m and v (train/optimizer.h)
 *       state.json                    the caller's state; size and XXH3 of every other file; a seal
 *
 * A checkpoint is written under checkpoints/.tmp-step-N, synced and put in its place (swap.h): it is there
 * whole or not at all.  One whose files do not match state.json (checkpoint_seal.h) is passed over with a
 * warning for the one before it. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <jansson.h>

#include "train/optimizer.h"

/* Writes RUN/checkpoints/step-N.  `state` is borrowed and gets the keys "files" and "seal".  `tokenizer` is a
 * folder or file whose vocabulary goes along, or NULL.  ST_IO (disk full, ...): nothing of it stays, older
 * checkpoints are untouched. */
MUST_CHECK Status checkpoint_write(const char *run, int64_t step, Model *m, const Optimizer *o,
                                   json_t *state, const char *tokenizer);

/* Removes all but the newest `keep` checkpoints up to `step` (0: keeps all) and what a kill left half done.
 * before > 0: the newest one of a step below it stays as well.  Those of later steps are damaged ones that a
 * run which went on from an earlier one passed over: they neither count nor go. */
MUST_CHECK Status checkpoint_prune(const char *run, int64_t step, int64_t keep, int64_t before);

/* The newest whole checkpoint: its folder (caller frees) and state (caller's reference), or NULL and NULL
 * where there is none.  Warns of each damaged one it passes over.  ST_FORMAT: all there are are damaged. */
MUST_CHECK Status checkpoint_find(char **folder, json_t **state, const char *run);

/* Verifies one folder against its state.json.  ST_IO, ST_FORMAT name the file. */
MUST_CHECK Status checkpoint_verify(json_t **state, const char *folder);

/* Weights and moments out of a verified folder; o->steps is the caller's. */
MUST_CHECK Status checkpoint_load(const char *folder, Model *m, Optimizer *o);

/* Writes a model folder that replaces RUN/model, whole or not at all; with adapters a PEFT folder,
 * RUN/adapter, whose elements are f32. */
MUST_CHECK Status checkpoint_export(const char *run, Model *m, DType dtype, const char *tokenizer);
/* Everything that a tokenizer may consist of in a Hugging Face folder, and what ends its texts; NULL ends it. */
extern const char *const checkpoint_tokenizer_files[];
/* All files of a folder that belong to its vocabulary and its chat template, or one such file, into another
 * folder, which is there.  Nothing where `tokenizer` is NULL or not there.  ST_IO. */
MUST_CHECK Status checkpoint_copy_tokenizer(const char *tokenizer, const char *folder);

int64_t checkpoint_count(const char *run); /* how many there are, damaged or not */
/* The step of the newest one, damaged or not, of a step below `before`; -1: there is none. */
int64_t checkpoint_newest_before(const char *run, int64_t before);
/* Of one checkpoint on disk, about; trained: how many numbers are. */
size_t checkpoint_bytes(int64_t trained);
/* What checkpoint_export's folder is called: "model" or "adapter". */
const char *checkpoint_result(bool adapters);

#endif
