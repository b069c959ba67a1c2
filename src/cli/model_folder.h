/* Which folder holds the model that somebody means: a model folder itself, or a run folder's result or
 * newest checkpoint. */
#ifndef CLI_MODEL_FOLDER_H
#define CLI_MODEL_FOLDER_H

#include "base/status.h"

/* *out, which the caller frees, is `given` where it holds safetensors, else given/model, else the newest
 * whole checkpoint of given/checkpoints.  ST_IO: it is none of these, or adapters alone, which the sentence
 * says how to open. */
MUST_CHECK Status model_folder_find(char **out, const char *given);
/* The same for commands that take a GGUF file as well: a file is itself, and whoever opens it says
 * whether it is one. */
MUST_CHECK Status model_path_find(char **out, const char *given);

#endif
