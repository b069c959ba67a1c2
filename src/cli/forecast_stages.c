/* What is forecast of stages that do not train: coarse. */
#include <math.h>
#include <string.h>

#include "base/config.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/run_forecast.h"
#include "corpus/corpus_recipe.h"
#include "corpus/pack.h"

/* Bytes of text in a second, from docs/speed.md ("Corpus", "Tokenizer"): one core, processor time. */
static const double build_speed = 50e6, learn_speed = 10e6, pack_speed = 40e6;
/* Of JSON lines of code and prose, as a corpus packs them. */
static const double corpus_packs = 4;
/* Bytes of text that a token stands for, in vocabularies of 8 k to 32 k. */
static const double token_bytes = 3.5;
/* An episode's turns, the tokens that it reads and writes in each, and what is written down of it. */
static const double episode_turns = 4, turn_reads = 600, turn_writes = 100, episode_bytes = 6000;
/* Seconds of a task of a family or of a game that is made, and of an episode that a script plays. */
static const double task_seconds = 1e-3, game_seconds = 0.05, script_seconds = 0.01;
/* Of reading weights while tokens are written: a core or two of a desktop. */
static const double weights_read = 20e9;

/* Corpus. ------------------------------------------------------------------------------------------------ */

typedef struct {
    double code, text;
    bool has_code, has_text; /* a source of it, how ever little it gives */
} CorpusBytes;

static void add_bytes(CorpusBytes *b, const char *kind, double bytes)
{
    bool code = strcmp(kind, "code") == 0;
    *(code ? &b->code : &b->text) += bytes;
    *(code ? &b->has_code : &b->has_text) = true;
}

/* What a finished corpus says of itself. */
static Status corpus_there(CorpusBytes *out, const char *folder)
{
    char *path = path_join(folder, "manifest.json");
    json_t *manifest = NULL, *source;
    size_t i;
    Status st = json_file_read(&manifest, path);
    json_array_foreach(json_object_get(manifest, "sources"), i, source)
    {
        const char *kind = json_string_value(json_object_get(source, "kind"));
        add_bytes(out, kind ? kind : "text",
                  json_number_value(json_object_get(json_object_get(source, "train"), "bytes")));
    }
    json_decref(manifest);
    mem_free(path);
    return st;
}

/* The stage's settings, or a file that the command names.  A source that is not there counts as its limit. */
static Status corpus_to_come(CorpusBytes *out, const RecipeAsk *ask)
{
    CorpusRecipe r = {0};
    const char *file = ask->words_n > 2 ? ask->words[2] : "";
    Status st = ask->settings       ? corpus_recipe_take(&r, ask->settings)
                : path_exists(file) ? corpus_recipe_read(&r, file)
                                    : fail(ST_IO, "there is no recipe %s", file);
    for (size_t i = 0; st == ST_OK && i < r.sources_n; i++) {
        const CorpusSource *s = &r.sources[i];
        int64_t bytes = forecast_bytes((const char *const *)s->paths.at, s->paths.n,
                                       (const char *const *)s->excludes.at, s->excludes.n);
        if (s->limit && (bytes == 0 || bytes > s->limit))
            bytes = s->limit;
        add_bytes(out, s->kind, (double)bytes);
    }
    corpus_recipe_drop(&r);
    return st;
}

Status corpus_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    CorpusBytes b = {0};
    if (ask->done)
        TRY(corpus_there(&b, ask->out));
    else
        TRY(corpus_to_come(&b, ask));
    out->facts = json_pack("{s:f, s:f, s:b, s:b}", "code_bytes", b.code, "text_bytes", b.text, "has_code",
                           b.has_code, "has_text", b.has_text);
    out->from = FORECAST_COARSE;
    out->seconds = (b.code + b.text) / build_speed;
    out->disk = (int64_t)((b.code + b.text) / corpus_packs);
    return ST_OK;
}

static double number(const json_t *facts, const char *key)
{
    return json_number_value(json_object_get(facts, key));
}

/* Of the first word that is a stage's corpus. */
static const json_t *corpus_facts(const RecipeAsk *ask)
{
    for (size_t i = 0; i < ask->words_n; i++) {
        const json_t *facts = recipe_facts(ask, ask->words[i]);
        if (json_object_get(facts, "code_bytes"))
            return facts;
    }
    return NULL;
}

Status tokenizer_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *size = forecast_flag(ask, "--vocab-size"), *letter = forecast_flag(ask, "-n");
    const json_t *corpus = corpus_facts(ask);
    int64_t vocab = 32000;
    if (size || letter)
        TRY(parse_int(&vocab, size ? size : letter));
    out->facts = json_pack("{s:I}", "vocab_size", (json_int_t)vocab);
    out->from = FORECAST_COARSE;
    out->seconds = (number(corpus, "code_bytes") + number(corpus, "text_bytes")) / learn_speed;
    return ST_OK;
}

/* Packing. ----------------------------------------------------------------------------------------------- */

/* Settings of the recipe, and flags over them. */
static Status pack_settings(PackConfig *c, const RecipeAsk *ask)
{
    const json_t *section = json_object_get(ask->settings, "pack");
    if (section && (forecast_flag(ask, "--recipe") || forecast_flag(ask, "-r")))
        TRY(config_from_json(&pack_table, c, section));
    for (size_t i = 0; i < pack_table.n; i++) {
        char *flag = mem_format("--%s", pack_table.fields[i].name);
        const char *value = pack_table.fields[i].kind == FIELD_BOOL ? NULL : forecast_flag(ask, flag);
        Status st = value ? config_set(&pack_table, c, pack_table.fields[i].name, value) : ST_OK;
        mem_free(flag);
        TRY(st);
    }
    return ST_OK;
}

static Status check_ratio(const PackConfig *c, const json_t *corpus)
{
    if (c->ratio_code <= 0 && c->ratio_text <= 0)
        return fail(ST_ARG, "ratio_code and ratio_text are both 0: nothing is asked for; set one of them");
    if (c->ratio_code > 0 && json_is_false(json_object_get(corpus, "has_code")))
        return fail(ST_ARG,
                    "the ratio asks for %g parts of code and the corpus has no source of it; add one, or set "
                    "ratio_code to 0",
                    c->ratio_code);
    if (c->ratio_text > 0 && json_is_false(json_object_get(corpus, "has_text")))
        return fail(ST_ARG,
                    "the ratio asks for %g parts of text and the corpus has no source of it; add one, or set "
                    "ratio_text to 0",
                    c->ratio_text);
    return ST_OK;
}

/* As pack_plan.h says, without the limits of single sources. */
static double tokens_of(const PackConfig *c, double code, double text)
{
    double part = c->ratio_code / (c->ratio_code + c->ratio_text), wish = c->tokens > 0 ? (double)c->tokens
                                                                          : part > 0    ? code / part
                                                                                        : text;
    if (part > 0)
        wish = fmin(wish, code * c->max_repeats / part);
    return part < 1 ? fmin(wish, text * c->max_repeats / (1 - part)) : wish;
}

static Status pack_facts(RecipeForecast *out, const RecipeAsk *ask, const PackConfig *c)
{
    const json_t *corpus = corpus_facts(ask);
    const char *tokenizer = forecast_flag(ask, "--tokenizer");
    double code = number(corpus, "code_bytes") / token_bytes,
           text = number(corpus, "text_bytes") / token_bytes,
           tokens = corpus ? tokens_of(c, code, text) : (double)c->tokens, rows = tokens / (double)c->context;
    int64_t vocab = tokenizer ? (int64_t)number(recipe_facts(ask, tokenizer), "vocab_size") : 0;
    TRY(check_ratio(c, corpus));
    out->facts = json_pack("{s:I, s:I, s:I, s:I}", "context", (json_int_t)c->context, "rows",
                           (json_int_t)rows, "held_out_rows", (json_int_t)(rows / 50), "vocab_size",
                           (json_int_t)(vocab ? vocab : 32000));
    out->from = FORECAST_COARSE;
    out->seconds = (code + text) * token_bytes / pack_speed;
    out->disk = (int64_t)(tokens * (vocab > 65536 ? 4 : 2));
    out->memory = 200 * 1000 * 1000;
    return ST_OK;
}

Status pack_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    PackConfig c = {0};
    config_defaults(&pack_table, &c);
    Status st = pack_settings(&c, ask);
    if (st == ST_OK)
        st = pack_facts(out, ask, &c);
    config_drop(&pack_table, &c);
    return st;
}

/* Worlds. ------------------------------------------------------------------------------------------------ */

static Status count_of(int64_t *out, const RecipeAsk *ask, const char *flag, int64_t otherwise)
{
    const char *value = forecast_flag(ask, flag);
    *out = otherwise;
    return value ? parse_int(out, value) : ST_OK;
}

Status env_make_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *family = ask->words_n > 2 ? ask->words[2] : "-";
    bool household = strcmp(family, "household") == 0;
    int64_t train, test, games;
    if (family[0] == '-') {
        TRY(count_of(&games, ask, forecast_flag(ask, "--games") ? "--games" : "-n", 100));
        out->facts = json_pack("{s:I}", "games", (json_int_t)games);
        out->seconds = (double)games * game_seconds;
        out->disk = games * 100000;
    } else {
        TRY(count_of(&train, ask, "--train", 3000));
        TRY(count_of(&test, ask, "--test", 60));
        out->facts = json_pack("{s:I, s:I}", "train", (json_int_t)train, "test", (json_int_t)test);
        out->seconds = (double)(train + test) * (household ? game_seconds : task_seconds);
        out->disk = (train + test) * (household ? 100000 : 1500);
    }
    out->from = FORECAST_COARSE;
    return ST_OK;
}

/* Tasks of all benchmarks that are asked; 0: nobody knows. */
static double tasks_of(const RecipeAsk *ask)
{
    const char *limit = forecast_flag(ask, "--limit"), *names = forecast_flag(ask, "--tasks"),
               *data = forecast_flag(ask, "--data");
    int64_t each = 0, benchmarks = 1;
    if (!names)
        names = forecast_flag(ask, "-t");
    for (const char *c = names ? names : ""; *c; c++)
        benchmarks += *c == ',';
    if (limit && parse_int(&each, limit) == ST_OK && each > 0)
        return (double)(each * benchmarks);
    const json_t *facts = data ? recipe_facts(ask, data) : NULL;
    return data ? number(facts, path_base(data)) : 0;
}

/* Runs of 1 to n steps instead of one of n. */
static double runs_of(const RecipeAsk *ask)
{
    const char *steps = forecast_flag(ask, "--steps");
    const char *dash = steps ? strchr(steps, '-') : NULL;
    int64_t last;
    return dash && dash > steps && parse_int(&last, dash + 1) == ST_OK ? (double)(last + 1) / 2 : 1;
}

double forecast_flops(const RecipeAsk *ask)
{
    const MachineSpeed *m = ask->machine;
    double best = !m ? 0 : m->bf16 > m->f32 ? m->bf16 : m->f32;
    return best > 0 ? 0.6 * best : 5e11;
}

Status forecast_episodes(RecipeForecast *out, const RecipeAsk *ask, const char *model, double n)
{
    double turn = 0;
    HParams h;
    out->disk = (int64_t)(n * episode_bytes);
    if (strncmp(model, "script:", 7) == 0) {
        turn = script_seconds / episode_turns;
    } else {
        TRY(forecast_model(&h, ask, model));
        double bytes = 2 * (double)hparams_param_count(&h);
        out->memory = (int64_t)(bytes * 1.2) + 200 * 1000 * 1000;
        out->memory_least = (int64_t)bytes / 4; /* in the smallest blocks there are */
        turn = turn_reads * bytes / forecast_flops(ask) + turn_writes * bytes / weights_read;
    }
    out->from = FORECAST_COARSE;
    out->seconds = n * episode_turns * turn;
    return ST_OK;
}

Status eval_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *model = forecast_flag(ask, "--model");
    double tasks = tasks_of(ask) * runs_of(ask);
    if (!model)
        model = forecast_flag(ask, "-m");
    out->disk = (int64_t)(tasks * episode_bytes);
    out->facts = json_pack("{s:f}", "bytes", tasks * episode_bytes);
    if (!model || strstr(model, "://"))
        return ST_OK;
    return forecast_episodes(out, ask, model, tasks);
}
