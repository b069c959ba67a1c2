/* Which folder holds the model that somebody means: a model folder itself, or a run folder's result or
 * newest checkpoint.  And how a model is written into a folder, in the place of another:
 *
 *     char *made;
 *     TRY(model_folder_begin(&made, "OUT"));
 *     st = ... writes config.json and all others into `made` ...
 *     if (st == ST_OK)
 *         st = model_folder_commit("OUT");
 *     if (st != ST_OK)
 *         model_folder_abandon("OUT");
 */
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

/* The name of a file there that belongs to a model: config.json, else weights, vocabulary or template.
 * Caller frees; NULL: there is none. */
char *model_folder_file(const char *folder);

/* *made, which the caller frees, is an empty folder inside `folder`, which is made where it is missing.
 * What a killed process left is put in order first: the old model is whole, or the new one.  Nobody else
 * may be writing there.  ST_IO. */
MUST_CHECK Status model_folder_begin(char **made, const char *folder);
/* What was made takes the place of the model that the folder holds, of which nothing is left: neither a
 * vocabulary nor a shard of weights.  Files that belong to no model stay.  ST_IO: the old model is back. */
MUST_CHECK Status model_folder_commit(const char *folder);
/* Removes what was made, and keeps the sentence of what went wrong. */
void model_folder_abandon(const char *folder);

#endif
