#include "train/muon.h"

#include <math.h>

#include "ops/ops.h"

enum { ROUNDS = 5, ALIGN = 64 };

/* Jordan's polynomial a x + b x^3 + c x^5: singular values come to within 0.3 of 1 in five rounds. */
static const float a = 3.4445f, b = -4.7750f, c = 2.0315f;

void muon_span(const Params *p, int64_t *first, int64_t *end)
{
    *first = *end = 0;
    for (int64_t i = 0; i < p->n && p->at[i].offset < p->matrices; i++) {
        bool inside = p->at[i].layer >= 0;
        if (inside && *end == 0)
            *first = p->at[i].offset;
        if (inside)
            *end = i + 1 < p->n ? p->at[i + 1].offset : p->matrices;
    }
}

double muon_flops(const Params *p)
{
    int64_t first, end;
    double flops = 0;
    muon_span(p, &first, &end);
    for (int64_t i = 0; i < p->n; i++) {
        double rows = (double)p->at[i].rows, cols = (double)p->at[i].cols, s = fmin(rows, cols);
        if (p->at[i].offset >= first && p->at[i].offset < end)
            flops += ROUNDS * (4 * s * rows * cols + 2 * s * s * s); /* newton_schulz's three */
    }
    return flops;
}

/* Memory ------------------------------------------------------------------------------------------------ */

/* Views of it for one matrix.  s is its shorter side.  Where products are in f32 the copies are what they are
 * copies of. */
typedef struct {
    Tensor x, y;             /* [rows, cols] f32 */
    Tensor gram, poly;       /* [s, s] f32       */
    Tensor x_copy, sym_copy; /* in the compute type */
} Work;

static Tensor take(const Muon *mu, size_t *used, DType dtype, int64_t rows, int64_t cols)
{
    Tensor t = tensor_view(NULL, dtype, rows, cols);
    if (mu->memory)
        t.data = (char *)mu->memory + *used;
    *used += (tensor_bytes(&t) + ALIGN - 1) / ALIGN * ALIGN;
    return t;
}

static Work work_of(const Muon *mu, int64_t rows, int64_t cols, size_t *used)
{
    int64_t s = rows < cols ? rows : cols;
    Work k = {
        .x = take(mu, used, DTYPE_F32, rows, cols),
        .y = take(mu, used, DTYPE_F32, rows, cols),
        .gram = take(mu, used, DTYPE_F32, s, s),
        .poly = take(mu, used, DTYPE_F32, s, s),
    };
    if (mu->compute != DTYPE_F32) {
        k.x_copy = take(mu, used, mu->compute, rows, cols);
        k.sym_copy = take(mu, used, mu->compute, s, s);
    }
    return k;
}

Status muon_open(Muon *mu, Device *dev, const Params *p, DType compute)
{
    int64_t first, end;
    *mu = (Muon){.dev = dev, .compute = compute};
    muon_span(p, &first, &end);
    for (int64_t i = 0; i < p->n; i++) {
        size_t bytes = 0;
        if (p->at[i].offset >= first && p->at[i].offset < end)
            work_of(mu, p->at[i].rows, p->at[i].cols, &bytes);
        mu->bytes = bytes > mu->bytes ? bytes : mu->bytes;
    }
    return device_alloc(dev, &mu->memory, mu->bytes, "Muon's working memory");
}

void muon_close(Muon *mu)
{
    if (mu->memory)
        device_free(mu->dev, mu->memory, mu->bytes);
    *mu = (Muon){0};
}

/* The update -------------------------------------------------------------------------------------------- */

/* out = factor x, or out += factor x: dropout that drops nothing. */
static void scale(Device *dev, Tensor *out, const Tensor *x, float factor, bool add_to)
{
    dropout(dev, out, x, &(Dropout){.scale = factor}, add_to);
}

static const Tensor *in_compute_type(const Muon *mu, Tensor *copy, const Tensor *of)
{
    if (mu->compute == DTYPE_F32)
        return of;
    cast(mu->dev, copy, of);
    return copy;
}

/* Of the shorter side: x x^T, or x^T x. */
static void gram_matrix(const Muon *mu, Tensor *gram, const Tensor *x)
{
    if (x->rows <= x->cols)
        matmul(mu->dev, gram, x, x, false);
    else
        matmul_back_w(mu->dev, gram, x, x, false);
}

/* y = a x + p x, or a x + x p, with p = b g + c g^2 of x's Gram matrix g. */
static void newton_schulz(const Muon *mu, Work *k)
{
    Device *dev = mu->dev;
    const Tensor *x = in_compute_type(mu, &k->x_copy, &k->x);
    gram_matrix(mu, &k->gram, x);
    const Tensor *gram = in_compute_type(mu, &k->sym_copy, &k->gram);
    matmul(dev, &k->poly, gram, gram, false);
    scale(dev, &k->poly, &k->poly, c, false);
    scale(dev, &k->poly, &k->gram, b, true);
    const Tensor *poly = in_compute_type(mu, &k->sym_copy, &k->poly);
    scale(dev, &k->y, &k->x, a, false);
    if (x->rows <= x->cols)
        matmul_back_x(dev, &k->y, poly, x, true);
    else
        matmul(dev, &k->y, x, poly, true);
}

/* k->x by its length: no singular value is above 1 then. */
static void normalise(const Muon *mu, Work *k)
{
    double squares = 0;
    Tensor flat = tensor_view(k->x.data, DTYPE_F32, 1, tensor_count(&k->x));
    Tensor sum = tensor_view(k->gram.data, DTYPE_F64, 1, 1);
    sum_squares(mu->dev, &sum, &flat);
    device_download(mu->dev, &squares, sum.data, sizeof squares);
    scale(mu->dev, &k->x, &k->x, (float)(1 / (sqrt(squares) + 1e-30)), false);
}

void muon_update(Muon *mu, Tensor *w, Tensor *w_cast, Tensor *m, const Tensor *g, const MuonStep *step)
{
    Device *dev = mu->dev;
    size_t used = 0;
    Work k = work_of(mu, w->rows, w->cols, &used);
    float fresh = (1 - step->momentum) * step->grad_scale;
    scale(dev, m, m, step->momentum, false);
    scale(dev, m, g, fresh, true);
    scale(dev, &k.x, m, step->momentum, false);
    scale(dev, &k.x, g, fresh, true);
    normalise(mu, &k);
    for (int i = 0; i < ROUNDS; i++) {
        newton_schulz(mu, &k);
        Tensor next = k.y;
        k.y = k.x;
        k.x = next;
    }
    double longer = (double)(w->rows > w->cols ? w->rows : w->cols);
    scale(dev, w, w, 1 - step->lr * step->weight_decay, false);
    scale(dev, w, &k.x, -step->lr * 0.2f * (float)sqrt(longer), true);
    if (w_cast)
        cast(dev, w_cast, w);
}
