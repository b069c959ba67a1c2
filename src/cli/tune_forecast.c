/* What lemur tune will take as a stage of a recipe: coarse where its examples are not prepared yet. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/run_forecast.h"
#include "cli/train_flags.h"
#include "cli/tune_data.h"
#include "cli/tune_settings.h"

/* Tokens of an example with its template, where only their number is known; of JSON's bytes, a token. */
enum { EXAMPLE_TOKENS = 600, JSON_TOKEN_BYTES = 4 };
/* Of the positions of such rows: questions and answers were seen to be at 0.6, agents' transcripts at 0.2. */
static const double learned_share = 0.5;

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
static int64_t rows_of(const TuneSettings *t, const RecipeAsk *ask, int64_t context)
{
    const InstructConfig *c = &t->recipe.config;
    double tokens = 0;
    for (size_t i = 0; i < t->recipe.sources_n; i++)
        tokens += source_tokens(ask, &t->recipe.sources[i], context);
    if (c->total > 0)
        tokens = (double)c->total * (strcmp(c->mix, "tokens") == 0 ? 1 : EXAMPLE_TOKENS);
    return (int64_t)(tokens / (strcmp(c->packing, "single") == 0 ? EXAMPLE_TOKENS : (double)context));
}

static Status forecast(RecipeForecast *out, const RecipeAsk *ask, TuneSettings *t)
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
        rows = (ForecastRows){
            .data = {.context = context, .rows = rows_of(t, ask, context), .learned = learned_share},
            .vocab_size = h.vocab_size};
    }
    TRY(forecast_training(out, ask, &t->config, &h, &rows, t->words.base));
    if (out->from == FORECAST_COMPUTED && t->config.steps == 0 && t->config.tokens == 0)
        out->from = FORECAST_COARSE; /* who knows how many tokens examples have */
    return ST_OK;
}

Status tune_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    TuneSettings t;
    TrainWords w;
    ArgsTable tables[TUNE_TABLES];
    tune_settings_init(&t);
    const Command c = tune_settings_command(tables, &t);
    Status st = train_words_read(&w, &c, ask);
    if (st == ST_OK) {
        t.recipe_path = args_value(&w.args, "recipe");
        t.given = ask->settings;
        st = tune_settings_gather(&t, &c, w.n, w.words);
    }
    if (st == ST_OK)
        st = forecast(out, ask, &t);
    train_words_drop(&w);
    tune_settings_drop(&t);
    return st;
}
