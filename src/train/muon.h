/* Muon: a matrix of a layer moves along the orthogonal factor of its momentum, so that all of its directions
 * learn alike.  Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the step's length, with which
 * a learning rate and a decay mean what they mean for AdamW, is that of Liu et al. 2025, arXiv:2502.16982,
 * section 2.2; the rounds are those of Amsel et al. 2025, arXiv:2505.16932.
 *
 *     m = momentum m + (1 - momentum) g        u = momentum m + (1 - momentum) g      (Nesterov's)
 *     o = the orthogonal factor of u, roughly: three to five rounds bring singular values near 1
 *     w = (1 - lr decay) w - lr 0.2 sqrt(max(rows, cols)) o
 *
 * The products are in the model's compute type, sums and the rest in f32. */
#ifndef TRAIN_MUON_H
#define TRAIN_MUON_H

#include "model/params.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

typedef struct {
    float lr, momentum, weight_decay, grad_scale; /* gradients are multiplied by grad_scale first */
} MuonStep;

typedef struct {
    Device *dev;
    DType compute;
    void *memory; /* of one matrix at a time */
    size_t bytes;
} Muon;

/* What Muon moves of a model's own parameters: [*first, *end) of the flat array, the matrices of all layers.
 * Embedding, head and norms are left to AdamW. */
void muon_span(const Params *p, int64_t *first, int64_t *end);

/* FLOPs of the products of one update of all of it. */
double muon_flops(const Params *p, DType compute);

/* Working memory, for the largest matrix of that span. */
size_t muon_bytes(const Params *p, DType compute);
/* With that memory.  ST_NOMEM. */
MUST_CHECK Status muon_open(Muon *mu, Device *dev, const Params *p, DType compute);
void muon_close(Muon *mu);

/* One update.  w, m, g [rows, cols] f32, contiguous; w_cast bf16 gets a copy of the new w; or NULL. */
void muon_update(Muon *mu, Tensor *w, Tensor *w_cast, Tensor *m, const Tensor *g, const MuonStep *step);

#endif
