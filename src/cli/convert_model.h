/* What `lemur convert` does: a model from one form into another, whatever each of them is. */
#ifndef CLI_CONVERT_MODEL_H
#define CLI_CONVERT_MODEL_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "base/status.h"

typedef struct {
    const char *in;     /* a model folder, a run folder or a .gguf; NULL: random weights of `preset` */
    const char *out;    /* NAME.gguf, or a folder */
    const char *type;   /* NULL: the input's own for GGUF, else bf16 */
    const char *vocab;  /* in place of the input's; for a random model also a number of tokens; may be NULL */
    const char *preset; /* hparams_preset; of a random model */
    int64_t seed;       /* of its weights */
    int threads;
    const char *merge; /* a PEFT folder whose adapter is merged in (model/lora_merge.h); NULL: none */
    bool pure;    /* every matrix of the type itself */
    bool overwrite; /* replace the model that is at `out` */
    bool dry_run; /* the plan alone */
    const volatile sig_atomic_t *stop; /* non-zero: ends the writing.  NULL: never */
} ConvertJob;

/* *result: what was written or would be, as JSON; the caller's reference; untouched on failure.  A failure
 * leaves what was at `out`, and files there that belong to no model stay in any case.  ST_ARG (also: `out`
 * is taken and not to be overwritten), ST_IO, ST_FORMAT, ST_UNSUPPORTED, ST_LIMIT (no room on the disk, a
 * number its type cannot hold), ST_CANCELLED. */
MUST_CHECK Status convert_model(const ConvertJob *job, json_t **result);

#endif
