#include "train/optimizer.h"

#include <math.h>

#include "ops/ops.h"

Status optimizer_open(Optimizer *o, Device *dev, Model *model, const AdamW *set)
{
    Status st;
    void *m = NULL, *v = NULL;
    int64_t total = model_trainable(model)->total;
    size_t bytes = (size_t)total * sizeof(float);
    *o = (Optimizer){.dev = dev, .model = model, .set = *set};
    TRY_TO(undo, device_alloc(dev, &m, bytes, "AdamW's first moments"));
    o->m = tensor_view(m, DTYPE_F32, 1, total);
    TRY_TO(undo, device_alloc(dev, &v, bytes, "AdamW's second moments"));
    o->v = tensor_view(v, DTYPE_F32, 1, total);
    optimizer_reset(o);
    return ST_OK;
undo:
    optimizer_close(o);
    return st;
}

void optimizer_close(Optimizer *o)
{
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

static void update_group(Optimizer *o, int64_t first, int64_t count, Tensor *copy, const AdamWStep *step)
{
    if (count == 0)
        return;
    Tensor weights = model_weights(o->model), gradients = model_gradients(o->model);
    Tensor w = tensor_cols(&weights, first, count), g = tensor_cols(&gradients, first, count);
    Tensor m = tensor_cols(&o->m, first, count), v = tensor_cols(&o->v, first, count);
    adamw(o->dev, &w, copy, &m, &v, &g, step);
}

void optimizer_step(Optimizer *o, double lr, double grad_scale)
{
    const Params *p = model_trainable(o->model);
    Tensor copy = model_weights_copy(o->model);
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
    update_group(o, 0, p->matrices, copy.data ? &copy : NULL, &step);
    step.weight_decay = 0;
    update_group(o, p->matrices, p->total - p->matrices, NULL, &step);
    if (!copy.data)
        model_weights_changed(o->model);
}
