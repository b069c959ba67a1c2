/* A Llama small enough for unit tests, and what their files share. */
#ifndef MODEL_TINY_TEST_H
#define MODEL_TINY_TEST_H

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/model.h"
#include "ops/select.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { TINY_B = 2, TINY_T = 12, TINY_N = TINY_B * TINY_T, TINY_V = 61 };

static inline HParams tiny_hparams(void)
{
    return (HParams){
        .vocab_size = TINY_V, .hidden_size = 24, .intermediate_size = 40, .num_hidden_layers = 3,
        .num_attention_heads = 6, .num_key_value_heads = 2, .head_dim = 8, .max_position_embeddings = 64,
        .rms_norm_eps = 1e-5, .rope_theta = 10000, .bos_token_id = 0, .eos_token_id = 0,
    };
}

static inline ModelSetup tiny_setup(bool training)
{
    return (ModelSetup){
        .batch = TINY_B, .context = TINY_T, .compute = DTYPE_F32, .training = training, .loss_rows = 16};
}

typedef struct {
    Device *dev;
    Model *m;
} Tiny;

static inline Tiny tiny_open(const HParams *h, const ModelSetup *setup)
{
    Tiny t;
    assert_int_equal(device_open_cpu(&t.dev, 2), ST_OK);
    assert_int_equal(ops_attach(t.dev, NULL), ST_OK);
    assert_int_equal(model_open(&t.m, t.dev, h, setup), ST_OK);
    model_init(t.m, 7);
    return t;
}

/* The usual one, ready to train. */
static inline Tiny tiny_training(void)
{
    HParams h = tiny_hparams();
    ModelSetup setup = tiny_setup(true);
    return tiny_open(&h, &setup);
}

static inline void tiny_close(Tiny *t)
{
    model_close(t->m);
    device_close(t->dev);
}

typedef struct {
    int32_t ids[TINY_N], targets[TINY_N];
} TinyBatch;

static inline Batch tiny_batch(TinyBatch *b)
{
    Rng r;
    rng_seed(&r, 3);
    for (int i = 0; i < TINY_N; i++) {
        b->ids[i] = (int32_t)rng_below(&r, TINY_V);
        b->targets[i] = i % 7 == 5 ? -1 : (int32_t)rng_below(&r, TINY_V);
    }
    return (Batch){.ids = b->ids, .targets = b->targets};
}

static inline float *tiny_gradients(Tiny *t)
{
    Tensor g = model_gradients(t->m);
    float *host = mem_array(float, g.cols);
    device_download(t->dev, host, g.data, tensor_bytes(&g));
    assert_int_equal(device_sync(t->dev), ST_OK);
    return host;
}

/* sum |a - b| / sum |b|, which must not be 0 / 0. */
static inline double relative_difference(const float *a, const float *b, int64_t n)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        difference += fabs((double)a[i] - (double)b[i]);
        size += fabs((double)b[i]);
    }
    assert_true(size > 0);
    return difference / size;
}

#endif
