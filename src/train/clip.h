/* The length of the gradient, and the factor that brings it down to a limit.  The factor is not applied here:
 * AdamW multiplies gradients anyway (AdamWStep.grad_scale), so that clipping costs no pass over memory of its
 * own. Pascanu et al. 2013, arXiv:1211.5063, algorithm 1; over all parameters together, as is usual. */
#ifndef TRAIN_CLIP_H
#define TRAIN_CLIP_H

#include "tensor/device.h"
#include "tensor/tensor.h"

typedef struct {
    Device *dev;
    void *sum; /* one f64 on the device */
} Clip;

MUST_CHECK Status clip_open(Clip *c, Device *dev);
void clip_close(Clip *c);

/* *norm = |scale * gradients|; waits for the device.  Infinite or NaN where the gradients are. */
MUST_CHECK Status clip_norm(Clip *c, const Tensor *gradients, double scale, double *norm);

/* min(1, limit / norm); 1 for a limit of 0 (no clipping).  A norm that is not finite has no factor: it is a
 * bug to ask. */
double clip_factor(double norm, double limit);

#endif
