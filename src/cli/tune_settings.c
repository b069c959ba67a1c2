#include "cli/tune_settings.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/run_verbs.h"
#include "cli/train_flags.h"
#include "corpus/corpus_recipe.h"
#include "train/run_folder.h"

static const Field words_fields[] = {
    F_STRING(TuneWords, base, "",
             "the model to begin from: a model folder, a run, a GGUF file; -m says the same"),
    F_STRING(TuneWords, sample, "", "after each evaluation, show what the model makes of this prompt"),
    F_INT(TuneWords, inspect, 0, 0, 1e9, "show so many examples with what is learned marked, and stop"),
    F_BOOL(TuneWords, resume, false,
           "go on with the run in the output folder; starts one where there is none"),
    F_BOOL(TuneWords, overwrite, false, "delete the run in the output folder first"),
    F_BOOL(TuneWords, accept_changes, false, "resume although settings differ from those of the run"),
    F_BOOL(TuneWords, dry_run, false, "prepare the examples, print the plan and stop"),
    F_BOOL(TuneWords, json, false, "print the result, or the plan of --dry-run, as JSON"),
};
static const FieldTable words_table = FIELD_TABLE(words_fields);
static const Flag flags[] = {
    {"model", 'm', "PATH", "the model to begin from: a folder, a run, or a GGUF file"},
    {"data", 'd', "FILE",
     "a file, folder or pattern of examples; may be given several times, or as plain words"},
    {"format", 0, "NAME",
     "how those files are written (auto): messages, transcript, completion, alpaca, evol, "
     "sharegpt, orca, oasst"},
    {"recipe", 'r', "FILE", "takes sources and settings from its section tune:; flags win over it"},
    {"output", 'o', "FOLDER", "the run's folder: data, log, checkpoints, model"},
    {"show", 0, "RUN", "print a run's ledger and loss curve, and do nothing else"},
};

/* Settings of training that are other than lemur train's. */
static const double learning_rate_full = 2e-5, learning_rate_adapters = 2e-4;
static const Field tuned[] = {
    F_FLOAT(TrainConfig, learning_rate, -1, -1, 10,
            "peak learning rate; -1: 2e-5, of adapters (--lora) 2e-4"),
    F_FLOAT(TrainConfig, min_lr_ratio, 0, 0, 1, "learning rate at the end, as a share of the peak"),
    F_FLOAT(TrainConfig, warmup_ratio, 0.03, 0, 1, "share of the run that is warm-up"),
    F_FLOAT(TrainConfig, weight_decay, 0, 0, 10, "of matrices; norm weights are not decayed"),
    F_FLOAT(TrainConfig, epochs, 3, 0, 1e9,
            "... or in passes over the data; one of the other three takes its place"),
};

/* train_table with other defaults; caller frees .fields. */
static FieldTable tune_table(void)
{
    Field *fields = mem_copy(train_table.fields, train_table.n * sizeof *fields);
    for (size_t i = 0; i < train_table.n; i++)
        for (size_t k = 0; k < sizeof tuned / sizeof tuned[0]; k++)
            if (strcmp(fields[i].name, tuned[k].name) == 0)
                fields[i] = tuned[k];
    return (FieldTable){fields, train_table.n};
}

void tune_settings_init(TuneSettings *t)
{
    *t = (TuneSettings){.table = tune_table()};
    config_defaults(&words_table, &t->words);
    config_defaults(&t->table, &t->config);
    instruct_recipe_defaults(&t->recipe);
}

void tune_settings_drop(TuneSettings *t)
{
    mem_free(t->output);
    json_decref(t->resumed);
    instruct_recipe_drop(&t->recipe);
    config_drop(&words_table, &t->words);
    config_drop(&t->table, &t->config);
    mem_free((void *)(uintptr_t)t->table.fields);
}

Command tune_settings_command(ArgsTable tables[TUNE_TABLES], TuneSettings *t)
{
    tables[0] = (ArgsTable){&words_table, &t->words};
    tables[1] = (ArgsTable){&instruct_table, &t->recipe.config};
    tables[2] = (ArgsTable){&t->table, &t->config};
    return (Command){
        .usage = "-m MODEL (--data FILE... | --recipe FILE) -o RUN [settings]   |   --show RUN",
        .words = "[FILE]...",
        .about =
            "Tunes a model on instructions: conversations in the formats in which they are published, of "
            "which the\n"
            "assistant's words and their end marks are learned, and nothing else.  The mask is proved over "
            "every\n"
            "example before the first step; --inspect shows it.  RUN gets data/ (the rows, a ledger in its\n"
            "manifest.json, what was kept aside in rejected.jsonl) and what lemur train writes; RUN/model "
            "chats.\n"
            "Ctrl-C or SIGTERM saves everything; `lemur tune --resume -o RUN` goes on and ends in the same "
            "bytes.\n"
            "The paper's 70B: 300 K examples, 2 epochs, learning rate 2e-5, 128 sequences of 2048 tokens a "
            "step,\n"
            "3 % warm-up.\n"
            "example: lemur tune -m model.Q4_K_M.gguf --data examples.jsonl --lora -o adapted",
        COMMAND_FLAGS(flags),
        .tables = tables,
        .tables_n = TUNE_TABLES,
    };
}

/* Where they come from ------------------------------------------------------------------------- */

/* The keys of `tune:` that are no data settings: words, and settings of training under all their names. */
static Status take_training(TuneSettings *t, const json_t *section)
{
    const char *key;
    json_t *value, *words = json_object(), *settings = json_object();
    json_object_foreach((json_t *)(uintptr_t)section, key, value)
    {
        char *flag = mem_format("--%s", key), *ours = train_flags_our_name(flag);
        const char *name = ours ? ours + 2 : key;
        if (strcmp(name, "output") == 0 && json_is_string(value) && !t->output)
            t->output = mem_str(json_string_value(value));
        else if (strcmp(name, "output") != 0)
            json_object_set(config_find(&words_table, name) ? words : settings, name, value);
        mem_free(ours);
        mem_free(flag);
    }
    if (train_flags_names_length(settings))
        train_flags_forget_length(&t->config);
    Status st = config_from_json(&words_table, &t->words, words);
    if (st == ST_OK)
        st = config_from_json(&t->table, &t->config, settings);
    json_decref(words);
    json_decref(settings);
    return st;
}

static Status take_section(TuneSettings *t, json_t *section)
{
    json_t *rest = json_copy(section);
    Status st = instruct_recipe_take(&t->recipe, rest);
    if (st == ST_OK)
        st = take_training(t, rest);
    json_decref(rest);
    return st;
}

static Status take_recipe(TuneSettings *t)
{
    json_t *section = t->given ? json_incref(json_object_get(t->given, "tune")) : NULL;
    if (!t->given)
        TRY(corpus_recipe_section(&section, t->recipe_path, "tune"));
    if (!json_is_object(section)) {
        json_decref(section);
        return fail(ST_ARG, "%s has no section tune:", t->recipe_path);
    }
    Status st = take_section(t, section);
    json_decref(section);
    return st == ST_OK ? ST_OK : fail_in(st, "%s: tune", t->recipe_path);
}

/* What the run in the output folder was started with. */
static Status take_resumed(TuneSettings *t)
{
    char *name = t->output ? path_join(t->output, "config.json") : NULL;
    bool there = name && path_exists(name);
    mem_free(name);
    if (!t->words.resume || !there)
        return ST_OK;
    TRY(run_folder_read_config(&t->resumed, t->output));
    train_flags_forget_length(&t->config);
    return config_from_json(&t->table, &t->config, json_object_get(t->resumed, "settings"));
}

/* Files of the command line, behind the recipe's sources. */
static Status take_files(TuneSettings *t, const Args *args)
{
    const char *format = args_value(args, "format");
    size_t place = 0;
    for (const char *file; (file = args_next(args, "data", &place));)
        TRY(instruct_recipe_add_file(&t->recipe, file, format));
    for (size_t i = 0; i < args->positional_n; i++)
        TRY(instruct_recipe_add_file(&t->recipe, args->positional[i], format));
    return ST_OK;
}

/* The command line over what files say.  A length that it gives, be it the default, takes the place of
 * theirs: all are below their bounds while it is read, and those that still are were not given. */
static Status parse_over(TuneSettings *t, Args *args, const Command *c, int argc, char **argv)
{
    TrainConfig *now = &t->config, was = t->config;
    now->steps = now->tokens = -1;
    now->epochs = now->minutes = -1;
    Status st = args_parse(args, argc, argv, c->flags, c->flags_n, c->tables, c->tables_n);
    bool given = now->steps >= 0 || now->tokens >= 0 || now->epochs >= 0 || now->minutes >= 0;
    if (given)
        train_flags_forget_length(&was);
    now->steps = now->steps >= 0 ? now->steps : was.steps;
    now->tokens = now->tokens >= 0 ? now->tokens : was.tokens;
    now->epochs = now->epochs >= 0 ? now->epochs : was.epochs;
    now->minutes = now->minutes >= 0 ? now->minutes : was.minutes;
    return st;
}

Status tune_settings_gather(TuneSettings *t, const Command *c, int argc, char **argv)
{
    Args args = {0};
    /* The first reading of argv, to find files; what it set is read again, over them. */
    bool resume = t->words.resume;
    config_defaults(&words_table, &t->words);
    config_defaults(&t->table, &t->config);
    instruct_recipe_drop(&t->recipe);
    instruct_recipe_defaults(&t->recipe);
    t->words.resume = resume;
    Status st = take_resumed(t);
    if (st == ST_OK && t->recipe_path)
        st = take_recipe(t);
    if (st == ST_OK)
        st = parse_over(t, &args, c, argc, argv);
    const char *base = st == ST_OK ? args_value(&args, "model") : NULL;
    if (base) {
        mem_free(t->words.base);
        t->words.base = mem_str(base);
    }
    if (st == ST_OK)
        st = take_files(t, &args);
    if (t->config.learning_rate < 0)
        t->config.learning_rate = t->config.lora ? learning_rate_adapters : learning_rate_full;
    args_drop(&args);
    return st;
}

Status tune_recipe_check(const json_t *recipe)
{
    TuneSettings t;
    json_t *section = json_object_get(recipe, "tune");
    tune_settings_init(&t);
    Status st =
        json_is_object(section) ? take_section(&t, section) : fail(ST_ARG, "there is no section tune:");
    tune_settings_drop(&t);
    return st;
}
