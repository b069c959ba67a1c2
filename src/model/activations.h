/* What a forward pass leaves for the backward pass, and the buffers of both: planned, then carved from
 * one allocation. */
#ifndef MODEL_ACTIVATIONS_H
#define MODEL_ACTIVATIONS_H

#include "model/model.h"

/* Hands out parts of one buffer.  With base NULL it only adds up, so that one code plans and allocates. */
typedef struct {
    char *base;
    size_t used;
} Slab;
void *slab_take_bytes(Slab *s, size_t bytes); /* 64-byte aligned; NULL where base is */
Tensor slab_take(Slab *s, DType dtype, int64_t rows, int64_t cols); /* contiguous, 64-byte aligned */
/* With `spare` columns behind the tensor's, in its stride. */
Tensor slab_take_wide(Slab *s, DType dtype, int64_t rows, int64_t cols, int64_t spare);

/* One layer.  act is the compute type.  Behind what a product of the layer reads are spare columns for
 * adapters, where there are any: norm1, att, norm2 and ff, and in the backward pass dqkv,
 * dx_act and gate_up. */
typedef struct {
    Tensor x_in;    /* [N, C] f32: residual stream before the layer  */
    Tensor rstd1;   /* [1, N] f32                                    */
    Tensor norm1;   /* [N, C] act                                    */
    Tensor qkv;     /* [N, (H+2Hk) D] act; q and k rotated           */
    Tensor att;     /* [N, H D] act                                  */
    Tensor lse;     /* [N, H] f32                                    */
    Tensor x_mid;   /* [N, C] f32: residual stream after attention   */
    Tensor rstd2;   /* [1, N] f32                                    */
    Tensor norm2;   /* [N, C] act                                    */
    Tensor gate_up; /* [N, 2F] act; its gradient in the backward     */
    Tensor ff;      /* [N, F] act                                    */
} LayerActivations;

typedef struct {
    int64_t N;
    Tensor ids, targets, positions, starts; /* [1, N] i32 */
    LayerActivations *layers;               /* [L]; they share buffers when nothing is kept */
    Tensor x_out;                           /* [N, C] f32: residual stream behind the last layer */
    Tensor rstd, norm;                      /* final norm: [1, N] f32, [N, C] act */
    Tensor loss;                            /* [1, N] f32 */
    Tensor chosen_att;                      /* [N, H D] act: chosen rows of the last layer's att, as wide */
    Tensor logits;                          /* [loss_rows, V] f32 */
    Tensor dlogits;                         /* [loss_rows, V] act; logits itself in f32 */

    /* The backward pass's, shared by all layers; not taken in inference. */
    Tensor dx;         /* [N, C] f32: gradient of the residual stream */
    Tensor dx_act;     /* [N, C] act: the same, for products; dx itself in f32 */
    Tensor dnorm_head; /* [N, C] f32: what the head's product sums over V is kept whole */
    Tensor dnorm;      /* [N, C] act */
    Tensor dqkv;       /* [N, (H+2Hk) D] act */
    Tensor datt;       /* [N, H D] act */
    Tensor dff;        /* [N, F] act */
    Tensor dropped;    /* [N, largest of C, H D, F] act: what dropout leaves of adapters' inputs;
                        * where there is dropout */
    Tensor lost;       /* [1, C] f32: gradients of norms that are frozen; under adapters */
} Activations;

/* Rows of activations, and of logits, that `setup` asks for. */
int64_t activations_rows(const ModelSetup *setup);
int64_t activations_loss_rows(const HParams *h, const ModelSetup *setup);

/* Fills `a` (whose layers[] the caller gave) from the slab. */
void activations_carve(Activations *a, Slab *s, const HParams *h, const ModelSetup *setup);

#endif
