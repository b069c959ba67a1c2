#include "model/frozen.h"

#include <xxhash.h>

#include "base/check.h"
#include "base/mem.h"
#include "model/convert.h"
#include "model/state.h"

/* Places ------------------------------------------------------------------------------------------------- */

static bool quantised(const ModelFile *f, ParamKind kind, int layer)
{
    ModelTensor t;
    if (!f)
        return false;
    model_file_tensor(f, &t, kind, layer);
    return quant_block(t.type) > 1;
}

static FrozenBlocks carve_blocks(Slab *s, const ModelFile *f, ParamKind kind, int layer)
{
    ModelTensor t;
    model_file_tensor(f, &t, kind, layer);
    return (FrozenBlocks){.type = t.type, .data = slab_take_bytes(s, quant_bytes(t.type, t.rows * t.cols))};
}

/* Returns how many numbers of scratch memory it needs. */
static int64_t carve_linear(FrozenLinear *w, Slab *s, const HParams *h, const ModelSetup *setup, int layer,
                            Linear which)
{
    LinearShape shape = linear_shape(h, which);
    int64_t R = lora_columns(&setup->lora, which), rows = shape.out + R, cols = shape.in + R;
    bool in_blocks = false;
    *w = (FrozenLinear){0};
    for (int i = 0; i < shape.count; i++)
        in_blocks = in_blocks || quantised(setup->base, shape.first + (ParamKind)i, layer);
    w->whole = tensor_view(NULL, setup->compute, rows, cols);
    if (!in_blocks) {
        w->whole = slab_take(s, setup->compute, rows, cols);
        return 0;
    }
    for (int i = 0; i < shape.count; i++)
        w->blocks[i] = carve_blocks(s, setup->base, shape.first + (ParamKind)i, layer);
    return rows * cols;
}

/* One that is trained whole is not in blocks. */
static void carve_table(FrozenTable *t, Slab *s, const HParams *h, const ModelSetup *setup, ParamKind kind,
                        bool trained)
{
    *t = (FrozenTable){.rows = tensor_view(NULL, setup->compute, h->vocab_size, h->hidden_size)};
    if (!trained && quantised(setup->base, kind, -1))
        t->blocks = carve_blocks(s, setup->base, kind, -1);
    else
        t->rows = slab_take(s, setup->compute, h->vocab_size, h->hidden_size);
}

void frozen_carve(Frozen *f, Slab *s, const HParams *h, const ModelSetup *setup)
{
    int64_t most = 0, need;
    for (int64_t l = 0; l < h->num_hidden_layers; l++)
        for (int w = 0; w < LINEARS; w++) {
            need = carve_linear(&f->linear[l * LINEARS + w], s, h, setup, (int)l, (Linear)w);
            most = need > most ? need : most;
        }
    carve_table(&f->embed, s, h, setup, PARAM_EMBED, setup->lora.embed);
    f->head = f->embed;
    if (!h->tie_word_embeddings)
        carve_table(&f->head, s, h, setup, PARAM_HEAD, setup->lora.head);
    need = f->head.blocks.data || quantised(setup->base, PARAM_HEAD, -1) ? h->vocab_size * h->hidden_size : 0;
    most = need > most ? need : most;
    f->scratch = most ? slab_take(s, setup->compute, 1, most) : (Tensor){0};
    f->holds = -1;
}

static FrozenTable *table_of(Frozen *f, ParamKind kind)
{
    return kind == PARAM_HEAD ? &f->head : &f->embed;
}

/* Where a matrix of a layer is. */
typedef struct {
    FrozenLinear *linear;
    Linear which;
    int i;         /* which of the product's matrices */
    int64_t row; /* of the product's outputs: its first */
} Place;

static Place place_of(const Model *m, const Param *p)
{
    for (int w = 0; w < LINEARS; w++) {
        LinearShape shape = linear_shape(&m->h, (Linear)w);
        Place at = {.linear = &m->frozen->linear[p->layer * LINEARS + w], .which = (Linear)w};
        for (; at.i < shape.count; at.row += shape.rows[at.i++])
            if (p->kind == shape.first + (ParamKind)at.i)
                return at;
    }
    check(0 && "a matrix of a layer");
    return (Place){0};
}

/* A matrix as [rows, cols], without its product's adapters; data NULL: it is in blocks, and
 * these are they. */
static Tensor matrix_of(const Model *m, const Param *p, FrozenBlocks *blocks)
{
    if (p->layer < 0) {
        const FrozenTable *t = table_of(m->frozen, p->kind);
        *blocks = t->blocks;
        return t->rows;
    }
    Place at = place_of(m, p);
    *blocks = at.linear->blocks[at.i];
    if (!at.linear->whole.data)
        return tensor_view(NULL, m->setup.compute, p->rows, p->cols);
    Tensor rows = tensor_rows(&at.linear->whole, at.row, p->rows);
    return tensor_cols(&rows, 0, p->cols);
}

/* Values in ---------------------------------------------------------------------------------------------- */

static void *address(const Tensor *t, int64_t row, int64_t col)
{
    return (char *)t->data + (size_t)(row * t->stride + col) * dtype_size(t->dtype);
}

void frozen_put(Model *m, const Param *p, int64_t first, const float *values, int64_t n)
{
    FrozenBlocks blocks;
    Tensor t = matrix_of(m, p, &blocks);
    check(t.data); /* blocks come as such */
    size_t size = dtype_size(t.dtype);
    char *row = mem_array(char, (size_t)t.cols * size);
    for (int64_t done = 0, part; done < n; done += part) {
        int64_t at = first + done, r = at / t.cols, c = at % t.cols;
        part = n - done < t.cols - c ? n - done : t.cols - c;
        convert_floats(row, t.dtype, values + done, DTYPE_F32, part);
        device_upload(m->dev, address(&t, r, c), row, (size_t)part * size);
    }
    mem_free(row);
}

void frozen_put_tensor(Model *m, const Param *p, const ModelTensor *t)
{
    FrozenBlocks blocks;
    Tensor to = matrix_of(m, p, &blocks);
    size_t row_bytes = quant_bytes(t->type, t->cols);
    float *values = mem_array(float, t->cols);
    for (int64_t r = 0; r < t->rows; r++) {
        if (!to.data) {
            device_upload(m->dev, (char *)blocks.data + (size_t)r * row_bytes, model_tensor_row(t, r),
                          row_bytes);
            continue;
        }
        quant_decode(values, model_tensor_row(t, r), t->type, t->cols);
        frozen_put(m, p, r * t->cols, values, t->cols);
    }
    mem_free(values);
}

void frozen_refresh(Model *m)
{
    Frozen *f = m->frozen;
    f->holds = -1;
    for (int64_t l = 0; l < m->h.num_hidden_layers; l++)
        for (int w = 0; w < LINEARS; w++)
            if (f->linear[l * LINEARS + w].whole.data)
                linear_place_adapters(m, l, (Linear)w, &f->linear[l * LINEARS + w].whole);
    for (int kind = PARAM_EMBED; kind <= PARAM_HEAD; kind += PARAM_HEAD - PARAM_EMBED) {
        const Param *whole = lora_find(m->trainable, (ParamKind)kind, -1, PART_WHOLE);
        if (!whole)
            continue;
        Tensor from = tensor_view(m->master + whole->offset, DTYPE_F32, whole->rows, whole->cols);
        cast(m->dev, &table_of(f, (ParamKind)kind)->rows, &from);
    }
}

/* Weights for products ----------------------------------------------------------------------------------- */

static Tensor in_scratch(Model *m, int64_t rows, int64_t cols)
{
    return tensor_view(m->frozen->scratch.data, m->setup.compute, rows, cols);
}

/* The rows and columns of a block that adapters lie in: what of them no factor fills is to be 0. */
static void zero_spare(Model *m, const Tensor *whole, const LinearShape *shape)
{
    size_t size = dtype_size(whole->dtype), strip = (size_t)(whole->cols - shape->in) * size;
    for (int64_t r = 0; r < shape->out && strip; r++)
        device_zero(m->dev, address(whole, r, shape->in), strip);
    device_zero(m->dev, address(whole, shape->out, 0),
                (size_t)((whole->rows - shape->out) * whole->stride) * size);
}

Tensor frozen_linear(Model *m, int64_t layer, Linear which)
{
    Frozen *f = m->frozen;
    FrozenLinear *w = &f->linear[layer * LINEARS + which];
    if (w->whole.data)
        return w->whole;
    LinearShape shape = linear_shape(&m->h, which);
    Tensor whole = in_scratch(m, w->whole.rows, w->whole.cols);
    if (f->holds == layer * LINEARS + which)
        return whole;
    f->holds = layer * LINEARS + which;
    zero_spare(m, &whole, &shape);
    for (int64_t i = 0, row = 0; i < shape.count; row += shape.rows[i++]) {
        Tensor rows = tensor_rows(&whole, row, shape.rows[i]), to = tensor_cols(&rows, 0, shape.in);
        decode_rows(m->dev, &to, w->blocks[i].data, w->blocks[i].type, NULL);
    }
    linear_place_adapters(m, layer, which, &whole);
    return whole;
}

Tensor frozen_head(Model *m)
{
    Frozen *f = m->frozen;
    int64_t name = m->h.num_hidden_layers * LINEARS;
    if (f->head.rows.data)
        return f->head.rows;
    Tensor head = in_scratch(m, f->head.rows.rows, f->head.rows.cols);
    if (f->holds != name)
        decode_rows(m->dev, &head, f->head.blocks.data, f->head.blocks.type, NULL);
    f->holds = name;
    return head;
}

void frozen_embed(Model *m, Tensor *out, const Tensor *ids)
{
    const FrozenTable *t = &m->frozen->embed;
    if (t->rows.data)
        embed(m->dev, out, &t->rows, ids);
    else
        decode_rows(m->dev, out, t->blocks.data, t->blocks.type, ids);
}

/* Rows of matrices lie apart, and what lies between them are adapters, which are another matter. */
static void hash_rows(XXH3_state_t *sum, const Tensor *t)
{
    for (int64_t r = 0; r < t->rows; r++)
        XXH3_64bits_update(sum, address(t, r, 0), (size_t)t->cols * dtype_size(t->dtype));
}

Status model_base_hash(Model *m, uint64_t *out)
{
    const void *view, *norms;
    size_t norm_bytes = (size_t)(m->params.total - m->params.matrices) * sizeof(float);
    check(m->frozen);
    TRY(device_host_view(m->dev, &view, m->frozen_memory, m->frozen_bytes));
    Status st = device_host_view(m->dev, &norms, m->norms, norm_bytes);
    XXH3_state_t *sum = st == ST_OK ? XXH3_createState() : NULL;
    if (sum)
        XXH3_64bits_reset(sum);
    for (int64_t i = 0; sum && i < m->params.n; i++) {
        const Param *p = &m->params.at[i];
        FrozenBlocks blocks;
        if (p->offset >= m->params.matrices) {
            XXH3_64bits_update(sum, (const float *)norms + (p->offset - m->params.matrices),
                               (size_t)p->cols * sizeof(float));
            continue;
        }
        Tensor t = matrix_of(m, p, &blocks);
        ptrdiff_t at = (char *)(t.data ? t.data : blocks.data) - (char *)m->frozen_memory;
        const char *there = (const char *)view + at;
        t.data = t.data ? (void *)(uintptr_t)there : NULL;
        if (lora_find(m->trainable, p->kind, p->layer, PART_WHOLE))
            continue;
        if (t.data)
            hash_rows(sum, &t);
        else
            XXH3_64bits_update(sum, there, quant_bytes(blocks.type, p->rows * p->cols));
    }
    if (sum) {
        *out = XXH3_64bits_digest(sum);
        XXH3_freeState(sum);
        device_host_drop(m->dev, norms, m->norms);
    }
    device_host_drop(m->dev, view, m->frozen_memory);
    return st;
}

void frozen_row(const Model *m, float *out, const Param *p, int64_t row)
{
    FrozenBlocks blocks;
    Tensor t = matrix_of(m, p, &blocks);
    if (t.data)
        convert_floats(out, DTYPE_F32, address(&t, row, 0), t.dtype, p->cols);
    else
        quant_decode(out, (const char *)blocks.data + (size_t)row * quant_bytes(blocks.type, p->cols),
                     blocks.type, p->cols);
}

QuantType frozen_type(const Model *m, const Param *p)
{
    FrozenBlocks blocks;
    Tensor t = matrix_of(m, p, &blocks);
    return t.data ? QUANT_F32 : blocks.type;
}
