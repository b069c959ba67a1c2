/* From the last layer to the loss.  Rows whose target is not learned have a loss of 0 and send back nothing:
 * where there are some, the others are gathered before the final norm, go through norm, head and loss side by
 * side, and their gradients are put back among zeros.  Where all are learned nothing is moved. */
#include "model/state.h"

/* Rows come in so many at a time, a few unlearned ones among them: libraries prepare a product for each
 * number of rows, and batches would bring ever new ones. */
enum { ROWS_TOGETHER = 16 };

void head_choose(Model *m, const int32_t *targets)
{
    int64_t N = m->a.N, learned = 0;
    for (int64_t i = 0; i < N; i++)
        learned += !targets || targets[i] >= 0;
    int64_t want = (learned + ROWS_TOGETHER - 1) / ROWS_TOGETHER * ROWS_TOGETHER, others = want - learned;
    m->head_n = want < N ? want : N;
    if (m->head_n == N) {
        if (targets)
            device_upload(m->dev, m->a.targets.data, targets, (size_t)N * sizeof(int32_t));
        return;
    }
    int64_t n = 0;
    for (int64_t i = 0; n < want; i++) {
        if (targets[i] < 0 && others-- <= 0)
            continue;
        m->host_head_ids[n] = (int32_t)i;
        m->host_head_targets[n++] = targets[i];
    }
    device_upload(m->dev, m->a.targets.data, m->host_head_targets, (size_t)n * sizeof(int32_t));
}

static bool moved(const Model *m)
{
    return m->head_n < m->a.N;
}

/* The final norm's input, and which of the layers' rows each is; the latter only where they are moved. */
static Tensor head_x(Model *m)
{
    return moved(m) ? tensor_rows(&m->a.head_x, 0, m->head_n) : m->a.x_out;
}

static Tensor head_ids(Model *m)
{
    return tensor_cols(&m->a.head_ids, 0, m->head_n);
}

void head_norm(Model *m)
{
    Activations *a = &m->a;
    int64_t n = m->head_n;
    if (n == 0)
        return;
    Tensor w = model_final_norm(m), x = head_x(m);
    Tensor norm = tensor_rows(&a->norm, 0, n), rstd = tensor_cols(&a->rstd, 0, n);
    if (moved(m)) {
        Tensor ids = head_ids(m);
        device_upload(m->dev, ids.data, m->host_head_ids, (size_t)n * sizeof(int32_t));
        embed(m->dev, &x, &a->x_out, &ids);
    }
    rmsnorm(m->dev, &norm, &rstd, &x, &w, (float)m->h.rms_norm_eps);
}

HeadRows head_rows(Model *m, int64_t first)
{
    Activations *a = &m->a;
    int64_t left = m->head_n - first, n = left < a->logits.rows ? left : a->logits.rows;
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

static void zero(Model *m, const Tensor *t)
{
    device_zero(m->dev, t->data, (size_t)(t->rows * t->stride) * sizeof(float));
}

void head_norm_back(Model *m)
{
    Activations *a = &m->a;
    int64_t n = m->head_n;
    Tensor w = model_final_norm(m), g = model_final_norm_gradients(m), x = head_x(m);
    Tensor *dx_copy = a->dx_act.data == a->dx.data ? NULL : &a->dx_act;
    if (!moved(m)) {
        zero(m, &a->dx);
        rmsnorm_back(m->dev, &a->dx, dx_copy, &g, &a->dnorm_head, &x, &w, &a->rstd);
        return;
    }
    /* x lies in dx, and x_out has been read: there the gradient is made, then it changes places with x. */
    Tensor dx = tensor_rows(&a->x_out, 0, n), dnorm = tensor_rows(&a->dnorm_head, 0, n);
    Tensor rstd = tensor_cols(&a->rstd, 0, n), ids = head_ids(m);
    if (n > 0) {
        zero(m, &dx);
        rmsnorm_back(m->dev, &dx, NULL, &g, &dnorm, &x, &w, &rstd);
    }
    zero(m, &a->dx);
    if (n > 0)
        embed_back(m->dev, &a->dx, &dx, &ids);
    if (dx_copy)
        cast(m->dev, dx_copy, &a->dx);
}

Status model_losses(Model *m, float *out)
{
    int64_t N = m->a.N, n = m->head_n;
    device_download(m->dev, out, m->a.loss.data, (size_t)n * sizeof(float));
    TRY(device_sync(m->dev));
    if (!moved(m))
        return ST_OK;
    for (int64_t i = n; i < N; i++)
        out[i] = 0;
    for (int64_t i = n; i-- > 0;) { /* no row goes to the left */
        float loss = out[i];
        out[i] = 0;
        out[m->host_head_ids[i]] = loss;
    }
    return ST_OK;
}
