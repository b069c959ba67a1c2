/* lemur train: packed rows to a model.  Where settings come from, the last one winning: defaults, the run
 * that is resumed, the recipe, the command line. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "cli/run_forecast.h"
#include "cli/run_verbs.h"
#include "cli/stop_signal.h"
#include "cli/train_flags.h"
#include "cli/train_sample.h"
#include "tokenizer/tokenizer.h"
#include "train/run_folder.h"
#include "train/summary.h"
#include "train/trainer.h"

/* What to train on, beside how: not part of a run's settings, so that a moved folder is no change. */
typedef struct {
    char *data, *init, *preset, *config, *tokenizer, *sample;
    bool resume, overwrite, accept_changes, padded_vocab, dry_run, json;
} Words;

static const Field words_fields[] = {
    F_STRING(Words, data, "", "folder of packed rows, as lemur pack writes it"),
    F_STRING(Words, init, "", "start from this model folder, or from the model of this run"),
    F_STRING(Words, preset, "", "start from random weights in this shape: 5m, 15m, 60m, 110m, 1b, 7b, 70b"),
    F_STRING(Words, config, "", "start from random weights in the shape of this config.json"),
    F_STRING(Words, tokenizer, "", "vocabulary to put beside the weights; default: the one the data names"),
    F_STRING(Words, sample, "", "after each evaluation, show what the model makes of this prompt"),
    F_BOOL(Words, resume, false, "go on with the run in the output folder; starts one where there is none"),
    F_BOOL(Words, overwrite, false, "delete the run in the output folder first"),
    F_BOOL(Words, accept_changes, false, "resume although settings differ from those of the run"),
    F_BOOL(Words, padded_vocab, false, "the model may have more ids than the data's vocabulary"),
    F_BOOL(Words, dry_run, false, "print the plan (memory, tokens, time, disk) and stop"),
    F_BOOL(Words, json, false, "print the result as JSON"),
};
static const FieldTable words_table = FIELD_TABLE(words_fields);
static const Flag train_flags[] = {
    {"output", 'o', "FOLDER", "the run's folder: log, checkpoints, model"},
    {"recipe", 'r', "FILE", "takes settings from its sections train: and model:; flags win over it"},
    {"show", 0, "RUN", "print a run's loss curve and where it stands, and do nothing else"},
};

typedef struct {
    Words words;
    TrainConfig config;
    HParams h;
    bool has_shape;  /* h is set */
    bool takes_ids;  /* ... by something that leaves begin and end of text to the data's vocabulary */
    bool grow_vocab; /* of a run of lemur tune that is resumed */
    char *output, *recipe_path;
    json_t *resumed, *recipe;
} TrainCommand;

/* The recipe ---------------------------------------------------------------------------------- */

static Status set_from_recipe(TrainCommand *t, const json_t *section)
{
    const char *key;
    json_t *value;
    json_t *words = json_object(), *settings = json_object();
    json_object_foreach((json_t *)(uintptr_t)section, key, value)
    {
        char *flag = mem_format("--%s", key), *ours = train_flags_our_name(flag);
        const char *name = ours ? ours + 2 : key;
        if (strcmp(name, "output") == 0 && json_is_string(value)) {
            mem_free(t->output);
            t->output = mem_str(json_string_value(value));
        } else {
            json_object_set(config_find(&words_table, name) ? words : settings, name, value);
        }
        mem_free(ours);
        mem_free(flag);
    }
    Status st = config_from_json(&words_table, &t->words, words);
    if (train_flags_names_length(settings))
        train_flags_forget_length(&t->config); /* of the run that is resumed */
    if (st == ST_OK)
        st = config_from_json(&train_table, &t->config, settings);
    json_decref(words);
    json_decref(settings);
    return st;
}

/* `changes` over the shape in `base` (NULL: Hugging Face's defaults).  Unlike a config.json, a recipe is
 * written by hand: a key that no Llama has is a slip. */
static Status shape_with(HParams *out, const HParams *base, const json_t *changes)
{
    const char *key;
    json_t *value;
    json_t *object = base ? hparams_to_json(base) : json_object(), *known = hparams_to_json(out);
    Status st = ST_OK;
    json_object_foreach((json_t *)(uintptr_t)changes, key, value)
    {
        bool is_ours = strcmp(key, "preset") == 0 || strcmp(key, "config") == 0 || key[0] == '\001';
        if (!is_ours && !json_object_get(known, key) && st == ST_OK)
            st = fail(ST_ARG, "model: there is no '%s' in a Llama's config.json", key);
        if (!is_ours)
            json_object_set(object, key, value);
    }
    if (st == ST_OK && base && !json_object_get(changes, "head_dim") &&
        (json_object_get(changes, "hidden_size") || json_object_get(changes, "num_attention_heads")))
        json_object_del(object, "head_dim"); /* follows from the two, unless it is given */
    if (st == ST_OK && base && json_object_get(changes, "num_attention_heads") &&
        !json_object_get(changes, "num_key_value_heads"))
        json_object_del(object, "num_key_value_heads");
    if (st == ST_OK)
        st = hparams_from_json(out, object);
    json_decref(known);
    json_decref(object);
    return st;
}

/* A config.json, or the folder it lies in.  Its vocabulary counts where it names one. */
static Status shape_from_file(HParams *out, const char *path, bool *takes_ids)
{
    json_t *object = NULL;
    char *inside = path_is_folder(path) ? path_join(path, "config.json") : mem_str(path);
    Status st = json_file_read(&object, inside);
    if (st == ST_OK)
        st = hparams_from_json(out, object);
    if (st == ST_OK && !json_object_get(object, "vocab_size"))
        out->vocab_size = 0;
    *takes_ids = !json_object_get(object, "bos_token_id") && !json_object_get(object, "eos_token_id");
    json_decref(object);
    mem_free(inside);
    return st == ST_OK ? st : fail_in(st, "the model's shape in %s", path);
}

static Status shape_from_section(TrainCommand *t, const json_t *section)
{
    const char *named = json_string_value(json_object_get(section, "preset"));
    HParams base = {0};
    if (named)
        TRY(hparams_preset(&base, named));
    TRY(shape_with(&t->h, named ? &base : NULL, section));
    if (!json_object_get(section, "vocab_size"))
        t->h.vocab_size = 0;
    t->has_shape = true;
    t->takes_ids = !json_object_get(section, "bos_token_id") && !json_object_get(section, "eos_token_id");
    return ST_OK;
}

Status train_recipe_check(const json_t *recipe)
{
    TrainCommand t = {0};
    const json_t *train = json_object_get(recipe, "train"), *model = json_object_get(recipe, "model");
    config_defaults(&words_table, &t.words);
    config_defaults(&train_table, &t.config);
    Status st = train ? set_from_recipe(&t, train) : ST_OK;
    if (st == ST_OK && model)
        st = shape_from_section(&t, model);
    mem_free(t.output);
    config_drop(&words_table, &t.words);
    config_drop(&train_table, &t.config);
    return st;
}

/* The shape of random weights: --config or --preset, else the recipe's model section, else the resumed
 * run's. */
static Status choose_shape(TrainCommand *t)
{
    const json_t *section = json_object_get(t->recipe, "model");
    const char *preset = t->words.preset, *file = t->words.config;
    if (!*preset && !*file && section)
        return shape_from_section(t, section);
    if (*preset && *file)
        return fail(ST_ARG, "--preset and --config both give the model's shape: give one of them");
    if (*file) {
        TRY(shape_from_file(&t->h, file, &t->takes_ids));
    } else if (*preset) {
        TRY(hparams_preset(&t->h, preset));
        t->h.vocab_size = 0; /* a preset is a shape; the data brings the vocabulary */
        t->takes_ids = true;
    } else if (t->resumed) {
        TRY(hparams_from_json(&t->h, json_object_get(t->resumed, "model")));
    }
    t->has_shape = *file || *preset || t->resumed;
    return ST_OK;
}

/* Begin and end of text as the data's vocabulary has them, for models that begin here. */
static Status take_special_ids(TrainCommand *t)
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

/* Settings ------------------------------------------------------------------------------------ */

static Status set_path(char **slot, const json_t *config, const char *key)
{
    const char *path = json_string_value(json_object_get(config, key));
    if (path) {
        mem_free(*slot);
        *slot = mem_str(path);
    }
    return ST_OK;
}

static Status take_resumed(TrainCommand *t)
{
    char *name = path_join(t->output, "config.json");
    bool there = path_exists(name);
    mem_free(name);
    if (!there)
        return ST_OK;
    TRY(run_folder_read_config(&t->resumed, t->output));
    TRY(set_path(&t->words.data, t->resumed, "data"));
    const char *init = json_string_value(json_object_get(t->resumed, "init"));
    if (init && path_exists(init)) /* from its first checkpoint on a run can do without */
        TRY(set_path(&t->words.init, t->resumed, "init"));
    TRY(set_path(&t->words.tokenizer, t->resumed, "tokenizer"));
    t->words.padded_vocab = json_is_true(json_object_get(t->resumed, "padded_vocab"));
    t->grow_vocab = json_is_true(json_object_get(t->resumed, "grow_vocab"));
    return config_from_json(&train_table, &t->config, json_object_get(t->resumed, "settings"));
}

static Status take_recipe(TrainCommand *t, const char *path)
{
    if (!t->recipe) /* a forecast has it already */
        TRY(config_read_yaml(&t->recipe, path));
    json_t *section = json_object_get(t->recipe, "train");
    if (!section && !json_object_get(t->recipe, "model"))
        return fail(ST_ARG, "%s has neither a section train: nor a section model:", path);
    Status st = section ? set_from_recipe(t, section) : ST_OK;
    return st == ST_OK ? st : fail_in(st, "%s, section train", path);
}

/* argv has been parsed once, to find the files that stand behind it; now they are read, and argv over
 * them. */
static Status gather(TrainCommand *t, const Command *c, int argc, char **argv)
{
    Args args = {0};
    bool resume = t->words.resume, length_given = train_flags_has_length(&t->config);
    config_defaults(&words_table, &t->words);
    config_defaults(&train_table, &t->config);
    Status st = ST_OK;
    if (t->recipe_path)
        st = take_recipe(t, t->recipe_path);
    if (st == ST_OK && resume && t->output) {
        config_defaults(&train_table,
                        &t->config); /* the run knows its recipe; a recipe given again must be the same */
        st = take_resumed(t);
        if (st == ST_OK && json_object_get(t->recipe, "train"))
            st = set_from_recipe(t, json_object_get(t->recipe, "train"));
    }
    if (length_given)
        train_flags_forget_length(&t->config); /* the command line's is read below */
    if (st == ST_OK)
        st = args_parse(&args, argc, argv, c->flags, c->flags_n, c->tables, c->tables_n);
    const char *output = st == ST_OK ? args_value(&args, "output") : NULL;
    if (output) {
        mem_free(t->output);
        t->output = mem_str(output);
    }
    args_drop(&args);
    return st;
}

static Status check_words(const TrainCommand *t)
{
    if (t->output)
        TRY(cmd_folder_possible(t->output));
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

/* --init may also name a run: its model, or its newest checkpoint, is where to begin. */
static Status find_init(TrainCommand *t)
{
    char *found;
    if (!*t->words.init)
        return ST_OK;
    Status st = model_folder_find(&found, t->words.init);
    if (st != ST_OK)
        return fail_in(st, "--init");
    mem_free(t->words.init);
    t->words.init = found;
    return ST_OK;
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static Status run(TrainCommand *t, const Command *c, int argc, char **argv)
{
    TrainResult result;
    TrainSample sample = {0};
    TRY(gather(t, c, argc, argv));
    TRY(choose_shape(t));
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
        .dry_run = t->words.dry_run,
        .stop = stop_signal_watch(),
    };
    if (*t->words.sample) {
        sample = (TrainSample){.prompt = t->words.sample, .tokenizer = job.tokenizer};
        job.hooks = (TrainHooks){.context = &sample, .on_eval = train_sample_on_eval};
    }
    Status st = train_run(&t->config, &job, &result);
    train_sample_drop(&sample);
    if (t->words.json && !t->words.dry_run && (st == ST_OK || result.diverged))
        train_flags_print_result(t->output, &result);
    return st;
}

static Status show(const char *run_folder)
{
    Str text = {0};
    Status st = summary_text(&text, run_folder);
    if (st == ST_OK)
        fputs(str_c(&text), stdout);
    str_drop(&text);
    return st;
}

enum { TRAIN_TABLES = 2 };

static Command command_of(const ArgsTable tables[TRAIN_TABLES])
{
    return (Command){
        .usage = "--data FOLDER (--init MODEL | --preset NAME | --config FILE | --recipe FILE) -o RUN "
                 "[settings]   |   --show RUN",
        .about = "Trains a model on packed rows.  RUN gets config.json, log.jsonl, TensorBoard events, "
                 "checkpoints/ and model/.\n"
                 "Ctrl-C or SIGTERM saves everything; `lemur train --resume -o RUN` goes on and ends in the "
                 "same bytes;\n"
                 "`touch RUN/save` saves now.  A run that diverges ends with exit status 1, and is saved.\n"
                 "example: lemur train --data packed --preset 15m --minutes 30 -o run",
        COMMAND_FLAGS(train_flags),
        .tables = tables,
        .tables_n = TRAIN_TABLES,
    };
}

static void command_drop(TrainCommand *t)
{
    mem_free(t->output);
    mem_free(t->recipe_path);
    json_decref(t->resumed);
    json_decref(t->recipe);
    config_drop(&words_table, &t->words);
    config_drop(&train_table, &t->config);
}

static void take_args(TrainCommand *t, const Args *args)
{
    const char *output = args_value(args, "output"), *recipe = args_value(args, "recipe");
    t->output = output ? mem_str(output) : NULL;
    t->recipe_path = recipe ? mem_str(recipe) : NULL;
}

/* In a recipe: --------------------------------------------------------------------------------- */

/* A model to start from that is not there yet may have its shape beside it, in the section model:. */
static Status forecast(RecipeForecast *out, const RecipeAsk *ask, TrainCommand *t)
{
    ForecastRows rows;
    TRY(choose_shape(t));
    TRY(forecast_rows(&rows, ask, t->words.data));
    if (*t->words.init && forecast_model(&t->h, ask, t->words.init) != ST_OK && !t->has_shape)
        return fail(ST_IO, "there is no model %s", t->words.init);
    return forecast_training(out, ask, &t->config, &t->h, &rows, or_null(t->words.init));
}

Status train_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    TrainCommand t = {0};
    Args args = {0};
    int n = (int)ask->words_n;
    char **words = train_flags_rename(n, (char **)(uintptr_t)ask->words);
    const ArgsTable tables[] = {{&words_table, &t.words}, {&train_table, &t.config}};
    const Command c = command_of(tables);
    config_defaults(&words_table, &t.words);
    config_defaults(&train_table, &t.config);
    Status st = args_parse(&args, n, words, c.flags, c.flags_n, c.tables, c.tables_n);
    if (st == ST_OK) {
        take_args(&t, &args);
        t.recipe = json_incref((json_t *)(uintptr_t)ask->settings);
        st = gather(&t, &c, n, words);
    }
    if (st == ST_OK)
        st = forecast(out, ask, &t);
    args_drop(&args);
    train_flags_rename_drop(words, n);
    command_drop(&t);
    return st;
}

int cmd_train(int argc, char **argv)
{
    TrainCommand t = {0};
    Args args;
    int code;
    config_defaults(&words_table, &t.words);
    config_defaults(&train_table, &t.config);
    char **words = train_flags_rename(argc, argv);
    const ArgsTable tables[] = {{&words_table, &t.words}, {&train_table, &t.config}};
    const Command command = command_of(tables);
    if (cmd_parse(&command, &args, argc, words, &code)) {
        const char *shown = args_value(&args, "show");
        take_args(&t, &args);
        args_drop(&args);
        code = cmd_exit(shown ? show(shown) : run(&t, &command, argc, words));
    }
    train_flags_rename_drop(words, argc);
    command_drop(&t);
    return code;
}
