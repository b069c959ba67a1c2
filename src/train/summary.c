#include "train/summary.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "train/curve.h"

enum { CURVE_WIDTH = 72, CURVE_HEIGHT = 17 };

static void add_row(Str *out, const char *name, const json_t *losses)
{
    const json_t *bits = json_object_get(losses, "bits_per_byte");
    const json_t *loss = json_object_get(losses, "loss_nats");
    str_addf(out, "%-20s %10lld", name, (long long)json_integer_value(json_object_get(losses, "tokens")));
    if (json_is_null(loss))
        str_addf(out, " %12s", "not finite");
    else
        str_addf(out, " %12.3f", json_number_value(loss));
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

static void add_divergence(Str *out, const json_t *d)
{
    str_addf(out,
             "the run DIVERGED: loss %.3f at its end, best %.3f at step %lld, far above it since step %lld\n",
             json_number_value(json_object_get(d, "mean")), json_number_value(json_object_get(d, "best")),
             (long long)json_integer_value(json_object_get(d, "best_step")),
             (long long)json_integer_value(json_object_get(d, "since")));
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
    if (json_object_get(results, "divergence"))
        add_divergence(out, json_object_get(results, "divergence"));
    if (!held_out)
        return;
    str_addf(out, "\n%-20s %10s %12s %12s %10s\n", "held out", "tokens", "nats/token", "bytes", "bits/byte");
    add_rows(out, json_object_get(held_out, "sources"));
    add_rows(out, json_object_get(held_out, "kinds"));
    add_row(out, "all", held_out);
    const json_t *rows = json_object_get(held_out, "rows"), *set = json_object_get(held_out, "rows_set");
    if (set)
        str_addf(out, "(of %lld held-out rows, not of %lld: the minutes allowed no more)\n",
                 (long long)json_integer_value(rows), (long long)json_integer_value(set));
}

static Status check_run(const char *folder)
{
    if (!path_exists(folder))
        return fail(ST_IO, "there is no folder %s; name the one that lemur train was given with -o",
                    folder);
    if (!path_is_folder(folder))
        return fail(ST_IO, "%s is a file; name the folder that lemur train was given with -o", folder);
    if (folder_holds(folder, "log.jsonl"))
        return ST_OK;
    if (folder_holds(folder, "config.json") && folder_holds(folder, "checkpoints"))
        return fail(ST_IO, "the run in %s has no log.jsonl: there is nothing to draw", folder);
    return fail(ST_IO, "%s holds no training run; name the folder that lemur train was given with -o",
                folder);
}

/* *out: NULL where the run is not complete. */
static Status read_results(json_t **out, const char *run_folder)
{
    char *path = path_join(run_folder, "results.json");
    *out = NULL;
    Status st = path_exists(path) ? json_file_read(out, path) : ST_OK;
    mem_free(path);
    return st;
}

Status summary_text(Str *out, const char *run_folder)
{
    json_t *results;
    TRY(check_run(run_folder));
    TRY(curve_plot(out, run_folder, CURVE_WIDTH, CURVE_HEIGHT));
    TRY(read_results(&results, run_folder));
    if (results)
        add_results(out, results);
    json_decref(results);
    return ST_OK;
}

/* The log's last line of a step; a line that a killed run left half written is passed over. */
static Status last_step(json_t **out, const char *run_folder)
{
    Str log = {0};
    char *path = path_join(run_folder, "log.jsonl");
    Status st = file_read(&log, path, 0);
    *out = json_object();
    for (char *at = log.at, *end; st == ST_OK && at && (end = strchr(at, '\n')); at = end + 1) {
        json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
        if (json_object_get(line, "loss_nats") && !json_object_get(line, "event")) {
            json_decref(*out);
            *out = json_incref(line);
        }
        json_decref(line);
    }
    str_drop(&log);
    mem_free(path);
    return st;
}

Status summary_json(json_t **out, const char *run_folder)
{
    TRY(check_run(run_folder));
    TRY(read_results(out, run_folder));
    if (!*out) {
        TRY(last_step(out, run_folder));
        json_object_set_new(*out, "status", json_string("not complete"));
    }
    json_object_set_new(*out, "run", json_string(run_folder));
    return ST_OK;
}
