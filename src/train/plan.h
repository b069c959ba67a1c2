/* What a run will take, known before anything is allocated. */
#ifndef TRAIN_PLAN_H
#define TRAIN_PLAN_H

#include <jansson.h>

#include "train/loader.h"
#include "train/train_config.h"

typedef struct {
    HParams h;
    ModelSetup setup;
    ModelPlan model;
    int64_t ranks;
    int64_t parameters, context, step_tokens; /* step_tokens: over all micro-steps and ranks */
    int64_t trained;                          /* of the parameters, or of adapters beside them */
    int64_t rows, epoch_tokens, held_out_rows, eval_rows;
    int64_t eval_rows_set;  /* eval_rows is fewer where a run of minutes has no time for more (budget.h) */
    int64_t steps;          /* -1: to be measured (minutes) */
    double flops_per_token; /* of a learned one */
    double learned_flops_per_token;      /* of these, what others do without */
    double flops_per_update;             /* of Muon's; not of the model, and in no MFU */
    double learned, held_out_learned;    /* PlanData's */
    double peak_flops;                   /* 0: unknown */
    bool peak_measured;                  /* and not given: a faster step shows that it is too low */
    size_t host_bytes;                   /* the loader's and evaluation's buffers */
    size_t memory_bytes;                 /* all of it */
    size_t checkpoint_bytes, disk_bytes; /* one; all that are kept, and the model */
} TrainPlan;

/* Of packed rows, what a plan counts with: work by the shares of their positions that are learned, as a
 * whole; memory as if all were, for no row says how many the fullest batch will have. */
typedef struct {
    int64_t context, rows, held_out_rows;
    double learned, held_out_learned;
} PlanData;

/* A place for `peak_flops` is left 0.  setup: train_config_setup's, with its base where that counts. */
TrainPlan plan_make(const TrainConfig *c, const HParams *h, const ModelSetup *setup, const Loader *train,
                    const Loader *held_out, int ranks);

/* The same of data that need not be there yet. */
TrainPlan plan_of(const TrainConfig *c, const HParams *h, const ModelSetup *setup, const PlanData *data,
                  int ranks);

/* How long it will train and evaluate, where peak_flops is set, at the share of it that is likely; minutes
 * that are asked for are what they are. */
double plan_seconds(const TrainPlan *p, const TrainConfig *c);

/* Share of the peak, NaN where it is unknown: a step took `seconds` and `learned` of its tokens were learned.
 * A measured peak is raised to what the step reached: other programs ran while it was measured. */
double plan_step_mfu(TrainPlan *p, double seconds, int64_t learned);

/* Ten lines for people, through log_info. */
void plan_print(const TrainPlan *p, const TrainConfig *c, const char *data, const char *output, int threads);

/* The same as an object, for programs; new reference.  Keys: docs/formats/run-folder.md. */
json_t *plan_json(const TrainPlan *p, const TrainConfig *c, const char *output);

/* ST_LIMIT: more memory than is available, or more disk than is free where `output` lies (or its parent).
 * `held_bytes` of disk are already in use by checkpoints that will be replaced. */
MUST_CHECK Status plan_check(const TrainPlan *p, const TrainConfig *c, const char *output, size_t held_bytes);

#endif
