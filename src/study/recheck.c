#include "study/recheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "eval/eval_folder.h"
#include "eval/results.h"
#include "study/report_parts.h"

enum { TOLD = 3 };
static const double tolerance = 1e-9; /* sums in another order */

void rechecks_drop(Rechecks *all)
{
    for (size_t i = 0; i < all->n; i++) {
        mem_free(all->at[i].benchmark);
        str_drop(&all->at[i].differs);
    }
    array_drop(all);
}

static void differ(Recheck *r, char *sentence)
{
    if (r->differences++ < TOLD)
        str_addf(&r->differs, "%s%s", r->differs.n ? "; " : "", sentence);
    mem_free(sentence);
}

/* NULL: cannot be read, which is told. */
static json_t *read_lines(Recheck *r, const char *folder, const char *kind)
{
    json_t *lines = NULL;
    char *path = mem_format("%s/%s_%s.jsonl", folder, kind, r->benchmark);
    if (line_file_read(&lines, path) != ST_OK)
        differ(r, mem_str(error_take().text));
    mem_free(path);
    return lines;
}

/* Values. ------------------------------------------------------------------------------------------------ */

/* One transcript's value of a metric; false: transcripts do not tell it. */
static bool value_of(double *out, const json_t *transcript, const char *metric)
{
    bool success = json_is_true(json_object_get(transcript, "success"));
    size_t steps = json_array_size(json_object_get(transcript, "steps"));
    const char *k = strncmp(metric, "success@", 8) == 0 ? metric + 8 : "";
    if (strcmp(metric, "success") == 0)
        *out = success;
    else if (*k && strspn(k, "0123456789") == strlen(k)) /* not of the interval, "success@3_ci95" */
        *out = success && steps <= strtoul(k, NULL, 10);
    else if (strcmp(metric, "reward") == 0)
        *out = report_number(transcript, "reward");
    else
        return false;
    return true;
}

static void hold_value(Recheck *r, const json_t *entry, const char *metric, double mean, const char *from)
{
    char *key = results_key(metric, "");
    const json_t *said = json_object_get(entry, key);
    r->values++;
    if (!json_is_number(said))
        differ(r, mem_format("results.json has no %s", metric));
    else if (!(fabs(json_number_value(said) - mean) <= tolerance * fmax(1, fabs(mean))))
        differ(r, mem_format("%s is %.4f in results.json and %.4f by its %s", metric, json_number_value(said),
                             mean, from));
    mem_free(key);
}

static void hold_transcripts(Recheck *r, const json_t *entry, const json_t *transcripts)
{
    const char *key;
    json_t *said;
    size_t n = json_array_size(transcripts);
    json_object_foreach((json_t *)entry, key, said)
    {
        double sum = 0, value;
        if (!span_ends(span(key), ",none") || !n)
            continue;
        char *metric = mem_strn(key, strlen(key) - strlen(",none"));
        bool known = true;
        for (size_t i = 0; known && i < n; i++) {
            known = value_of(&value, json_array_get(transcripts, i), metric);
            sum += known ? value : 0;
        }
        if (known)
            hold_value(r, entry, metric, sum / (double)n, "transcripts");
        mem_free(metric);
    }
}

static void hold_curves(Recheck *r, const json_t *results, const json_t *entry)
{
    const char *metric;
    json_t *curve;
    json_object_foreach(json_object_get(json_object_get(results, "curves"), r->benchmark), metric, curve)
    {
        for (size_t k = 0; k < json_array_size(curve); k++) {
            char *at = mem_format("%s@%zu", metric, k + 1), *key = results_key(at, "");
            if (json_number_value(json_array_get(curve, k)) != json_number_value(json_object_get(entry, key)))
                differ(r, mem_format("the curve's %s is not that of the results", at));
            mem_free(key);
            mem_free(at);
        }
    }
}

static void hold_samples(Recheck *r, const json_t *entry, const char *metric, const json_t *samples)
{
    double sum = 0;
    size_t n = json_array_size(samples);
    for (size_t i = 0; i < n; i++)
        sum += json_number_value(
            json_object_get(json_object_get(json_array_get(samples, i), "metrics"), metric));
    if (n)
        hold_value(r, entry, metric, sum / (double)n, "samples");
    if (report_whole(report_number(entry, "sample_len")) != (int64_t)n)
        differ(r, mem_format("results.json tells of %.0f questions, and there are %zu samples",
                             report_number(entry, "sample_len"), n));
}

/* Pairs. ------------------------------------------------------------------------------------------------- */

static const char *nth_text(const json_t *sample, const char *key, size_t i)
{
    const char *text = json_string_value(json_array_get(json_object_get(sample, key), i));
    return text ? text : "";
}

/* What the model said, as it said it or as it was understood, which is what the next turn was asked with. */
static bool same_answers(const json_t *transcript, const json_t *sample)
{
    const json_t *messages = json_object_get(transcript, "messages");
    size_t nth = 0;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *m = json_array_get(messages, i);
        const char *said = report_text(m, "content");
        if (strcmp(report_text(m, "role"), "assistant") != 0)
            continue;
        if (strcmp(said, nth_text(sample, "resps", nth)) != 0 &&
            strcmp(said, nth_text(sample, "filtered_resps", nth)) != 0)
            return false;
        nth++;
    }
    return true;
}

static void hold_pair(Recheck *r, const json_t *transcript, const json_t *sample)
{
    const char *task = report_text(transcript, "task");
    bool success = json_is_true(json_object_get(transcript, "success"));
    const json_t *of_sample = json_object_get(json_object_get(sample, "metrics"), "success");
    if (json_is_number(of_sample) && (json_number_value(of_sample) == 1) != success)
        differ(r, mem_format("task %s is %s by its transcript and %s by its sample", task,
                             success ? "solved" : "not solved", success ? "not" : "solved"));
    if (!same_answers(transcript, sample))
        differ(r, mem_format("task %s: its transcript and its sample do not say the same", task));
}

static void hold_pairs(Recheck *r, const json_t *transcripts, const json_t *samples)
{
    Map *at = map_new();
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const char *id = report_text(json_array_get(samples, i), "id");
        *map_put(at, id, strlen(id)) = (int64_t)i + 1;
    }
    for (size_t i = 0; i < json_array_size(transcripts); i++) {
        const json_t *transcript = json_array_get(transcripts, i);
        const char *task = report_text(transcript, "task");
        int64_t *sample = map_find(at, task, strlen(task));
        if (!sample || *sample <= 0)
            differ(r, mem_format(sample ? "task %s has two transcripts" : "task %s has no sample", task));
        else
            hold_pair(r, transcript, json_array_get(samples, (size_t)*sample - 1));
        if (sample)
            *sample = -1;
    }
    for (int64_t i = 0; i < map_count(at); i++)
        if (map_value_at(at, i) > 0)
            differ(r,
                   mem_format("task %.*s has no transcript", (int)map_key_at(at, i).n, map_key_at(at, i).at));
    map_free(at);
}

/* A run. ------------------------------------------------------------------------------------------------- */

static void recheck(Recheck *r, const char *folder, const json_t *results, const char *metric)
{
    char *name = mem_format("transcripts_%s.jsonl", r->benchmark);
    const json_t *entry = json_object_get(json_object_get(results, "results"), r->benchmark);
    json_t *samples = read_lines(r, folder, "samples"),
           *transcripts = folder_holds(folder, name) ? read_lines(r, folder, "transcripts") : NULL;
    r->samples = (int64_t)json_array_size(samples);
    r->episodes = (int64_t)json_array_size(transcripts);
    if (transcripts) {
        hold_pairs(r, transcripts, samples);
        hold_transcripts(r, entry, transcripts);
        hold_curves(r, results, entry);
    }
    if (samples)
        hold_samples(r, entry, metric, samples);
    if (r->differences > TOLD)
        str_addf(&r->differs, "; and %lld more", (long long)r->differences - TOLD);
    json_decref(samples);
    json_decref(transcripts);
    mem_free(name);
}

void recheck_run(Rechecks *out, const char *folder, const json_t *results)
{
    const char *benchmark;
    json_t *metric;
    json_object_foreach(json_object_get(results, "metrics"), benchmark, metric)
    {
        Recheck r = {.benchmark = mem_str(benchmark)};
        recheck(&r, folder, results, json_string_value(metric) ? json_string_value(metric) : "");
        array_push(out, r);
    }
}
