/* lemur tune: instruction sets and a model to a model that answers.  Examples are prepared, then shown or
 * trained on; or a run goes on with its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "cli/stop_signal.h"
#include "cli/train_flags.h"
#include "cli/train_sample.h"
#include "cli/tune_data.h"
#include "cli/tune_inspect.h"
#include "cli/tune_place.h"
#include "cli/tune_settings.h"
#include "corpus/instruct_ledger.h"
#include "corpus/stop.h"
#include "train/run_folder.h"
#include "train/summary.h"
#include "train/trainer.h"

static Status check_words(const TuneSettings *t)
{
    bool looks = t->words.dry_run || t->words.inspect > 0;
    if (t->output) {
        TRY(cmd_folder_possible(t->output));
        TRY(run_folder_possible(t->output));
    }
    if (t->words.resume && !t->output)
        return fail(ST_ARG, "which run to go on with is missing: give -o FOLDER");
    if (t->resumed)
        return ST_OK;
    if (!*t->words.base)
        return fail(ST_ARG, "the model to begin from is missing: give -m FOLDER");
    if (t->recipe.sources_n == 0)
        return fail(ST_ARG, "what to learn from is missing: give --data FILE, or --recipe FILE with sources");
    if (!t->output && !looks)
        return fail(ST_ARG, "where the run goes is missing: give -o FOLDER");
    if (t->output && tune_place_holds_run(t->output) && !t->words.overwrite && !t->words.resume && !looks)
        return fail(ST_ARG,
                    "%s holds a run already; go on with it by --resume, delete it by --overwrite, or choose "
                    "another folder with -o",
                    t->output);
    return ST_OK;
}

static void print_ledger(const json_t *manifest)
{
    Str text = {0};
    instruct_ledger_text(&text, manifest);
    fputs(str_c(&text), stderr);
    str_drop(&text);
}

static Status inspect(const char *folder, int64_t n)
{
    return tune_inspect(stdout, folder, n, isatty(STDOUT_FILENO) == 1);
}

/* The work ------------------------------------------------------------------------------------ */

static Status train(TuneSettings *t, TrainJob *job)
{
    TrainResult result;
    json_t *plan = NULL;
    TrainSample sample = {.prompt = t->words.sample};
    job->output = t->output;
    job->resume = t->words.resume;
    job->overwrite = t->words.overwrite;
    job->accept_changes = t->words.accept_changes;
    job->dry_run = t->words.dry_run;
    job->plan = &plan;
    job->stop = stop_signal_watch();
    job->verb = "tune";
    if (*t->words.sample)
        job->hooks = (TrainHooks){.context = &sample, .on_eval = train_sample_on_eval};
    Status st = train_run(&t->config, job, &result);
    train_sample_drop(&sample);
    if (t->words.json && plan)
        cmd_print_json(plan, 8);
    else if (t->words.json && (st == ST_OK || result.diverged))
        train_flags_print_result(t->output, &result);
    json_decref(plan);
    return st;
}

/* The model that the run began with; NULL where it is gone: from its first checkpoint on a run can do
 * without. Adapters cannot, so that -m may say where theirs is now: its bytes are told by their hash. */
static Status find_init(char **out, const TuneSettings *t)
{
    const char *began = json_string_value(json_object_get(t->resumed, "init")), *given = t->words.base;
    bool there = began && path_exists(began);
    if (*given && path_exists(given) && (t->config.lora || !there))
        return model_path_find(out, given);
    *out = there ? mem_str(began) : NULL;
    return ST_OK;
}

/* A run that stands on the set and the model it began with. */
static Status train_on(TuneSettings *t, const char *data, const char *tokenizer)
{
    const json_t *c = t->resumed;
    char *init;
    if (t->recipe.sources_n > 0)
        log_info("resumed  with the examples in %s; what --data and --recipe name is not read again", data);
    TrainJob job = {.data = data,
                    .tokenizer = tokenizer,
                    .padded_vocab = json_is_true(json_object_get(c, "padded_vocab")),
                    .grow_vocab = json_is_true(json_object_get(c, "grow_vocab")),
                    .new_ids = json_is_true(json_object_get(c, "new_ids"))};
    TRY(hparams_from_json(&job.hparams, json_object_get(c, "model")));
    TRY(find_init(&init, t));
    job.init = init;
    Status st = train(t, &job);
    mem_free(init);
    return st;
}

/* The set lies in the run's folder, also where that is named from another place than before, or was moved. */
static Status go_on(TuneSettings *t)
{
    char *own = path_join(t->output, "data");
    bool here = folder_holds(own, "manifest.json");
    const char *data = here ? own : json_string_value(json_object_get(t->resumed, "data"));
    const char *tokenizer = here ? NULL : json_string_value(json_object_get(t->resumed, "tokenizer"));
    Status st = !data                  ? fail(ST_FORMAT, "%s/config.json names no data", t->output)
                : t->words.inspect > 0 ? inspect(data, t->words.inspect)
                                       : train_on(t, data, tokenizer);
    mem_free(own);
    return st;
}

/* With the examples as they were prepared. */
static Status begin_with(TuneSettings *t, const TuneData *data, const TunePlace *place, const char *base)
{
    if (t->words.inspect > 0)
        return inspect(place->made, t->words.inspect);
    TrainJob job = {.data = place->made,
                    .data_place = strcmp(place->made, place->data) != 0 ? place->data : NULL,
                    .folder = place->run.lock >= 0 ? &place->run : NULL,
                    .init = base,
                    .padded_vocab = data->padded,
                    .grow_vocab = data->grows,
                    .new_ids = data->added.n > 0};
    return train(t, &job);
}

static Status prepare(TuneSettings *t, const TuneData *data, const char *base)
{
    TunePlace place;
    json_t *manifest = NULL;
    bool reused = false;
    int threads = t->config.threads > 0 ? (int)t->config.threads : cpu_count();
    InstructJob job = {&t->recipe, data->tokenizer, data->tmpl, (uint64_t)t->config.seed, threads};
    stop_on_signals();
    Status st = tune_place_open(&place, t, &job, base);
    if (st == ST_OK)
        st = instruct_prepare(&job, place.made, &manifest, &reused);
    if (st == ST_OK) {
        tune_data_print(data);
        log_info("examples %s %s", place.data,
                 reused ? "are those of the same files and settings already" : "prepared");
        print_ledger(manifest);
        st = begin_with(t, data, &place, base);
    }
    json_decref(manifest);
    tune_place_close(&place);
    return st;
}

static Status begin(TuneSettings *t)
{
    TuneData data;
    char *base;
    Status st = model_path_find(&base, t->words.base);
    if (st != ST_OK)
        return fail_in(st, "-m");
    st = tune_data_open(&data, base, &t->recipe);
    if (st == ST_OK)
        st = prepare(t, &data, base);
    tune_data_close(&data);
    mem_free(base);
    return st;
}

static Status run(TuneSettings *t, const Command *c, int argc, char **argv)
{
    TRY(tune_settings_gather(t, c, argc, argv));
    TRY(check_words(t));
    return t->resumed ? go_on(t) : begin(t);
}

/* The ledger and how the run went, as far as there is one. */
static Status show_all(const char *run_folder, json_t *manifest, bool json)
{
    Str text = {0};
    json_t *summary = NULL;
    if (json) {
        Status st = tune_place_holds_run(run_folder) ? summary_json(&summary, run_folder) : ST_OK;
        if (st == ST_OK) {
            summary = summary ? summary : json_object();
            json_object_set(summary, "data", manifest);
            cmd_print_json(summary, 8);
        }
        json_decref(summary);
        return st;
    }
    instruct_ledger_text(&text, manifest);
    Status st = tune_place_holds_run(run_folder) ? summary_text(&text, run_folder) : ST_OK;
    if (st == ST_OK)
        fputs(str_c(&text), stdout);
    str_drop(&text);
    return st;
}

/* That, or examples. */
static Status show(const char *run_folder, const TuneWords *words)
{
    json_t *manifest = NULL;
    char *folder = path_join(run_folder, "data");
    Status st =
        !folder_holds(folder, "manifest.json")
            ? fail(ST_IO, "%s is no run of lemur tune: there is no %s/manifest.json", run_folder, folder)
        : words->inspect > 0 ? inspect(folder, words->inspect)
                             : instruct_manifest(&manifest, folder);
    if (st == ST_OK && manifest)
        st = show_all(run_folder, manifest, words->json);
    json_decref(manifest);
    mem_free(folder);
    return st;
}

/* "--inspect" alone is "--inspect=5". */
static void inspect_default(char **words, int argc)
{
    for (int i = 1; i < argc && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--inspect") == 0 &&
            (i + 1 == argc || strspn(words[i + 1], "0123456789") == 0)) {
            mem_free(words[i]);
            words[i] = mem_str("--inspect=5");
        }
}

int cmd_tune(int argc, char **argv)
{
    TuneSettings t;
    Args args;
    int code;
    char **words = train_flags_rename(argc, argv);
    inspect_default(words, argc);
    ArgsTable tables[TUNE_TABLES];
    tune_settings_init(&t);
    const Command command = tune_settings_command(tables, &t);
    if (cmd_parse(&command, &args, argc, words, &code)) {
        const char *output = args_value(&args, "output"), *shown = args_value(&args, "show");
        t.output = output ? mem_str(output) : NULL;
        t.recipe_path = args_value(&args, "recipe");
        args_drop(&args);
        code = cmd_exit(shown ? show(shown, &t.words) : run(&t, &command, argc, words));
    }
    train_flags_rename_drop(words, argc);
    tune_settings_drop(&t);
    return code;
}
