#include "train/run_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "train/swap.h"

Status run_folder_read_config(json_t **out, const char *path)
{
    char *name = path_join(path, "config.json");
    Status st = json_file_read(out, name);
    mem_free(name);
    return st;
}

/* What a run writes, and so what may be removed when it is overwritten: nothing else in the folder is
 * touched. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {"checkpoints", "model",        ".tmp-model",   ".old-model",
                                        "adapter",     ".tmp-adapter", ".old-adapter", "log.jsonl",
                                        "config.json", "results.json", "save"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "events.out.tfevents.", 20) == 0;
}

/* "config.json.tmp-123" of a process 123 that is no more; nothing has been written yet by this one. */
static bool is_left_over(const char *name)
{
    size_t n;
    if (!file_is_left_over(name, &n))
        return false;
    char *final = mem_strn(name, n);
    bool ours = is_ours(final);
    mem_free(final);
    return ours;
}

/* Removes what is in the folder and of which `is_such` holds. */
static Status remove_all(const char *path, bool (*is_such)(const char *name))
{
    FolderList names;
    TRY(folder_list(&names, path));
    Status st = ST_OK;
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        if (!is_such(names.at[i]))
            continue;
        char *inner = path_join(path, names.at[i]);
        st = folder_remove(inner);
        mem_free(inner);
    }
    folder_list_drop(&names);
    return st;
}

/* Behind a run that was killed while it wrote: the lock is ours, so nobody writes here any more. */
static Status recover(const char *path)
{
    char *checkpoints = path_join(path, "checkpoints");
    Status st = swap_recover(path, "model");
    if (st == ST_OK)
        st = swap_recover(path, "adapter");
    if (st == ST_OK)
        st = swap_recover(path, "data");
    if (st == ST_OK)
        st = swap_recover(checkpoints, "step-");
    if (st == ST_OK)
        st = remove_all(path, is_left_over);
    mem_free(checkpoints);
    return st;
}

static Status take_lock(RunFolder *f)
{
    char *name = path_join(f->path, ".lock");
    Status st = file_lock(&f->lock, name);
    if (st == ST_LIMIT)
        st = fail(ST_ARG,
                  "another process trains in %s; wait for it, stop it, or choose another folder with -o",
                  f->path);
    mem_free(name);
    return st;
}

/* How much of a path is there already: its length, or that of the nearest folder above it. */
static size_t length_there(const char *path)
{
    char *at = mem_str(path);
    while (*at && !path_exists(at)) {
        char *slash = strrchr(at, '/');
        *(slash ? slash : at) = 0;
    }
    size_t n = strlen(at);
    mem_free(at);
    return n;
}

/* A run that is refused leaves no folder behind: the lock goes, and then what is empty of what was made. */
static void remove_if_unused(RunFolder *f)
{
    FolderList names;
    if (f->kept == strlen(f->path) || folder_list(&names, f->path) != ST_OK)
        return;
    bool unused = names.n == 0 || (names.n == 1 && strcmp(names.at[0], ".lock") == 0);
    folder_list_drop(&names);
    char *at = path_join(f->path, ".lock");
    if (unused)
        unlink(at);
    for (char *slash; unused && (slash = strrchr(at, '/')) && (size_t)(slash - at) > f->kept;) {
        *slash = 0;
        rmdir(at); /* fails where somebody has put something there */
    }
    mem_free(at);
}

Status run_folder_possible(const char *path)
{
    static const char *const weights[] = {"model.safetensors", "model.safetensors.index.json",
                                          "adapter_model.safetensors"};
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++)
        if (folder_holds(path, weights[i]))
            return fail(ST_ARG, "%s holds a model (%s) and no run; choose another folder with -o", path,
                        weights[i]);
    return ST_OK;
}

Status run_folder_open(RunFolder *f, const char *path, bool resume, bool overwrite)
{
    Status st;
    *f = (RunFolder){.path = mem_str(path), .lock = -1, .kept = length_there(path)};
    if (resume && overwrite) {
        st = fail(ST_ARG, "--resume goes on with a run and --overwrite deletes it: give one of them");
        goto undo;
    }
    TRY_TO(undo, run_folder_possible(path));
    TRY_TO(undo, folder_make(path));
    TRY_TO(undo, take_lock(f));
    f->holds_run = folder_holds(path, "config.json") || folder_holds(path, "checkpoints");
    f->stale = f->holds_run && overwrite;
    f->holds_run = f->holds_run && !overwrite;
    if (f->holds_run && !resume) {
        st = fail(
            ST_ARG,
            "%s holds a run; go on with it by --resume, delete it by --overwrite, or choose another folder "
            "with -o",
            path);
        goto undo;
    }
    if (f->holds_run && folder_holds(path, "config.json"))
        TRY_TO(undo, run_folder_read_config(&f->config, path));
    TRY_TO(undo, recover(path));
    return ST_OK;
undo:
    run_folder_close(f);
    return st;
}

void run_folder_close(RunFolder *f)
{
    if (f->path && f->lock >= 0) {
        remove_if_unused(f);
        close(f->lock);
    }
    mem_free(f->path);
    json_decref(f->config);
    *f = (RunFolder){.lock = -1};
}

/* The part of `inner` behind `folder` and a slash, both without links; NULL: it does not lie in it. */
static const char *part_within(const char *folder, const char *inner)
{
    size_t n = strlen(folder);
    return strncmp(inner, folder, n) == 0 && inner[n] == '/' ? inner + n + 1 : NULL;
}

Status run_folder_spares(const RunFolder *f, const char *what, const char *path)
{
    char *folder = f->stale && path ? realpath(f->path, NULL) : NULL;
    char *real = folder ? realpath(path, NULL) : NULL;
    const char *part = real ? part_within(folder, real) : NULL;
    char *first = part ? mem_strn(part, strcspn(part, "/")) : NULL;
    bool goes = first && is_ours(first);
    mem_free(first);
    free(real);
    free(folder);
    return goes ? fail(ST_ARG,
                       "%s, %s, lies in the run that --overwrite deletes; choose another folder with -o, or "
                       "move it elsewhere first",
                       what, path)
                : ST_OK;
}

Status run_folder_clear(RunFolder *f)
{
    if (f->stale)
        TRY(remove_all(f->path, is_ours));
    f->stale = false;
    return ST_OK;
}

Status run_folder_write(const RunFolder *f, const char *name, const json_t *json)
{
    char *path = path_join(f->path, name);
    Status st = json_file_write(path, json);
    mem_free(path);
    return st;
}

Status run_folder_unlink(const RunFolder *f, const char *name)
{
    char *path = path_join(f->path, name);
    Status st = unlink(path) == 0 || errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot remove %s", path);
    mem_free(path);
    return st;
}

bool run_folder_save_asked(const RunFolder *f)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/save", f->path); /* asked every step: no allocation */
    return n > 0 && (size_t)n < sizeof path && unlink(path) == 0;
}
