/* Llama forward, as a recipe: one line an operation.  Touvron et al. 2023, arXiv:2307.09288; names as in
 * transformers' modeling_llama. */
#include "base/check.h"
#include "model/state.h"

void model_upload(Model *m, const Batch *b)
{
    int64_t T = m->setup.context, N = m->setup.batch * T;
    check(m->a.N == N);
    size_t bytes = (size_t)N * sizeof(int32_t);
    device_upload(m->dev, m->a.ids.data, b->ids, bytes);
    for (int64_t n = 0; n < N && !b->positions; n++)
        m->host_positions[n] = (int32_t)(n % T);
    device_upload(m->dev, m->a.positions.data, b->positions ? b->positions : m->host_positions, bytes);
    m->isolated = b->starts != NULL;
    if (b->starts)
        device_upload(m->dev, m->a.starts.data, b->starts, bytes);
    m->noise = b->noise;
    m->training_now = false;
}

void layer_forward(Model *m, int64_t layer, LayerActivations *a, Tensor *x_out)
{
    Device *dev = m->dev;
    const HParams *h = &m->h;
    LayerNorms w = model_layer_norms(m, layer);
    int64_t D = h->head_dim, q_cols = h->num_attention_heads * D, kv_cols = h->num_key_value_heads * D;
    Tensor q = tensor_cols(&a->qkv, 0, q_cols), k = tensor_cols(&a->qkv, q_cols, kv_cols);
    Tensor v = tensor_cols(&a->qkv, q_cols + kv_cols, kv_cols);
    Tensor qk = tensor_cols(&a->qkv, 0, q_cols + kv_cols);
    Tensor positions = tensor_cols(&m->a.positions, 0, a->qkv.rows);

    rmsnorm(dev, &a->norm1, &a->rstd1, &a->x_in, &w.input_norm, (float)h->rms_norm_eps);
    linear(m, layer, LINEAR_QKV, &a->qkv, &a->norm1, false);
    rope(dev, &qk, &m->rope_table, &positions, D);
    AttentionShape s = model_attention_shape(m, m->setup.batch, m->setup.context);
    attention(dev, &a->att, &a->lse, &q, &k, &v, m->isolated ? &m->a.starts : NULL, &s);

    LayerRest r = layer_rest(m, layer, a);
    if (r.fewer) {
        take_chosen(m, &r.att, &a->att);
        take_chosen(m, &r.x_mid, &a->x_in);
    } else {
        cast(dev, &r.x_mid, &a->x_in);
    }
    linear(m, layer, LINEAR_O, &r.x_mid, &r.att, true);
    rmsnorm(dev, &r.norm2, &r.rstd2, &r.x_mid, &w.post_norm, (float)h->rms_norm_eps);
    linear(m, layer, LINEAR_GATE_UP, &r.gate_up, &r.norm2, false);
    swiglu(dev, &r.ff, &r.gate_up);
    if (!x_out) {
        linear_between(m, layer, LINEAR_DOWN, &r.ff);
        return;
    }
    Tensor out = tensor_rows(x_out, 0, r.n);
    cast(dev, &out, &r.x_mid);
    linear(m, layer, LINEAR_DOWN, &out, &r.ff, true);
}

void model_forward(Model *m)
{
    Activations *a = &m->a;
    int64_t L = m->h.num_hidden_layers;
    model_embed(m, &a->layers[0].x_in, &a->ids);
    for (int64_t l = 0; l < L; l++)
        layer_forward(m, l, &a->layers[l], l + 1 < L ? &a->layers[l + 1].x_in : &a->x_out);
    head_norm(m);
}

void model_evaluate(Model *m, const Batch *batch)
{
    model_upload(m, batch);
    choose_rows(m, batch->targets);
    model_forward(m);
    for (HeadRows r = head_rows(m, 0); r.n > 0; r = head_rows(m, r.first + r.n))
        cross_entropy(m->dev, &r.loss, NULL, &r.logits, &r.targets, 0);
}

Status model_logits(Model *m, const Batch *batch, float *logits)
{
    model_upload(m, batch);
    choose_rows(m, NULL);
    model_forward(m);
    for (HeadRows r = head_rows(m, 0); r.n > 0; r = head_rows(m, r.first + r.n))
        device_download(m->dev, logits + r.first * m->h.vocab_size, r.logits.data, tensor_bytes(&r.logits));
    return device_sync(m->dev);
}
