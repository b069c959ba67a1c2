/* What is forecast of conversions, of scores without a model, of studies and of the report: coarse. */
#include <math.h>
#include <string.h>

#include "base/config.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/run_forecast.h"
#include "model/quantize_model.h"
#include "study/improve.h"

/* In a second of one core: weights that are copied, rounded to the K types (whose scales are searched for),
 * or made at random; a model of 58 M weights, `lemur convert`. */
static const double copy_speed = 150e6, search_speed = 8e6, random_speed = 22e6;
/* Bytes in a second of one core, seen with 18 MB of episodes and 60 MB of texts for training: episodes that a
 * study and the page read; texts that tasks are looked for in; held-out documents for xz -9. */
static const double study_speed = 50e6, page_speed = 10e6, look_speed = 20e6, squeeze_speed = 1e6;
static const double held_out = 1.0 / 50;
/* Seconds and bytes of a task that a policy plays; of a harmony study's bootstrap. */
static const double task_seconds = 1e-3, household_seconds = 5e-3, score_bytes = 220, bootstrap_seconds = 1;
/* Tokens of an episode that is kept, and the share of episodes that are. */
static const double kept_tokens = 600, kept_share = 0.5;
static const int64_t small_program = 40 * 1000 * 1000;

static double number(const json_t *facts, const char *key)
{
    return json_number_value(json_object_get(facts, key));
}

/* Conversion. -------------------------------------------------------------------------------------------- */

/* The one that comes in, before any flag, or the one that is made. */
static Status converted_shape(HParams *h, const RecipeAsk *ask)
{
    const char *preset = forecast_flag(ask, "--preset");
    for (size_t i = 1; i < ask->words_n; i++)
        if (strcmp(ask->words[i], "--random") == 0)
            return hparams_preset(h, preset ? preset : "1b");
    return forecast_model(h, ask, ask->words_n > 1 ? ask->words[1] : "");
}

static bool is_flag_given(const RecipeAsk *ask, const char *flag)
{
    for (size_t i = 0; i < ask->words_n; i++)
        if (strcmp(ask->words[i], flag) == 0)
            return true;
    return false;
}

Status convert_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *type = forecast_flag(ask, "--type");
    const QuantMix *mix = quantize_mix_find(type ? type : "BF16");
    HParams h;
    Params p;
    QuantPlan plan;
    if (!mix)
        return fail(ST_ARG, "there is no type %s (%s)", type, quantize_mix_names());
    TRY(converted_shape(&h, ask));
    TRY(hparams_check(&h));
    out->facts = json_pack("{s:o}", "model", hparams_to_json(&h));
    params_init(&p, &h);
    quantize_plan(&plan, &p, mix, is_flag_given(ask, "--pure"));
    double weights = (double)hparams_param_count(&h), bits = 8 * (double)plan.bytes / weights,
           speed = is_flag_given(ask, "--random") ? random_speed
                   : bits < 8                     ? search_speed
                                                  : copy_speed;
    out->from = FORECAST_COARSE;
    out->disk = (int64_t)plan.bytes;
    out->seconds = weights / speed / (bits < 8 ? cpu_count() : 1);
    out->memory = small_program + 4 * h.vocab_size * h.hidden_size; /* the largest matrix */
    quantize_plan_drop(&plan);
    params_drop(&p);
    return ST_OK;
}

/* Scores without a model. -------------------------------------------------------------------------------- */

Status env_score_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *names = forecast_flag(ask, "--policy"), *limit = forecast_flag(ask, "--tasks"),
               *data = forecast_flag(ask, "--data"), *games = forecast_flag(ask, "--games");
    int64_t most = 0;
    double policies = 1, tasks = data ? number(recipe_facts(ask, data), path_base(data)) : 0;
    bool household = ask->words_n > 2 && strcmp(ask->words[2], "household") == 0;
    if (games)
        tasks = number(recipe_facts(ask, games), "games");
    if (limit)
        TRY(parse_int(&most, limit));
    if (most > 0 && (tasks <= 0 || (double)most < tasks))
        tasks = (double)most;
    for (const char *c = names ? names : ""; *c; c++)
        policies += *c == ',';
    if (tasks <= 0)
        return ST_OK;
    out->from = FORECAST_COARSE;
    out->seconds = tasks * policies * (household ? household_seconds : task_seconds);
    out->disk = (int64_t)(tasks * policies * score_bytes);
    out->memory = small_program;
    return ST_OK;
}

/* Studies and the page. ---------------------------------------------------------------------------------- */

/* What the words of a stage lead to, by facts of stages, or by the files that are there. */
typedef struct {
    double episodes; /* bytes of them */
    double texts;    /* for training */
    size_t folders;
} Read;

static void add_folder(Read *r, const RecipeAsk *ask, const char *word)
{
    const json_t *facts = recipe_facts(ask, word);
    char *samples = path_join(word, "samples_*.jsonl"), *transcripts = path_join(word, "transcripts_*.jsonl"),
         *train = path_join(word, "train/**"), *data = path_join(word, "data/*.tok");
    const char *const runs[] = {samples, transcripts}, *const texts[] = {train, data};
    r->folders++;
    if (facts) {
        r->episodes += number(facts, "bytes");
        r->texts += number(facts, "code_bytes") + number(facts, "text_bytes");
    } else {
        r->episodes += (double)forecast_bytes(runs, 2, NULL, 0);
        r->texts += (double)forecast_bytes(texts, 2, NULL, 0);
    }
    mem_free(samples);
    mem_free(transcripts);
    mem_free(train);
    mem_free(data);
}

/* Words that are folders, but for the stage's own; "NAME=FOLDER" is one. */
static Read read_of(const RecipeAsk *ask)
{
    Read r = {0};
    for (size_t i = 1; i < ask->words_n; i++) {
        const char *word = ask->words[i], *equals = strchr(word, '=');
        if (equals && !recipe_facts(ask, word) && !path_exists(word))
            word = equals + 1;
        bool own = strncmp(word, ask->out, strlen(ask->out)) == 0;
        if (!own && (recipe_facts(ask, word) || path_is_folder(word)))
            add_folder(&r, ask, word);
    }
    return r;
}

/* Tasks are looked for in texts unless a study did, which the page then only shows. */
Status report_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    Read r = read_of(ask);
    double looked = r.episodes > 0 ? fmin(r.texts, 1e9) / look_speed : 0;
    for (size_t i = 1; i < ask->words_n; i++)
        if (json_object_get(recipe_facts(ask, ask->words[i]), "overlap"))
            looked = 0;
    out->from = FORECAST_COARSE;
    out->seconds = 1 + r.episodes / page_speed + looked + r.texts * held_out / squeeze_speed;
    out->memory = small_program + (int64_t)(r.texts / 2);
    out->disk = 200 * 1000 + 15 * 1000 * (int64_t)r.folders;
    return ST_OK;
}

Status study_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *kind = ask->words_n > 1 ? ask->words[1] : "";
    Read r = read_of(ask);
    bool overlap = strcmp(kind, "overlap") == 0, harmony = strcmp(kind, "harmony") == 0;
    out->from = FORECAST_COARSE;
    out->seconds =
        0.1 + (harmony ? bootstrap_seconds : r.episodes / study_speed) + (overlap ? r.texts / look_speed : 0);
    out->memory = small_program;
    out->disk = 100 * 1000;
    if (overlap)
        out->facts = json_pack("{s:b}", "overlap", 1);
    if (strcmp(kind, "keep") == 0) {
        out->disk = (int64_t)(kept_share * r.episodes);
        out->facts = json_pack("{s:f}", "bytes", kept_share * r.episodes);
    }
    return ST_OK;
}

/* Rounds. ------------------------------------------------------------------------------------------------ */

static Status improve_settings(ImproveConfig *c, const RecipeAsk *ask)
{
    for (size_t i = 0; i < improve_table.n; i++) {
        char *flag = mem_format("--%s", improve_table.fields[i].name);
        const char *value = forecast_flag(ask, flag);
        Status st = value ? config_set(&improve_table, c, improve_table.fields[i].name, value) : ST_OK;
        mem_free(flag);
        TRY(st);
    }
    return ST_OK;
}

static Status add_rounds(RecipeForecast *out, const RecipeAsk *ask, const ImproveConfig *c, const char *model)
{
    const char *names = forecast_flag(ask, "--tasks");
    double families = 1, rounds = (double)c->rounds;
    HParams h;
    if (!names)
        names = forecast_flag(ask, "-t");
    for (const char *at = names ? names : c->families; *at; at++)
        families += *at == ',';
    /* Tests of what is held out before the first round and after each; of what decided nothing, two. */
    double tests = families * (double)c->test * (rounds + 3),
           played = families * (double)(c->train * c->samples) * rounds,
           kept = families * (double)(c->train * c->most) * kept_share * rounds;
    TRY(forecast_model(&h, ask, model));
    TRY(forecast_episodes(out, ask, model, tests + played));
    double weights = (double)hparams_param_count(&h);
    out->facts = json_pack("{s:o}", "model", hparams_to_json(&h));
    out->seconds += 6 * weights * kept * kept_tokens / forecast_flops(ask);
    out->disk += (int64_t)(rounds * weights * 14); /* a checkpoint of 12 and the model of 2 bytes a weight */
    out->memory = (int64_t)fmax((double)out->memory, 18 * weights + (double)small_program);
    return ST_OK;
}

Status improve_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    const char *model = forecast_flag(ask, "--model");
    ImproveConfig c = {0};
    config_defaults(&improve_table, &c);
    Status st = improve_settings(&c, ask);
    if (!model)
        model = forecast_flag(ask, "-m");
    if (st == ST_OK && model)
        st = add_rounds(out, ask, &c, model);
    config_drop(&improve_table, &c);
    return st;
}
