/* What makes a folder of files one checkpoint: state.json, which holds the caller's state, size and XXH3 of
 * every other file ("files"), and a sum of itself ("seal").  docs/formats/run-folder.md. */
#ifndef TRAIN_CHECKPOINT_SEAL_H
#define TRAIN_CHECKPOINT_SEAL_H

#include <jansson.h>

#include "base/status.h"

/* Writes state.json, the last file of the folder.  `state` is borrowed and gets the keys "files" and
 * "seal".  ST_IO. */
MUST_CHECK Status checkpoint_seal(const char *folder, json_t *state);

/* Reads state.json and holds every file against it; the caller's reference.  `needed`: names that must be
 * among them, the last one NULL.  ST_IO, ST_FORMAT name the file. */
MUST_CHECK Status checkpoint_seal_verify(json_t **state, const char *folder, const char *const *needed);

#endif
