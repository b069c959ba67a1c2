/* One step of training, in two halves, so that what the gradients say can decide whether they are used:
 *
 *     TRY(step_gradients(&s, step, &g));      // forward and backward of all micro-steps, summed over ranks
 *     step_update(&s, &g, lr);                // clipping and AdamW
 *
 * Gradients are of the mean loss over all positions that count, in all micro-steps and ranks.  They are made
 * as if every position counted; what is wrong with that is one factor, which AdamW applies with the clipping.
 */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "tensor/comm.h"
#include "train/clip.h"
#include "train/loader.h"
#include "train/optimizer.h"

typedef struct {
    Device *dev;
    Comm *comm;
    Model *model;
    Optimizer *optimizer;
    Clip *clip;
    Loader *loader;
    LoaderOrder order;
    double grad_clip;
    float *losses; /* [batch * T] */
} Step;

typedef struct {
    double loss_nats; /* mean over the step's positions */
    double grad_norm; /* before clipping                */
    double scale;     /* brings the summed gradients to the mean's */
    int64_t tokens;   /* positions that counted, on all ranks */
} StepGradients;

MUST_CHECK Status step_gradients(Step *s, int64_t step, StepGradients *out);
void step_update(Step *s, const StepGradients *g, double lr); /* the norm must be finite */

/* Seconds that a step and an evaluation of one batch take, measured on the first rows for about `seconds`,
 * but one step at the least.  Weights stay what they are and the optimizer is reset: to be called before a
 * run's first step only. */
MUST_CHECK Status step_measure(Step *s, double seconds, double *step_seconds, double *evaluation_seconds);

#endif
