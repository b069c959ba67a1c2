/* Opening, initialising, loading and saving a model; where its parameters are. */
#include <math.h>

#include "base/check.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/thread.h"
#include "model/adapter.h"
#include "model/rotations.h"
#include "model/state.h"
#include "model/weights.h"

/* Of all parameters; adapters have one of their own. */
static bool needs_master(const ModelSetup *s)
{
    return !lora_on(&s->lora) && (s->training || s->compute == DTYPE_F32);
}

static size_t slab_size(const HParams *h, const ModelSetup *setup)
{
    Slab s = {0};
    Activations a = {.layers = mem_array(LayerActivations, h->num_hidden_layers)};
    activations_carve(&a, &s, h, setup);
    mem_free(a.layers);
    return s.used;
}

static size_t frozen_size(const HParams *h, const ModelSetup *setup)
{
    Slab s = {0};
    Frozen f = {.linear = mem_array(FrozenLinear, h->num_hidden_layers * LINEARS)};
    frozen_carve(&f, &s, h, setup);
    mem_free(f.linear);
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
    if (lora_on(&setup->lora)) {
        lora_params(&p, h, &setup->lora);
        plan.master = (vectors + (size_t)p.total) * 4;
        plan.gradients = (size_t)p.total * 4;
        plan.optimizer = (size_t)p.total * 8;
        plan.copy = frozen_size(h, setup);
        params_drop(&p);
    }
    plan.total = plan.master + plan.copy + plan.gradients + plan.optimizer + plan.loss + plan.scratch +
                 plan.activations;
    return plan;
}

static Status fill_rope_table(Model *m)
{
    int64_t P = m->setup.context, D = m->h.head_dim;
    m->rope_bytes = rope_size(&m->h, &m->setup);
    TRY(device_alloc(m->dev, &m->rope_memory, m->rope_bytes, "the table of rotations"));
    m->rope_table = tensor_view(m->rope_memory, DTYPE_F32, P, D);
    float *host = mem_array(float, P * D);
    rotations_fill(host, &m->h, P);
    device_upload(m->dev, m->rope_memory, host, m->rope_bytes);
    mem_free(host);
    return ST_OK;
}

static Status alloc_adapters(Model *m)
{
    size_t bytes = (size_t)m->adapters.total * 4;
    void *p;
    TRY(device_alloc(m->dev, &p, bytes, "the adapters' weights"));
    m->master = p;
    device_zero(m->dev, p, bytes);
    TRY(device_alloc(m->dev, &p, bytes, "the adapters' gradients"));
    m->gradients = p;
    device_zero(m->dev, p, bytes);
    m->frozen = mem_new(Frozen);
    m->frozen->linear = mem_array(FrozenLinear, m->h.num_hidden_layers * LINEARS);
    TRY(device_alloc(m->dev, &m->frozen_memory, frozen_size(&m->h, &m->setup), "the frozen weights"));
    m->frozen_bytes = frozen_size(&m->h, &m->setup);
    /* No file has what lies between W and the adapters. */
    device_zero(m->dev, m->frozen_memory, m->frozen_bytes);
    Slab s = {.base = m->frozen_memory};
    frozen_carve(m->frozen, &s, &m->h, &m->setup);
    check(s.used == m->frozen_bytes);
    m->setup.base = NULL; /* its types are known now */
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
    if (lora_on(&m->setup.lora))
        return alloc_adapters(m);
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
    m->chosen_ids = mem_array(int32_t, activations_rows(&m->setup));
    m->chosen_targets = mem_array(int32_t, activations_rows(&m->setup));
    m->slab_bytes = slab_size(&m->h, &m->setup);
    TRY(device_alloc(m->dev, &m->slab, m->slab_bytes, "activations"));
    Slab s = {.base = m->slab};
    activations_carve(&m->a, &s, &m->h, &m->setup);
    check(s.used == m->slab_bytes);
    if (m->frozen) /* spare columns that no rank uses are multiplied with zeros, and must be numbers */
        device_zero(m->dev, m->slab, m->slab_bytes);
    return ST_OK;
}

Status model_open(Model **out, Device *dev, const HParams *h, const ModelSetup *setup)
{
    Status st;
    TRY(hparams_check(h));
    if (setup->batch < 1 || setup->context < 1)
        return fail(ST_ARG, "a model needs a batch and a context of at least 1");
    bool adapted = lora_on(&setup->lora);
    if (adapted)
        TRY(lora_check(&setup->lora, h));
    check(!adapted || setup->training);
    Model *m = mem_new(Model);
    m->dev = dev;
    m->h = *h;
    m->setup = *setup;
    params_init(&m->params, h);
    m->trainable = &m->params;
    if (adapted) {
        lora_params(&m->adapters, h, &setup->lora);
        m->trainable = &m->adapters;
    }
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
    if (m->norms != m->master + matrices || !m->master)
        device_free(m->dev, m->norms, (total - matrices) * 4);
    device_free(m->dev, m->master, (size_t)m->trainable->total * 4);
    device_free(m->dev, m->copy, matrices * 2);
    device_free(m->dev, m->gradients, (size_t)m->trainable->total * 4);
    device_free(m->dev, m->frozen_memory, m->frozen_bytes);
    if (m->frozen)
        mem_free(m->frozen->linear);
    mem_free(m->frozen);
    mem_free(m->base_path);
    params_drop(&m->adapters);
    device_free(m->dev, m->slab, m->slab_bytes);
    device_free(m->dev, m->rope_memory, m->rope_bytes);
    mem_free(m->a.layers);
    mem_free(m->host_positions);
    mem_free(m->chosen_ids);
    mem_free(m->chosen_targets);
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

const Params *model_trainable(const Model *m)
{
    return m->trainable;
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

LayerNorms model_layer_norms(const Model *m, int64_t layer)
{
    Place at = place_of_weights(m);
    return (LayerNorms){vector_at(m, at, PARAM_INPUT_NORM, layer), vector_at(m, at, PARAM_POST_NORM, layer)};
}

LayerNorms model_layer_norm_gradients(const Model *m, int64_t layer)
{
    if (m->frozen)
        return (LayerNorms){m->a.lost, m->a.lost};
    Place at = place_of_gradients(m);
    return (LayerNorms){vector_at(m, at, PARAM_INPUT_NORM, layer), vector_at(m, at, PARAM_POST_NORM, layer)};
}

Tensor model_final_norm(const Model *m)
{
    return vector_at(m, place_of_weights(m), PARAM_FINAL_NORM, -1);
}

Tensor model_final_norm_gradients(const Model *m)
{
    return m->frozen ? m->a.lost : vector_at(m, place_of_gradients(m), PARAM_FINAL_NORM, -1);
}

Tensor model_linear_weights(const Model *m, int64_t layer, Linear which)
{
    LinearShape s = linear_shape(&m->h, which);
    return matrix_at(m, place_of_weights(m), s.first, layer, s.out);
}

Tensor model_linear_gradients(const Model *m, int64_t layer, Linear which)
{
    LinearShape s = linear_shape(&m->h, which);
    return matrix_at(m, place_of_gradients(m), s.first, layer, s.out);
}

Tensor model_factor(const Model *m, float *flat, ParamKind target, int64_t layer, ParamPart part)
{
    const Param *p = lora_find(m->trainable, target, (int)layer, part);
    check(p);
    return tensor_view(flat + p->offset, DTYPE_F32, p->rows, p->cols);
}

/* One of the two [V, C]: frozen unless it is trained whole. */
static Tensor table_gradients(const Model *m, ParamKind kind)
{
    const Param *p =
        m->frozen ? lora_find(m->trainable, kind, -1, PART_WHOLE) : params_find(&m->params, kind, -1);
    return p ? tensor_view(m->gradients + p->offset, DTYPE_F32, p->rows, p->cols) : (Tensor){0};
}

Tensor model_embed_gradients(const Model *m)
{
    return table_gradients(m, PARAM_EMBED);
}

Tensor model_head_gradients(const Model *m)
{
    return table_gradients(m, PARAM_HEAD);
}

Tensor model_head(Model *m)
{
    return m->frozen ? frozen_head(m) : matrix_at(m, place_of_weights(m), PARAM_HEAD, -1, m->h.vocab_size);
}

void model_embed(Model *m, Tensor *out, const Tensor *ids)
{
    if (m->frozen) {
        frozen_embed(m, out, ids);
        return;
    }
    Tensor table = matrix_at(m, place_of_weights(m), PARAM_EMBED, -1, m->h.vocab_size);
    embed(m->dev, out, &table, ids);
}

Tensor model_weights(Model *m)
{
    check(m->master);
    return tensor_view(m->master, DTYPE_F32, 1, m->trainable->total);
}

Tensor model_weights_copy(Model *m)
{
    return tensor_view(m->copy, DTYPE_BF16, 1, m->params.matrices);
}

Tensor model_gradients(Model *m)
{
    check(m->gradients);
    return tensor_view(m->gradients, DTYPE_F32, 1, m->trainable->total);
}

void model_weights_changed(Model *m)
{
    if (m->frozen)
        frozen_refresh(m);
    if (!m->copy || !m->master)
        return;
    Tensor from = tensor_view(m->master, DTYPE_F32, 1, m->params.matrices), to = model_weights_copy(m);
    cast(m->dev, &to, &from);
}

/* Values in. --------------------------------------------------------------------------------------------- */

void model_put(Model *m, const Param *p, int64_t first, const float *values, int64_t n)
{
    int64_t at = p->offset + first;
    if (m->frozen && p->offset < m->params.matrices) {
        const Param *trained = lora_find(m->trainable, p->kind, p->layer, PART_WHOLE);
        frozen_put(m, p, first, values, n);
        if (trained)
            device_upload(m->dev, m->master + trained->offset + first, values, (size_t)n * 4);
        return;
    }
    if (m->master && !m->frozen)
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
    double deviation; /* of normal numbers; 0: ones */
    double bound;     /* above 0: uniform numbers in +- it instead */
} InitRound;

static void init_chunk(void *context, int64_t chunk, int thread)
{
    (void)thread;
    InitRound *r = context;
    int64_t first = chunk * INIT_CHUNK, end = first + INIT_CHUNK < r->count ? first + INIT_CHUNK : r->count;
    Rng rng;
    rng_seed_pair(&rng, r->seed, r->stream + (uint64_t)chunk);
    for (int64_t i = first; i < end; i++)
        r->values[i] = r->bound > 0       ? (float)(r->bound * (2 * rng_uniform(&rng) - 1))
                       : r->deviation > 0 ? (float)(r->deviation * rng_normal(&rng))
                                          : 1.0f;
}

/* All numbers of a parameter, in rounds, each handed to `put`. */
static void init_param(Model *m, InitRound *r, const Param *p,
                       void (*put)(Model *m, const Param *p, int64_t first, const float *values, int64_t n))
{
    int64_t total = p->rows * p->cols;
    for (int64_t first = 0; first < total; first += r->count) {
        r->count = total - first < INIT_CHUNK * INIT_CHUNKS ? total - first : INIT_CHUNK * INIT_CHUNKS;
        thread_each((r->count + INIT_CHUNK - 1) / INIT_CHUNK, cpu_count(), init_chunk, r);
        put(m, p, first, r->values, r->count);
        r->stream += INIT_CHUNKS;
    }
}

static void put_factor(Model *m, const Param *p, int64_t first, const float *values, int64_t n)
{
    device_upload(m->dev, m->master + p->offset + first, values, (size_t)n * 4);
}

void model_init_adapters(Model *m, uint64_t seed)
{
    InitRound r = {
        .values = mem_array(float, INIT_CHUNK * INIT_CHUNKS), .seed = seed, .stream = (uint64_t)1 << 48};
    for (int64_t i = 0; m->frozen && i < m->trainable->n; i++) {
        const Param *p = &m->trainable->at[i];
        r.bound = 1 / sqrt((double)p->cols);
        if (p->part == PART_LORA_A)
            init_param(m, &r, p, put_factor);
        else if (p->part == PART_LORA_B)
            device_zero(m->dev, m->master + p->offset, (size_t)(p->rows * p->cols) * 4);
    }
    mem_free(r.values);
    model_weights_changed(m);
}

void model_init(Model *m, uint64_t seed)
{
    InitRound r = {.values = mem_array(float, INIT_CHUNK * INIT_CHUNKS), .seed = seed};
    for (int64_t i = 0; i < m->params.n; i++) {
        r.deviation = params_deviation(&m->h, m->params.at[i].kind);
        init_param(m, &r, &m->params.at[i], model_put);
    }
    mem_free(r.values);
    if (m->frozen)
        model_init_adapters(m, seed);
}

static void put_loaded(void *context, const Param *p, int64_t first, const float *values, int64_t n)
{
    model_put(context, p, first, values, n);
}

void model_remember_base(Model *m, const char *path)
{
    mem_free(m->base_path);
    m->base_path = m->frozen ? mem_str(path) : NULL;
}

Status model_load(Model *m, const char *folder)
{
    model_remember_base(m, folder);
    TRY(weights_read(&m->params, folder, put_loaded, m));
    return device_sync(m->dev);
}

/* But for the number of ids, and what is no shape. */
static bool same_shape(const HParams *a, const HParams *b)
{
    json_t *x = hparams_to_json(a), *y = hparams_to_json(b);
    static const char *const free_to_differ[] = {"vocab_size", "max_position_embeddings", "bos_token_id",
                                                 "eos_token_id"};
    for (size_t i = 0; i < sizeof free_to_differ / sizeof free_to_differ[0]; i++) {
        json_object_del(x, free_to_differ[i]);
        json_object_del(y, free_to_differ[i]);
    }
    bool same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

Status model_take_file(Model *m, const ModelFile *f, WeightSink *put, void *context)
{
    if (!same_shape(&m->h, model_file_hparams(f)))
        return fail(ST_ARG, "%s holds a model of another shape", model_file_path(f));
    model_remember_base(m, model_file_path(f));
    for (int64_t i = 0; i < m->params.n; i++) {
        const Param *p = &m->params.at[i];
        ModelTensor t;
        model_file_tensor(f, &t, p->kind, p->layer);
        if (m->frozen && p->offset < m->params.matrices &&
            !lora_find(m->trainable, p->kind, p->layer, PART_WHOLE)) {
            frozen_put_tensor(m, p, &t);
            continue;
        }
        float *row = mem_array(float, t.cols);
        for (int64_t r = 0; r < t.rows; r++) {
            quant_decode(row, model_tensor_row(&t, r), t.type, t.cols);
            put(context, p, r * t.cols, row, t.cols);
        }
        mem_free(row);
    }
    return device_sync(m->dev);
}

Status model_load_file(Model *m, const ModelFile *f)
{
    if (m->h.vocab_size != model_file_hparams(f)->vocab_size)
        return fail(ST_ARG, "%s holds a model of %lld ids, not %lld", model_file_path(f),
                    (long long)model_file_hparams(f)->vocab_size, (long long)m->h.vocab_size);
    return model_take_file(m, f, put_loaded, m);
}

Status model_save(Model *m, const char *folder, DType dtype)
{
    check(!m->frozen);
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

Status model_save_trained(Model *m, const char *folder, DType dtype)
{
    return m->frozen ? adapter_save(m, folder, dtype) : model_save(m, folder, dtype);
}

Status model_load_trained(Model *m, const char *folder)
{
    return m->frozen ? adapter_load(m, folder) : model_load(m, folder);
}
