/* Generation of one sequence: keys and values of the past are kept, new rows are run in pieces. */
#include "base/check.h"
#include "base/mem.h"
#include "model/state.h"

struct KvCache {
    Device *dev;
    int64_t capacity, length;
    int64_t cols; /* Hk * D */
    DType dtype;
    void *memory; /* [L][k, v][capacity, cols] */
    size_t bytes;
};

Status kvcache_open(KvCache **out, Model *m, int64_t capacity)
{
    if (capacity < 1 || capacity > m->setup.context)
        return fail(ST_ARG, "a cache of %lld positions does not fit a context of %lld", (long long)capacity,
                    (long long)m->setup.context);
    KvCache *c = mem_new(KvCache);
    *c = (KvCache){.dev = m->dev, .capacity = capacity, .cols = m->h.num_key_value_heads * m->h.head_dim,
                   .dtype = m->setup.compute};
    c->bytes = (size_t)(m->h.num_hidden_layers * 2 * capacity * c->cols) * dtype_size(c->dtype);
    Status st = device_alloc(m->dev, &c->memory, c->bytes, "the key and value cache");
    if (st != ST_OK) {
        c->bytes = 0;
        kvcache_close(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

void kvcache_close(KvCache *c)
{
    if (!c)
        return;
    device_free(c->dev, c->memory, c->bytes);
    mem_free(c);
}

int64_t kvcache_length(const KvCache *c)
{
    return c->length;
}

void kvcache_truncate(KvCache *c, int64_t length)
{
    check(length >= 0);
    if (length < c->length)
        c->length = length;
}

/* Keys (which 0) or values (1) of a layer, all rows. */
static Tensor cached(const KvCache *c, int64_t layer, int64_t which)
{
    size_t part = (size_t)(c->capacity * c->cols) * dtype_size(c->dtype);
    return tensor_view((char *)c->memory + (size_t)(2 * layer + which) * part, c->dtype, c->capacity,
                       c->cols);
}

void kvcache_attend(Model *m, KvCache *c, int64_t layer, Tensor *att, const Tensor *q, const Tensor *k,
                    const Tensor *v)
{
    Tensor keys = cached(c, layer, 0), values = cached(c, layer, 1);
    Tensor new_keys = tensor_rows(&keys, c->length, q->rows);
    Tensor new_values = tensor_rows(&values, c->length, q->rows);
    cast(m->dev, &new_keys, k);
    cast(m->dev, &new_values, v);
    AttentionShape s = model_attention_shape(m, 1, q->rows);
    attention_cached(m->dev, att, q, &keys, &values, c->length, &s);
}

/* The first n rows of a layer's buffers. */
static LayerActivations first_rows(const LayerActivations *a, int64_t n)
{
    return (LayerActivations){
        .x_in = tensor_rows(&a->x_in, 0, n),
        .rstd1 = tensor_cols(&a->rstd1, 0, n),
        .norm1 = tensor_rows(&a->norm1, 0, n),
        .qkv = tensor_rows(&a->qkv, 0, n),
        .att = tensor_rows(&a->att, 0, n),
        .lse = tensor_rows(&a->lse, 0, n),
        .x_mid = tensor_rows(&a->x_mid, 0, n),
        .rstd2 = tensor_cols(&a->rstd2, 0, n),
        .norm2 = tensor_rows(&a->norm2, 0, n),
        .gate_up = tensor_rows(&a->gate_up, 0, n),
        .ff = tensor_rows(&a->ff, 0, n),
    };
}

/* Runs at most a->N new rows; they stay in the cache, and the last residual stream in x_in of the
 * shared buffers. */
static void extend_piece(Model *m, KvCache *c, const int32_t *ids, int64_t n)
{
    OuterWeights w = model_outer_weights(m);
    Tensor id_row = tensor_cols(&m->a.ids, 0, n);
    for (int64_t i = 0; i < n; i++)
        m->host_positions[i] = (int32_t)(c->length + i);
    device_upload(m->dev, id_row.data, ids, (size_t)n * sizeof *ids);
    device_upload(m->dev, m->a.positions.data, m->host_positions, (size_t)n * sizeof(int32_t));

    LayerActivations first = first_rows(&m->a.layers[0], n);
    embed(m->dev, &first.x_in, &w.embed, &id_row);
    for (int64_t l = 0; l < m->h.num_hidden_layers; l++) {
        LayerActivations a = first_rows(&m->a.layers[l], n);
        a.x_in = first.x_in;
        layer_forward(m, l, &a, &first.x_in, c);
    }
    c->length += n;
}

Status model_extend(Model *m, KvCache *c, const int32_t *ids, int64_t n, float *logits)
{
    check(n > 0);
    if (n > c->capacity - c->length)
        return fail(ST_LIMIT,
                    "the context is full: %lld positions are taken of %lld, and %lld more are asked for",
                    (long long)c->length, (long long)c->capacity, (long long)n);
    int64_t last = 0;
    for (int64_t done = 0; done < n; done += last) {
        last = n - done < m->a.N ? n - done : m->a.N;
        extend_piece(m, c, ids + done, last);
    }
    OuterWeights w = model_outer_weights(m);
    Tensor x = tensor_rows(&m->a.layers[0].x_in, last - 1, 1), norm = tensor_rows(&m->a.norm, 0, 1);
    Tensor out = tensor_rows(&m->a.logits, 0, 1);
    rmsnorm(m->dev, &norm, NULL, &x, &w.final_norm, (float)m->h.rms_norm_eps);
    matmul(m->dev, &out, &norm, &w.head, false);
    device_download(m->dev, logits, out.data, tensor_bytes(&out));
    return device_sync(m->dev);
}
