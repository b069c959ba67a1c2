#include "cli/train_settings.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "cli/run_verbs.h"
#include "cli/train_flags.h"
#include "train/run_folder.h"

static const Field words_fields[] = {
    F_STRING(TrainOptions, data, "", "folder of packed rows, as lemur pack writes it"),
    F_STRING(TrainOptions, init, "",
             "start from this model folder or GGUF file, or from the model of this run"),
    F_STRING(TrainOptions, preset, "",
             "start from random weights in this shape: 5m, 15m, 60m, 110m, 1b, 7b, 70b"),
    F_STRING(TrainOptions, config, "", "start from random weights in the shape of this config.json"),
    F_STRING(TrainOptions, tokenizer, "",
             "vocabulary to put beside the weights; default: the one the data names"),
    F_STRING(TrainOptions, sample, "", "after each evaluation, show what the model makes of this prompt"),
    F_BOOL(TrainOptions, resume, false,
           "go on with the run in the output folder; starts one where there is none"),
    F_BOOL(TrainOptions, overwrite, false, "delete the run in the output folder first"),
    F_BOOL(TrainOptions, accept_changes, false, "resume although settings differ from those of the run"),
    F_BOOL(TrainOptions, padded_vocab, false, "the model may have more ids than the data's vocabulary"),
    F_BOOL(TrainOptions, dry_run, false, "print the plan (memory, tokens, time, disk) and stop"),
    F_BOOL(TrainOptions, json, false, "print the result, or the plan of --dry-run, as JSON"),
};
static const FieldTable words_table = FIELD_TABLE(words_fields);
static const Flag flags[] = {
    {"output", 'o', "FOLDER", "the run's folder: log, checkpoints, model"},
    {"recipe", 'r', "FILE", "takes settings from its sections train: and model:; flags win over it"},
    {"show", 0, "RUN", "print a run's loss curve and where it stands, and do nothing else"},
};

void train_settings_init(TrainSettings *t)
{
    *t = (TrainSettings){0};
    config_defaults(&words_table, &t->words);
    config_defaults(&train_table, &t->config);
}

void train_settings_drop(TrainSettings *t)
{
    mem_free(t->output);
    mem_free(t->recipe_path);
    json_decref(t->resumed);
    json_decref(t->recipe);
    config_drop(&words_table, &t->words);
    config_drop(&train_table, &t->config);
}

Command train_settings_command(ArgsTable tables[TRAIN_TABLES], TrainSettings *t)
{
    tables[0] = (ArgsTable){&words_table, &t->words};
    tables[1] = (ArgsTable){&train_table, &t->config};
    return (Command){
        .usage = "--data FOLDER (--init MODEL | --preset NAME | --config FILE | --recipe FILE) -o RUN "
                 "[settings]   |   --show RUN",
        .about = "Trains a model on packed rows.  RUN gets config.json, log.jsonl, TensorBoard events, "
                 "checkpoints/ and model/.\n"
                 "Ctrl-C or SIGTERM saves everything; `lemur train --resume -o RUN` goes on and ends in the "
                 "same bytes;\n"
                 "`touch RUN/save` saves now.  A run that diverges ends with exit status 1, and is saved.\n"
                 "example: lemur train --data packed --preset 15m --minutes 30 -o run",
        COMMAND_FLAGS(flags),
        .tables = tables,
        .tables_n = TRAIN_TABLES,
    };
}

void train_settings_take_args(TrainSettings *t, const Args *args)
{
    const char *output = args_value(args, "output"), *recipe = args_value(args, "recipe");
    t->output = output ? mem_str(output) : NULL;
    t->recipe_path = recipe ? mem_str(recipe) : NULL;
}

/* The shape ------------------------------------------------------------------------------------ */

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

static Status shape_from_section(TrainSettings *t, const json_t *section)
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

/* The shape of random weights: --config or --preset, else the recipe's model section, else the resumed
 * run's. */
static Status choose_shape(TrainSettings *t)
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

/* Where they come from ------------------------------------------------------------------------- */

static Status set_from_recipe(TrainSettings *t, const json_t *section)
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

static Status set_path(char **slot, const json_t *config, const char *key)
{
    const char *path = json_string_value(json_object_get(config, key));
    if (path) {
        mem_free(*slot);
        *slot = mem_str(path);
    }
    return ST_OK;
}

static Status take_resumed(TrainSettings *t)
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
    t->new_ids = json_is_true(json_object_get(t->resumed, "new_ids"));
    return config_from_json(&train_table, &t->config, json_object_get(t->resumed, "settings"));
}

static Status take_recipe(TrainSettings *t, const char *path)
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
static Status gather_words(TrainSettings *t, const Command *c, int argc, char **argv)
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

Status train_settings_gather(TrainSettings *t, const Command *c, int argc, char **argv)
{
    TRY(gather_words(t, c, argc, argv));
    return choose_shape(t);
}

Status train_recipe_check(const json_t *recipe)
{
    TrainSettings t;
    const json_t *train = json_object_get(recipe, "train"), *model = json_object_get(recipe, "model");
    train_settings_init(&t);
    Status st = train ? set_from_recipe(&t, train) : ST_OK;
    if (st == ST_OK && model)
        st = shape_from_section(&t, model);
    train_settings_drop(&t);
    return st;
}
