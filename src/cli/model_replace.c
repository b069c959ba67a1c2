#include "cli/model_replace.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "train/checkpoint.h"

/* Of the two folders that stand inside one whose model is being replaced. */
static const char made_name[] = ".tmp-model", old_name[] = ".old-model";

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

char *model_replace_file(const char *folder)
{
    FolderList names;
    char *found = NULL;
    if (folder_holds(folder, config_name))
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
    bool all = folder_holds(old, config_name);
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
    bool done = folder_holds(folder, config_name) && !folder_holds(made, config_name); /* the last file is in its place */
    if (path_exists(old))
        TRY(done ? folder_remove(old) : put_back(folder, old));
    return folder_remove(made);
}

Status model_replace_begin(char **made, const char *folder)
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

Status model_replace_commit(const char *folder)
{
    char *made = path_join(folder, made_name), *old = path_join(folder, old_name);
    Status st = replace(folder, made, old);
    if (st == ST_OK && (folder_remove(old) != ST_OK || folder_remove(made) != ST_OK))
        log_warn("%s", error_text()); /* the new model is there all the same */
    mem_free(made);
    mem_free(old);
    return st;
}

void model_replace_abandon(const char *folder)
{
    Error first = error_take();
    char *made = path_join(folder, made_name);
    if (!folder_holds(folder, old_name) && folder_remove(made) != ST_OK) /* else model_replace_begin needs both */
        log_warn("%s", error_text());
    mem_free(made);
    error_put(&first);
}
