/* The public operations: each checks shapes and types once, then calls the table of the device. */
#include "ops/ops.h"

#include "base/check.h"

static bool is_float(const Tensor *t)
{
    return t->dtype == DTYPE_F32 || t->dtype == DTYPE_BF16 || t->dtype == DTYPE_F64;
}

/* f32, or f64 where everything is f64: what sums and states are kept in. */
static bool is_wide(const Tensor *t)
{
    return t->dtype == DTYPE_F32 || t->dtype == DTYPE_F64;
}

static bool shaped(const Tensor *t, int64_t rows, int64_t cols)
{
    return t->rows == rows && t->cols == cols && t->stride >= cols;
}

static bool is_index(const Tensor *t, int64_t n)
{
    return t->dtype == DTYPE_I32 && shaped(t, 1, n);
}

static bool is_flat(const Tensor *t)
{
    return tensor_contiguous(t);
}

void embed(Device *dev, Tensor *out, const Tensor *table, const Tensor *ids)
{
    check(is_index(ids, out->rows) && out->cols == table->cols && is_wide(out) && is_float(table));
    if (!device_failed(dev))
        dev->ops->embed(dev, out, table, ids);
}

void embed_back(Device *dev, Tensor *dtable, const Tensor *dout, const Tensor *ids)
{
    check(is_index(ids, dout->rows) && dout->cols == dtable->cols && is_wide(dtable) && is_wide(dout));
    if (!device_failed(dev))
        dev->ops->embed_back(dev, dtable, dout, ids);
}

void rmsnorm(Device *dev, Tensor *out, Tensor *rstd, const Tensor *x, const Tensor *w, float eps)
{
    check(tensor_same_shape(out, x) && shaped(w, 1, x->cols) && is_wide(x) && is_wide(w) && is_float(out));
    check(!rstd || (shaped(rstd, 1, x->rows) && is_wide(rstd)));
    if (!device_failed(dev))
        dev->ops->rmsnorm(dev, out, rstd, x, w, eps);
}

void rmsnorm_back(Device *dev, Tensor *dx, Tensor *dx_cast, Tensor *dw, const Tensor *dout, const Tensor *x,
                  const Tensor *w, const Tensor *rstd)
{
    check(tensor_same_shape(dx, x) && tensor_same_shape(dout, x) && shaped(w, 1, x->cols) &&
          shaped(dw, 1, x->cols));
    check(shaped(rstd, 1, x->rows) && is_wide(rstd) && is_wide(w));
    check(is_wide(dx) && is_wide(dw) && is_wide(x) && is_float(dout));
    check(!dx_cast || (tensor_same_shape(dx_cast, x) && dx_cast->dtype == DTYPE_BF16));
    if (!device_failed(dev))
        dev->ops->rmsnorm_back(dev, dx, dx_cast, dw, dout, x, w, rstd);
}

static void check_rope(const Tensor *x, const Tensor *table, const Tensor *positions, int64_t head_dim)
{
    check(head_dim > 0 && head_dim % 2 == 0 && x->cols % head_dim == 0 && is_float(x));
    check(table->cols == head_dim && is_wide(table) && is_index(positions, x->rows));
}

void rope(Device *dev, Tensor *x, const Tensor *table, const Tensor *positions, int64_t head_dim)
{
    check_rope(x, table, positions, head_dim);
    if (!device_failed(dev))
        dev->ops->rope(dev, x, table, positions, head_dim);
}

void rope_back(Device *dev, Tensor *dx, const Tensor *table, const Tensor *positions, int64_t head_dim)
{
    check_rope(dx, table, positions, head_dim);
    if (!device_failed(dev))
        dev->ops->rope_back(dev, dx, table, positions, head_dim);
}

void matmul(Device *dev, Tensor *y, const Tensor *x, const Tensor *w, bool add_to)
{
    check(shaped(y, x->rows, w->rows) && x->cols == w->cols && x->dtype == w->dtype && is_float(x) &&
          is_float(y));
    if (!device_failed(dev))
        dev->ops->matmul(dev, y, x, w, add_to);
}

void matmul_back_x(Device *dev, Tensor *dx, const Tensor *dy, const Tensor *w, bool add_to)
{
    check(shaped(dx, dy->rows, w->cols) && dy->cols == w->rows && dy->dtype == w->dtype && is_float(dy) &&
          is_float(dx));
    if (!device_failed(dev))
        dev->ops->matmul_back_x(dev, dx, dy, w, add_to);
}

void matmul_back_w(Device *dev, Tensor *dw, const Tensor *dy, const Tensor *x, bool add_to)
{
    check(shaped(dw, dy->cols, x->cols) && dy->rows == x->rows && dy->dtype == x->dtype && is_float(dy) &&
          is_wide(dw));
    if (!device_failed(dev))
        dev->ops->matmul_back_w(dev, dw, dy, x, add_to);
}

static void check_attention(const Tensor *q, const Tensor *k, const Tensor *v, const AttentionShape *s)
{
    int64_t N = s->B * s->T;
    check(s->Hk > 0 && s->H % s->Hk == 0 && s->D > 0);
    check(shaped(q, N, s->H * s->D) && k->cols == s->Hk * s->D && v->cols == k->cols);
    check(is_float(q) && k->dtype == q->dtype && v->dtype == q->dtype);
}

void attention(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k, const Tensor *v,
               const Tensor *starts, const AttentionShape *s)
{
    check_attention(q, k, v, s);
    check(tensor_same_shape(out, q) && out->dtype == q->dtype && k->rows == q->rows && v->rows == q->rows);
    check(shaped(lse, q->rows, s->H) && is_wide(lse) && (!starts || is_index(starts, q->rows)));
    if (!device_failed(dev))
        dev->ops->attention(dev, out, lse, q, k, v, starts, s);
}

void attention_back(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout, const Tensor *out,
                    const Tensor *lse, const Tensor *q, const Tensor *k, const Tensor *v,
                    const Tensor *starts, const AttentionShape *s)
{
    check_attention(q, k, v, s);
    check(tensor_same_shape(dq, q) && tensor_same_shape(dk, k) && tensor_same_shape(dv, v) &&
          tensor_same_shape(dout, q));
    check(tensor_same_shape(out, q) && out->dtype == q->dtype && (!starts || is_index(starts, q->rows)));
    check(shaped(lse, q->rows, s->H) && is_wide(lse) && k->rows == q->rows && v->rows == q->rows);
    check(dq->dtype == q->dtype && dk->dtype == q->dtype && dv->dtype == q->dtype && dout->dtype == q->dtype);
    if (!device_failed(dev))
        dev->ops->attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
}

void swiglu(Device *dev, Tensor *out, const Tensor *gate_up)
{
    check(shaped(gate_up, out->rows, 2 * out->cols) && out->dtype == gate_up->dtype && is_float(out));
    if (!device_failed(dev))
        dev->ops->swiglu(dev, out, gate_up);
}

void swiglu_back(Device *dev, Tensor *dgate_up, const Tensor *dout, const Tensor *gate_up)
{
    check(shaped(gate_up, dout->rows, 2 * dout->cols) && tensor_same_shape(dgate_up, gate_up));
    check(dout->dtype == gate_up->dtype && dgate_up->dtype == gate_up->dtype && is_float(dout));
    if (!device_failed(dev))
        dev->ops->swiglu_back(dev, dgate_up, dout, gate_up);
}

void cross_entropy(Device *dev, Tensor *loss, Tensor *dlogits, const Tensor *logits, const Tensor *targets,
                   float scale)
{
    check(shaped(loss, 1, logits->rows) && is_wide(loss) && is_index(targets, logits->rows) &&
          is_float(logits));
    check(!dlogits || (tensor_same_shape(dlogits, logits) && is_float(dlogits)));
    if (!device_failed(dev))
        dev->ops->cross_entropy(dev, loss, dlogits, logits, targets, scale);
}

void adamw(Device *dev, Tensor *w, Tensor *w_cast, Tensor *m, Tensor *v, const Tensor *g,
           const AdamWStep *step)
{
    check(tensor_same_shape(w, m) && tensor_same_shape(w, v) && tensor_same_shape(w, g) && is_wide(w));
    check(is_flat(w) && is_flat(m) && is_flat(v) && is_flat(g));
    check(m->dtype == w->dtype && v->dtype == w->dtype && g->dtype == w->dtype);
    check(!w_cast || (tensor_same_shape(w, w_cast) && is_flat(w_cast) && w_cast->dtype == DTYPE_BF16));
    if (!device_failed(dev))
        dev->ops->adamw(dev, w, w_cast, m, v, g, step);
}

void sum_squares(Device *dev, Tensor *out, const Tensor *x)
{
    check(shaped(out, 1, 1) && out->dtype == DTYPE_F64 && is_wide(x) && is_flat(x));
    if (!device_failed(dev))
        dev->ops->sum_squares(dev, out, x);
}

void cast(Device *dev, Tensor *out, const Tensor *x)
{
    check(tensor_same_shape(out, x) && is_float(out) && is_float(x));
    if (!device_failed(dev))
        dev->ops->cast(dev, out, x);
}

void dropout(Device *dev, Tensor *out, const Tensor *x, const Dropout *d, bool add_to)
{
    check(tensor_same_shape(out, x) && is_float(out) && out->dtype == x->dtype && d->rate >= 0 &&
          d->rate < 1);
    if (!device_failed(dev))
        dev->ops->dropout(dev, out, x, d, add_to);
}

void decode_rows(Device *dev, Tensor *out, const void *blocks, QuantType type, const Tensor *ids)
{
    check(is_float(out) && quant_fits(type, out->cols) && (!ids || is_index(ids, out->rows)));
    if (!device_failed(dev))
        dev->ops->decode_rows(dev, out, blocks, type, ids);
}

/* Inference ---------------------------------------------------------------------------------------------- */

static void check_packed(const PackedMatrix *w)
{
    check(packed_takes(w->type) && w->rows > 0 && w->cols > 0 && quant_fits(w->type, w->cols) && w->data);
}

void pack_weights(Device *dev, PackedMatrix *w, int64_t first, int64_t n, const void *raw, QuantType from)
{
    check_packed(w);
    check(first >= 0 && n >= 0 && first + n <= w->rows && first % PACKED_ROWS == 0 &&
          (n % PACKED_ROWS == 0 || first + n == w->rows));
    check(from == w->type || w->type == QUANT_F32 || w->type == QUANT_BF16);
    check(quant_fits(from, w->cols) && raw);
    if (!device_failed(dev))
        dev->ops->pack_weights(dev, w, first, n, raw, from);
}

void matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count, bool add_to)
{
    int64_t rows = 0;
    check(count > 0 && is_float(x) && is_float(y));
    for (int i = 0; i < count; i++) {
        check_packed(&w[i]);
        check(w[i].cols == x->cols);
        rows += w[i].rows;
    }
    check(shaped(y, x->rows, rows) && x->stride >= x->cols);
    if (!device_failed(dev))
        dev->ops->matmul_packed(dev, y, x, w, count, add_to);
}

void embed_packed(Device *dev, Tensor *out, const PackedMatrix *table, const Tensor *ids)
{
    check_packed(table);
    check(is_index(ids, out->rows) && out->cols == table->cols && is_wide(out));
    if (!device_failed(dev))
        dev->ops->embed_packed(dev, out, table, ids);
}

static void check_paged(const KvPages *kv, const PagedRows *rows, int64_t count, int64_t N)
{
    check((kv->dtype == DTYPE_BF16 || kv->dtype == DTYPE_F32) && kv->Hk > 0 && kv->D > 0 && kv->data);
    for (int64_t i = 0; i < count; i++) {
        const PagedRows *r = &rows[i];
        check(r->n >= 0 && r->past >= 0 && r->first >= 0 && r->first + r->n <= N);
        for (int64_t p = 0; r->n > 0 && p * KV_PAGE < r->past + r->n; p++)
            check(r->pages[p] >= 0 && r->pages[p] < kv->pages);
    }
}

void kv_write(Device *dev, KvPages *kv, const Tensor *k, const Tensor *v, const PagedRows *rows,
              int64_t count)
{
    check(is_float(k) && k->dtype == v->dtype && tensor_same_shape(k, v) && k->cols == kv->Hk * kv->D);
    check_paged(kv, rows, count, k->rows);
    if (!device_failed(dev))
        dev->ops->kv_write(dev, kv, k, v, rows, count);
}

void attention_paged(Device *dev, Tensor *out, const Tensor *q, const KvPages *kv, const PagedRows *rows,
                     int64_t count, const AttentionShape *s)
{
    check(s->Hk > 0 && s->H % s->Hk == 0 && s->Hk == kv->Hk && s->D == kv->D);
    check(is_float(q) && shaped(q, q->rows, s->H * s->D) && tensor_same_shape(out, q) &&
          out->dtype == q->dtype);
    check_paged(kv, rows, count, q->rows);
    if (!device_failed(dev))
        dev->ops->attention_paged(dev, out, q, kv, rows, count, s);
}
