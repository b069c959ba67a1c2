#include "cli/model_folder.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/adapter.h"
#include "train/checkpoint.h"

static bool holds_weights(const char *folder)
{
    return folder_holds(folder, "model.safetensors") || folder_holds(folder, "model.safetensors.index.json");
}

/* `given` has trained adapters, which are no model without their base; `adapter` is their folder. */
static Status refuse_adapter(const char *given, const char *adapter)
{
    json_t *config = NULL;
    char *path = path_join(adapter, adapter_config_name);
    /* The base is a courtesy; whoever opens the adapter says what is wrong with it. */
    const char *base = json_file_read(&config, path) == ST_OK
                           ? json_string_value(json_object_get(config, "base_model_name_or_path"))
                           : NULL;
    char *run = path_join(given, "adapter");
    const char *word = path_exists(run) ? given : adapter, *model = base && *base ? base : "BASE";
    Status st = fail(ST_IO,
                     "%s holds adapters and no model of its own; open the model that they were trained over "
                     "and merge them in: -m %s --adapter %s, or for good: lemur convert %s --merge %s -o OUT",
                     given, model, word, model, word);
    mem_free(run);
    mem_free(path);
    json_decref(config);
    return st;
}

static Status find_checkpoint(char **out, const char *run)
{
    json_t *state = NULL;
    char *found = NULL;
    TRY(checkpoint_find(&found, &state, run));
    json_decref(state);
    if (!found)
        return fail(ST_IO, "the run in %s has no checkpoint yet and no model", run);
    if (folder_holds(found, adapter_config_name)) {
        Status st = refuse_adapter(run, found);
        mem_free(found);
        return st;
    }
    *out = found;
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
    char *adapter = adapter_path(given);
    bool trained_adapters = folder_holds(adapter, adapter_config_name);
    Status st = trained_adapters ? refuse_adapter(given, adapter) : ST_OK;
    mem_free(adapter);
    if (trained_adapters)
        return st;
    if (folder_holds(given, "checkpoints"))
        return find_checkpoint(out, given);
    return fail(ST_IO, "%s is neither a model folder (config.json, model.safetensors) nor a run's "
                       "(model, checkpoints)", given);
}

Status model_path_find(char **out, const char *given)
{
    if (!path_exists(given))
        return fail(ST_IO, "there is no such file or folder: %s", given);
    if (path_is_folder(given))
        return model_folder_find(out, given);
    *out = mem_str(given);
    return ST_OK;
}
