/* The inside of a Model: for the files of this folder only. */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "model/activations.h"
#include "model/model.h"
#include "ops/ops.h"

struct Model {
    Device *dev;
    HParams h;
    Params params;
    ModelSetup setup;
    float *master;    /* [total] f32: training, and inference in f32 */
    uint16_t *copy;   /* [matrices] bf16: where compute is bf16 */
    float *norms;     /* the vectors: master + matrices, or an allocation of its own */
    float *gradients; /* [total] f32: training */
    void *slab;       /* activations */
    size_t slab_bytes;
    Activations a;
    Tensor rope_table; /* [T, D] f32: cosines and sines of the context's positions, as rope wants them */
    void *rope_memory;
    size_t rope_bytes;
    int32_t *host_positions; /* [N] host memory: 0 .. T-1 in each sequence, or what generation needs */
    bool isolated;           /* the batch that runs now brought starts */
};

/* Views of one layer's parameters, or of their gradients: [out, in] matrices, [1, C] vectors. */
typedef struct {
    Tensor input_norm, qkv, o, post_norm, gate_up, down;
} LayerWeights;
typedef struct {
    Tensor embed, final_norm, head;
} OuterWeights;

LayerWeights model_layer_weights(const Model *m, int64_t layer);
LayerWeights model_layer_gradients(const Model *m, int64_t layer);
OuterWeights model_outer_weights(const Model *m);
OuterWeights model_outer_gradients(const Model *m);

AttentionShape model_attention_shape(const Model *m, int64_t B, int64_t T);

/* forward.c: one layer's inside, from a->x_in on.  x_out NULL: stops before the last product, which only the
 * next layer needs.  With a cache, the rows are appended to it and attend to all of it; the batch is then one
 * sequence. */
void layer_forward(Model *m, int64_t layer, LayerActivations *a, Tensor *x_out, KvCache *cache);
void model_upload(Model *m, const Batch *batch);
void model_forward(Model *m); /* embedding to the final norm, of the uploaded batch */

/* Rows [first, first + n) between the final norm and the loss: no more than the logits' buffer holds, so that
 * the logits of all rows never exist at once.
 *     for (HeadRows r = head_rows(m, 0); r.n > 0; r = head_rows(m, r.first + r.n)) */
typedef struct {
    int64_t first, n;
    Tensor x;             /* [n, C] act: the final norm's output */
    Tensor logits;        /* [n, V] f32: computed by head_rows */
    Tensor targets, loss; /* [1, n] i32, f32 */
} HeadRows;
HeadRows head_rows(Model *m, int64_t first); /* n 0 behind the last row */

/* kvcache.c: writes the rows' k and v behind what the cache holds of this layer, then attends. */
void kvcache_attend(Model *m, KvCache *c, int64_t layer, Tensor *att, const Tensor *q, const Tensor *k,
                    const Tensor *v);

#endif
