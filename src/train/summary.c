#include "train/summary.h"

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "train/curve.h"

enum { CURVE_WIDTH = 72, CURVE_HEIGHT = 17 };

static void add_row(Str *out, const char *name, const json_t *losses)
{
    const json_t *bits = json_object_get(losses, "bits_per_byte");
    str_addf(out, "%-20s %10lld %12.3f", name, (long long)json_integer_value(json_object_get(losses, "tokens")),
             json_number_value(json_object_get(losses, "loss_nats")));
    if (bits)
        str_addf(out, " %12lld %10.3f", (long long)json_integer_value(json_object_get(losses, "bytes")),
                 json_number_value(bits));
    str_addc(out, '\n');
}

static void add_rows(Str *out, const json_t *group)
{
    const char *name;
    json_t *losses;
    json_object_foreach((json_t *)(uintptr_t)group, name, losses)
        add_row(out, name, losses);
}

static void add_results(Str *out, const json_t *results)
{
    char parameters[32], tokens[32], spent[32];
    const json_t *held_out = json_object_get(results, "held_out");
    str_addf(out, "\n%s parameters, %lld steps, %s tokens, %s of training\n",
             human_count(parameters, json_number_value(json_object_get(results, "parameters"))),
             (long long)json_integer_value(json_object_get(results, "steps")),
             human_count(tokens, json_number_value(json_object_get(results, "tokens"))),
             human_time(spent, json_number_value(json_object_get(results, "seconds"))));
    if (!held_out)
        return;
    str_addf(out, "\n%-20s %10s %12s %12s %10s\n", "held out", "tokens", "nats/token", "bytes", "bits/byte");
    add_rows(out, json_object_get(held_out, "sources"));
    add_rows(out, json_object_get(held_out, "kinds"));
    add_row(out, "all", held_out);
}

Status summary_text(Str *out, const char *run_folder)
{
    TRY(curve_plot(out, run_folder, CURVE_WIDTH, CURVE_HEIGHT));
    char *path = path_join(run_folder, "results.json");
    Status st = ST_OK;
    if (path_exists(path)) {
        json_error_t where;
        json_t *results = json_load_file(path, 0, &where);
        if (results)
            add_results(out, results);
        else
            st = fail(ST_FORMAT, "%s: line %d: %s", path, where.line, where.text);
        json_decref(results);
    }
    mem_free(path);
    return st;
}
