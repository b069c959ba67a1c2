/* Any bytes as the file of a run's samples: gone on with after its broken end is cut off, its scores added up
 * and printed, and the run compared with itself. */
#include <string.h>

#include "eval/compare.h"
#include "eval/eval_folder.h"
#include "eval/results.h"
#include "fuzz_folder.h"

static void add_up(FILE *out, json_t *samples)
{
    ResultsPart parts[] = {{.name = "own_tasks", .metric = "success", .groups = "own", .samples = samples},
                           {.name = "gsm8k", .metric = "exact_match", .groups = "own", .samples = samples}};
    parts[0].original = parts[1].original = (int64_t)json_array_size(samples);
    json_t *head = json_object(), *config = json_object();
    parts[0].config = parts[1].config = config;
    json_t *results = results_make(parts, 2, head, 1.5);
    check(json_is_object(results));
    results_print(out, results);
    json_decref(results);
    json_decref(config);
    json_decref(head);
}

static void compare(FILE *out, const char *folder, const char *metric)
{
    json_t *comparison;
    Status st = compare_runs(&comparison, folder, folder, metric, true);
    check(st == ST_OK || *error_text());
    if (st != ST_OK)
        return;
    compare_print(out, comparison);
    json_decref(comparison);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char run[] = "{\"benchmarks\": {\"own_tasks\": {\"version\": 1}}}";
    static FILE *out;
    if (!out)
        check((out = fopen("/dev/null", "w")) != NULL);
    mem_free(fuzz_file("run/run.json", run, sizeof run - 1));
    char *path = fuzz_file("run/samples_own_tasks.jsonl", bytes, n), *folder = path_join(fuzz_folder, "run");
    json_t *samples;
    LineFile lines;
    if (line_file_open(&lines, path, "id", NULL) == ST_OK) {
        json_t *line = json_pack("{s:s}", "id", "last");
        int64_t known = map_count(lines.ids);
        check(known <= (int64_t)n && lines.cut >= 0 && lines.cut <= (int64_t)n);
        check(line_file_add(&lines, line) == ST_OK);
        json_decref(line);
        line_file_close(&lines);
        check(line_file_read(&samples, path) == ST_OK); /* what was cut is gone, what was added is there */
        check((int64_t)json_array_size(samples) == known + 1);
        add_up(out, samples);
        json_decref(samples);
        compare(out, folder, NULL);
        compare(out, folder, "m");
    } else {
        check(*error_text());
    }
    mem_free(folder);
    mem_free(path);
    return 0;
}
