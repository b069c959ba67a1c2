/* The inside of a Model: for the files of this folder only. */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "model/activations.h"
#include "model/frozen.h"
#include "model/model.h"
#include "model/weights.h"
#include "ops/ops.h"

struct Model {
    Device *dev;
    HParams h;
    Params params;
    Params adapters;         /* under adapters: what is trained */
    const Params *trainable; /* &params or &adapters */
    ModelSetup setup;
    float *master;    /* [trainable->total] f32: training, and inference in f32 */
    uint16_t *copy;   /* [matrices] bf16: where compute is bf16 */
    float *norms;     /* the vectors: master + matrices, or an allocation of its own */
    float *gradients; /* [trainable->total] f32: training */
    Frozen *frozen;   /* under adapters: all matrices; NULL: they are in copy, or in master */
    void *frozen_memory;
    size_t frozen_bytes;
    char *base_path;    /* under adapters: where the base was read from; NULL: nowhere yet */
    uint64_t noise;     /* the running batch's */
    bool training_now;  /* it is a step, not an evaluation */
    void *slab;       /* activations */
    size_t slab_bytes;
    Activations a;
    Tensor rope_table; /* [T, D] f32: cosines and sines of the context's positions, as rope wants them */
    void *rope_memory;
    size_t rope_bytes;
    int32_t *host_positions; /* [N] host memory: 0 .. T-1 in each sequence, or what generation needs */
    int64_t chosen;           /* rows that go on to the loss (chosen.c); N: all */
    int32_t *chosen_ids;      /* [chosen] host memory: which these are, ascending; where they are fewer */
    int32_t *chosen_targets;  /* [chosen] host memory: theirs */
    bool isolated;           /* the batch that runs now brought starts */
};

/* Views of parameters, or of their gradients.  Vectors are [1, C].  Gradients of frozen ones: of norms, a
 * place to throw them; of matrices, data NULL. */
typedef struct {
    Tensor input_norm, post_norm;
} LayerNorms;
LayerNorms model_layer_norms(const Model *m, int64_t layer);
LayerNorms model_layer_norm_gradients(const Model *m, int64_t layer);
Tensor model_final_norm(const Model *m);
Tensor model_final_norm_gradients(const Model *m);
/* A product's matrices, one below the other: [out, in].  Not under adapters. */
Tensor model_linear_weights(const Model *m, int64_t layer, Linear which);
Tensor model_linear_gradients(const Model *m, int64_t layer, Linear which);
/* A factor of an adapter in a flat array of what is trained. */
Tensor model_factor(const Model *m, float *flat, ParamKind target, int64_t layer, ParamPart part);
Tensor model_head(Model *m);                 /* [V, C] act; until the next product of a layer */
Tensor model_head_gradients(const Model *m); /* [V, C] f32 */
Tensor model_embed_gradients(const Model *m);
void model_embed(Model *m, Tensor *out, const Tensor *ids);

/* linear.c: y = x W^T, or y += when add_to, with the adapters where there are any; x has their
 * spare columns behind it. */
void linear(Model *m, int64_t layer, Linear which, Tensor *y, const Tensor *x, bool add_to);
/* dx = dy W, and the gradients of what is trained of W.  Under adapters dx may be NULL: it is not wanted; dy
 * has spare columns. */
void linear_back(Model *m, int64_t layer, Linear which, Tensor *dx, const Tensor *dy, const Tensor *x,
                 bool add_to);
/* Of `linear` what its backward pass needs: what flows between the adapters' factors. */
void linear_between(Model *m, int64_t layer, Linear which, const Tensor *x);
/* The factors into a product's block (frozen.h). */
void linear_place_adapters(Model *m, int64_t layer, Linear which, const Tensor *whole);

/* f32 host values [first, first + n) of a parameter, to wherever this model keeps it. */
void model_put(Model *m, const Param *p, int64_t first, const float *values, int64_t n);

/* All of a file of this shape, though perhaps of fewer ids: matrices that stay in blocks are taken as they
 * are, the numbers of the others and of vectors go to `put`.  ST_ARG: another shape. */
MUST_CHECK Status model_take_file(Model *m, const ModelFile *f, WeightSink *put, void *context);
void model_remember_base(Model *m, const char *path); /* where the weights under adapters were read */

AttentionShape model_attention_shape(const Model *m, int64_t B, int64_t T);

/* forward.c: one layer's inside, from a->x_in on.  x_out NULL: stops before the last product, which only the
 * next layer needs (but not before the adapters' part of it). */
void layer_forward(Model *m, int64_t layer, LayerActivations *a, Tensor *x_out);
void model_upload(Model *m, const Batch *batch);
void model_forward(Model *m); /* embedding to the final norm, of the uploaded batch and the chosen rows */

/* chosen.c: rows whose target is learned; row i of what lies behind the last layer's attention is row
 * chosen_ids[i] of what lies before.  targets NULL: all rows, whose logits are wanted. */
void choose_rows(Model *m, const int32_t *targets);
bool rows_are_chosen(const Model *m); /* fewer than all */
/* Between [chosen, cols] and [N, cols] of one type; rows may be strided. */
void take_chosen(Model *m, const Tensor *chosen, const Tensor *all);
void put_chosen(Model *m, const Tensor *all, const Tensor *chosen); /* 0 in the other rows, spare columns too */

/* Views of a layer behind its attention, [n, ...]: n is N, or `chosen` in the last layer. */
typedef struct {
    bool fewer; /* att and x_mid are to be taken */
    int64_t n;
    Tensor att, x_mid, rstd2, norm2, gate_up, ff;
} LayerRest;
LayerRest layer_rest(const Model *m, int64_t layer, const LayerActivations *a);

/* head.c: from the last layer's x_out to the loss, of the chosen rows. */
void head_norm(Model *m); /* the final norm */
void head_norm_back(Model *m); /* from the gradient of its output (a->dnorm_head) to that of x_out, in dx */

/* Rows [first, first + n) of the head: no more than the logits' buffer holds, so that the logits of all rows
 * never exist at once.
 *     for (HeadRows r = head_rows(m, 0); r.n > 0; r = head_rows(m, r.first + r.n)) */
typedef struct {
    int64_t first, n;
    Tensor x;             /* [n, C] act: the final norm's output */
    Tensor logits;        /* [n, V] f32: computed by head_rows */
    Tensor targets, loss; /* [1, n] i32, f32 */
} HeadRows;
HeadRows head_rows(Model *m, int64_t first); /* n 0 behind the last row */

#endif
