#include "study/model_name.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval/results.h"

enum { KEY = 16, DIGITS = 8 /* of a key: enough to tell stages apart */ };

/* Stages. ------------------------------------------------------------------------------------------------ */

char *stage_folder(const char *real)
{
    char *folder = NULL;
    if (strcmp(path_base(real), "out") == 0)
        folder = mem_strn(real, strlen(real) - strlen("/out"));
    if (folder && folder_holds(folder, "stage.json"))
        return folder;
    mem_free(folder);
    return NULL;
}

/* Whether an entry of a run's folder is the link to that stage. */
static bool links_to(const char *run, const char *entry, const char *real)
{
    char *path = path_join(run, entry), target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target);
    mem_free(path);
    return n > 0 && (size_t)n == strlen(real) && memcmp(target, real, (size_t)n) == 0;
}

static char *linked_name(const char *run, const char *real)
{
    FolderList entries;
    char *name = NULL;
    if (!path_is_folder(run) || folder_list(&entries, run) != ST_OK)
        return NULL;
    for (size_t i = 0; i < entries.n && !name; i++)
        if (links_to(run, entries.at[i], real))
            name = mem_str(entries.at[i]);
    folder_list_drop(&entries);
    return name;
}

static char *name_in_a_run(const char *real, const char *stage, char **of)
{
    char *place = mem_str(stage), *name = NULL;
    FolderList runs;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(place, '/');
        if (slash)
            *slash = 0;
    }
    if (*place && folder_list(&runs, place) == ST_OK) {
        size_t found = 0, first = 0;
        for (size_t i = 0; i < runs.n && found < 2; i++) {
            char *run = path_join(place, runs.at[i]), *linked = linked_name(run, real);
            if (linked && found++ == 0) {
                name = linked;
                first = i;
            } else {
                mem_free(linked);
            }
            mem_free(run);
        }
        if (of && found == 1)
            *of = mem_str(runs.at[first]);
        folder_list_drop(&runs);
    }
    mem_free(place);
    return name;
}

/* "tune-e8c23eada523314a" as "tune-e8c23ead"; other names as they are. */
static char *short_name(Span folder)
{
    size_t n = folder.n;
    bool keyed = n > KEY + 1 && folder.at[n - KEY - 1] == '-' &&
                 strspn(folder.at + n - KEY, "0123456789abcdef") >= KEY;
    return mem_strn(folder.at, keyed ? n - KEY + DIGITS : n);
}

char *stage_name(const char *real, const char *stage, char **run)
{
    if (run)
        *run = NULL;
    char *name = name_in_a_run(real, stage, run);
    return name ? name : short_name(span(path_base(stage)));
}

/* Paths. ------------------------------------------------------------------------------------------------- */

/* The i-th name of a path from its end; empty: there are fewer. */
static Span name_at(const char *path, size_t i)
{
    const char *end = path + strlen(path), *from = end;
    for (size_t k = 0; k <= i; k++) {
        end = from;
        while (end > path && end[-1] == '/')
            end--;
        for (from = end; from > path && from[-1] != '/';)
            from--;
    }
    return (Span){from, (size_t)(end - from)};
}

static bool same(Span a, Span b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

/* What this program calls every model's folder. */
static bool tells_nothing(Span name)
{
    static const char *const words[] = {"model", "adapter", "out", "."};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (span_is(name, words[i]))
            return true;
    return false;
}

bool model_lies_in(const char *path, const char *real)
{
    char *place = realpath(path, NULL);
    size_t n = strlen(real);
    bool in = place && strncmp(place, real, n) == 0 && (place[n] == '/' || !place[n]);
    if (!place) {
        Span last = name_at(real, 0), before = name_at(real, 1);
        for (size_t i = 0; name_at(path, i + 1).n && !in; i++)
            in = same(name_at(path, i), last) && same(name_at(path, i + 1), before);
    }
    free(place);
    return in;
}

/* The name of the stage that a path leads into; NULL: it leads into none that is here. */
static char *name_by_stage(const char *path)
{
    char *real = realpath(path, NULL), *name = NULL;
    while (real && strrchr(real, '/') > real && !name) {
        char *stage = stage_folder(real);
        if (stage)
            name = stage_name(real, stage, NULL);
        *strrchr(real, '/') = 0;
        mem_free(stage);
    }
    free(real);
    return name;
}

/* Names. ------------------------------------------------------------------------------------------------- */

const char *model_path(const json_t *config)
{
    const char *path = json_string_value(json_object_get(json_object_get(config, "model"), "model")),
               *kind = json_string_value(json_object_get(json_object_get(config, "model"), "kind"));
    return path && kind && strcmp(kind, "local") == 0 ? path : "";
}

char *model_name(const json_t *config)
{
    const char *path = model_path(config), *name = results_model_name(config);
    char *stage = *path ? name_by_stage(path) : NULL;
    if (stage || !*path || strcmp(name, path_base(path)) != 0)
        return stage ? stage : mem_str(name);
    for (size_t i = 0; name_at(path, i).n; i++)
        if (!tells_nothing(name_at(path, i)))
            return short_name(name_at(path, i));
    return mem_str(name);
}

char *model_name_apart(const char *const *names, const char *const *paths, size_t n, size_t i)
{
    for (size_t depth = 0; name_at(paths[i], depth).n; depth++) {
        bool shared = false, differs = true;
        for (size_t k = 0; k < n; k++)
            if (k != i && strcmp(names[k], names[i]) == 0) {
                shared = true;
                differs = differs && !same(name_at(paths[k], depth), name_at(paths[i], depth));
            }
        if (shared && differs)
            return short_name(name_at(paths[i], depth));
    }
    return NULL;
}
