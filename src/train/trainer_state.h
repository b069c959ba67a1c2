/* The inside of a run: for trainer.c, trainer_open.c and trainer_log.c only. */
#ifndef TRAIN_TRAINER_STATE_H
#define TRAIN_TRAINER_STATE_H

#include "model/model_file.h"
#include "train/events.h"
#include "train/plan.h"
#include "train/report.h"
#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/runlog.h"
#include "train/step.h"

typedef struct {
    const TrainConfig *c;
    const TrainJob *job;
    HParams h;
    ModelFile *base; /* under adapters: what they stand on */
    ModelSetup setup;
    RunFacts facts;
    RunState state;
    TrainPlan plan;
    Schedule schedule;
    RunFolder folder;
    const char *data; /* where the rows are now */
    char *tokenizer;
    Device *dev;
    Comm *comm;
    bool first;    /* rank 0: speaks and writes */
    bool complete; /* found so when it was opened: nothing is left to do */
    Loader *train, *held_out;
    Model *model;
    Optimizer optimizer;
    Clip clip;
    Step step;
    float *losses;
    LossReport evaluation;
    int64_t evaluated_step, saved_step; /* saved_step -1: never */
    Report report;
    RunLog log;
    Events events;
    bool log_failed, tokenizer_gone; /* told once */
    double events_flushed;
} Trainer;

/* trainer_open.c.  A dry run is over when its plan has been printed, a complete one when it is found to be;
 * neither has a log then.  Failures: train_run's. */
MUST_CHECK Status trainer_open(Trainer *t); /* c, job, folder.lock, evaluated_step are set, all else is 0 */
void trainer_close(Trainer *t);             /* also one that is half open */

/* trainer_log.c: log.jsonl, TensorBoard and the screen.  A log that cannot be written is told once; the run
 * goes on. */
MUST_CHECK Status trainer_log_open(Trainer *t);
void trainer_log_close(Trainer *t);
void trainer_log_step(Trainer *t, const TrainStep *s);
void trainer_log_evaluation(Trainer *t);
void trainer_log_spike(Trainer *t, const TrainStep *s);
void trainer_log_course(Trainer *t); /* it diverges now, or no longer */
void trainer_log_end(Trainer *t);
void trainer_log_saved(Trainer *t, double seconds);
json_t *trainer_log_results(const Trainer *t); /* results.json; new reference */
/* "12 7 99 ...": the first rows of a step, in as much room as there is. */
void trainer_rows_text(const Trainer *t, int64_t step, char *out, size_t size);

#endif
