/* Llama backward: the forward's lines upside down.  A product y = x w^T gives dx = dy w and dw = dy^T x. */
#include "model/state.h"

/* From the gradient of the residual stream behind the layer (a->dx and its copy) to the one before it. */
static void layer_backward(Model *m, int64_t layer, bool add_to)
{
    Device *dev = m->dev;
    Activations *b = &m->a;
    const HParams *h = &m->h;
    LayerActivations *a = &b->layers[layer];
    LayerNorms w = model_layer_norms(m, layer), g = model_layer_norm_gradients(m, layer);
    int64_t D = h->head_dim, q_cols = h->num_attention_heads * D, kv_cols = h->num_key_value_heads * D;
    Tensor q = tensor_cols(&a->qkv, 0, q_cols), k = tensor_cols(&a->qkv, q_cols, kv_cols);
    Tensor v = tensor_cols(&a->qkv, q_cols + kv_cols, kv_cols);
    Tensor dq = tensor_cols(&b->dqkv, 0, q_cols), dk = tensor_cols(&b->dqkv, q_cols, kv_cols);
    Tensor dv = tensor_cols(&b->dqkv, q_cols + kv_cols, kv_cols);
    Tensor dqk = tensor_cols(&b->dqkv, 0, q_cols + kv_cols);
    Tensor *dx_copy = b->dx_act.data == b->dx.data ? NULL : &b->dx_act;
    AttentionShape s = model_attention_shape(m, m->setup.batch, m->setup.context);
    bool ends_here = layer == 0 && !model_embed_gradients(m).data; /* nothing below is trained */

    linear_back(m, layer, LINEAR_DOWN, &b->dff, &b->dx_act, &a->ff, add_to);
    swiglu_back(dev, &a->gate_up, &b->dff, &a->gate_up);
    linear_back(m, layer, LINEAR_GATE_UP, &b->dnorm, &a->gate_up, &a->norm2, add_to);
    rmsnorm_back(dev, &b->dx, dx_copy, &g.post_norm, &b->dnorm, &a->x_mid, &w.post_norm, &a->rstd2);

    linear_back(m, layer, LINEAR_O, &b->datt, &b->dx_act, &a->att, add_to);
    attention_back(dev, &dq, &dk, &dv, &b->datt, &a->att, &a->lse, &q, &k, &v,
                   m->isolated ? &b->starts : NULL, &s);
    rope_back(dev, &dqk, &m->rope_table, &b->positions, D);
    linear_back(m, layer, LINEAR_QKV, ends_here ? NULL : &b->dnorm, &b->dqkv, &a->norm1, add_to);
    if (!ends_here)
        rmsnorm_back(dev, &b->dx, dx_copy, &g.input_norm, &b->dnorm, &a->x_in, &w.input_norm, &a->rstd1);
}

/* Loss and its gradient by pieces of rows; leaves dx behind the final norm's input. */
static void head_step(Model *m, float scale, bool add_to)
{
    Activations *a = &m->a;
    Tensor g_head = model_head_gradients(m);
    for (HeadRows r = head_rows(m, 0); r.n > 0; r = head_rows(m, r.first + r.n)) {
        Tensor dlogits = tensor_rows(&a->dlogits, 0, r.n), dx = tensor_rows(&a->dnorm_head, r.first, r.n);
        cross_entropy(m->dev, &r.loss, &dlogits, &r.logits, &r.targets, scale);
        Tensor head = model_head(m);
        matmul_back_x(m->dev, &dx, &dlogits, &head, false);
        if (g_head.data)
            matmul_back_w(m->dev, &g_head, &dlogits, &r.x, add_to || r.first > 0);
    }
    head_norm_back(m);
}

/* Operations that can only add start from zero in a first micro-batch: norms, and rows of the embedding. */
static void zero_sums(Model *m)
{
    Tensor g = model_embed_gradients(m), g_head = model_head_gradients(m);
    int64_t matrices = m->trainable->matrices;
    device_zero(m->dev, m->gradients + matrices, (size_t)(m->trainable->total - matrices) * sizeof(float));
    if (g.data && !m->h.tie_word_embeddings) /* a tied one is first written by the head's product */
        device_zero(m->dev, g.data, tensor_bytes(&g));
    if (g_head.data && m->head_n == 0) /* no product will write it */
        device_zero(m->dev, g_head.data, tensor_bytes(&g_head));
}

void model_step(Model *m, const Batch *batch, float scale, bool add_to)
{
    Activations *a = &m->a;
    Tensor g = model_embed_gradients(m);
    model_upload(m, batch);
    head_choose(m, batch->targets);
    m->training_now = true;
    model_forward(m);
    if (!add_to)
        zero_sums(m);
    head_step(m, scale, add_to);
    for (int64_t l = m->h.num_hidden_layers; l-- > 0;) {
        if (m->setup.recompute == RECOMPUTE_LAYER)
            layer_forward(m, l, &a->layers[l], NULL);
        layer_backward(m, l, add_to);
    }
    if (g.data)
        embed_back(m->dev, &g, &a->dx, &a->ids);
}
