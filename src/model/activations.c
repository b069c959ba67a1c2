#include "model/activations.h"

enum {
    ALIGN = 64,
    LOSS_BYTES = 64 << 20, /* of f32 logits at a time */
};

void *slab_take_bytes(Slab *s, size_t bytes)
{
    void *at = s->base ? s->base + s->used : NULL;
    s->used += (bytes + ALIGN - 1) / ALIGN * ALIGN;
    return at;
}

Tensor slab_take(Slab *s, DType dtype, int64_t rows, int64_t cols)
{
    Tensor t = tensor_view(NULL, dtype, rows, cols);
    t.data = slab_take_bytes(s, tensor_bytes(&t));
    return t;
}

Tensor slab_take_wide(Slab *s, DType dtype, int64_t rows, int64_t cols, int64_t spare)
{
    Tensor t = slab_take(s, dtype, rows, cols + spare);
    t.cols = cols;
    return t;
}

int64_t activations_rows(const ModelSetup *setup)
{
    return setup->batch * setup->context;
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

static void carve_layer(LayerActivations *a, Slab *s, const HParams *h, const ModelSetup *setup, int64_t N)
{
    DType act = setup->compute;
    const LoraSetup *lora = &setup->lora;
    int64_t C = h->hidden_size, F = h->intermediate_size, H = h->num_attention_heads;
    int64_t q = H * h->head_dim, kv = h->num_key_value_heads * h->head_dim;
    a->rstd1 = slab_take(s, DTYPE_F32, 1, N);
    a->norm1 = slab_take_wide(s, act, N, C, lora_columns(lora, LINEAR_QKV));
    a->qkv = slab_take(s, act, N, q + 2 * kv);
    a->att = slab_take_wide(s, act, N, q, lora_columns(lora, LINEAR_O));
    a->lse = slab_take(s, DTYPE_F32, N, H);
    a->x_mid = slab_take(s, DTYPE_F32, N, C);
    a->rstd2 = slab_take(s, DTYPE_F32, 1, N);
    a->norm2 = slab_take_wide(s, act, N, C, lora_columns(lora, LINEAR_GATE_UP));
    a->gate_up = slab_take_wide(s, act, N, 2 * F, lora_columns(lora, LINEAR_GATE_UP));
    a->ff = slab_take_wide(s, act, N, F, lora_columns(lora, LINEAR_DOWN));
}

static void carve_layers(Activations *a, Slab *s, const HParams *h, const ModelSetup *setup)
{
    bool keep_all = setup->training && setup->recompute == RECOMPUTE_NONE;
    for (int64_t l = 0; l < h->num_hidden_layers; l++) {
        LayerActivations *one = &a->layers[l];
        if (l == 0 || keep_all)
            carve_layer(one, s, h, setup, a->N);
        else
            *one = a->layers[0];
        /* The input of every layer is kept for training; in inference the stream stays in one buffer. */
        if (l == 0 || setup->training)
            one->x_in = slab_take(s, DTYPE_F32, a->N, h->hidden_size);
    }
    a->x_out = setup->training ? slab_take(s, DTYPE_F32, a->N, h->hidden_size) : a->layers[0].x_in;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void carve_backward(Activations *a, Slab *s, const HParams *h, const ModelSetup *setup)
{
    DType act = setup->compute;
    const LoraSetup *lora = &setup->lora;
    int64_t N = a->N, C = h->hidden_size, q = h->num_attention_heads * h->head_dim;
    int64_t spare = most(lora_columns(lora, LINEAR_O), lora_columns(lora, LINEAR_DOWN));
    a->dx = slab_take_wide(s, DTYPE_F32, N, C, act == DTYPE_F32 ? spare : 0);
    a->dx_act = act == DTYPE_F32 ? a->dx : slab_take_wide(s, act, N, C, spare);
    a->dnorm = slab_take(s, act, N, C);
    a->dnorm_head = act == DTYPE_F32 ? a->dnorm : slab_take(s, DTYPE_F32, N, C);
    a->dqkv = slab_take_wide(s, act, N, q + 2 * h->num_key_value_heads * h->head_dim,
                             lora_columns(lora, LINEAR_QKV));
    a->datt = slab_take(s, act, N, q);
    a->dff = slab_take(s, act, N, h->intermediate_size);
    if (lora->dropout > 0)
        a->dropped = slab_take(s, act, N, most(most(C, q), h->intermediate_size));
    if (lora_on(lora))
        a->lost = slab_take(s, DTYPE_F32, 1, C);
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
    a->chosen_att = slab_take_wide(s, setup->compute, N, h->num_attention_heads * h->head_dim,
                                   lora_columns(&setup->lora, LINEAR_O));
    if (!setup->training)
        return;
    if (setup->compute != DTYPE_F32)
        a->dlogits = slab_take(s, setup->compute, loss_rows, h->vocab_size);
    carve_backward(a, s, h, setup);
}
