/* Whether a model is the one that it was, without reading all of it.
 *
 * XXH3 over a file's size and the whole of it up to 16 MB, else its first and last 1 MB and 64 kB at every
 * 256th of its length; of a folder over the names and contents of the files that make a model (*.json,
 * *.safetensors, *.model, *.jinja).  Neither place nor age counts: a copy is the same model.  Weights that
 * were trained on, or quantised otherwise, differ everywhere; a few bytes changed in the middle of a large
 * file are not seen. */
#ifndef CLI_MODEL_HASH_H
#define CLI_MODEL_HASH_H

#include <stdint.h>

#include "base/status.h"

/* ST_IO. */
MUST_CHECK Status model_hash(uint64_t *out, const char *path);
/* The same as text: 16 digits and letters. */
MUST_CHECK Status model_hash_text(char out[17], const char *path);

#endif
