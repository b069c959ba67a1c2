/* Training, front door.  Packed rows and a model make a better model:
 *
 *     TrainConfig config = {0};
 *     config_defaults(&train_table, &config);                      // then flags, a recipe, ...
 *     TrainJob job = {.data = "packed", .output = "run", .hparams = h};
 *     TrainResult result;
 *     TRY(train_run(&config, &job, &result));
 *
 * The run folder (docs/formats/run-folder.md) gets config.json, log.jsonl, TensorBoard events, checkpoints/,
 * model/ and results.json.  One seed, one machine, one thread count: the same bytes, however often the run
 * was killed and resumed.
 *
 * Of the folder's other headers, train_config.h is public: it is the table of settings.  So is run_folder.h:
 * who prepares rows in a run's folder has it for itself from then on. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <signal.h>

#include "train/loss.h"
#include "train/run_folder.h"
#include "train/train_config.h"

/* What a finished step was like. */
typedef struct {
    int64_t step, total_steps; /* step: how many are done now */
    int64_t tokens;            /* so far, in the whole run */
    double loss_nats, lr, grad_norm, seconds, tokens_per_s;
    double mfu;            /* NaN: the machine's peak is not known */
    double loss_z, norm_z; /* spike.h */
    bool skipped;          /* no update was made */
} TrainStep;

/* What the caller wants to see.  All optional; called on rank 0, on the training thread. */
typedef struct {
    void *context;
    void (*on_step)(void *context, const TrainStep *s);
    /* After each evaluation, and at the end of a run: for samples.  The model's batch may be overwritten. */
    void (*on_eval)(void *context, Model *m, int64_t step, const LossReport *r, const ShardSet *held_out);
} TrainHooks;

typedef struct {
    const char *data;       /* folder of `lemur pack` or `lemur tune` */
    const char *data_place; /* where the rows in `data` are put when nothing else can go wrong any more; NULL:
                               they stay */
    const char *output;     /* run folder */
    const RunFolder *folder; /* `output`, opened by the caller, who closes it; NULL: it is opened here */
    const char *init;        /* model folder to start from; NULL: random weights in the shape of `hparams` */
    HParams hparams;         /* without init; vocab_size 0: the data's */
    const char *tokenizer;   /* folder or file to put beside weights; NULL: the one that the data names */
    const char *verb;        /* of the command that goes on with the run, for sentences; NULL: train */
    bool resume;    /* go on with what `output` holds; starts from the beginning where it holds nothing */
    bool overwrite; /* delete the run that `output` holds */
    bool accept_changes; /* on resume, settings may differ from the checkpoint's */
    bool padded_vocab;   /* the model's vocabulary may be larger than the data's */
    bool grow_vocab;     /* it may be smaller: the model gets rows for the data's other ids (model/grow.h) */
    bool new_ids; /* rows of it are of tokens that the model has not met: adapters learn the embedding, too */
    bool dry_run; /* print the plan and stop */
    json_t **plan; /* of a dry run: the plan as plan_json says it, for the caller to free; NULL: not wanted */
    const volatile sig_atomic_t
        *stop; /* becomes non-zero: finish the step, save, return ST_CANCELLED.  NULL: never */
    TrainHooks hooks;
} TrainJob;

typedef struct {
    int64_t steps, tokens;
    double seconds;                               /* of training, in this and earlier parts of the run */
    double loss_nats;                             /* of the last step */
    double held_out_nats, held_out_bits_per_byte; /* of the last evaluation; NaN: none */
    int64_t held_out_rows;                        /* of that one; 0: this part of the run made none */
    bool diverged; /* train_run has failed with ST_LIMIT, but all is saved and exported */
} TrainResult;

/* Failures, apart from those of files and devices:
 *   ST_ARG        settings contradict each other; the folder holds a run and neither resume nor overwrite
 *                 was asked for; the model's and the data's vocabulary differ; on resume, a setting differs
 *                 (the sentence lists them)
 *   ST_LIMIT      the plan needs more memory or disk than there is; the loss is no longer finite; the run
 *                 came to its end and has diverged (divergence.h)
 *   ST_CANCELLED  *job->stop was set; everything is saved */
MUST_CHECK Status train_run(const TrainConfig *config, const TrainJob *job, TrainResult *result);

#endif
