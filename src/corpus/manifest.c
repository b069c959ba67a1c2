#include "corpus/manifest.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { MANIFEST_MAX = 256 << 20 };
static const char *const stages[] = {".partial", ".partial-2"};
enum { STAGES = sizeof stages / sizeof *stages };

/* Reading ------------------------------------------------------------------------------------------------ */

static Status load(json_t **out, const char *path)
{
    Str text = {0};
    json_error_t why;
    Status st = file_read(&text, path, MANIFEST_MAX);
    if (st == ST_OK && !(*out = json_loadb(str_c(&text), text.n, JSON_REJECT_DUPLICATES, &why)))
        st = fail(ST_FORMAT, "%s is damaged: line %d: %s", path, why.line, why.text);
    str_drop(&text);
    return st;
}

static Status kind_check(const json_t *m, const ManifestKind *kind, const char *path)
{
    const char *format = json_string_value(json_object_get(m, "format"));
    const json_t *version = json_object_get(m, "version");
    if (!format || strcmp(format, kind->format) != 0)
        return fail(ST_FORMAT, "%s describes \"%s\", not %s", path, format ? format : "nothing", kind->holds);
    if (!json_is_integer(version))
        return fail(ST_FORMAT, "%s: \"version\" is missing or no whole number", path);
    if (json_integer_value(version) != kind->version)
        return fail(ST_UNSUPPORTED, "%s is of version %lld, this program reads version %d; %s again", path,
                    (long long)json_integer_value(version), kind->version, kind->made);
    return ST_OK;
}

Status manifest_read(json_t **out, const ManifestKind *kind, const char *folder)
{
    json_t *m = NULL;
    char *path = path_join(folder, "manifest.json");
    Status st = path_exists(path)
                    ? load(&m, path)
                    : fail(ST_IO, "no %s: the folder does not hold %s; %s", path, kind->holds, kind->made);
    if (st == ST_OK)
        st = kind_check(m, kind, path);
    if (st == ST_OK)
        *out = json_incref(m);
    json_decref(m);
    mem_free(path);
    return st;
}

static const char *stage_named(const json_t *manifest)
{
    const char *name = json_string_value(json_object_get(manifest, "folder"));
    for (int i = 0; name && i < STAGES; i++)
        if (strcmp(name, stages[i]) == 0)
            return stages[i];
    return NULL;
}

Status manifest_place(char **out, const json_t *manifest, const char *folder)
{
    const char *stage = stage_named(manifest);
    if (!stage && json_object_get(manifest, "folder"))
        return fail(ST_FORMAT, "%s/manifest.json: \"folder\" is neither %s nor %s", folder, stages[0],
                    stages[1]);
    *out = stage ? path_join(folder, stage) : mem_str(folder);
    return ST_OK;
}

/* Writing ------------------------------------------------------------------------------------------------ */

/* Which stage holds the set that lies there; a manifest that cannot be read names none. */
static const char *stage_in_use(const char *home)
{
    json_t *m = NULL;
    char *path = path_join(home, "manifest.json");
    if (path_exists(path) && load(&m, path) != ST_OK)
        (void)error_take();
    const char *name = stage_named(m);
    json_decref(m);
    mem_free(path);
    return name;
}

/* Removes the stages that the manifest does not name; *free_name is one of them. */
static Status stages_clear(const char *home, const char **free_name)
{
    const char *used = stage_in_use(home);
    Status st = ST_OK;
    for (int i = STAGES - 1; st == ST_OK && i >= 0; i--) {
        if (stages[i] == used)
            continue;
        char *left = path_join(home, stages[i]);
        st = folder_remove(left);
        mem_free(left);
        *free_name = stages[i];
    }
    return st;
}

typedef Status EntryWork(const ManifestStage *s, const char *name);

static Status each_owned(const ManifestStage *s, const char *folder, EntryWork *work)
{
    DIR *d = opendir(folder);
    if (!d)
        return fail_errno(ST_IO, "cannot open folder %s", folder);
    Status st = ST_OK;
    for (struct dirent *e; st == ST_OK && (e = readdir(d));)
        if (s->kind->owns(e->d_name))
            st = work(s, e->d_name);
    closedir(d);
    return st;
}

static Status somebody_elses(const ManifestStage *s, const char *name)
{
    return fail(ST_ARG,
                "%s/%s is there already, and no manifest.json says that it is of %s; choose another folder",
                s->home, name, s->kind->holds);
}

/* What a set replaces it removes, so it must be a set's. */
static Status check_owner(const ManifestKind *kind, const char *home)
{
    ManifestStage s = {.kind = kind, .home = mem_str(home)};
    char *path = path_join(home, "manifest.json");
    Status st = path_exists(path) ? ST_OK : each_owned(&s, home, somebody_elses);
    mem_free(path);
    mem_free(s.home);
    return st;
}

Status manifest_begin(ManifestStage *s, const ManifestKind *kind, const char *home)
{
    const char *name;
    *s = (ManifestStage){0};
    int lock;
    TRY(folder_make(home));
    TRY(folder_lock(&lock, home));
    Status st = check_owner(kind, home);
    if (st == ST_OK)
        st = stages_clear(home, &name);
    if (st != ST_OK) {
        close(lock);
        return st;
    }
    *s = (ManifestStage){kind, mem_str(home), path_join(home, name), name, lock};
    st = folder_make(s->folder);
    if (st != ST_OK)
        manifest_end(s);
    return st;
}

/* Written in the stage, where a kill leaves nothing that the next run does not find. */
static Status manifest_replace(const ManifestStage *s, const json_t *manifest)
{
    char *made = path_join(s->folder, "manifest.json"), *place = path_join(s->home, "manifest.json");
    char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    check(text);
    Status st = file_replace(made, text, strlen(text));
    if (st == ST_OK && rename(made, place) != 0)
        st = fail_errno(ST_IO, "cannot rename %s to %s", made, place);
    if (st == ST_OK)
        st = folder_sync(s->home);
    free(text);
    mem_free(made);
    mem_free(place);
    return st;
}

static Status old_remove(const ManifestStage *s, const char *name)
{
    char *path = path_join(s->home, name);
    Status st = folder_remove(path);
    mem_free(path);
    return st;
}

static Status tree_link(const char *from, const char *to)
{
    if (!path_is_folder(from))
        return link(from, to) == 0 ? ST_OK : fail_errno(ST_IO, "cannot link %s to %s", from, to);
    TRY(folder_make(to));
    DIR *d = opendir(from);
    if (!d)
        return fail_errno(ST_IO, "cannot open folder %s", from);
    Status st = ST_OK;
    for (struct dirent *e; st == ST_OK && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *inner = path_join(from, e->d_name), *linked = path_join(to, e->d_name);
        st = tree_link(inner, linked);
        mem_free(inner);
        mem_free(linked);
    }
    closedir(d);
    return st == ST_OK ? folder_sync(to) : st;
}

static Status new_link(const ManifestStage *s, const char *name)
{
    char *from = path_join(s->folder, name), *to = path_join(s->home, name);
    Status st = tree_link(from, to);
    mem_free(from);
    mem_free(to);
    return st;
}

/* From the stage into place.  However far it gets, the manifest names a whole set. */
static Status set_place(const ManifestStage *s, const json_t *manifest)
{
    TRY(each_owned(s, s->home, old_remove));
    TRY(each_owned(s, s->folder, new_link));
    TRY(folder_sync(s->home));
    return manifest_replace(s, manifest);
}

Status manifest_commit(ManifestStage *s, const json_t *manifest)
{
    json_t *staged = json_object();
    json_object_set_new(staged, "folder", json_string(s->name));
    json_object_update_missing(staged, (json_t *)(uintptr_t)manifest);
    Status st = folder_sync(s->folder);
    if (st == ST_OK)
        st = folder_sync(s->home);
    if (st == ST_OK)
        st = manifest_replace(s, staged);
    json_decref(staged);
    TRY(st);
    if (set_place(s, manifest) != ST_OK)
        log_warn("%s: the new files are whole, but stay in %s: %s", s->home, s->name, error_take().text);
    return ST_OK;
}

void manifest_end(ManifestStage *s)
{
    const char *name;
    Error why = error_take(); /* the failure that led here is the one to report */
    if (s->home && stages_clear(s->home, &name) != ST_OK)
        log_warn("%s", error_take().text); /* readers pass it over, and the next run removes it */
    if (why.status != ST_OK)
        (void)error_put(&why);
    if (s->home)
        close(s->lock);
    mem_free(s->home);
    mem_free(s->folder);
    *s = (ManifestStage){0};
}
