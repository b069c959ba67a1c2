/* The settings of a training run, their defaults and bounds. */
#ifndef TRAIN_TRAIN_CONFIG_H
#define TRAIN_TRAIN_CONFIG_H

#include "base/config.h"
#include "model/model.h"
#include "train/optimizer.h"
#include "train/schedule.h"

typedef struct {
    int64_t batch, grad_accumulation;
    int64_t steps, tokens;
    double epochs, minutes;
    double learning_rate, min_lr_ratio;
    char *schedule;
    int64_t warmup_steps;
    double warmup_ratio, decay_ratio;
    char *optimizer;
    double weight_decay, beta1, beta2, eps, muon_momentum, grad_clip;
    int64_t seed;
    char *order;
    int64_t eval_every, eval_rows;
    int64_t save_every, keep_checkpoints;
    char *on_save_failure;
    char *compute, *recompute;
    int64_t loss_rows, threads, log_every;
    int64_t spike_window;
    double spike_threshold;
    bool spike_skip;
    char *final_dtype;
    double peak_flops;
    bool lora;
    int64_t lora_rank;
    double lora_alpha, lora_dropout;
    char *lora_targets, *lora_save;
    bool lora_rslora;
} TrainConfig;

extern const FieldTable train_table;

/* What no field's bounds can say: at most one of steps, tokens, epochs and minutes; names of lora_targets.
 * ST_ARG. */
MUST_CHECK Status train_config_check(const TrainConfig *c);

/* Whether a change of this field leaves every bit of the weights as it was (how often to save, what to
 * print). */
bool train_config_is_harmless(const char *field);

/* Steps that the settings ask for, with `step_tokens` tokens a step and `epoch_tokens` in the data; at
 * least 1.  Without any of the four: one epoch.  -1: minutes, which only a measurement can turn into
 * steps.  `more`: tokens that were seen beyond those of steps of this size (RunState.row_shift); 0: none. */
int64_t train_config_steps(const TrainConfig *c, int64_t step_tokens, int64_t epoch_tokens, int64_t more);

Schedule train_config_schedule(const TrainConfig *c, int64_t steps);
OptimizerSettings train_config_optimizer(const TrainConfig *c);
DType train_config_compute(const TrainConfig *c); /* "auto": bf16 where its products are fast, else f32 */
DType train_config_final_dtype(const TrainConfig *c);
ModelSetup train_config_setup(const TrainConfig *c, int64_t context); /* c has passed train_config_check */

#endif
