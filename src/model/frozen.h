/* The weights under adapters: read, and never changed.  For the files of this folder only.
 *
 * A product's matrices W [out, in] lie in one block with its adapters, whose alpha / r is applied to what
 * flows between the two factors:
 *
 *         in        R                              R = lora_columns
 *     +---------+-------+
 *     |    W    |   B   |  out                     forward   y = [x, s x A^T] [W, B]^T
 *     +---------+-------+                          backward  dx = [dy, s dy B] [W; A]
 *     |    A    |       |  R
 *     +---------+-------+
 *
 * so that the adapters' share of y and of dx costs no product and no pass over memory of its own, and is
 * summed with the rest in f32.  q, k and v have their Bs one below the other, each in columns of its own;
 * what is left is zero.
 *
 * A base that is quantised keeps its matrices in their blocks (tensor/quant.h), and each product makes the
 * block above anew in scratch memory that all share. */
#ifndef MODEL_FROZEN_H
#define MODEL_FROZEN_H

#include "model/activations.h"
#include "model/model_file.h"

/* One matrix in its blocks; data NULL: it is a part of its product's block. */
typedef struct {
    QuantType type;
    void *data;
} FrozenBlocks;

typedef struct {
    Tensor whole; /* [out + R, in + R] act; data NULL: in scratch */
    FrozenBlocks blocks[LINEAR_MATRICES];
} FrozenLinear;

typedef struct {
    Tensor rows; /* [V, C] act; data NULL: in blocks */
    FrozenBlocks blocks;
} FrozenTable;

typedef struct {
    FrozenLinear *linear; /* [L * LINEARS] */
    FrozenTable embed, head; /* head is embed where they are tied */
    Tensor scratch; /* [1, the largest] act; data NULL: nothing is in blocks */
    int64_t holds;  /* which product's block scratch holds: layer * LINEARS + which;
                     * L * LINEARS: the head; -1: none */
} Frozen;

/* Fills `f` (whose linear[] the caller gave) from the slab.  setup->base gives the types. */
void frozen_carve(Frozen *f, Slab *s, const HParams *h, const ModelSetup *setup);

typedef struct Model Model;

/* Values of a parameter that is a matrix: numbers [first, first + n) of it as f32, or all of it
 * as it lies in a file. */
void frozen_put(Model *m, const Param *p, int64_t first, const float *values, int64_t n);
void frozen_put_tensor(Model *m, const Param *p, const ModelTensor *t);
void frozen_refresh(Model *m); /* after a change of the adapters */

Tensor frozen_linear(Model *m, int64_t layer, Linear which); /* the block; until the next call of frozen_* */
Tensor frozen_head(Model *m);                                /* [V, C] act; likewise */
void frozen_embed(Model *m, Tensor *out, const Tensor *ids);
QuantType frozen_type(const Model *m, const Param *p); /* of its blocks; QUANT_F32: it is in none */
/* Numbers of one row of a matrix parameter without its adapter, host memory. */
void frozen_row(const Model *m, float *out, const Param *p, int64_t row);

#endif
