#include "model/weight_source.h"

#include "base/rng.h"

Status weight_source_wanted(const WeightSource *s)
{
    return s->stop && *s->stop ? fail(ST_CANCELLED, "stopped; nothing unfinished was kept") : ST_OK;
}

static void file_row(const WeightSource *s, const Param *p, int64_t row, float *out)
{
    ModelTensor t;
    model_file_tensor(s->context, &t, p->kind, p->layer);
    quant_decode(out, model_tensor_row(&t, row), t.type, t.cols);
}

static const void *file_stored(const WeightSource *s, const Param *p, int64_t row, QuantType type)
{
    ModelTensor t;
    model_file_tensor(s->context, &t, p->kind, p->layer);
    return t.type == type ? model_tensor_row(&t, row) : NULL;
}

WeightSource weight_source_file(const ModelFile *f)
{
    return (WeightSource){
        .params = model_file_params(f), .context = f, .row = file_row, .stored = file_stored};
}

static void random_row(const WeightSource *s, const Param *p, int64_t row, float *out)
{
    double deviation = params_deviation(&s->params->h, p->kind);
    Rng r;
    rng_seed_pair(&r, s->seed, (uint64_t)(p - s->params->at) << 32 | (uint64_t)row);
    for (int64_t i = 0; i < p->cols; i++)
        out[i] = deviation > 0 ? (float)(deviation * rng_normal(&r)) : 1;
}

WeightSource weight_source_random(const Params *params, uint64_t seed)
{
    return (WeightSource){.params = params, .seed = seed, .row = random_row};
}
