/* Any bytes as the small files of a training run's folder, with a NUL between them: config.json, log.jsonl,
 * results.json, state.json.  Each is read or refused with a sentence; a log is cut to lines that were whole;
 * and a state that is read is written and read again as the same. */
#include <string.h>

#include "base/json_file.h"
#include "fuzz_folder.h"
#include "train/checkpoint_seal.h"
#include "train/curve.h"
#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/runlog.h"
#include "train/summary.h"

static char *folder;

static void show(void)
{
    Str out = {0};
    if (summary_text(&out, folder) == ST_OK)
        check(out.n > 0);
    else
        check(*error_text());
    str_clear(&out);
    if (curve_plot(&out, folder, 30, 5) == ST_OK)
        check(out.n > 0);
    else
        check(*error_text());
    str_drop(&out);
}

static void cut_log(const char *path, size_t before)
{
    RunLog log = {0};
    Str text = {0};
    if (runlog_open(&log, path, 3) != ST_OK) {
        check(*error_text());
        return;
    }
    runlog_begin(&log, 4);
    runlog_real(&log, "loss_nats", 1.5);
    check(runlog_end(&log) == ST_OK);
    runlog_close(&log);
    check(file_read(&text, path, before + 1000) == ST_OK);
    const char *line = text.at;
    for (const char *end; line < text.at + text.n; line = end + 1) {
        check((end = memchr(line, '\n', (size_t)(text.at + text.n - line))) != NULL);
        json_t *object = json_loadb(line, (size_t)(end - line), 0, NULL);
        check(json_integer_value(json_object_get(object, "step")) <= 4);
        check(json_is_integer(json_object_get(object, "step")));
        json_decref(object);
    }
    str_drop(&text);
}

static void read_state(const json_t *json)
{
    TrainConfig c = {0};
    RunFacts facts = {.threads = 2, .context = 8, .ranks = 1};
    RunState s, again;
    bool length;
    config_defaults(&train_table, &c);
    if (run_state_from_json(&s, &c, json) == ST_OK) {
        json_t *written = run_state_to_json(&s, &c, &facts), *twice;
        check(run_state_from_json(&again, &c, written) == ST_OK);
        twice = run_state_to_json(&again, &c, &facts);
        check(json_equal(written, twice));
        json_decref(written);
        json_decref(twice);
    } else {
        check(*error_text());
    }
    for (int accept = 0; accept < 2; accept++)
        if (run_state_compare(json, &c, &facts, accept, &length) != ST_OK)
            check(*error_text());
    config_drop(&train_table, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const names[] = {"r/config.json", "r/log.jsonl", "r/results.json", "r/state.json"};
    Span rest = {(const char *)bytes, n}, parts[4];
    char *paths[4];
    for (int i = 0; i < 4; i++) {
        parts[i] = fuzz_part(&rest);
        paths[i] = fuzz_file(names[i], parts[i].at, parts[i].n);
    }
    if (!folder)
        folder = path_join(fuzz_folder, "r");
    json_t *config = NULL, *state = NULL;
    if (run_folder_read_config(&config, folder) == ST_OK)
        check(json_is_object(config));
    json_decref(config);
    show();
    cut_log(paths[1], parts[1].n);
    if (checkpoint_seal_verify(&state, folder, (const char *const[]){NULL}) == ST_OK)
        json_decref(state);
    state = NULL;
    if (json_file_read(&state, paths[3]) == ST_OK)
        read_state(state);
    json_decref(state);
    for (int i = 0; i < 4; i++)
        mem_free(paths[i]);
    return 0;
}
