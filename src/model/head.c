/* From the last layer's chosen rows (chosen.c) to the loss. */
#include "model/state.h"

void head_norm(Model *m)
{
    Activations *a = &m->a;
    int64_t n = m->chosen;
    Tensor w = model_final_norm(m), x = tensor_rows(&a->x_out, 0, n);
    Tensor norm = tensor_rows(&a->norm, 0, n), rstd = tensor_cols(&a->rstd, 0, n);
    rmsnorm(m->dev, &norm, &rstd, &x, &w, (float)m->h.rms_norm_eps);
}

HeadRows head_rows(Model *m, int64_t first)
{
    Activations *a = &m->a;
    int64_t left = m->chosen - first, n = left < a->logits.rows ? left : a->logits.rows;
    HeadRows r = {.first = first, .n = n};
    if (n == 0)
        return r;
    r.x = tensor_rows(&a->norm, first, n);
    r.logits = tensor_rows(&a->logits, 0, n);
    r.targets = tensor_cols(&a->targets, first, n);
    r.loss = tensor_cols(&a->loss, first, n);
    Tensor head = model_head(m);
    matmul(m->dev, &r.logits, &r.x, &head, false);
    return r;
}

void head_norm_back(Model *m)
{
    Activations *a = &m->a;
    int64_t n = m->chosen;
    Tensor w = model_final_norm(m), g = model_final_norm_gradients(m), x = tensor_rows(&a->x_out, 0, n);
    Tensor dx = tensor_rows(&a->dx, 0, n), dx_act = tensor_rows(&a->dx_act, 0, n);
    Tensor dnorm = tensor_rows(&a->dnorm_head, 0, n), rstd = tensor_cols(&a->rstd, 0, n);
    device_zero(m->dev, dx.data, (size_t)(n * dx.stride) * sizeof(float));
    rmsnorm_back(m->dev, &dx, dx_act.data == dx.data ? NULL : &dx_act, &g, &dnorm, &x, &w, &rstd);
}

Status model_losses(Model *m, float *out)
{
    int64_t N = m->a.N, n = m->chosen;
    device_download(m->dev, out, m->a.loss.data, (size_t)n * sizeof(float));
    TRY(device_sync(m->dev));
    if (!rows_are_chosen(m))
        return ST_OK;
    for (int64_t i = n; i < N; i++)
        out[i] = 0;
    for (int64_t i = n; i-- > 0;) { /* no row goes to the left */
        float loss = out[i];
        out[i] = 0;
        out[m->chosen_ids[i]] = loss;
    }
    return ST_OK;
}
