/* Progress for people: on a terminal one line that is redrawn, elsewhere a line every few seconds or steps.
 *
 *   step 120/2000  6.0%  loss 3.412  lr 3.0e-04  norm 0.81  12,345 tok/s  MFU 71%  ETA 3 min 10 s
 *
 * Everything that the trainer says goes through here, so that a redrawn line is wiped before another is
 * printed. */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include "train/trainer.h"

typedef struct {
    int64_t every;        /* steps between lines that stay; 0: by the clock */
    bool terminal, drawn; /* a redrawn line is on the screen */
    double last_line, last_draw;
    double step_seconds, step_work; /* smoothed; work in seconds at the peak, for steps differ in it */
    int64_t steps_seen;
} Report;

void report_init(Report *r, int64_t every);
void report_step(Report *r, const TrainStep *s);
void report_eval(Report *r, int64_t step, const LossReport *e, const ShardSource *sources);
void report_wipe(Report *r); /* before anything else is written */

/* The line itself, without its end. */
void report_line(char *out, size_t size, const TrainStep *s, double tokens_per_s, double mfu,
                 double seconds_left);

#endif
