#include "train/optimizer.h"

#include <math.h>

#include "ops/ops.h"

Status optimizer_open(Optimizer *o, Device *dev, Model *model, const OptimizerSettings *set)
{
    Status st;
    void *m = NULL, *v = NULL;
    const Params *p = model_trainable(model);
    *o = (Optimizer){.dev = dev, .model = model, .set = *set};
    if (set->muon) {
        muon_span(p, &o->first, &o->end);
        TRY_TO(undo, muon_open(&o->muon, dev, p, model_setup(model)->compute));
    }
    int64_t total = p->total, squares = total - (o->end - o->first);
    TRY_TO(undo, device_alloc(dev, &m, (size_t)total * sizeof(float), "first moments"));
    o->m = tensor_view(m, DTYPE_F32, 1, total);
    TRY_TO(undo, device_alloc(dev, &v, (size_t)squares * sizeof(float), "AdamW's second moments"));
    o->v = tensor_view(v, DTYPE_F32, 1, squares);
    optimizer_reset(o);
    return ST_OK;
undo:
    optimizer_close(o);
    return st;
}

void optimizer_close(Optimizer *o)
{
    muon_close(&o->muon);
    if (o->m.data)
        device_free(o->dev, o->m.data, tensor_bytes(&o->m));
    if (o->v.data)
        device_free(o->dev, o->v.data, tensor_bytes(&o->v));
    *o = (Optimizer){0};
}

void optimizer_reset(Optimizer *o)
{
    device_zero(o->dev, o->m.data, tensor_bytes(&o->m));
    device_zero(o->dev, o->v.data, tensor_bytes(&o->v));
    o->steps = 0;
}

static bool muon_moves(const Optimizer *o, const Param *p)
{
    return p->offset >= o->first && p->offset < o->end;
}

static int64_t square_at(const Optimizer *o, int64_t offset)
{
    return offset < o->end ? offset : offset - (o->end - o->first);
}

int64_t optimizer_square_at(const Optimizer *o, const Param *p)
{
    return muon_moves(o, p) ? -1 : square_at(o, p->offset);
}

/* Elements [first, end) of the flat arrays. */
static void adamw_group(Optimizer *o, int64_t first, int64_t end, bool copied, const AdamWStep *step)
{
    int64_t count = end - first;
    if (count == 0)
        return;
    Tensor weights = model_weights(o->model), gradients = model_gradients(o->model);
    Tensor copies = model_weights_copy(o->model), copy = {0};
    Tensor w = tensor_cols(&weights, first, count), g = tensor_cols(&gradients, first, count);
    Tensor m = tensor_cols(&o->m, first, count), v = tensor_cols(&o->v, square_at(o, first), count);
    copied = copied && copies.data;
    if (copied)
        copy = tensor_cols(&copies, first, count);
    adamw(o->dev, &w, copied ? &copy : NULL, &m, &v, &g, step);
}

static Tensor matrix_of(const Tensor *flat, const Param *p)
{
    char *data = (char *)flat->data + (size_t)p->offset * dtype_size(flat->dtype);
    return tensor_view(data, flat->dtype, p->rows, p->cols);
}

static void muon_group(Optimizer *o, const MuonStep *step)
{
    const Params *p = model_trainable(o->model);
    Tensor weights = model_weights(o->model), gradients = model_gradients(o->model);
    Tensor copies = model_weights_copy(o->model), copy = {0};
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i];
        if (!muon_moves(o, one))
            continue;
        Tensor w = matrix_of(&weights, one), g = matrix_of(&gradients, one), m = matrix_of(&o->m, one);
        if (copies.data)
            copy = matrix_of(&copies, one);
        muon_update(&o->muon, &w, copies.data ? &copy : NULL, &m, &g, step);
    }
}

void optimizer_step(Optimizer *o, double lr, double grad_scale)
{
    const Params *p = model_trainable(o->model);
    o->steps++;
    AdamWStep step = {
        .lr = (float)lr,
        .beta1 = (float)o->set.beta1,
        .beta2 = (float)o->set.beta2,
        .eps = (float)o->set.eps,
        .weight_decay = (float)o->set.weight_decay,
        .bias1 = (float)(1 - pow(o->set.beta1, (double)o->steps)),
        .bias2 = (float)(1 - pow(o->set.beta2, (double)o->steps)),
        .grad_scale = (float)grad_scale,
    };
    if (o->set.muon)
        muon_group(o, &(MuonStep){.lr = step.lr,
                                  .momentum = (float)o->set.muon_momentum,
                                  .weight_decay = step.weight_decay,
                                  .grad_scale = step.grad_scale});
    adamw_group(o, 0, o->first, true, &step);
    adamw_group(o, o->end, p->matrices, true, &step);
    step.weight_decay = 0;
    adamw_group(o, p->matrices, p->total, false, &step);
    if (!model_weights_copy(o->model).data)
        model_weights_changed(o->model);
}
