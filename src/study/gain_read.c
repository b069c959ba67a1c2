#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "study/gain_inside.h"
#include "study/model_name.h"
#include "study/report_parts.h"
#include "study/transcripts.h"

static bool tells_observations(const json_t *config)
{
    return !json_is_false(json_object_get(json_object_get(config, "settings"), "observations"));
}

static int64_t steps_of(const json_t *config, const char *benchmark)
{
    const json_t *of = json_object_get(json_object_get(config, "benchmarks"), benchmark);
    return report_whole(report_number(of, "facts.max_steps"));
}

/* A second model comments on MINT's episodes alone; hints go into all but those of RoboCodeGen. */
static bool gives_language(const json_t *config, const char *benchmark)
{
    const json_t *model = json_object_get(config, "feedback_model");
    Span name = span(benchmark);
    if (!model || span_starts(name, "robocodegen"))
        return false;
    return strcmp(report_text(model, "kind"), "hints") == 0 || span_starts(name, "mint_") ||
           span_is(name, "tasks");
}

GainCondition gain_condition(const json_t *config, const char *benchmark)
{
    bool language = gives_language(config, benchmark);
    bool environment = tells_observations(config);
    if (steps_of(config, benchmark) == 1) /* nothing can be made of either */
        return GAIN_NEITHER;
    return (language ? GAIN_LANGUAGE : 0) | (environment ? GAIN_ENVIRONMENT : 0);
}

/* Who the model is, wherever it lies. */
static char *identity_of(const json_t *config)
{
    json_t *model = json_deep_copy(json_object_get(config, "model"));
    if (json_object_get(model, "hash")) {
        json_object_del(model, "path");
        json_object_del(model, "model");
        json_object_del(model, "name");
    }
    char *text = model ? json_dumps(model, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    char *copy = mem_str(text ? text : "");
    free(text);
    json_decref(model);
    return copy;
}

typedef struct {
    GainParts *parts;
    size_t first; /* of this run */
    const char *folder;
    json_t *results;
} Reading;

static GainPart *part_of(Reading *r, const char *benchmark)
{
    const json_t *config = json_object_get(r->results, "config");
    for (size_t i = r->first; i < r->parts->n; i++)
        if (strcmp(r->parts->at[i].benchmark, benchmark) == 0)
            return &r->parts->at[i];
    const json_t *of = json_object_get(json_object_get(config, "benchmarks"), benchmark);
    GainPart p = {.folder = mem_str(r->folder),
                  .model = identity_of(config),
                  .benchmark = mem_str(benchmark),
                  .data = mem_str(report_text(of, "data_sha256")),
                  .shown = model_name(config),
                  .condition = gain_condition(config, benchmark),
                  .steps = steps_of(config, benchmark),
                  .blind = !tells_observations(config),
                  .solved = map_new(),
                  .results = json_incref(r->results)};
    array_push(r->parts, p);
    return &r->parts->at[r->parts->n - 1];
}

static void take(void *context, const char *benchmark, json_t *line)
{
    GainPart *p = part_of(context, benchmark);
    const char *task = report_text(line, "task");
    bool solved = json_is_true(json_object_get(line, "success"));
    *map_put(p->solved, task, strlen(task)) =
        solved ? (int64_t)json_array_size(json_object_get(line, "steps")) : 0;
}

static Status read_run(GainParts *parts, const char *folder)
{
    Reading r = {parts, parts->n, folder, NULL};
    char *path = path_join(folder, "results.json");
    Status st = json_file_read(&r.results, path);
    if (st != ST_OK)
        st = fail_in(st, "%s is no finished run of `lemur eval`", folder);
    if (st == ST_OK)
        st = transcripts_read(folder, take, &r);
    json_decref(r.results);
    mem_free(path);
    return st;
}

/* A folder of --steps 1-5 has a run in each of its folders steps_1, steps_2, .... */
Status gain_read_folder(GainParts *parts, const char *folder)
{
    FolderList names;
    Status st = ST_OK;
    if (!folder_holds(folder, "curve.json"))
        return read_run(parts, folder);
    TRY(folder_list(&names, folder));
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        char *path = path_join(folder, names.at[i]);
        if (span_starts(span(names.at[i]), "steps_"))
            st = read_run(parts, path);
        mem_free(path);
    }
    folder_list_drop(&names);
    return st;
}

void gain_parts_drop(GainParts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        GainPart *p = &parts->at[i];
        char *const texts[] = {p->folder, p->model, p->benchmark, p->data, p->shown};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            mem_free(texts[k]);
        map_free(p->solved);
        json_decref(p->results);
    }
    array_drop(parts);
}
