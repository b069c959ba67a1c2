/* AdamW over the flat arrays of what a model trains.  Two groups: matrices are decayed, vectors (norm
 * weights) are not; which is which is their place in the arrays (model/params.h).  Owns the two moments, f32,
 * on the model's device. Loshchilov & Hutter 2019, arXiv:1711.05101; the update itself is the operation
 * `adamw` (ops/ops.h). */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/model.h"

typedef struct {
    double beta1, beta2, eps, weight_decay;
} AdamW;

typedef struct {
    Device *dev;
    Model *model;
    AdamW set;
    Tensor m, v;   /* [1, total] f32: first and second moments */
    int64_t steps; /* updates made so far: the t of the bias corrections */
} Optimizer;

/* Moments start at zero.  Keeps `model`, which must have been opened for training.  ST_NOMEM. */
MUST_CHECK Status optimizer_open(Optimizer *o, Device *dev, Model *model, const AdamW *set);
void optimizer_close(Optimizer *o);

/* One update of the master weights and of their bf16 copy.  Gradients are multiplied by grad_scale first. */
void optimizer_step(Optimizer *o, double lr, double grad_scale);
void optimizer_reset(Optimizer *o); /* forgets all moments */

#endif
