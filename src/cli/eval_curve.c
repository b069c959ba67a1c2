#include "cli/eval_curve.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "eval/results.h"

static void add_point(json_t *curves, const char *name, const json_t *entry, const char *metric)
{
    char *value = results_key(metric, ""), *interval = results_key(metric, "_ci95");
    const json_t *at = json_object_get(entry, value);
    if (json_is_number(at)) {
        json_t *curve = json_object_get(curves, name);
        if (!curve) {
            curve = json_array();
            json_object_set_new(curves, name, curve);
        }
        json_t *point = json_pack("{s:f}", "value", json_number_value(at));
        if (json_object_get(entry, interval))
            json_object_set(point, "ci95", json_object_get(entry, interval));
        json_array_append_new(curve, point);
    }
    mem_free(value);
    mem_free(interval);
}

void curve_add(Curve *c, int64_t steps, const json_t *results)
{
    if (!c->json)
        c->json = json_pack("{s:[], s:{}}", "steps", "curves");
    json_array_append_new(json_object_get(c->json, "steps"), json_integer(steps));
    json_t *curves = json_object_get(c->json, "curves"), *metrics = json_object_get(results, "metrics"),
           *entries = json_object_get(results, "results"), *value;
    const char *name;
    json_object_foreach(metrics, name, value)
        add_point(curves, name, json_object_get(entries, name), json_string_value(value));
    json_object_foreach(json_object_get(results, "group_subtasks"), name, value)
    {
        const char *first = json_string_value(json_array_get(value, 0));
        const char *metric = first ? json_string_value(json_object_get(metrics, first)) : NULL;
        if (metric)
            add_point(curves, name, json_object_get(json_object_get(results, "groups"), name), metric);
    }
}

Status curve_write(const Curve *c, const char *folder)
{
    char *path = path_join(folder, "curve.json");
    Status st = json_file_write(path, c->json);
    mem_free(path);
    return st;
}

void curve_print(FILE *out, const Curve *c)
{
    const char *name;
    json_t *curve, *steps = json_object_get(c->json, "steps"), *value;
    size_t i;
    fprintf(out, "%-24s", "success by steps");
    json_array_foreach(steps, i, value)
        fprintf(out, "  %6lld", (long long)json_integer_value(value));
    fputc('\n', out);
    json_object_foreach(json_object_get(c->json, "curves"), name, curve)
    {
        fprintf(out, "%-24s", name);
        json_array_foreach(curve, i, value)
            fprintf(out, "  %5.1f%%", 100 * json_number_value(json_object_get(value, "value")));
        fputc('\n', out);
    }
}

void curve_drop(Curve *c)
{
    json_decref(c->json);
    c->json = NULL;
}
