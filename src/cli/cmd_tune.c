/* lemur tune: instruction sets and a model to a model that answers.  Where settings come from, the last one
 * winning: defaults, the run that is resumed, the recipe, the command line. */
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
#include "cli/run_forecast.h"
#include "cli/run_verbs.h"
#include "cli/stop_signal.h"
#include "cli/train_flags.h"
#include "cli/train_sample.h"
#include "cli/tune_data.h"
#include "corpus/corpus_recipe.h"
#include "corpus/instruct_inspect.h"
#include "corpus/instruct_ledger.h"
#include "corpus/stop.h"
#include "train/run_folder.h"
#include "train/summary.h"
#include "train/trainer.h"

typedef struct {
    char *base, *sample;
    int64_t inspect;
    bool resume, overwrite, accept_changes, dry_run, json;
} Words;

static const Field words_fields[] = {
    F_STRING(Words, base, "",
             "the model to begin from: a model folder, a run, a GGUF file; -m says the same"),
    F_STRING(Words, sample, "", "after each evaluation, show what the model makes of this prompt"),
    F_INT(Words, inspect, 0, 0, 1e9, "show so many examples with what is learned marked, and stop"),
    F_BOOL(Words, resume, false, "go on with the run in the output folder; starts one where there is none"),
    F_BOOL(Words, overwrite, false, "delete the run in the output folder first"),
    F_BOOL(Words, accept_changes, false, "resume although settings differ from those of the run"),
    F_BOOL(Words, dry_run, false, "prepare the examples, print the plan and stop"),
    F_BOOL(Words, json, false, "print the result as JSON"),
};
static const FieldTable words_table = FIELD_TABLE(words_fields);
static const Flag tune_flags[] = {
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
    F_FLOAT(TrainConfig, weight_decay, 0, 0, 10, "AdamW's, of matrices; norm weights are not decayed"),
    F_FLOAT(TrainConfig, epochs, 3, 0, 1e9,
            "... or in passes over the data; one of the other three takes its place"),
};

typedef struct {
    Words words;
    TrainConfig config;
    InstructRecipe recipe;
    FieldTable table; /* of `config`, with the defaults above */
    char *output, *recipe_path, *show, *temporary;
    json_t *resumed;
    const json_t *given; /* the recipe's content, where it is read already; borrowed */
} TuneCommand;

/* Settings ------------------------------------------------------------------------------------ */

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

static void text_set(char **slot, const char *text)
{
    if (!text)
        return;
    mem_free(*slot);
    *slot = mem_str(text);
}

/* The keys of `tune:` that are no data settings: words, and settings of training under all their names. */
static Status take_training(TuneCommand *t, const json_t *section)
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

static Status take_section(TuneCommand *t, json_t *section)
{
    json_t *rest = json_copy(section);
    Status st = instruct_recipe_take(&t->recipe, rest);
    if (st == ST_OK)
        st = take_training(t, rest);
    json_decref(rest);
    return st;
}

static Status take_recipe(TuneCommand *t)
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
static Status take_resumed(TuneCommand *t)
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
static Status take_files(TuneCommand *t, const Args *args)
{
    const char *format = args_value(args, "format");
    size_t place = 0;
    for (const char *file; (file = args_next(args, "data", &place));)
        TRY(instruct_recipe_add_file(&t->recipe, file, format));
    for (size_t i = 0; i < args->positional_n; i++)
        TRY(instruct_recipe_add_file(&t->recipe, args->positional[i], format));
    return ST_OK;
}

static Status gather(TuneCommand *t, const Command *c, int argc, char **argv)
{
    Args args = {0};
    /* The first reading of argv, to find files; what it set is read again, over them. */
    bool resume = t->words.resume;
    TrainConfig given = {0};
    config_defaults(&t->table, &given);
    bool length_given = !(t->config.steps == given.steps && t->config.tokens == given.tokens &&
                          t->config.epochs == given.epochs && t->config.minutes == given.minutes);
    config_drop(&t->table, &given);
    config_defaults(&words_table, &t->words);
    config_defaults(&t->table, &t->config);
    instruct_recipe_drop(&t->recipe);
    instruct_recipe_defaults(&t->recipe);
    t->words.resume = resume;
    Status st = t->recipe_path ? take_recipe(t) : ST_OK;
    if (st == ST_OK)
        st = take_resumed(t);
    if (length_given)
        train_flags_forget_length(&t->config);
    if (st == ST_OK)
        st = args_parse(&args, argc, argv, c->flags, c->flags_n, c->tables, c->tables_n);
    if (st == ST_OK) {
        text_set(&t->words.base, args_value(&args, "model"));
        st = take_files(t, &args);
    }
    if (t->config.learning_rate < 0)
        t->config.learning_rate = t->config.lora ? learning_rate_adapters : learning_rate_full;
    args_drop(&args);
    return st;
}

/* Where the examples are prepared ------------------------------------------------------------- */

static bool holds_run(const char *folder)
{
    static const char *const names[] = {"config.json", "log.jsonl", "checkpoints"};
    bool is = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = path_join(folder, names[i]);
        is |= path_exists(path);
        mem_free(path);
    }
    return is;
}

static Status check_words(const TuneCommand *t)
{
    bool looks = t->words.dry_run || t->words.inspect > 0;
    if (t->output)
        TRY(cmd_folder_possible(t->output));
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
    if (t->output && holds_run(t->output) && !t->words.overwrite && !t->words.resume && !looks)
        return fail(ST_ARG,
                    "%s holds a run already; go on with it by --resume, delete it by --overwrite, or choose "
                    "another folder with -o",
                    t->output);
    return ST_OK;
}

/* RUN/data; looking alone leaves what a run learned from untouched, and needs no run.  Caller frees. */
static Status data_folder(TuneCommand *t, char **out)
{
    bool looks = t->words.dry_run || t->words.inspect > 0;
    if (t->output && !(looks && holds_run(t->output))) {
        *out = path_join(t->output, "data");
        return ST_OK;
    }
    const char *place = getenv("TMPDIR");
    t->temporary = mem_format("%s/lemur-tune-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(t->temporary))
        return fail_errno(ST_IO, "cannot make a folder %s", t->temporary);
    *out = mem_str(t->temporary);
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
    Str text = {0};
    Status st = instruct_inspect(&text, folder, n, isatty(STDOUT_FILENO));
    if (st == ST_OK)
        fputs(str_c(&text), stdout);
    str_drop(&text);
    return st;
}

/* The work ------------------------------------------------------------------------------------ */

static Status train(TuneCommand *t, TrainJob *job)
{
    TrainResult result;
    TrainSample sample = {.prompt = t->words.sample};
    job->output = t->output;
    job->resume = t->words.resume;
    job->overwrite = t->words.overwrite;
    job->accept_changes = t->words.accept_changes;
    job->dry_run = t->words.dry_run;
    job->stop = stop_signal_watch();
    job->verb = "tune";
    if (*t->words.sample)
        job->hooks = (TrainHooks){.context = &sample, .on_eval = train_sample_on_eval};
    Status st = train_run(&t->config, job, &result);
    train_sample_drop(&sample);
    if (t->words.json && !t->words.dry_run && (st == ST_OK || result.diverged))
        train_flags_print_result(t->output, &result);
    return st;
}

/* A run that stands on the set and the model it began with. */
static Status go_on(TuneCommand *t)
{
    const json_t *c = t->resumed;
    const char *init = json_string_value(json_object_get(c, "init"));
    const char *data = json_string_value(json_object_get(c, "data"));
    if (t->recipe.sources_n > 0)
        log_info("resumed  with the examples in %s; what --data and --recipe name is not read again", data);
    TrainJob job = {
        .data = data,
        .init = init && path_exists(init) ? init : NULL, /* from its first checkpoint on it can do without */
        .tokenizer = json_string_value(json_object_get(c, "tokenizer")),
        .padded_vocab = json_is_true(json_object_get(c, "padded_vocab")),
        .grow_vocab = json_is_true(json_object_get(c, "grow_vocab"))};
    if (!data)
        return fail(ST_FORMAT, "%s/config.json names no data", t->output);
    TRY(hparams_from_json(&job.hparams, json_object_get(c, "model")));
    return train(t, &job);
}

static Status begin(TuneCommand *t)
{
    TuneData data;
    char *folder = NULL, *base = NULL;
    json_t *manifest = NULL;
    bool reused = false;
    Status st = model_path_find(&base, t->words.base);
    if (st != ST_OK)
        return fail_in(st, "-m");
    int threads = t->config.threads > 0 ? (int)t->config.threads : cpu_count();
    st = tune_data_open(&data, base, &t->recipe);
    if (st == ST_OK) {
        InstructJob job = {&t->recipe, data.tokenizer, data.tmpl, (uint64_t)t->config.seed, threads};
        stop_on_signals();
        st = data_folder(t, &folder);
        if (st == ST_OK)
            st = instruct_prepare(&job, folder, &manifest, &reused);
    }
    if (st == ST_OK) {
        tune_data_print(&data);
        log_info("examples %s %s", folder,
                 reused ? "are those of the same files and settings already" : "prepared");
        print_ledger(manifest);
    }
    if (st == ST_OK && t->words.inspect > 0) {
        st = inspect(folder, t->words.inspect);
    } else if (st == ST_OK) {
        TrainJob job = {.data = folder, .init = base, .padded_vocab = data.padded, .grow_vocab = data.grows};
        st = train(t, &job);
    }
    tune_data_close(&data);
    json_decref(manifest);
    mem_free(folder);
    mem_free(base);
    return st;
}

static Status run(TuneCommand *t, const Command *c, int argc, char **argv)
{
    TRY(gather(t, c, argc, argv));
    TRY(check_words(t));
    Status st = t->resumed ? go_on(t) : begin(t);
    if (t->temporary) {
        Error why = error_take();
        if (folder_remove(t->temporary) != ST_OK)
            log_warn("%s", error_take().text);
        if (why.status != ST_OK)
            (void)error_put(&why);
    }
    return st;
}

/* The ledger and how the run went, or examples of it. */
static Status show(const TuneCommand *t)
{
    Str text = {0};
    json_t *manifest;
    char *folder = path_join(t->show, "data");
    Status st =
        t->words.inspect > 0 ? inspect(folder, t->words.inspect) : instruct_manifest(&manifest, folder);
    if (st == ST_OK && t->words.inspect == 0) {
        instruct_ledger_text(&text, manifest);
        json_decref(manifest);
        if (holds_run(t->show))
            st = summary_text(&text, t->show);
    }
    if (st == ST_OK)
        fputs(str_c(&text), stdout);
    str_drop(&text);
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

static TuneCommand command_begin(void)
{
    TuneCommand t = {.table = tune_table()};
    config_defaults(&words_table, &t.words);
    config_defaults(&t.table, &t.config);
    instruct_recipe_defaults(&t.recipe);
    return t;
}

static void command_drop(TuneCommand *t)
{
    mem_free(t->output);
    mem_free(t->recipe_path);
    mem_free(t->show);
    mem_free(t->temporary);
    json_decref(t->resumed);
    instruct_recipe_drop(&t->recipe);
    config_drop(&words_table, &t->words);
    config_drop(&t->table, &t->config);
    mem_free((void *)(uintptr_t)t->table.fields);
}

Status tune_recipe_check(const json_t *recipe)
{
    TuneCommand t = command_begin();
    json_t *section = json_object_get(recipe, "tune");
    Status st =
        json_is_object(section) ? take_section(&t, section) : fail(ST_ARG, "there is no section tune:");
    command_drop(&t);
    return st;
}

enum { TUNE_TABLES = 3 };

static Command command_of(const ArgsTable tables[TUNE_TABLES])
{
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
        COMMAND_FLAGS(tune_flags),
        .tables = tables,
        .tables_n = TUNE_TABLES,
    };
}

/* In a recipe ----------------------------------------------------------------------------------- */

/* Tokens of an example with its template, where only their number is known; of JSON's bytes, a token. */
enum { EXAMPLE_TOKENS = 600, JSON_TOKEN_BYTES = 4 };

static double source_tokens(const RecipeAsk *ask, const InstructSource *s, int64_t context)
{
    double each = EXAMPLE_TOKENS < context ? EXAMPLE_TOKENS : (double)context, bytes = 0, most;
    for (size_t i = 0; i < s->path.n; i++) {
        const json_t *facts = recipe_facts(ask, s->path.at[i]);
        int64_t there = forecast_bytes((const char *const *)&s->path.at[i], 1,
                                       (const char *const *)s->excludes.at, s->excludes.n);
        bytes += there ? (double)there : json_number_value(json_object_get(facts, "bytes"));
    }
    most = s->limit > 0 ? (double)s->limit * each : 0;
    return most > 0 && (bytes <= 0 || bytes / JSON_TOKEN_BYTES > most) ? most : bytes / JSON_TOKEN_BYTES;
}

/* What packs into rows of one length: coarse. */
static int64_t rows_of(const TuneCommand *t, const RecipeAsk *ask, int64_t context)
{
    const InstructConfig *c = &t->recipe.config;
    double tokens = 0;
    for (size_t i = 0; i < t->recipe.sources_n; i++)
        tokens += source_tokens(ask, &t->recipe.sources[i], context);
    if (c->total > 0)
        tokens = (double)c->total * (strcmp(c->mix, "tokens") == 0 ? 1 : EXAMPLE_TOKENS);
    return (int64_t)(tokens / (strcmp(c->packing, "single") == 0 ? EXAMPLE_TOKENS : (double)context));
}

static Status forecast(RecipeForecast *out, const RecipeAsk *ask, TuneCommand *t)
{
    HParams h;
    ForecastRows rows = {0};
    const json_t *model = json_object_get(ask->settings, "model");
    Status st = forecast_model(&h, ask, t->words.base);
    if (st != ST_OK && json_object_get(model, "preset")) /* the shape of one that is not there yet */
        st = hparams_preset(&h, json_string_value(json_object_get(model, "preset")));
    TRY(st);
    char *data = path_join(ask->out, "data");
    st = folder_holds(data, "manifest.json") ? forecast_rows(&rows, ask, data) : ST_IO;
    mem_free(data);
    if (st != ST_OK) {
        int64_t context = t->recipe.config.context;
        if (context == 0)
            context =
                h.max_position_embeddings < TUNE_CONTEXT_MOST ? h.max_position_embeddings : TUNE_CONTEXT_MOST;
        rows = (ForecastRows){.data = {context, rows_of(t, ask, context), 0}, .vocab_size = h.vocab_size};
    }
    TRY(forecast_training(out, ask, &t->config, &h, &rows, t->words.base));
    if (out->from == FORECAST_COMPUTED && t->config.steps == 0 && t->config.tokens == 0)
        out->from = FORECAST_COARSE; /* who knows how many tokens examples have */
    return ST_OK;
}

Status tune_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    TuneCommand t = command_begin();
    TrainWords w;
    const ArgsTable tables[] = {
        {&words_table, &t.words}, {&instruct_table, &t.recipe.config}, {&t.table, &t.config}};
    const Command c = command_of(tables);
    Status st = train_words_read(&w, &c, ask);
    if (st == ST_OK) {
        text_set(&t.recipe_path, args_value(&w.args, "recipe"));
        t.given = ask->settings;
        st = gather(&t, &c, w.n, w.words);
    }
    if (st == ST_OK)
        st = forecast(out, ask, &t);
    train_words_drop(&w);
    command_drop(&t);
    return st;
}

int cmd_tune(int argc, char **argv)
{
    TuneCommand t = command_begin();
    Args args;
    int code;
    char **words = train_flags_rename(argc, argv);
    inspect_default(words, argc);
    const ArgsTable tables[] = {
        {&words_table, &t.words}, {&instruct_table, &t.recipe.config}, {&t.table, &t.config}};
    const Command command = command_of(tables);
    if (cmd_parse(&command, &args, argc, words, &code)) {
        text_set(&t.output, args_value(&args, "output"));
        text_set(&t.recipe_path, args_value(&args, "recipe"));
        text_set(&t.show, args_value(&args, "show"));
        args_drop(&args);
        code = cmd_exit(t.show ? show(&t) : run(&t, &command, argc, words));
    }
    train_flags_rename_drop(words, argc);
    command_drop(&t);
    return code;
}
