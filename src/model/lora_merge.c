#include "model/lora_merge.h"

#include "base/check.h"
#include "base/mem.h"
#include "model/convert.h"
#include "model/lora_rows.h"

/* The factors of one matrix, f32. */
typedef struct {
    int64_t rank;
    float scale;
    float *a, *b; /* [rank, in], [out, rank]; NULL: no adapter */
} Factors;

struct LoraMerge {
    const ModelFile *base;
    Adapter *adapter;
    HParams h;
    Params params;
    Factors *factors; /* [params.n], in the order of the table */
};

/* row += factor * from.  Compilers make vectors of pieces whose length they know; told to by `omp simd`,
 * clang warns where its sanitizers leave it no way to. */
static void add_row(float *restrict row, const float *restrict from, int64_t n, float factor)
{
    enum { PIECE = 16 };
    int64_t i = 0;
    for (; i + PIECE <= n; i += PIECE)
        for (int j = 0; j < PIECE; j++)
            row[i + j] += factor * from[i + j];
    for (; i < n; i++)
        row[i] += factor * from[i];
}

/* row += scale * b A, a vector of A at a time. */
void lora_merge_add(float *row, const float *b, const float *a, int64_t rank, int64_t in, float scale)
{
    for (int64_t k = 0; k < rank; k++)
        add_row(row, a + k * in, in, scale * b[k]);
}

static float *values_of(const SafetensorsEntry *e)
{
    float *values = mem_array(float, e->count);
    convert_floats(values, DTYPE_F32, e->data, e->dtype, e->count);
    return values;
}

static void take_factors(LoraMerge *m)
{
    m->factors = mem_array(Factors, m->params.n);
    for (int64_t i = 0; i < m->params.n; i++) {
        const Param *p = &m->params.at[i];
        const AdapterMatrix *x = adapter_find(m->adapter, p->kind, p->layer);
        if (x)
            m->factors[i] = (Factors){x->rank, (float)x->scale, values_of(x->a), values_of(x->b)};
    }
}

Status lora_merge_open(LoraMerge **out, const ModelFile *base, const char *folder)
{
    LoraMerge *m = mem_new(LoraMerge);
    m->base = base;
    Status st = adapter_open(&m->adapter, folder, model_file_hparams(base));
    if (st != ST_OK) {
        lora_merge_close(m);
        return st;
    }
    m->h = *adapter_hparams(m->adapter);
    params_init(&m->params, &m->h);
    take_factors(m);
    *out = m;
    return ST_OK;
}

void lora_merge_close(LoraMerge *m)
{
    if (!m)
        return;
    for (int64_t i = 0; m->factors && i < m->params.n; i++) {
        mem_free(m->factors[i].a);
        mem_free(m->factors[i].b);
    }
    mem_free(m->factors);
    params_drop(&m->params);
    adapter_close(m->adapter);
    mem_free(m);
}

const HParams *lora_merge_hparams(const LoraMerge *m)
{
    return &m->h;
}

const Params *lora_merge_params(const LoraMerge *m)
{
    return &m->params;
}

const char *lora_merge_base(const LoraMerge *m)
{
    return adapter_base(m->adapter);
}

/* Rows --------------------------------------------------------------------------------------------------- */

static void merged_row(const WeightSource *s, const Param *p, int64_t row, float *out)
{
    const LoraMerge *m = s->context;
    const SafetensorsEntry *whole = adapter_whole(m->adapter, p->kind);
    const Factors *f = &m->factors[p - m->params.at];
    ModelTensor t;
    if (whole) {
        const char *at = (const char *)whole->data + (size_t)(row * p->cols) * dtype_size(whole->dtype);
        convert_floats(out, DTYPE_F32, at, whole->dtype, p->cols);
        return;
    }
    model_file_tensor(m->base, &t, p->kind, p->layer);
    quant_decode(out, model_tensor_row(&t, row), t.type, t.cols);
    if (f->a)
        lora_merge_add(out, f->b + row * f->rank, f->a, f->rank, p->cols, f->scale);
}

static const void *merged_stored(const WeightSource *s, const Param *p, int64_t row, QuantType type)
{
    const LoraMerge *m = s->context;
    ModelTensor t;
    if (adapter_whole(m->adapter, p->kind) || m->factors[p - m->params.at].a)
        return NULL;
    model_file_tensor(m->base, &t, p->kind, p->layer);
    return t.type == type ? model_tensor_row(&t, row) : NULL;
}

WeightSource lora_merge_source(const LoraMerge *m)
{
    return (WeightSource){.params = &m->params, .context = m, .row = merged_row, .stored = merged_stored};
}

/* Type of a matrix in a decoder: as it lies in the base, or as a merged one is packed. */
QuantType lora_merge_type(const LoraMerge *m, const Param *p)
{
    ModelTensor t;
    model_file_tensor(m->base, &t, p->kind, p->layer);
    bool merged = adapter_whole(m->adapter, p->kind) || m->factors[p - m->params.at].a;
    if (!merged)
        return t.type;
    return quant_block(t.type) > 1 && quant_fits(QUANT_Q8_0, p->cols) ? QUANT_Q8_0 : QUANT_F32;
}
