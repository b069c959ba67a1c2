/* Opening, initialising, loading and saving a model; where its parameters are. */
#include <math.h>

#include "base/check.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/thread.h"
#include "model/state.h"
#include "model/weights.h"

static bool needs_master(const ModelSetup *s)
{
    return s->training || s->compute == DTYPE_F32;
}

static size_t slab_size(const HParams *h, const ModelSetup *setup)
{
    Slab s = {0};
    Activations a = {.layers = mem_array(LayerActivations, h->num_hidden_layers)};
    activations_carve(&a, &s, h, setup);
    mem_free(a.layers);
    return s.used;
}

static size_t rope_size(const HParams *h, const ModelSetup *setup)
{
    return (size_t)(setup->context * h->head_dim) * sizeof(float);
}

ModelPlan model_plan(const HParams *h, const ModelSetup *setup)
{
    Params p;
    params_init(&p, h);
    size_t total = (size_t)p.total, matrices = (size_t)p.matrices, vectors = total - matrices;
    params_drop(&p);
    int64_t loss_rows = activations_loss_rows(h, setup);
    ModelPlan plan = {
        .master = needs_master(setup) ? total * 4 : vectors * 4,
        .copy = setup->compute == DTYPE_BF16 ? matrices * 2 : 0,
        .gradients = setup->training ? total * 4 : 0,
        .optimizer = setup->training ? total * 8 : 0,
        .loss =
            (size_t)(loss_rows * h->vocab_size) * (setup->training && setup->compute == DTYPE_BF16 ? 6u : 4u),
        .scratch = (size_t)32 << 20, /* packed keys and values, oneDNN's working memory */
    };
    plan.activations = slab_size(h, setup) - plan.loss + rope_size(h, setup);
    plan.total = plan.master + plan.copy + plan.gradients + plan.optimizer + plan.loss + plan.scratch +
                 plan.activations;
    return plan;
}

/* Inverse frequency of pair i; Llama-3's stretching as in the release's `apply_scaling`: wavelengths beyond
 * original / low_freq_factor are stretched by `factor`, those below original / high_freq_factor not, linearly
 * between. */
static double rope_frequency(const HParams *h, int64_t i)
{
    double f = pow(h->rope_theta, -2.0 * (double)i / (double)h->head_dim);
    const RopeScaling *s = &h->rope_scaling;
    if (s->factor <= 0)
        return f;
    double turns = (double)s->original_max_position_embeddings * f / 6.283185307179586476925;
    if (turns < s->low_freq_factor)
        return f / s->factor;
    if (turns > s->high_freq_factor)
        return f;
    double share = (turns - s->low_freq_factor) / (s->high_freq_factor - s->low_freq_factor);
    return (1 - share) * f / s->factor + share * f;
}

static Status fill_rope_table(Model *m)
{
    int64_t P = m->setup.context, D = m->h.head_dim;
    m->rope_bytes = rope_size(&m->h, &m->setup);
    TRY(device_alloc(m->dev, &m->rope_memory, m->rope_bytes, "the table of rotations"));
    m->rope_table = tensor_view(m->rope_memory, DTYPE_F32, P, D);
    float *host = mem_array(float, P * D);
    for (int64_t i = 0; i < D / 2; i++) {
        double f = rope_frequency(&m->h, i);
        for (int64_t t = 0; t < P; t++) {
            host[t * D + i] = (float)cos((double)t * f);
            host[t * D + D / 2 + i] = (float)sin((double)t * f);
        }
    }
    device_upload(m->dev, m->rope_memory, host, m->rope_bytes);
    mem_free(host);
    return ST_OK;
}

static Status alloc_weights(Model *m)
{
    size_t total = (size_t)m->params.total, matrices = (size_t)m->params.matrices;
    void *p;
    if (needs_master(&m->setup)) {
        TRY(device_alloc(m->dev, &p, total * 4, "f32 weights"));
        m->master = p;
        device_zero(m->dev, p, total * 4); /* padding is in no file, and AdamW walks over it */
        m->norms = m->master + matrices;
    } else {
        TRY(device_alloc(m->dev, &p, (total - matrices) * 4, "norm weights"));
        m->norms = p;
    }
    if (m->setup.compute == DTYPE_BF16) {
        TRY(device_alloc(m->dev, &p, matrices * 2, "bf16 weights"));
        m->copy = p;
    }
    if (m->setup.training) {
        TRY(device_alloc(m->dev, &p, total * 4, "gradients"));
        m->gradients = p;
        device_zero(m->dev, p, total * 4);
    }
    return ST_OK;
}

static Status alloc_activations(Model *m)
{
    m->a.layers = mem_array(LayerActivations, m->h.num_hidden_layers);
    m->host_positions = mem_array(int32_t, activations_rows(&m->setup));
    m->slab_bytes = slab_size(&m->h, &m->setup);
    TRY(device_alloc(m->dev, &m->slab, m->slab_bytes, "activations"));
    Slab s = {.base = m->slab};
    activations_carve(&m->a, &s, &m->h, &m->setup);
    check(s.used == m->slab_bytes);
    return ST_OK;
}

Status model_open(Model **out, Device *dev, const HParams *h, const ModelSetup *setup)
{
    Status st;
    TRY(hparams_check(h));
    if (setup->batch < 1 || setup->context < 1)
        return fail(ST_ARG, "a model needs a batch and a context of at least 1");
    Model *m = mem_new(Model);
    m->dev = dev;
    m->h = *h;
    m->setup = *setup;
    params_init(&m->params, h);
    TRY_TO(undo, alloc_weights(m));
    TRY_TO(undo, alloc_activations(m));
    TRY_TO(undo, fill_rope_table(m));
    TRY_TO(undo, device_sync(dev));
    *out = m;
    return ST_OK;
undo:
    model_close(m);
    return st;
}

void model_close(Model *m)
{
    if (!m)
        return;
    size_t total = (size_t)m->params.total, matrices = (size_t)m->params.matrices;
    if (m->master)
        device_free(m->dev, m->master, total * 4);
    else
        device_free(m->dev, m->norms, (total - matrices) * 4);
    device_free(m->dev, m->copy, matrices * 2);
    device_free(m->dev, m->gradients, total * 4);
    device_free(m->dev, m->slab, m->slab_bytes);
    device_free(m->dev, m->rope_memory, m->rope_bytes);
    mem_free(m->a.layers);
    mem_free(m->host_positions);
    params_drop(&m->params);
    mem_free(m);
}

const HParams *model_hparams(const Model *m)
{
    return &m->h;
}

const Params *model_params(const Model *m)
{
    return &m->params;
}

const ModelSetup *model_setup(const Model *m)
{
    return &m->setup;
}

AttentionShape model_attention_shape(const Model *m, int64_t B, int64_t T)
{
    return (AttentionShape){
        .B = B, .T = T, .H = m->h.num_attention_heads, .Hk = m->h.num_key_value_heads, .D = m->h.head_dim};
}

/* Where a parameter's values, or its gradient's, are. ---------------------------------------------------- */

typedef struct {
    void *matrices;
    DType dtype;
    float *vectors;
} Place;

static Place place_of_weights(const Model *m)
{
    if (m->copy)
        return (Place){m->copy, DTYPE_BF16, m->norms};
    return (Place){m->master, DTYPE_F32, m->norms};
}

static Place place_of_gradients(const Model *m)
{
    return (Place){m->gradients, DTYPE_F32, m->gradients + m->params.matrices};
}

static Tensor matrix_at(const Model *m, Place at, ParamKind kind, int64_t layer, int64_t rows)
{
    const Param *p = params_find(&m->params, kind, (int)layer);
    return tensor_view((char *)at.matrices + (size_t)p->offset * dtype_size(at.dtype), at.dtype, rows,
                       p->cols);
}

static Tensor vector_at(const Model *m, Place at, ParamKind kind, int64_t layer)
{
    const Param *p = params_find(&m->params, kind, (int)layer);
    return tensor_view(at.vectors + (p->offset - m->params.matrices), DTYPE_F32, 1, p->cols);
}

static LayerWeights layer_at(const Model *m, Place at, int64_t l)
{
    const HParams *h = &m->h;
    return (LayerWeights){
        .input_norm = vector_at(m, at, PARAM_INPUT_NORM, l),
        .qkv =
            matrix_at(m, at, PARAM_Q, l, (h->num_attention_heads + 2 * h->num_key_value_heads) * h->head_dim),
        .o = matrix_at(m, at, PARAM_O, l, h->hidden_size),
        .post_norm = vector_at(m, at, PARAM_POST_NORM, l),
        .gate_up = matrix_at(m, at, PARAM_GATE, l, 2 * h->intermediate_size),
        .down = matrix_at(m, at, PARAM_DOWN, l, h->hidden_size),
    };
}

static OuterWeights outer_at(const Model *m, Place at)
{
    return (OuterWeights){
        .embed = matrix_at(m, at, PARAM_EMBED, -1, m->h.vocab_size),
        .final_norm = vector_at(m, at, PARAM_FINAL_NORM, -1),
        .head = matrix_at(m, at, PARAM_HEAD, -1, m->h.vocab_size),
    };
}

LayerWeights model_layer_weights(const Model *m, int64_t layer)
{
    return layer_at(m, place_of_weights(m), layer);
}

LayerWeights model_layer_gradients(const Model *m, int64_t layer)
{
    return layer_at(m, place_of_gradients(m), layer);
}

OuterWeights model_outer_weights(const Model *m)
{
    return outer_at(m, place_of_weights(m));
}

OuterWeights model_outer_gradients(const Model *m)
{
    return outer_at(m, place_of_gradients(m));
}

Tensor model_weights(Model *m)
{
    check(m->master);
    return tensor_view(m->master, DTYPE_F32, 1, m->params.total);
}

Tensor model_weights_copy(Model *m)
{
    return tensor_view(m->copy, DTYPE_BF16, 1, m->params.matrices);
}

Tensor model_gradients(Model *m)
{
    check(m->gradients);
    return tensor_view(m->gradients, DTYPE_F32, 1, m->params.total);
}

void model_weights_changed(Model *m)
{
    if (!m->copy || !m->master)
        return;
    Tensor from = tensor_view(m->master, DTYPE_F32, 1, m->params.matrices), to = model_weights_copy(m);
    cast(m->dev, &to, &from);
}

/* Values in. --------------------------------------------------------------------------------------------- */

/* Writes f32 host values [first, first + n) of a parameter to wherever this model keeps it. */
static void put_values(Model *m, const Param *p, int64_t first, const float *values, int64_t n)
{
    int64_t at = p->offset + first;
    if (m->master)
        device_upload(m->dev, m->master + at, values, (size_t)n * 4);
    else if (p->offset >= m->params.matrices)
        device_upload(m->dev, m->norms + (at - m->params.matrices), values, (size_t)n * 4);
    if (!m->copy || p->offset >= m->params.matrices)
        return;
    uint16_t *rounded = mem_array(uint16_t, n);
    for (int64_t i = 0; i < n; i++)
        rounded[i] = bf16_from_f32(values[i]);
    device_upload(m->dev, m->copy + at, rounded, (size_t)n * 2);
    mem_free(rounded);
}

enum { INIT_CHUNK = 1 << 16, INIT_CHUNKS = 32 }; /* elements with one random stream; chunks made at a time */

typedef struct {
    float *values;
    int64_t count; /* elements in this round */
    uint64_t seed, stream;
    double deviation;
} InitRound;

static void init_chunk(void *context, int64_t chunk, int thread)
{
    (void)thread;
    InitRound *r = context;
    int64_t first = chunk * INIT_CHUNK, end = first + INIT_CHUNK < r->count ? first + INIT_CHUNK : r->count;
    Rng rng;
    rng_seed_pair(&rng, r->seed, r->stream + (uint64_t)chunk);
    for (int64_t i = first; i < end; i++)
        r->values[i] = r->deviation > 0 ? (float)(r->deviation * rng_normal(&rng)) : 1.0f;
}

/* Smaller for wider models, so that one rule serves all sizes: with 0.02 throughout, 5 M parameters of width
 * 256 reached after 1 M tokens what they now reach after 0.6 M. */
static double init_deviation(const Model *m, ParamKind kind)
{
    if (kind >= PARAM_INPUT_NORM)
        return 0; /* ones */
    double narrow = sqrt(2.0 / (5.0 * (double)m->h.hidden_size));
    bool residual = kind == PARAM_O || kind == PARAM_DOWN;
    return residual ? narrow / sqrt(2.0 * (double)m->h.num_hidden_layers) : narrow;
}

void model_init(Model *m, uint64_t seed)
{
    InitRound r = {.values = mem_array(float, INIT_CHUNK * INIT_CHUNKS), .seed = seed};
    for (int64_t i = 0; i < m->params.n; i++) {
        const Param *p = &m->params.at[i];
        int64_t total = p->rows * p->cols;
        r.deviation = init_deviation(m, p->kind);
        for (int64_t first = 0; first < total; first += r.count) {
            r.count = total - first < INIT_CHUNK * INIT_CHUNKS ? total - first : INIT_CHUNK * INIT_CHUNKS;
            thread_each((r.count + INIT_CHUNK - 1) / INIT_CHUNK, cpu_count(), init_chunk, &r);
            put_values(m, p, first, r.values, r.count);
            r.stream += INIT_CHUNKS;
        }
    }
    mem_free(r.values);
}

static void put_loaded(void *context, const Param *p, int64_t first, const float *values, int64_t n)
{
    put_values(context, p, first, values, n);
}

Status model_load(Model *m, const char *folder)
{
    TRY(weights_read(&m->params, folder, put_loaded, m));
    return device_sync(m->dev);
}

Status model_save(Model *m, const char *folder, DType dtype)
{
    const void *matrices = NULL, *vectors = NULL, *kept = m->master ? (const void *)m->master : m->copy;
    DType kept_as = m->master ? DTYPE_F32 : DTYPE_BF16;
    size_t bytes = (size_t)m->params.matrices * dtype_size(kept_as);
    TRY(device_host_view(m->dev, &matrices, kept, bytes));
    Status st =
        device_host_view(m->dev, &vectors, m->norms, (size_t)(m->params.total - m->params.matrices) * 4);
    if (st == ST_OK)
        st = weights_write(&m->params, folder, matrices, kept_as, vectors, dtype);
    device_host_drop(m->dev, vectors, m->norms);
    device_host_drop(m->dev, matrices, kept);
    return st;
}
