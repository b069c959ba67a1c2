#include "model/activations.h"

enum {
    ALIGN = 64,
    INFERENCE_ROWS = 512,       /* prompts longer than this are run in pieces */
    LOSS_BYTES = 64 << 20,      /* of f32 logits at a time */
};

Tensor slab_take(Slab *s, DType dtype, int64_t rows, int64_t cols)
{
    Tensor t = tensor_view(NULL, dtype, rows, cols);
    if (s->base)
        t.data = s->base + s->used;
    s->used += (tensor_bytes(&t) + ALIGN - 1) / ALIGN * ALIGN;
    return t;
}

int64_t activations_rows(const ModelSetup *setup)
{
    int64_t rows = setup->batch * setup->context;
    return setup->training || rows < INFERENCE_ROWS ? rows : INFERENCE_ROWS;
}

int64_t activations_loss_rows(const HParams *h, const ModelSetup *setup)
{
    int64_t rows = activations_rows(setup), want = setup->loss_rows;
    if (want <= 0)
        want = LOSS_BYTES / (4 * h->vocab_size) / 16 * 16;
    if (want < 16)
        want = 16;
    if (want >= rows)
        return rows;
    int64_t pieces = (rows + want - 1) / want;
    return (rows + pieces - 1) / pieces;
}

static void carve_layer(LayerActivations *a, Slab *s, const HParams *h, DType act, int64_t N)
{
    int64_t C = h->hidden_size, F = h->intermediate_size, H = h->num_attention_heads;
    int64_t q = H * h->head_dim, kv = h->num_key_value_heads * h->head_dim;
    a->rstd1 = slab_take(s, DTYPE_F32, 1, N);
    a->norm1 = slab_take(s, act, N, C);
    a->qkv = slab_take(s, act, N, q + 2 * kv);
    a->att = slab_take(s, act, N, q);
    a->lse = slab_take(s, DTYPE_F32, N, H);
    a->x_mid = slab_take(s, DTYPE_F32, N, C);
    a->rstd2 = slab_take(s, DTYPE_F32, 1, N);
    a->norm2 = slab_take(s, act, N, C);
    a->gate_up = slab_take(s, act, N, 2 * F);
    a->ff = slab_take(s, act, N, F);
}

static void carve_layers(Activations *a, Slab *s, const HParams *h, const ModelSetup *setup)
{
    bool keep_all = setup->training && setup->recompute == RECOMPUTE_NONE;
    for (int64_t l = 0; l < h->num_hidden_layers; l++) {
        LayerActivations *one = &a->layers[l];
        if (l == 0 || keep_all)
            carve_layer(one, s, h, setup->compute, a->N);
        else
            *one = a->layers[0];
        /* The input of every layer is kept for training; in inference the stream stays in one buffer. */
        if (l == 0 || setup->training)
            one->x_in = slab_take(s, DTYPE_F32, a->N, h->hidden_size);
    }
    a->x_out = setup->training ? slab_take(s, DTYPE_F32, a->N, h->hidden_size) : a->layers[0].x_in;
}

static void carve_backward(Activations *a, Slab *s, const HParams *h, DType act)
{
    int64_t N = a->N, C = h->hidden_size, q = h->num_attention_heads * h->head_dim;
    a->dx = slab_take(s, DTYPE_F32, N, C);
    a->dx_act = act == DTYPE_F32 ? a->dx : slab_take(s, act, N, C);
    a->dnorm = slab_take(s, act, N, C);
    a->dnorm_head = act == DTYPE_F32 ? a->dnorm : slab_take(s, DTYPE_F32, N, C);
    a->dqkv = slab_take(s, act, N, q + 2 * h->num_key_value_heads * h->head_dim);
    a->datt = slab_take(s, act, N, q);
    a->dff = slab_take(s, act, N, h->intermediate_size);
}

void activations_carve(Activations *a, Slab *s, const HParams *h, const ModelSetup *setup)
{
    int64_t N = activations_rows(setup), loss_rows = activations_loss_rows(h, setup);
    a->N = N;
    a->ids = slab_take(s, DTYPE_I32, 1, N);
    a->targets = slab_take(s, DTYPE_I32, 1, N);
    a->positions = slab_take(s, DTYPE_I32, 1, N);
    a->starts = slab_take(s, DTYPE_I32, 1, N);
    carve_layers(a, s, h, setup);
    a->rstd = slab_take(s, DTYPE_F32, 1, N);
    a->norm = slab_take(s, setup->compute, N, h->hidden_size);
    a->loss = slab_take(s, DTYPE_F32, 1, N);
    a->logits = slab_take(s, DTYPE_F32, loss_rows, h->vocab_size);
    a->dlogits = a->logits;
    if (!setup->training)
        return;
    if (setup->compute != DTYPE_F32)
        a->dlogits = slab_take(s, setup->compute, loss_rows, h->vocab_size);
    carve_backward(a, s, h, setup->compute);
}
