#include "train/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { CONFIG_BYTES_MAX = 16 << 20 };

Status run_folder_read_config(json_t **out, const char *path)
{
    Str text = {0};
    json_error_t why;
    char *name = path_join(path, "config.json");
    Status st = file_read(&text, name, CONFIG_BYTES_MAX);
    if (st == ST_OK) {
        *out = json_loadb(str_c(&text), text.n, JSON_REJECT_DUPLICATES, &why);
        if (!*out)
            st = fail(ST_FORMAT, "%s is no JSON: %s (line %d)", name, why.text, why.line);
    }
    str_drop(&text);
    mem_free(name);
    return st;
}

/* What a run writes, and so what may be removed when it is overwritten: nothing else in the folder is
 * touched. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {"checkpoints", "model",       ".tmp-model",   ".old-model",
                                        "log.jsonl",   "config.json", "results.json", "save"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "events.out.tfevents.", 20) == 0;
}

static Status remove_run(const char *path)
{
    Status st = ST_OK;
    DIR *d = opendir(path);
    if (!d)
        return fail_errno(ST_IO, "cannot open folder %s", path);
    for (struct dirent *e; st == ST_OK && (e = readdir(d));) {
        if (!is_ours(e->d_name))
            continue;
        char *inner = path_join(path, e->d_name);
        st = folder_remove(inner);
        mem_free(inner);
    }
    closedir(d);
    return st;
}

static bool holds(const char *path, const char *name)
{
    char *inner = path_join(path, name);
    bool found = path_exists(inner);
    mem_free(inner);
    return found;
}

static Status take_lock(RunFolder *f)
{
    char *name = path_join(f->path, ".lock");
    Status st = ST_OK;
    f->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->lock < 0)
        st = fail_errno(ST_IO, "cannot write in %s", f->path);
    else if (flock(f->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        st = fail(ST_ARG,
                  "another process trains in %s; wait for it, stop it, or choose another folder with -o",
                  f->path);
    mem_free(name);
    return st;
}

Status run_folder_open(RunFolder *f, const char *path, bool resume, bool overwrite)
{
    Status st;
    *f = (RunFolder){.path = mem_str(path), .lock = -1};
    if (resume && overwrite) {
        st = fail(ST_ARG, "--resume goes on with a run and --overwrite deletes it: give one of them");
        goto undo;
    }
    TRY_TO(undo, folder_make(path));
    TRY_TO(undo, take_lock(f));
    f->holds_run = holds(path, "config.json") || holds(path, "checkpoints");
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
    if (f->holds_run && holds(path, "config.json"))
        TRY_TO(undo, run_folder_read_config(&f->config, path));
    return ST_OK;
undo:
    run_folder_close(f);
    return st;
}

void run_folder_close(RunFolder *f)
{
    if (f->path && f->lock >= 0)
        close(f->lock);
    mem_free(f->path);
    json_decref(f->config);
    *f = (RunFolder){.lock = -1};
}

Status run_folder_clear(RunFolder *f)
{
    if (f->stale)
        TRY(remove_run(f->path));
    f->stale = false;
    return ST_OK;
}

/* With as few digits as bring every number back: 0.0006 and not 0.00059999999999999995.  Caller frees. */
static char *dump_exactly(const json_t *json)
{
    for (size_t digits = 12;; digits++) {
        char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(digits));
        json_t *again = json_loads(text, 0, NULL);
        bool exact = json_equal(again, json);
        json_decref(again);
        if (exact || digits == 17)
            return text;
        free(text);
    }
}

Status run_folder_write(const RunFolder *f, const char *name, const json_t *json)
{
    char *text = dump_exactly(json), *path = path_join(f->path, name);
    Str line = {0};
    str_adds(&line, text);
    str_addc(&line, '\n');
    Status st = file_replace(path, line.at, line.n);
    str_drop(&line);
    mem_free(path);
    free(text);
    return st;
}

bool run_folder_save_asked(const RunFolder *f)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/save", f->path); /* asked every step: no allocation */
    return n > 0 && (size_t)n < sizeof path && unlink(path) == 0;
}
