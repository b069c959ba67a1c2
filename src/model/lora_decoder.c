/* Decoders with adapters merged in: from a file and an adapter, and from a model that is being trained. */
#include <string.h>

#include "base/check.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/decoder_state.h"
#include "model/lora_rows.h"
#include "model/state.h"

/* Hands a decoder one matrix at a time, made in memory that the next one takes. */
typedef struct {
    const Params *params;
    QuantType (*type)(const void *owner, const Param *p);
    void (*row)(const void *owner, const Param *p, int64_t row, float *out);
    const void *owner;
    unsigned char *made;
    float *values; /* [threads, longest row] */
    int threads;
    /* what is being made */
    const Param *p;
    QuantType made_as;
} Maker;

enum { TASK_ROWS = 64 };

static void make_rows(void *context, int64_t task, int thread)
{
    Maker *k = context;
    float *values = k->values + (int64_t)thread * k->p->cols;
    size_t row_bytes = quant_bytes(k->made_as, k->p->cols);
    for (int64_t r = task * TASK_ROWS; r < k->p->rows && r < (task + 1) * TASK_ROWS; r++) {
        k->row(k->owner, k->p, r, values);
        quant_encode(k->made + (size_t)r * row_bytes, k->made_as, values, k->p->cols);
    }
}

static void shape_of(const void *owner, ModelTensor *out, ParamKind kind, int layer)
{
    const Maker *k = owner;
    const Param *p = params_find(k->params, kind, layer);
    *out = (ModelTensor){.type = k->type(k->owner, p), .rows = p->rows, .cols = p->cols};
}

static void make_tensor(const void *owner, ModelTensor *out, ParamKind kind, int layer)
{
    Maker *k = (Maker *)(uintptr_t)owner;
    shape_of(owner, out, kind, layer);
    k->p = params_find(k->params, kind, layer);
    k->made_as = out->type;
    k->made = mem_resize(k->made, 1, quant_bytes(out->type, out->rows * out->cols));
    k->values = mem_resize(k->values, (size_t)(k->threads * out->cols), sizeof *k->values);
    thread_each((out->rows + TASK_ROWS - 1) / TASK_ROWS, k->threads, make_rows, k);
    out->data = k->made;
}

static Status open_made(Decoder **out, Device *dev, Maker *k, const DecoderSetup *setup)
{
    k->threads = cpu_count();
    DecoderSource from = {.h = &k->params->h, .owner = k, .tensor = make_tensor, .shape = shape_of};
    Status st = decoder_open_from(out, dev, &from, setup);
    mem_free(k->made);
    mem_free(k->values);
    return st;
}

/* From a file and an adapter ----------------------------------------------------------------------------- */

static QuantType type_of_merge(const void *owner, const Param *p)
{
    QuantType t = lora_merge_type(owner, p);
    return quant_writes(t) ? t : QUANT_Q8_0; /* older files' types: as good */
}

static void row_of_merge(const void *owner, const Param *p, int64_t row, float *out)
{
    WeightSource s = lora_merge_source(owner);
    s.row(&s, p, row, out);
}

Status lora_merge_decoder(Decoder **out, Device *dev, const LoraMerge *m, const DecoderSetup *setup)
{
    Maker k = {.params = lora_merge_params(m), .type = type_of_merge, .row = row_of_merge, .owner = m};
    return open_made(out, dev, &k, setup);
}

/* From a model in training ------------------------------------------------------------------------------- */

static QuantType type_of_trained(const void *owner, const Param *p)
{
    const Model *m = owner;
    bool quantised = p->offset < m->params.matrices && frozen_type(m, p) != QUANT_F32;
    return quantised && quant_fits(QUANT_Q8_0, p->cols) ? QUANT_Q8_0 : QUANT_F32;
}

static void row_of_trained(const void *owner, const Param *p, int64_t row, float *out)
{
    const Model *m = owner;
    const Param *a = lora_find(m->trainable, p->kind, p->layer, PART_LORA_A);
    const Param *b = lora_find(m->trainable, p->kind, p->layer, PART_LORA_B);
    const Param *whole = lora_find(m->trainable, p->kind, p->layer, PART_WHOLE);
    if (p->offset >= m->params.matrices)
        memcpy(out, m->norms + (p->offset - m->params.matrices), (size_t)p->cols * sizeof *out);
    else if (whole)
        memcpy(out, m->master + whole->offset + row * p->cols, (size_t)p->cols * sizeof *out);
    else
        frozen_row(m, out, p, row);
    if (a)
        lora_merge_add(out, m->master + b->offset + row * b->cols, m->master + a->offset, a->rows, p->cols,
                       (float)lora_scale(&m->setup.lora, p->kind));
}

Status lora_merge_decoder_of_model(Decoder **out, Model *m, const DecoderSetup *setup)
{
    Maker k = {.params = &m->params, .type = type_of_trained, .row = row_of_trained, .owner = m};
    check(m->dev->kind->host_memory); /* another device brings its own way */
    TRY(device_sync(m->dev));
    return open_made(out, m->dev, &k, setup);
}
