/* lemur train: packed rows to a model. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "cli/stop_signal.h"
#include "cli/train_flags.h"
#include "cli/train_sample.h"
#include "cli/train_settings.h"
#include "tokenizer/tokenizer.h"
#include "train/run_folder.h"
#include "train/summary.h"
#include "train/trainer.h"

static Status check_words(const TrainSettings *t)
{
    if (t->output) {
        TRY(cmd_folder_possible(t->output));
        TRY(run_folder_possible(t->output));
    }
    bool could_begin = *t->words.data && (*t->words.init || t->has_shape);
    if (t->words.resume && t->output && !t->resumed && !could_begin)
        return fail(ST_ARG,
                    "there is no run in %s to resume; look at what -o names, or start one there with --data "
                    "and --preset, --config or --init",
                    t->output);
    if (!*t->words.data)
        return fail(ST_ARG, "what to train on is missing: give --data FOLDER, as lemur pack writes it");
    if (!t->output && !t->words.dry_run)
        return fail(ST_ARG, "where the run goes is missing: give -o FOLDER");
    if (!*t->words.init && !t->has_shape)
        return fail(
            ST_ARG,
            "the model is missing: give --init FOLDER to continue one, or --preset, --config or a recipe's "
            "section model: for a new one");
    if ((*t->words.init != 0) + (*t->words.preset != 0) + (*t->words.config != 0) > 1)
        return fail(ST_ARG, "--init, --preset and --config each say what the model is: give one of them");
    if (*t->words.tokenizer && !path_exists(t->words.tokenizer))
        return fail(ST_ARG,
                    "there is no vocabulary %s; without --tokenizer the one that the data names is taken",
                    t->words.tokenizer);
    return ST_OK;
}

/* --init may also name a GGUF file, or a run: its model, or its newest checkpoint, is where to begin. */
static Status find_init(TrainSettings *t)
{
    char *found;
    if (!*t->words.init)
        return ST_OK;
    Status st = model_path_find(&found, t->words.init);
    if (st != ST_OK)
        return fail_in(st, "--init");
    mem_free(t->words.init);
    t->words.init = found;
    return ST_OK;
}

/* Begin and end of text as the data's vocabulary has them, for models that begin here. */
static Status take_special_ids(TrainSettings *t)
{
    ShardSet *set;
    Tokenizer *tok = NULL;
    TRY(shards_open(&set, t->words.data, "train"));
    const char *path = *t->words.tokenizer ? t->words.tokenizer : shards_tokenizer_path(set);
    int64_t vocab = shards_vocab_size(set);
    Status st = path && path_exists(path) ? tokenizer_open(&tok, path) : ST_OK;
    if (st == ST_OK && tok) {
        t->h.bos_token_id = tokenizer_bos(tok);
        t->h.eos_token_id = tokenizer_eos(tok);
    }
    if (t->h.bos_token_id >= vocab)
        t->h.bos_token_id = -1;
    if (t->h.eos_token_id >= vocab)
        t->h.eos_token_id = -1;
    tokenizer_close(tok);
    shards_close(set);
    return st;
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static Status run(TrainSettings *t, const Command *c, int argc, char **argv)
{
    TrainResult result;
    TrainSample sample = {0};
    json_t *plan = NULL;
    TRY(train_settings_gather(t, c, argc, argv));
    TRY(check_words(t));
    TRY(find_init(t));
    if (!*t->words.init && t->takes_ids)
        TRY(take_special_ids(t));
    TrainJob job = {
        .data = t->words.data,
        .output = t->output,
        .init = or_null(t->words.init),
        .hparams = t->h,
        .tokenizer = or_null(t->words.tokenizer),
        .resume = t->words.resume,
        .overwrite = t->words.overwrite,
        .accept_changes = t->words.accept_changes,
        .padded_vocab = t->words.padded_vocab,
        .grow_vocab = t->grow_vocab,
        .new_ids = t->new_ids,
        .dry_run = t->words.dry_run,
        .plan = &plan,
        .stop = stop_signal_watch(),
    };
    if (*t->words.sample) {
        sample = (TrainSample){.prompt = t->words.sample, .tokenizer = job.tokenizer};
        job.hooks = (TrainHooks){.context = &sample, .on_eval = train_sample_on_eval};
    }
    Status st = train_run(&t->config, &job, &result);
    train_sample_drop(&sample);
    if (t->words.json && plan)
        cmd_print_json(plan, 8);
    else if (t->words.json && (st == ST_OK || result.diverged))
        train_flags_print_result(t->output, &result);
    json_decref(plan);
    return st;
}

static Status show(const char *run_folder, bool json)
{
    Str text = {0};
    json_t *summary;
    if (json) {
        TRY(summary_json(&summary, run_folder));
        cmd_print_json(summary, 8);
        json_decref(summary);
        return ST_OK;
    }
    Status st = summary_text(&text, run_folder);
    if (st == ST_OK)
        fputs(str_c(&text), stdout);
    str_drop(&text);
    return st;
}

int cmd_train(int argc, char **argv)
{
    TrainSettings t;
    Args args;
    int code;
    char **words = train_flags_rename(argc, argv);
    ArgsTable tables[TRAIN_TABLES];
    train_settings_init(&t);
    const Command command = train_settings_command(tables, &t);
    if (cmd_parse(&command, &args, argc, words, &code)) {
        const char *shown = args_value(&args, "show");
        train_settings_take_args(&t, &args);
        args_drop(&args);
        code = cmd_exit(shown ? show(shown, t.words.json) : run(&t, &command, argc, words));
    }
    train_flags_rename_drop(words, argc);
    train_settings_drop(&t);
    return code;
}
