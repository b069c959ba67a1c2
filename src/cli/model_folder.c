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

/* Of the two folders that stand inside one whose model is being replaced. */
static const char made_name[] = ".tmp-model", old_name[] = ".old-model";

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
    if (holds(found, adapter_config_name)) {
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
    bool trained_adapters = holds(adapter, adapter_config_name);
    Status st = trained_adapters ? refuse_adapter(given, adapter) : ST_OK;
    mem_free(adapter);
    if (trained_adapters)
        return st;
    if (holds(given, "checkpoints"))
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

/* Replacing a model -------------------------------------------------------------------------------------- */

static const char config_name[] = "config.json";

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* Whether a file of this name belongs to a model.  Others of a folder (README.md, ...) are let alone. */
static bool belongs(const char *name)
{
    static const char *const names[] = {
        config_name,
        "model.safetensors",
        "model.safetensors.index.json",
        "chat_template.json",
        "additional_chat_templates", /* a folder */
        NULL,
    };
    if (is_one_of(name, names) || is_one_of(name, checkpoint_tokenizer_files))
        return true;
    return span_starts(span(name), "model-") && strstr(name, "-of-") &&
           span_ends(span(name), ".safetensors");
}

char *model_folder_file(const char *folder)
{
    FolderList names;
    char *found = NULL;
    if (holds(folder, config_name))
        return mem_str(config_name);
    if (!path_is_folder(folder) || folder_list(&names, folder) != ST_OK)
        return NULL;
    for (size_t i = 0; i < names.n && !found; i++)
        found = belongs(names.at[i]) || strcmp(names.at[i], old_name) == 0 ? mem_str(names.at[i]) : NULL;
    folder_list_drop(&names);
    return found;
}

static Status move(const char *from, const char *to, const char *name)
{
    char *here = path_join(from, name), *there = path_join(to, name);
    Status st = rename(here, there) == 0 ? ST_OK : fail_errno(ST_IO, "cannot rename %s to %s", here, there);
    mem_free(here);
    mem_free(there);
    return st;
}

/* Every file of the model goes from one folder into the other, or is removed where there is no other.
 * config.json is the last: where it lies says how far a killed process came. */
static Status move_model(const char *from, const char *to)
{
    FolderList names;
    TRY(folder_list(&names, from));
    Status st = ST_OK;
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < names.n && st == ST_OK; i++) {
            bool last = strcmp(names.at[i], config_name) == 0;
            if (last != (turn == 1) || !belongs(names.at[i]))
                continue;
            char *path = path_join(from, names.at[i]);
            st = to ? move(from, to, names.at[i]) : folder_remove(path);
            mem_free(path);
        }
    folder_list_drop(&names);
    return st;
}

/* The old model comes back.  What lies in its place is new only if all of the old one had been moved away. */
static Status put_back(const char *folder, const char *old)
{
    char *config = path_join(folder, config_name);
    bool all = holds(old, config_name);
    Status st = all ? folder_remove(config) : ST_OK; /* first: what lies here is whole no longer */
    mem_free(config);
    if (st == ST_OK && all)
        st = move_model(folder, NULL);
    if (st == ST_OK)
        st = move_model(old, folder);
    return st == ST_OK ? folder_remove(old) : st;
}

/* Behind a killed process. */
static Status recover(const char *folder, const char *made, const char *old)
{
    bool done = holds(folder, config_name) && !holds(made, config_name); /* the last file is in its place */
    if (path_exists(old))
        TRY(done ? folder_remove(old) : put_back(folder, old));
    return folder_remove(made);
}

Status model_folder_begin(char **made, const char *folder)
{
    char *path = path_join(folder, made_name), *old = path_join(folder, old_name);
    Status st = recover(folder, path, old);
    if (st == ST_OK)
        st = folder_make(path);
    mem_free(old);
    if (st == ST_OK)
        *made = path;
    else
        mem_free(path);
    return st;
}

static Status replace(const char *folder, const char *made, const char *old)
{
    TRY(folder_make(old));
    Status st = move_model(folder, old);
    if (st == ST_OK)
        st = move_model(made, folder);
    if (st == ST_OK)
        st = folder_sync(folder);
    if (st == ST_OK)
        return ST_OK;
    Error first = error_take();
    if (put_back(folder, old) != ST_OK)
        log_warn("%s; the old model is in %s", error_text(), old);
    return error_put(&first);
}

Status model_folder_commit(const char *folder)
{
    char *made = path_join(folder, made_name), *old = path_join(folder, old_name);
    Status st = replace(folder, made, old);
    if (st == ST_OK && (folder_remove(old) != ST_OK || folder_remove(made) != ST_OK))
        log_warn("%s", error_text()); /* the new model is there all the same */
    mem_free(made);
    mem_free(old);
    return st;
}

void model_folder_abandon(const char *folder)
{
    Error first = error_take();
    char *made = path_join(folder, made_name);
    if (!holds(folder, old_name) && folder_remove(made) != ST_OK) /* else model_folder_begin needs both */
        log_warn("%s", error_text());
    mem_free(made);
    error_put(&first);
}
