/* Llama: weights, forward and backward, for training; decoder.h is what writes text.  Knows ids, not text.
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

#include "model/lora.h"
#include "tensor/tensor.h"
#include "tensor/device.h"

typedef struct ModelFile ModelFile; /* model/model_file.h */

typedef enum {
    RECOMPUTE_NONE,  /* keep every activation                                            */
    RECOMPUTE_LAYER, /* keep each layer's input, compute its inside again in the backward */
} Recompute;

typedef struct {
    int64_t batch, context; /* B sequences of T positions a step; N = B*T rows */
    DType compute;          /* DTYPE_BF16 or DTYPE_F32: of matrix products and most activations */
    bool training;          /* gradients, f32 master weights; without: weights in `compute`, forward only */
    Recompute recompute;
    int64_t loss_rows;      /* rows of logits that exist at a time; 0: a good default */
    LoraSetup lora;         /* adapters over frozen weights, in training; all ranks 0: everything
                             * is trained */
    const ModelFile *base;  /* under adapters: matrices that are quantised in this file are kept in its
                             * blocks.  Needed by model_plan and until model_open returns; NULL: everything is
                             * in the compute type */
} ModelSetup;

/* Bytes that model_open and the first step will take. */
typedef struct {
    size_t master;      /* f32 weights: all that is trained, or the norms alone in bf16 inference */
    size_t copy;        /* bf16 matrices for products; under adapters: all frozen weights, with scratch for
                         * those in blocks */
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
    const int32_t *targets;   /* [N] in [0, V), or negative: not learned, loss 0, and no logits computed */
    const int32_t *positions; /* [N] in [0, T), for RoPE; NULL: 0 .. T-1 in each sequence */
    const int32_t *starts;    /* [N] first position each may attend to (ops.h); NULL: 0 */
    uint64_t noise;           /* what adapters' dropout is chosen by: another for every micro-batch
                               * of a run */
} Batch;

typedef struct Model Model;

ModelPlan model_plan(const HParams *h, const ModelSetup *setup);
/* `h` and `setup` are copied; `dev` has operations (ops_attach) and outlives the model.  The weights are not
 * set yet.  ST_ARG: hparams_check refuses h or lora_check the adapters, or batch or context is
 * below 1; ST_NOMEM. */
MUST_CHECK Status model_open(Model **out, Device *dev, const HParams *h, const ModelSetup *setup);
void model_close(Model *m); /* NULL: nothing */

/* Owned by the model. */
const HParams *model_hparams(const Model *m);
const Params *model_params(const Model *m); /* all parameters of a Llama */
/* What training changes: the same, or the adapters' table (lora_params). */
const Params *model_trainable(const Model *m);
const ModelSetup *model_setup(const Model *m);

/* Matrices from N(0, variance 2 / (5 C)) after Nguyen & Salazar 2019, arXiv:1910.05895; residual projections
 * (o, down) scaled by 1/sqrt(2 L) as in GPT-2; norms 1.  Same seed, same bits. */
void model_init(Model *m, uint64_t seed);
/* The adapters alone, where there are any: A uniform in +-1/sqrt(in), B 0, as PEFT has them, so that the
 * model is its base until they have learned.  model_init does it too. */
void model_init_adapters(Model *m, uint64_t seed);
/* Reads a Hugging Face folder whose config has this model's shape.  f32, f16, bf16 and f64 tensors.  Under
 * adapters it is the base that is read.
 *   ST_IO  cannot read    ST_UNSUPPORTED  another element type
 *   ST_FORMAT  damaged, or a tensor is missing, of another shape, or not expected: the sentence names it */
MUST_CHECK Status model_load(Model *m, const char *folder);
/* The same from an open folder or GGUF file of this model's shape; the one that setup->base named, where it
 * named one.  ST_ARG: another shape. */
MUST_CHECK Status model_load_file(Model *m, const ModelFile *f);
/* Of the base under adapters as it was read (XXH3, 64 bits): whether a resumed run stands on the same
 * one.  ST_NOMEM. */
MUST_CHECK Status model_base_hash(Model *m, uint64_t *out);
/* Writes config.json and (sharded) safetensors of element type `dtype`: f32, which keeps every bit, bf16 or
 * f16.  The tokenizer's files are the caller's.  Not for a model with adapters.  ST_IO. */
MUST_CHECK Status model_save(Model *m, const char *folder, DType dtype);
/* What training changes, to a folder and back: the model, as the two above, or its adapters as a PEFT folder
 * (adapter.h), whose settings must then be this model's. */
MUST_CHECK Status model_save_trained(Model *m, const char *folder, DType dtype);
MUST_CHECK Status model_load_trained(Model *m, const char *folder);

/* Flat arrays in the order of model_trainable, on the device: [1, total]. */
Tensor model_weights(Model *m); /* f32 master weights; training only */
/* bf16 [1, matrices]; data NULL where compute is f32, and under adapters. */
Tensor model_weights_copy(Model *m);
Tensor model_gradients(Model *m);
/* After an edit of the master weights: what products read is made anew. */
void model_weights_changed(Model *m);

/* Forward and backward of one micro-batch.  Gradients of sum_n scale * loss[n] replace what model_gradients
 * holds, or are added to it. */
void model_step(Model *m, const Batch *batch, float scale, bool add_to);
/* Forward and losses only. */
void model_evaluate(Model *m, const Batch *batch);
/* loss[n] of the last step or evaluation, in nats, 0 where the target is negative: copied to out[N].  Waits.
 * ST_DEVICE. */
MUST_CHECK Status model_losses(Model *m, float *out);

/* Logits of every row of a batch, [N, V] f32 in host memory: for tests and small scoring.  ST_DEVICE. */
MUST_CHECK Status model_logits(Model *m, const Batch *batch, float *logits);

#endif
