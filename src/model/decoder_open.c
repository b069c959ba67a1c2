/* Opening a decoder: the plan, the memory, and the weights into it.  One walk (carve_*) counts and places. */
#include "base/check.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/decoder_state.h"
#include "model/lora_merge.h"
#include "model/rotations.h"
#include "model/state.h"

/* Setup ------------------------------------------------------------------------------------------------- */

/* Pages of a decoder without a cache: every sequence of a pass may leave one page unfilled. */
static int64_t own_pages(const DecoderSetup *s)
{
    return s->pages > 0 ? 0 : kv_pages_for(s->max_rows) + s->max_logits;
}

static DecoderSetup settled(const DecoderSetup *given, const HParams *h)
{
    DecoderSetup s = *given;
    int64_t room = s.pages > 0 ? s.pages * KV_PAGE : s.max_rows;
    if (s.max_logits > s.max_rows)
        s.max_logits = s.max_rows;
    if (s.context == 0)
        s.context = h->max_position_embeddings;
    if (s.context > room)
        s.context = room;
    return s;
}

static Status check_setup(const DecoderSetup *s)
{
    if (s->max_rows < 1 || s->max_rows > INT32_MAX || s->max_logits < 1)
        return fail(ST_ARG, "a decoder of %lld rows and %lld rows of logits a pass: both must be at least 1",
                    (long long)s->max_rows, (long long)s->max_logits);
    if (s->pages < 0 || s->pages > INT32_MAX || s->context < 0 || s->context > INT32_MAX)
        return fail(ST_ARG, "a cache of %lld pages for a context of %lld is out of bounds",
                    (long long)s->pages, (long long)s->context);
    if (s->compute != DTYPE_BF16 && s->compute != DTYPE_F32)
        return fail(ST_ARG, "a decoder computes in bf16 or f32, not in %s", dtype_name(s->compute));
    return ST_OK;
}

/* Places ------------------------------------------------------------------------------------------------ */

/* Plain numbers, and blocks that there are no products for, are kept in the compute type. */
static QuantType packed_type(QuantType in_file, DType compute)
{
    return quant_block(in_file) > 1 && packed_takes(in_file) ? in_file : quant_of_dtype(compute);
}

static PackedMatrix carve_matrix(Slab *s, const DecoderSource *from, DType compute, ParamKind kind,
                                 int64_t layer)
{
    ModelTensor t;
    (from->shape ? from->shape : from->tensor)(from->owner, &t, kind, (int)layer);
    PackedMatrix w = {.type = packed_type(t.type, compute), .rows = t.rows, .cols = t.cols};
    w.data = slab_take_bytes(s, packed_bytes(w.type, w.rows, w.cols));
    return w;
}

static void carve_weights(Decoder *d, Slab *s, const DecoderSource *from)
{
    DType compute = d->setup.compute;
    int64_t C = d->h.hidden_size;
    for (int64_t l = 0; l < d->h.num_hidden_layers; l++) {
        DecoderLayer *w = &d->layers[l];
        w->input_norm = slab_take(s, DTYPE_F32, 1, C);
        w->qkv[0] = carve_matrix(s, from, compute, PARAM_Q, l);
        w->qkv[1] = carve_matrix(s, from, compute, PARAM_K, l);
        w->qkv[2] = carve_matrix(s, from, compute, PARAM_V, l);
        w->o = carve_matrix(s, from, compute, PARAM_O, l);
        w->post_norm = slab_take(s, DTYPE_F32, 1, C);
        w->gate_up[0] = carve_matrix(s, from, compute, PARAM_GATE, l);
        w->gate_up[1] = carve_matrix(s, from, compute, PARAM_UP, l);
        w->down = carve_matrix(s, from, compute, PARAM_DOWN, l);
    }
    d->final_norm = slab_take(s, DTYPE_F32, 1, C);
    d->embed = carve_matrix(s, from, compute, PARAM_EMBED, -1);
    d->head = d->h.tie_word_embeddings ? d->embed : carve_matrix(s, from, compute, PARAM_HEAD, -1);
}

/* Without a cache nothing outlives its layer, and all layers share their pages. */
static void carve_cache(Decoder *d, Slab *s)
{
    bool cached = d->setup.pages > 0;
    int64_t Hk = d->h.num_key_value_heads, D = d->h.head_dim;
    KvPages kv = {
        .dtype = d->setup.compute, .pages = cached ? d->setup.pages : d->own_pages_n, .Hk = Hk, .D = D};
    size_t bytes = kv_page_bytes(kv.dtype, Hk, D);
    check(!__builtin_mul_overflow(bytes, (size_t)kv.pages, &bytes));
    for (int64_t l = 0; l < d->h.num_hidden_layers; l++) {
        if (l == 0 || cached)
            kv.data = slab_take_bytes(s, bytes);
        d->layers[l].kv = kv;
    }
}

static void carve_activations(Decoder *d, Slab *s)
{
    const HParams *h = &d->h;
    DType act = d->setup.compute;
    int64_t N = d->setup.max_rows, R = d->setup.max_logits, C = h->hidden_size, F = h->intermediate_size;
    int64_t q = h->num_attention_heads * h->head_dim, kv = h->num_key_value_heads * h->head_dim;
    d->rotations = slab_take(s, DTYPE_F32, d->setup.context, h->head_dim);
    d->a = (DecoderActivations){
        .ids = slab_take(s, DTYPE_I32, 1, N),
        .positions = slab_take(s, DTYPE_I32, 1, N),
        .x = slab_take(s, DTYPE_F32, N, C),
        .norm = slab_take(s, act, N, C),
        .qkv = slab_take(s, act, N, q + 2 * kv),
        .att = slab_take(s, act, N, q),
        .gate_up = slab_take(s, act, N, 2 * F),
        .ff = slab_take(s, act, N, F),
        .last_x = slab_take(s, DTYPE_F32, R, C),
        .last_q = slab_take(s, act, R, q),
        .logits = slab_take(s, DTYPE_F32, R, h->vocab_size),
    };
}

/* Fills d->plan, and the places where the three bases are known. */
static void carve_all(Decoder *d, const DecoderSource *from)
{
    Slab weights = {.base = d->weights}, cache = {.base = d->cache}, activations = {.base = d->activations};
    carve_weights(d, &weights, from);
    carve_cache(d, &cache);
    carve_activations(d, &activations);
    d->plan = (DecoderPlan){.weights = weights.used,
                            .cache = cache.used,
                            .activations = activations.used,
                            .total = weights.used + cache.used + activations.used};
}

static Decoder *decoder_planned(Device *dev, const DecoderSource *from, const DecoderSetup *setup)
{
    Decoder *d = mem_new(Decoder);
    *d = (Decoder){.dev = dev, .h = *from->h, .setup = settled(setup, from->h)};
    d->own_pages_n = own_pages(&d->setup);
    d->layers = mem_array(DecoderLayer, d->h.num_hidden_layers);
    carve_all(d, from);
    return d;
}

/* Weights in -------------------------------------------------------------------------------------------- */

/* Rows that lie apart are brought together, so many bytes at a time: they stay in the cache until they are
 * packed. */
enum { GATHER_BYTES = 1 << 20 };

static void pack_gathered(Device *dev, PackedMatrix *w, const ModelTensor *t)
{
    size_t row_bytes = quant_bytes(t->type, t->cols);
    int64_t rows = (int64_t)(GATHER_BYTES / row_bytes) / PACKED_ROWS * PACKED_ROWS;
    if (rows < PACKED_ROWS)
        rows = PACKED_ROWS;
    unsigned char *together = mem_zeroed((size_t)rows, row_bytes);
    for (int64_t first = 0; first < t->rows; first += rows) {
        int64_t n = t->rows - first < rows ? t->rows - first : rows;
        for (int64_t i = 0; i < n; i++)
            memcpy(together + (size_t)i * row_bytes, model_tensor_row(t, first + i), row_bytes);
        pack_weights(dev, w, first, n, together, t->type);
    }
    mem_free(together);
}

static void load_matrix(Decoder *d, PackedMatrix *w, const DecoderSource *from, ParamKind kind, int64_t layer)
{
    ModelTensor t;
    from->tensor(from->owner, &t, kind, (int)layer);
    if (t.permuted_heads)
        pack_gathered(d->dev, w, &t);
    else
        pack_weights(d->dev, w, 0, t.rows, t.data, t.type);
}

static void load_vector(Decoder *d, const Tensor *to, const DecoderSource *from, ParamKind kind,
                        int64_t layer)
{
    ModelTensor t;
    from->tensor(from->owner, &t, kind, (int)layer);
    float *values = mem_array(float, t.cols);
    quant_decode(values, t.data, t.type, t.cols);
    device_upload(d->dev, to->data, values, tensor_bytes(to));
    mem_free(values);
}

static void load_weights(Decoder *d, const DecoderSource *from)
{
    for (int64_t l = 0; l < d->h.num_hidden_layers; l++) {
        DecoderLayer *w = &d->layers[l];
        load_vector(d, &w->input_norm, from, PARAM_INPUT_NORM, l);
        load_matrix(d, &w->qkv[0], from, PARAM_Q, l);
        load_matrix(d, &w->qkv[1], from, PARAM_K, l);
        load_matrix(d, &w->qkv[2], from, PARAM_V, l);
        load_matrix(d, &w->o, from, PARAM_O, l);
        load_vector(d, &w->post_norm, from, PARAM_POST_NORM, l);
        load_matrix(d, &w->gate_up[0], from, PARAM_GATE, l);
        load_matrix(d, &w->gate_up[1], from, PARAM_UP, l);
        load_matrix(d, &w->down, from, PARAM_DOWN, l);
    }
    load_vector(d, &d->final_norm, from, PARAM_FINAL_NORM, -1);
    load_matrix(d, &d->embed, from, PARAM_EMBED, -1);
    if (!d->h.tie_word_embeddings)
        load_matrix(d, &d->head, from, PARAM_HEAD, -1);
}

/* Opening ----------------------------------------------------------------------------------------------- */

/* The system gives memory that it does not have and ends programs later: so ask first. */
static Status check_memory(const Device *dev, const DecoderPlan *p)
{
    int64_t available = dev->kind->host_memory ? memory_available() : -1;
    char need[32], weights[32], cache[32], have[32];
    if (available < 0 || p->total <= (size_t)available)
        return ST_OK;
    return fail(
        ST_NOMEM,
        "the model needs %s of memory (weights %s, cache %s) and %s are free: take weights of fewer bits "
        "(lemur convert --type Q4_K_M), or a smaller cache",
        human_bytes(need, (double)p->total), human_bytes(weights, (double)p->weights),
        human_bytes(cache, (double)p->cache), human_bytes(have, (double)available));
}

static Status allocate(Decoder *d)
{
    TRY(device_alloc(d->dev, &d->weights, d->plan.weights, "the weights"));
    TRY(device_alloc(d->dev, &d->cache, d->plan.cache, "the key and value cache"));
    return device_alloc(d->dev, &d->activations, d->plan.activations, "activations");
}

static void make_host_arrays(Decoder *d)
{
    int64_t N = d->setup.max_rows;
    d->rows = mem_array(PagedRows, N);
    d->last_rows = mem_array(PagedRows, N);
    d->ids = mem_array(int32_t, N);
    d->positions = mem_array(int32_t, N);
    d->own_pages = mem_array(int32_t, d->own_pages_n);
    for (int64_t i = 0; i < d->own_pages_n; i++)
        d->own_pages[i] = (int32_t)i;
}

static void load_rotations(Decoder *d)
{
    float *table = mem_array(float, tensor_count(&d->rotations));
    rotations_fill(table, &d->h, d->setup.context);
    device_upload(d->dev, d->rotations.data, table, tensor_bytes(&d->rotations));
    mem_free(table);
}

Status decoder_open_from(Decoder **out, Device *dev, const DecoderSource *from, const DecoderSetup *setup)
{
    Status st;
    TRY(check_setup(setup));
    Decoder *d = decoder_planned(dev, from, setup);
    TRY_TO(undo, check_memory(dev, &d->plan));
    TRY_TO(undo, allocate(d));
    carve_all(d, from);
    make_host_arrays(d);
    load_rotations(d);
    load_weights(d, from);
    TRY_TO(undo, device_sync(dev));
    *out = d;
    return ST_OK;
undo:
    decoder_close(d);
    return st;
}

void decoder_close(Decoder *d)
{
    if (!d)
        return;
    device_free(d->dev, d->activations, d->plan.activations);
    device_free(d->dev, d->cache, d->plan.cache);
    device_free(d->dev, d->weights, d->plan.weights);
    mem_free(d->layers);
    mem_free(d->rows);
    mem_free(d->last_rows);
    mem_free(d->ids);
    mem_free(d->positions);
    mem_free(d->own_pages);
    mem_free(d);
}

/* From a file */

static void tensor_of_file(const void *owner, ModelTensor *out, ParamKind kind, int layer)
{
    model_file_tensor(owner, out, kind, layer);
}

static DecoderSource source_of_file(const ModelFile *f)
{
    return (DecoderSource){.h = model_file_hparams(f), .owner = f, .tensor = tensor_of_file};
}

DecoderPlan decoder_plan(const ModelFile *f, const DecoderSetup *setup)
{
    DecoderSource from = source_of_file(f);
    Decoder *d = decoder_planned(NULL, &from, setup);
    DecoderPlan plan = d->plan;
    decoder_close(d);
    return plan;
}

Status decoder_open(Decoder **out, Device *dev, const ModelFile *f, const DecoderSetup *setup)
{
    DecoderSource from = source_of_file(f);
    return decoder_open_from(out, dev, &from, setup);
}

/* From a model in memory: its flat arrays, as the processor can read them */

typedef struct {
    const Params *params;
    const void *matrices;
    DType dtype;
    const void *vectors;
} FlatWeights;

static void tensor_of_model(const void *owner, ModelTensor *out, ParamKind kind, int layer)
{
    const FlatWeights *w = owner;
    const Param *p = params_find(w->params, kind, layer);
    bool vector = p->offset >= w->params->matrices;
    *out = (ModelTensor){
        .type = quant_of_dtype(vector ? DTYPE_F32 : w->dtype), .rows = p->rows, .cols = p->cols};
    out->data = vector ? (const unsigned char *)w->vectors + (size_t)(p->offset - w->params->matrices) * 4
                       : (const unsigned char *)w->matrices + (size_t)p->offset * dtype_size(w->dtype);
}

Status decoder_open_model(Decoder **out, Model *m, const DecoderSetup *setup)
{
    if (m->frozen)
        return lora_merge_decoder_of_model(out, m, setup);
    FlatWeights w = {.params = &m->params, .dtype = m->master ? DTYPE_F32 : DTYPE_BF16};
    const void *flat = m->master ? (const void *)m->master : m->copy;
    size_t bytes = (size_t)m->params.matrices * dtype_size(w.dtype);
    size_t norm_bytes = (size_t)(m->params.total - m->params.matrices) * sizeof(float);
    TRY(device_host_view(m->dev, &w.matrices, flat, bytes));
    Status st = device_host_view(m->dev, &w.vectors, m->norms, norm_bytes);
    if (st == ST_OK) {
        DecoderSource from = {.h = &m->h, .owner = &w, .tensor = tensor_of_model};
        st = decoder_open_from(out, m->dev, &from, setup);
        device_host_drop(m->dev, w.vectors, m->norms);
    }
    device_host_drop(m->dev, w.matrices, flat);
    return st;
}

/* What it came to be */

const HParams *decoder_hparams(const Decoder *d)
{
    return &d->h;
}

Device *decoder_device(const Decoder *d)
{
    return d->dev;
}

const DecoderSetup *decoder_setup(const Decoder *d)
{
    return &d->setup;
}

static size_t bytes_of(const PackedMatrix *w)
{
    return packed_bytes(w->type, w->rows, w->cols);
}

size_t decoder_token_bytes(const Decoder *d)
{
    size_t sum = bytes_of(&d->head);
    for (int64_t l = 0; l < d->h.num_hidden_layers; l++) {
        const DecoderLayer *w = &d->layers[l];
        for (int i = 0; i < 3; i++)
            sum += bytes_of(&w->qkv[i]);
        for (int i = 0; i < 2; i++)
            sum += bytes_of(&w->gate_up[i]);
        sum += bytes_of(&w->o) + bytes_of(&w->down);
    }
    return sum;
}
