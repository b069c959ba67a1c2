/* What folders are, by what lies in them: the runs, stages and single products that a report tells of. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "study/model_name.h"
#include "study/report_parts.h"

/* What a folder is, by what lies in it. */
static ReportPart look_at(const char *folder)
{
    ReportPart p = {.kind = REPORT_OTHER};
    json_t *manifest = report_read(folder, "manifest.json"), *results = report_read(folder, "results.json"),
           *overlap = report_read(folder, "overlap.json"), *study = report_read(folder, "study.json");
    const char *format = report_text(manifest, "format");
    if (strcmp(format, "lemur-corpus") == 0 || strcmp(format, "lemur-shards") == 0) {
        p.kind = strcmp(format, "lemur-corpus") == 0 ? REPORT_CORPUS : REPORT_SHARDS;
        p.json = json_incref(manifest);
    } else if (json_is_object(json_object_get(results, "results"))) {
        p.kind = REPORT_SCORES;
        p.json = json_incref(results);
    } else if (results && folder_holds(folder, "log.jsonl")) {
        p.kind = REPORT_TRAINING;
        p.json = json_incref(results);
    } else if (json_is_array(json_object_get(overlap, "sets"))) {
        p.kind = REPORT_OVERLAP;
        p.json = json_incref(overlap);
    }
    if (*report_text(study, "study")) {
        bool harmony = strcmp(report_text(study, "study"), "harmony") == 0;
        json_decref(p.json);
        p.kind = harmony ? REPORT_HARMONY : REPORT_STUDY;
        p.json = json_incref(study);
    }
    json_decref(manifest);
    json_decref(results);
    json_decref(overlap);
    json_decref(study);
    return p;
}

/* Two parts of one name would be one to the page's tables: the second is "base 2". */
static char *new_name(const Report *r, char *name)
{
    char *tried = mem_str(name);
    for (size_t i = 0, n = 2; i < r->parts.n; i++)
        if (strcmp(r->parts.at[i].name, tried) == 0) {
            mem_free(tried);
            tried = mem_format("%s %zu", name, n++);
            i = (size_t)-1; /* from the first again */
        }
    mem_free(name);
    return tried;
}

static void add_part(Report *r, const char *run, const char *name, const char *folder)
{
    ReportPart p = look_at(folder);
    if (p.kind == REPORT_OTHER)
        return;
    p.name = new_name(r, mem_format("%s%s%s", run, *run ? "/" : "", name));
    p.folder = mem_str(folder);
    if (p.kind == REPORT_TRAINING) {
        char *data = path_join(folder, "data");
        p.tuning = report_read(data, "manifest.json");
        mem_free(data);
    }
    array_push(&r->parts, p);
}

static void add_stages(Report *r, const char *run, const json_t *lock)
{
    const char *name;
    json_t *stage;
    json_object_foreach(json_object_get(lock, "stages"), name, stage)
    {
        char *out = path_join(report_text(stage, "folder"), "out");
        if (!report_improve_plays(lock, name))
            add_part(r, run, name, out);
        mem_free(out);
    }
}

/* The folder of a stage that is no longer where the lock has it; "": each is there. */
static const char *moved_stage(const json_t *lock)
{
    const char *name;
    json_t *stage;
    json_object_foreach(json_object_get(lock, "stages"), name, stage)
    {
        if (!path_is_folder(report_text(stage, "folder")))
            return report_text(stage, "folder");
    }
    return "";
}

static Status nothing_in(const char *folder, const json_t *lock)
{
    const char *moved = moved_stage(lock);
    return *moved
               ? fail(
                     ST_IO,
                     "%s: its lock.json names folders that are not there, such as %s; where they were moved, "
                     "the command that made them writes it anew",
                     folder, moved)
               : fail(ST_ARG,
                      "%s holds nothing that a report tells of: no run of lemur run, corpus, shards, "
                      "training, scores, study or overlap",
                      folder);
}

/* What a lock would say of it. */
static void add_loose_stage(Report *r, const char *name, const char *stage)
{
    json_t *done = report_read(stage, "stage.json"), *words = json_array(), *word, *o;
    size_t i;
    json_array_foreach(json_object_get(done, "command"), i, word)
    {
        if (i)
            json_array_append(words, word);
    }
    o = json_pack("{s:s, s:o}", "folder", stage, "words", words);
    static const char *const keys[] = {"key", "verb", "version", "product", "inputs"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (json_object_get(done, keys[k]))
            json_object_set(o, keys[k], json_object_get(done, keys[k]));
    r->stages = r->stages ? r->stages : json_pack("{s:{}}", "stages");
    json_object_set_new(json_object_get(r->stages, "stages"), name, o);
    json_decref(done);
}

/* The folder of a run that has not come to its end: links to the stages that are done, and no lock. */
static void add_links(Report *r, const char *run, const char *folder)
{
    FolderList entries;
    if (folder_list(&entries, folder) != ST_OK)
        return;
    for (size_t i = 0; i < entries.n; i++) {
        char *path = path_join(folder, entries.at[i]), *real = realpath(path, NULL);
        char *stage = real ? stage_folder(real) : NULL;
        size_t before = r->parts.n;
        if (stage)
            add_part(r, run, entries.at[i], real);
        if (r->parts.n > before)
            add_loose_stage(r, r->parts.at[before].name, stage);
        mem_free(stage);
        mem_free(path);
        free(real);
    }
    folder_list_drop(&entries);
}

/* The heading names a run once, whichever of its stages are given.  Keeps `title`. */
static void add_title(Report *r, char *title)
{
    for (size_t i = 0; i < r->titles.n; i++)
        if (strcmp(r->titles.at[i], title) == 0) {
            mem_free(title);
            return;
        }
    array_push(&r->titles, title);
}

static Status add_folder(Report *r, const char *given, const char *folder)
{
    size_t before = r->parts.n;
    char *real = realpath(folder, NULL), *run = NULL;
    if (!real || !path_is_folder(folder)) {
        free(real);
        return fail(ST_IO, "there is no folder %s", folder);
    }
    char *stage = stage_folder(real), *found = stage ? stage_name(real, stage, &run) : NULL,
         *name = mem_str(given   ? given
                         : found ? found
                                 : path_base(real));
    json_t *lock = report_read(folder, "lock.json");
    if (json_is_object(json_object_get(lock, "stages"))) {
        add_stages(r, r->titles.n ? name : "", lock);
        array_push(&r->locks, json_incref(lock));
    } else {
        add_part(r, "", name, folder);
        if (stage && r->parts.n > before)
            add_loose_stage(r, name, stage);
        if (r->parts.n == before)
            add_links(r, r->titles.n ? name : "", folder);
    }
    Status st = r->parts.n > before ? ST_OK : nothing_in(folder, lock);
    if (st == ST_OK && (run || given || !found)) /* stages that several runs share name none */
        add_title(r, mem_str(run && !given ? run : name));
    json_decref(lock);
    mem_free(stage);
    mem_free(found);
    mem_free(name);
    mem_free(run);
    free(real);
    return st;
}

Status report_add(Report *r, const char *what)
{
    const char *equals = strchr(what, '=');
    if (!equals || equals == what || memchr(what, '/', (size_t)(equals - what)) || path_exists(what))
        return add_folder(r, NULL, what);
    char *name = mem_strn(what, (size_t)(equals - what));
    Status st = add_folder(r, name, equals + 1);
    mem_free(name);
    return st;
}
