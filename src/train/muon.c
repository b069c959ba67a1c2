#include "train/muon.h"

#include <math.h>

#include "model/activations.h"
#include "ops/ops.h"

enum { ROUNDS = 5 };

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

/* Views of it for one matrix.  s is its shorter side.  Where products are in f32 there are no copies. */
typedef struct {
    Tensor x, y;             /* [rows, cols] f32 */
    Tensor gram, poly;       /* [s, s] f32       */
    Tensor x_copy, sym_copy; /* in the compute type */
} Work;

static Work work_in(Slab *slab, DType compute, int64_t rows, int64_t cols)
{
    int64_t s = rows < cols ? rows : cols;
    Work k = {
        .x = slab_take(slab, DTYPE_F32, rows, cols),
        .y = slab_take(slab, DTYPE_F32, rows, cols),
        .gram = slab_take(slab, DTYPE_F32, s, s),
        .poly = slab_take(slab, DTYPE_F32, s, s),
    };
    if (compute != DTYPE_F32) {
        k.x_copy = slab_take(slab, compute, rows, cols);
        k.sym_copy = slab_take(slab, compute, s, s);
    }
    return k;
}

size_t muon_bytes(const Params *p, DType compute)
{
    int64_t first, end;
    size_t most = 0;
    muon_span(p, &first, &end);
    for (int64_t i = 0; i < p->n; i++) {
        Slab one = {0};
        if (p->at[i].offset >= first && p->at[i].offset < end)
            work_in(&one, compute, p->at[i].rows, p->at[i].cols);
        most = one.used > most ? one.used : most;
    }
    return most;
}

Status muon_open(Muon *mu, Device *dev, const Params *p, DType compute)
{
    *mu = (Muon){.dev = dev, .compute = compute, .bytes = muon_bytes(p, compute)};
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

/* y = a x + p x, or a x + x p, with p = b g + c g^2 of x's Gram matrix g, which is that of its shorter side.
 */
static void newton_schulz(const Muon *mu, Work *k)
{
    Device *dev = mu->dev;
    const Tensor *x = in_compute_type(mu, &k->x_copy, &k->x);
    bool wide = x->rows <= x->cols;
    if (wide)
        matmul(dev, &k->gram, x, x, false);
    else
        matmul_back_w(dev, &k->gram, x, x, false);
    const Tensor *gram = in_compute_type(mu, &k->sym_copy, &k->gram);
    matmul(dev, &k->poly, gram, gram, false);
    scale(dev, &k->poly, &k->poly, c, false);
    scale(dev, &k->poly, &k->gram, b, true);
    const Tensor *poly = in_compute_type(mu, &k->sym_copy, &k->poly);
    scale(dev, &k->y, &k->x, a, false);
    if (wide)
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
    Slab slab = {.base = mu->memory};
    Work k = work_in(&slab, mu->compute, w->rows, w->cols);
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
