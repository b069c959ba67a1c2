/* What a model is called where several stand side by side.  "model", the last folder of each, tells nothing:
 *
 *     run/store/tune-e8c23eada523314a/out/model     "agent", as a run beside the store links to the stage; or
 *                                                   "tune-e8c23ead", where none does
 *     run/b/model                                   "b" */
#ifndef STUDY_MODEL_NAME_H
#define STUDY_MODEL_NAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* By the "config" of results.json.  Caller frees. */
char *model_name(const json_t *config);
/* Where it lies, as its run was told: a path, which may be gone or from another folder; "": it is a server's.
 */
const char *model_path(const json_t *config);
/* Whether the model at `path` lies in a folder, whose path in full is `real`.  A path that leads nowhere from
 * here does where the folder's last two names stand in it. */
bool model_lies_in(const char *path, const char *real);
/* What the paths of those who share the name of names[i] have not in common: of a/x and b/x "a".  NULL:
 * nothing, or nobody shares it.  Caller frees. */
char *model_name_apart(const char *const *names, const char *const *paths, size_t n, size_t i);

/* ".../tune-e8c23eada523314a/out" is a stage of a pipeline: its folder, or NULL.  Caller frees. */
char *stage_folder(const char *real);
/* What a run beside the store calls the stage with the folder `stage` and the product `real`, else its
 * folder's name, "tune-e8c23ead".  *run: what the run is called, "mini"; NULL where none or several have the
 * stage; may be NULL.  Caller frees both. */
char *stage_name(const char *real, const char *stage, char **run);

#endif
