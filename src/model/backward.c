/* Llama backward: the forward's lines upside down.  A product y = x w^T gives dx = dy w and dw = dy^T x. */
#include "model/state.h"

/* From the gradient of the residual stream behind the layer (b->dx and its copy; of its chosen rows, where
 * they are fewer) to the one before it. */
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
    bool copied = b->dx_act.data != b->dx.data;
    AttentionShape s = model_attention_shape(m, m->setup.batch, m->setup.context);
    bool ends_here = layer == 0 && !model_embed_gradients(m).data; /* nothing below is trained */

    LayerRest r = layer_rest(m, layer, a);
    Tensor dx = tensor_rows(&b->dx, 0, r.n), dx_act = tensor_rows(&b->dx_act, 0, r.n);
    Tensor dff = tensor_rows(&b->dff, 0, r.n), dnorm = tensor_rows(&b->dnorm, 0, r.n);
    Tensor datt = tensor_rows(r.fewer ? &dq : &b->datt, 0, r.n);
    linear_back(m, layer, LINEAR_DOWN, &dff, &dx_act, &r.ff, add_to);
    swiglu_back(dev, &r.gate_up, &dff, &r.gate_up);
    linear_back(m, layer, LINEAR_GATE_UP, &dnorm, &r.gate_up, &r.norm2, add_to);
    rmsnorm_back(dev, &dx, copied ? &dx_act : NULL, &g.post_norm, &dnorm, &r.x_mid, &w.post_norm, &r.rstd2);
    linear_back(m, layer, LINEAR_O, &datt, &dx_act, &r.att, add_to);
    if (r.fewer) {
        Tensor some = tensor_rows(&b->x_out, 0, r.n); /* nobody reads it any more */
        cast(dev, &some, &dx);
        put_chosen(m, &b->dx, &some);
        put_chosen(m, &b->datt, &datt);
    }

    attention_back(dev, &dq, &dk, &dv, &b->datt, &a->att, &a->lse, &q, &k, &v,
                   m->isolated ? &b->starts : NULL, &s);
    rope_back(dev, &dqk, &m->rope_table, &b->positions, D);
    linear_back(m, layer, LINEAR_QKV, ends_here ? NULL : &b->dnorm, &b->dqkv, &a->norm1, add_to);
    if (!ends_here)
        rmsnorm_back(dev, &b->dx, copied ? &b->dx_act : NULL, &g.input_norm, &b->dnorm, &a->x_in,
                     &w.input_norm, &a->rstd1);
}

/* Loss and its gradient by pieces of rows; leaves in dx that of the final norm's input. */
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
    Tensor g = model_embed_gradients(m);
    int64_t matrices = m->trainable->matrices;
    device_zero(m->dev, m->gradients + matrices, (size_t)(m->trainable->total - matrices) * sizeof(float));
    if (g.data && !m->h.tie_word_embeddings) /* a tied one is first written by the head's product */
        device_zero(m->dev, g.data, tensor_bytes(&g));
}

void model_step(Model *m, const Batch *batch, float scale, bool add_to)
{
    Activations *a = &m->a;
    Tensor g = model_embed_gradients(m);
    model_upload(m, batch);
    choose_rows(m, batch->targets);
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
