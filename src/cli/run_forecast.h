/* What the verbs of a recipe will take on this machine, before they run.  Times of training are good to a
 * factor of two: work over the products that the machine was just seen to make.  Of all else it is the order
 * of magnitude: bytes and tasks over the rates of docs/speed.md.  What a stage reads need not be there yet:
 * then the facts of the stage that will make it count. */
#ifndef CLI_RUN_FORECAST_H
#define CLI_RUN_FORECAST_H

#include "recipe/stages.h"
#include "train/plan.h"

/* Measured when first asked for, in a second each; zeroed memory before.  A RecipeAsk's
 * `machine`. */
typedef struct {
    double bf16, f32, read;
} MachineSpeed;

/* Packed rows that lie or will lie in a folder. */
typedef struct {
    PlanData data; /* rows 0: nobody knows how many */
    int64_t vocab_size;
} ForecastRows;

/* The value of a flag, "--data", in a stage's words; NULL. */
const char *forecast_flag(const RecipeAsk *ask, const char *flag);
/* Bytes of text in the files that match; those of packed files as they come out, by guess. */
int64_t forecast_bytes(const char *const *patterns, size_t n, const char *const *excludes, size_t excludes_n);
/* Both: ST_IO where neither the folder nor a fact is there. */
MUST_CHECK Status forecast_rows(ForecastRows *out, const RecipeAsk *ask, const char *folder);
MUST_CHECK Status forecast_model(HParams *out, const RecipeAsk *ask, const char *path);

/* What training takes; `base`, a model's path, or NULL, is what adapters stand on. */
MUST_CHECK Status forecast_training(RecipeForecast *out, const RecipeAsk *ask, const TrainConfig *c,
                                    const HParams *h, const ForecastRows *rows, const char *base);

/* FLOPs in a second of models that read: as measured, else by guess. */
double forecast_flops(const RecipeAsk *ask);
/* Time, memory and disk of n episodes of a model or script.  ST_IO: nothing is known of the model. */
MUST_CHECK Status forecast_episodes(RecipeForecast *out, const RecipeAsk *ask, const char *model, double n);

MUST_CHECK Status corpus_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status tokenizer_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status pack_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status env_make_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status eval_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status convert_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status env_score_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status report_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status study_forecast(RecipeForecast *out, const RecipeAsk *ask); /* all but improve */
MUST_CHECK Status improve_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status train_forecast(RecipeForecast *out, const RecipeAsk *ask);
MUST_CHECK Status tune_forecast(RecipeForecast *out, const RecipeAsk *ask);

#endif
