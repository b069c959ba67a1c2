#include "cli/model_folder.h"

#include <jansson.h>
#include <stdbool.h>

#include "base/file.h"
#include "base/mem.h"
#include "train/checkpoint.h"

static bool holds(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool is = path_exists(path);
    mem_free(path);
    return is;
}

static bool holds_weights(const char *folder)
{
    return holds(folder, "model.safetensors") || holds(folder, "model.safetensors.index.json");
}

static Status find_checkpoint(char **out, const char *run)
{
    json_t *state = NULL;
    *out = NULL;
    TRY(checkpoint_find(out, &state, run));
    json_decref(state);
    if (!*out)
        return fail(ST_IO, "the run in %s has no checkpoint yet and no model", run);
    return ST_OK;
}

Status model_folder_find(char **out, const char *given)
{
    if (path_exists(given) && !path_is_folder(given))
        return fail(ST_IO, "%s is a file; name the folder that holds a model's config.json, "
                           "model.safetensors and tokenizer, or a training run's", given);
    if (!path_is_folder(given))
        return fail(ST_IO, "there is no folder %s", given);
    if (holds_weights(given)) {
        *out = mem_str(given);
        return ST_OK;
    }
    char *result = path_join(given, "model");
    if (holds_weights(result)) {
        *out = result;
        return ST_OK;
    }
    mem_free(result);
    if (holds(given, "checkpoints"))
        return find_checkpoint(out, given);
    return fail(ST_IO, "%s is neither a model folder (config.json, model.safetensors) nor a run's "
                       "(model, checkpoints)", given);
}

Status model_path_find(char **out, const char *given)
{
    if (!path_exists(given) || path_is_folder(given))
        return model_folder_find(out, given);
    *out = mem_str(given);
    return ST_OK;
}
