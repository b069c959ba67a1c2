/* AdamW over the flat arrays of what a model trains, or Muon for the matrices of its layers and AdamW for the
 * rest.  Two groups: matrices are decayed, vectors (norm weights) are not; which is which is their place in
 * the arrays (model/params.h).  Owns the moments, f32, on the model's device. Loshchilov & Hutter 2019,
 * arXiv:1711.05101; the update itself is the operation `adamw` (ops/ops.h).  Muon: train/muon.h. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/model.h"
#include "train/muon.h"

typedef struct {
    double beta1, beta2, eps, weight_decay;
    bool muon; /* not for adapters */
    double muon_momentum;
} OptimizerSettings;

typedef struct {
    Device *dev;
    Model *model;
    OptimizerSettings set;
    Tensor m;           /* [1, total] f32: first moments */
    Tensor v;           /* f32: second moments, of what AdamW moves (optimizer_square_at) */
    int64_t first, end; /* what Muon moves, of the flat array; equal: nothing */
    Muon muon;
    int64_t steps; /* updates made so far: the t of the bias corrections */
} Optimizer;

/* Moments start at zero.  Keeps `model`, which must have been opened for training.  ST_NOMEM. */
MUST_CHECK Status optimizer_open(Optimizer *o, Device *dev, Model *model, const OptimizerSettings *set);
void optimizer_close(Optimizer *o);

/* Where in v the second moments of a parameter begin; -1: it has none. */
int64_t optimizer_square_at(const Optimizer *o, const Param *p);

/* One update of the master weights and of their bf16 copy.  Gradients are multiplied by grad_scale first. */
void optimizer_step(Optimizer *o, double lr, double grad_scale);
void optimizer_reset(Optimizer *o); /* forgets all moments */

#endif
