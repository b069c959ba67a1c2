/* What lemur train will take as a stage of a recipe. */
#include "cli/run_forecast.h"
#include "cli/train_flags.h"
#include "cli/train_settings.h"

/* A model to start from that is not there yet may have its shape beside it, in the section model:. */
static Status forecast(RecipeForecast *out, const RecipeAsk *ask, TrainSettings *t)
{
    ForecastRows rows;
    TRY(forecast_rows(&rows, ask, t->words.data));
    if (*t->words.init && forecast_model(&t->h, ask, t->words.init) != ST_OK && !t->has_shape)
        return fail(ST_IO, "there is no model %s", t->words.init);
    return forecast_training(out, ask, &t->config, &t->h, &rows, *t->words.init ? t->words.init : NULL);
}

Status train_forecast(RecipeForecast *out, const RecipeAsk *ask)
{
    TrainSettings t;
    TrainWords w;
    ArgsTable tables[TRAIN_TABLES];
    train_settings_init(&t);
    const Command c = train_settings_command(tables, &t);
    Status st = train_words_read(&w, &c, ask);
    if (st == ST_OK) {
        train_settings_take_args(&t, &w.args);
        t.recipe = json_incref((json_t *)(uintptr_t)ask->settings);
        st = train_settings_gather(&t, &c, w.n, w.words);
    }
    if (st == ST_OK)
        st = forecast(out, ask, &t);
    train_words_drop(&w);
    train_settings_drop(&t);
    return st;
}
