/* Llama: weights, forward, backward, and generation with a KV cache.  Knows ids, not text.
 *
 *     ModelSetup setup = {.batch = 4, .context = 512, .compute = DTYPE_BF16, .training = true};
 *     ModelPlan plan = model_plan(&h, &setup);            // print it before anything is allocated
 *     TRY(model_open(&model, dev, &h, &setup));
 *     model_init(model, seed);                            // or model_load(model, folder)
 *     model_step(model, &batch, 1.0f / tokens, false);    // forward and backward
 *     TRY(device_sync(dev));                              // losses and gradients are on the device now
 *
 * Everything is allocated by model_open; a step allocates nothing after the first, in which the device's
 * scratch memory grows.  What returns no Status cannot fail but with the device: device_sync says so. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/hparams.h"
#include "model/params.h"
#include "tensor/tensor.h"
#include "tensor/device.h"

typedef enum {
    RECOMPUTE_NONE,  /* keep every activation                                            */
    RECOMPUTE_LAYER, /* keep each layer's input, compute its inside again in the backward */
} Recompute;

typedef struct {
    int64_t batch, context; /* B sequences of T positions a step; N = B*T rows; T also bounds a KvCache */
    DType compute;          /* DTYPE_BF16 or DTYPE_F32: of matrix products and most activations */
    bool training;          /* gradients, f32 master weights; without: weights in `compute`, forward only */
    Recompute recompute;
    int64_t loss_rows;      /* rows of logits that exist at a time; 0: a good default */
} ModelSetup;

/* Bytes that model_open and the first step will take. */
typedef struct {
    size_t master;      /* f32 weights: all, or the norms alone in bf16 inference */
    size_t copy;        /* bf16 matrices for products */
    size_t gradients;   /* f32 */
    size_t activations; /* with the table of rotations */
    size_t loss;        /* logits and their gradients, of loss_rows rows */
    size_t scratch;     /* an estimate of operations' working memory */
    size_t optimizer;   /* AdamW's two moments, f32, which train/ allocates */
    size_t total;
} ModelPlan;

/* One micro-batch, in host memory: borrowed until the call that is given it returns. */
typedef struct {
    const int32_t *ids;       /* [N], in [0, V) */
    const int32_t *targets;   /* [N] in [0, V), or negative: not learned, loss 0 */
    const int32_t *positions; /* [N] in [0, T), for RoPE; NULL: 0 .. T-1 in each sequence */
    const int32_t *starts;    /* [N] first position each may attend to (ops.h); NULL: 0 */
} Batch;

typedef struct Model Model;

ModelPlan model_plan(const HParams *h, const ModelSetup *setup);
/* `h` and `setup` are copied; `dev` has operations (ops_attach) and outlives the model.  The weights are not
 * set yet.  ST_ARG: hparams_check refuses h, or batch or context is below 1; ST_NOMEM. */
MUST_CHECK Status model_open(Model **out, Device *dev, const HParams *h, const ModelSetup *setup);
void model_close(Model *m); /* NULL: nothing */

/* Owned by the model. */
const HParams *model_hparams(const Model *m);
const Params *model_params(const Model *m);
const ModelSetup *model_setup(const Model *m);

/* Matrices from N(0, variance 2 / (5 C)) after Nguyen & Salazar 2019, arXiv:1910.05895; residual projections
 * (o, down) scaled by 1/sqrt(2 L) as in GPT-2; norms 1.  Same seed, same bits. */
void model_init(Model *m, uint64_t seed);
/* Reads a Hugging Face folder whose config has this model's shape.  f32, f16, bf16 and f64 tensors.
 *   ST_IO  cannot read    ST_UNSUPPORTED  another element type
 *   ST_FORMAT  damaged, or a tensor is missing, of another shape, or not expected: the sentence names it */
MUST_CHECK Status model_load(Model *m, const char *folder);
/* Writes config.json and (sharded) safetensors of element type `dtype`: f32, which keeps every bit, bf16 or
 * f16.  The tokenizer's files are the caller's.  ST_IO. */
MUST_CHECK Status model_save(Model *m, const char *folder, DType dtype);

/* Flat arrays in the order of model_params, on the device: [1, total]. */
Tensor model_weights(Model *m);      /* f32 master weights; training only */
Tensor model_weights_copy(Model *m); /* bf16 [1, matrices]; data NULL where compute is f32 */
Tensor model_gradients(Model *m);
/* Makes the bf16 copy anew after an edit of the master weights. */
void model_weights_changed(Model *m);

/* Forward and backward of one micro-batch.  Gradients of sum_n scale * loss[n] replace what model_gradients
 * holds, or are added to it. */
void model_step(Model *m, const Batch *batch, float scale, bool add_to);
/* Forward and losses only. */
void model_evaluate(Model *m, const Batch *batch);
/* loss[n] of the last step or evaluation, in nats, 0 where the target is negative: copied to out[N].  Waits.
 * ST_DEVICE. */
MUST_CHECK Status model_losses(Model *m, float *out);

/* Generation, one sequence ------------------------------------------------------------------------------- */

typedef struct KvCache KvCache;
/* Keys and values of up to `capacity` positions, of the compute type.  ST_ARG: capacity is not in
 * [1, context]; ST_NOMEM.  Closed before the device is. */
MUST_CHECK Status kvcache_open(KvCache **out, Model *m, int64_t capacity);
void kvcache_close(KvCache *c); /* NULL: nothing */
int64_t kvcache_length(const KvCache *c);
void kvcache_truncate(KvCache *c, int64_t length); /* forgets positions from `length` on */
/* Runs n >= 1 new ids behind what the cache holds, in pieces of the model's N rows, and writes the logits of
 * the last one, [V] f32, to host memory.  ST_LIMIT: they do not fit the cache, which then stays as it
 * was; ST_DEVICE. */
MUST_CHECK Status model_extend(Model *m, KvCache *c, const int32_t *ids, int64_t n, float *logits);
/* Logits of every row of a batch, [N, V] f32 in host memory: for tests and small scoring.  ST_DEVICE. */
MUST_CHECK Status model_logits(Model *m, const Batch *batch, float *logits);

#endif
