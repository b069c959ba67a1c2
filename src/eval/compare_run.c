#include "eval/compare_run.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "eval/benchmark.h"
#include "eval/eval_folder.h"
#include "eval/results.h"

static const char before[] = "samples_", behind[] = ".jsonl";

static Status list_samples(ComparedRun *r)
{
    FolderList l;
    r->names = map_new();
    TRY(folder_list(&l, r->folder));
    for (size_t i = 0; i < l.n; i++) {
        Span name = span(l.at[i]);
        if (!span_starts(name, before) || !span_ends(name, behind))
            continue;
        name.at += sizeof before - 1;
        name.n -= sizeof before + sizeof behind - 2;
        *map_put(r->names, name.at, name.n) = 1;
    }
    folder_list_drop(&l);
    return map_count(r->names)
               ? ST_OK
               : fail(ST_ARG, "%s has no samples_*.jsonl: nothing was answered in that run", r->folder);
}

Status compared_run_open(ComparedRun *r, const char *folder)
{
    *r = (ComparedRun){.folder = folder};
    if (!path_is_folder(folder))
        return fail(ST_ARG, "%s is no folder; give the two folders that lemur eval wrote with -o", folder);
    TRY(eval_folder_identity(&r->identity, folder));
    if (folder_holds(folder, "results.json")) {
        char *path = path_join(folder, "results.json");
        Status st = json_file_read(&r->results, path);
        mem_free(path);
        TRY(st);
    }
    return list_samples(r);
}

void compared_run_close(ComparedRun *r)
{
    json_decref(r->identity);
    json_decref(r->results);
    map_free(r->names);
    *r = (ComparedRun){0};
}

const json_t *compared_run_facts(const ComparedRun *r, const char *benchmark)
{
    return json_object_get(json_object_get(r->identity, "benchmarks"), benchmark);
}

const char *compared_run_metric(const ComparedRun *r, const char *benchmark)
{
    const char *metric =
        json_string_value(json_object_get(json_object_get(r->results, "metrics"), benchmark));
    const Benchmark *known = metric ? NULL : benchmark_find(benchmark);
    return known ? known->metric : metric;
}

bool compared_run_may_have(const ComparedRun *r, const char *benchmark, const char *metric)
{
    char *key = results_key(metric, "");
    bool may = !r->results ||
               json_object_get(json_object_get(json_object_get(r->results, "results"), benchmark), key);
    mem_free(key);
    return may;
}

static bool names_it(const json_t *names, const char *benchmark)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name && strcmp(name, benchmark) == 0)
            return true;
    }
    return false;
}

void compared_run_groups(const ComparedRun *r, const char *benchmark, Map *groups)
{
    const Benchmark *known = benchmark_find(benchmark);
    const char *name;
    json_t *entry;
    const char *at = known && known->groups ? known->groups : "";
    for (Span w; (w = words_next(&at)).n;)
        *map_put(groups, w.at, w.n) = 1;
    json_object_foreach(json_object_get(r->results, "groups"), name, entry)
    {
        const json_t *members = json_object_get(json_object_get(r->results, "group_subtasks"), name);
        if (names_it(members, benchmark))
            *map_put(groups, name, strlen(name)) = 1;
    }
}

static Status place(Map *at, const json_t *sample, const char *metric, const char *path, size_t i)
{
    const char *id = json_string_value(json_object_get(sample, "id"));
    if (!id)
        return fail(ST_FORMAT, "%s line %zu has no \"id\": no sample of lemur eval", path, i + 1);
    const json_t *value = json_object_get(json_object_get(sample, "metrics"), metric);
    if (!json_is_number(value) || !(fabs(json_number_value(value)) < 1e15)) /* sums stay finite */
        return fail(ST_FORMAT, "%s line %zu has no number for \"%s\"", path, i + 1, metric);
    if (!map_find(at, id, strlen(id))) /* twice: the first one counts, as it does for the runner */
        *map_put(at, id, strlen(id)) = (int64_t)i;
    return ST_OK;
}

Status compared_run_samples(const ComparedRun *r, const char *benchmark, const char *metric, json_t **samples,
                            Map **at)
{
    char *path = mem_format("%s/%s%s%s", r->folder, before, benchmark, behind);
    json_t *all = NULL;
    Map *places = map_new();
    Status st = line_file_read(&all, path);
    for (size_t i = 0; st == ST_OK && i < json_array_size(all); i++)
        st = place(places, json_array_get(all, i), metric, path, i);
    if (st == ST_OK) {
        *samples = all;
        *at = places;
    } else {
        json_decref(all);
        map_free(places);
    }
    mem_free(path);
    return st;
}
