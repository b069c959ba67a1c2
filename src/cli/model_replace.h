/* Writes a model into a folder, in the place of another or of none.  Files that belong to no model stay, so the
 * folder itself cannot be exchanged as train/swap.h does:
 *
 *     char *made;
 *     TRY(model_replace_begin(&made, "OUT"));
 *     st = ... writes config.json and all others into `made` ...
 *     if (st == ST_OK)
 *         st = model_replace_commit("OUT");
 *     if (st != ST_OK)
 *         model_replace_abandon("OUT");
 */
#ifndef CLI_MODEL_REPLACE_H
#define CLI_MODEL_REPLACE_H

#include "base/status.h"

/* The name of a file there that belongs to a model: config.json, else weights, vocabulary or template.
 * Caller frees; NULL: there is none. */
char *model_replace_file(const char *folder);

/* *made, which the caller frees, is an empty folder inside `folder`, which is made where it is missing.
 * What a killed process left is put in order first: the old model is whole, or the new one.  Nobody else
 * may be writing there.  ST_IO. */
MUST_CHECK Status model_replace_begin(char **made, const char *folder);
/* What was made takes the place of the model that the folder holds, of which nothing is left: neither a
 * vocabulary nor a shard of weights.  Files that belong to no model stay.  ST_IO: the old model is back. */
MUST_CHECK Status model_replace_commit(const char *folder);
/* Removes what was made, and keeps the sentence of what went wrong. */
void model_replace_abandon(const char *folder);

#endif
