#include "train/muon.h"

#include <math.h>

#include "model/activations.h"
#include "ops/ops.h"

/* A round is a x + b x^3 + c x^5 for every singular value x of what begins no longer than 1.  These are, of
 * all such sequences, those which bring [least, 1] nearest to 1, one after the other (Amsel et al.; all but
 * the last of x / 1.01, as they advise, for sums that are rounded).  The singular values of n random
 * directions are about 1 / sqrt(n): the more there are the smaller, and the more rounds. */
typedef struct {
    float a, b, c;
} Quintic;

typedef struct {
    int64_t most; /* of the shorter side */
    int n;
    Quintic at[5];
} Rounds;

static const Rounds all_rounds[] = {
    {512,
     3, /* least 1e-2: to 0.73 */
     {{8.013236f, -22.925757f, 16.599415f},
      {3.600580f, -2.641875f, 0.510505f},
      {2.661300f, -1.977155f, 0.452616f}}},
    {4096,
     4, /* 3e-3: to 0.80 */
     {{8.300667f, -24.037544f, 17.466134f},
      {4.003387f, -2.922840f, 0.541871f},
      {3.470862f, -2.549404f, 0.500204f},
      {2.490116f, -1.834275f, 0.436835f}}},
    {INT64_MAX,
     5, /* 1e-3: to 0.89 */
     {{8.386464f, -24.369650f, 17.725117f},
      {4.141420f, -3.017275f, 0.552427f},
      {3.922631f, -2.867185f, 0.535652f},
      {3.254046f, -2.392233f, 0.482733f},
      {2.273750f, -1.644660f, 0.416191f}}},
};

static const Rounds *rounds_of(int64_t rows, int64_t cols)
{
    int64_t s = rows < cols ? rows : cols;
    const Rounds *r = all_rounds;
    while (s > r->most)
        r++;
    return r;
}

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

/* Much longer than wide, it need not take part in every round: see by_gram.  Not in bf16, where what a round
 * leaves of the smallest directions is lost, and the next ones make more of the error than of them. */
static bool is_long(DType compute, int64_t rows, int64_t cols)
{
    int64_t s = rows < cols ? rows : cols;
    return compute == DTYPE_F32 && 2 * rows * cols > 3 * s * s;
}

double muon_flops(const Params *p, DType compute)
{
    int64_t first, end;
    double flops = 0;
    muon_span(p, &first, &end);
    for (int64_t i = 0; i < p->n; i++) {
        double rows = (double)p->at[i].rows, cols = (double)p->at[i].cols, s = fmin(rows, cols);
        double with_x = 2 * s * rows * cols, small = 2 * s * s * s;
        int rounds = rounds_of(p->at[i].rows, p->at[i].cols)->n;
        if (p->at[i].offset < first || p->at[i].offset >= end)
            continue;
        if (is_long(compute, p->at[i].rows, p->at[i].cols))
            flops += 2 * with_x + (4 * rounds - 3) * small;
        else
            flops += rounds * (2 * with_x + small);
    }
    return flops;
}

/* Memory ------------------------------------------------------------------------------------------------ */

/* Views of it for one matrix.  s is its shorter side.  Where products are in f32 there are no copies. */
typedef struct {
    Tensor x, y;             /* [rows, cols] f32    */
    Tensor gram, poly;       /* [s, s] f32          */
    Tensor factor, next;     /* [s, s] f32, by_gram's */
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
    if (is_long(compute, rows, cols)) {
        k.factor = slab_take(slab, DTYPE_F32, s, s);
        k.next = slab_take(slab, DTYPE_F32, s, s);
    }
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

static void swap(Tensor *x, Tensor *y)
{
    Tensor kept = *x;
    *x = *y;
    *y = kept;
}

/* k->gram of x's shorter side. */
static void gram_of(const Muon *mu, Work *k, const Tensor *x)
{
    if (x->rows <= x->cols)
        matmul(mu->dev, &k->gram, x, x, false);
    else
        matmul_back_w(mu->dev, &k->gram, x, x, false);
}

/* k->poly = b g + c g^2 of k->gram, as a factor in the compute type. */
static const Tensor *poly_of_gram(const Muon *mu, Work *k, Quintic round)
{
    const Tensor *gram = in_compute_type(mu, &k->sym_copy, &k->gram);
    matmul(mu->dev, &k->poly, gram, gram, false);
    scale(mu->dev, &k->poly, &k->poly, round.c, false);
    scale(mu->dev, &k->poly, &k->gram, round.b, true);
    return in_compute_type(mu, &k->sym_copy, &k->poly);
}

/* k->x = a k->x + p x, or + x p: p is as large as x's shorter side.  x is k->x in the compute type. */
static void multiply(const Muon *mu, Work *k, float a, const Tensor *p, const Tensor *x)
{
    scale(mu->dev, &k->y, &k->x, a, false);
    if (x->rows <= x->cols)
        matmul_back_x(mu->dev, &k->y, p, x, true);
    else
        matmul(mu->dev, &k->y, x, p, true);
    swap(&k->x, &k->y);
}

/* x = (a + p) x in every round. */
static void by_rounds(const Muon *mu, Work *k, const Rounds *rounds)
{
    for (int i = 0; i < rounds->n; i++) {
        const Tensor *x = in_compute_type(mu, &k->x_copy, &k->x);
        gram_of(mu, k, x);
        const Tensor *poly = poly_of_gram(mu, k, rounds->at[i]);
        multiply(mu, k, rounds->at[i].a, poly, x);
    }
}

/* The same of a long x, whose Gram matrix alone goes through the rounds: (a + p) g (a + p) is that of (a + p)
 * x, and all of these, sums of powers of one matrix, may change places.  What the rounds multiply x by, alpha
 * + factor, is gathered, and x multiplied once. */
static void by_gram(const Muon *mu, Work *k, const Rounds *rounds)
{
    Device *dev = mu->dev;
    float alpha = 1;
    gram_of(mu, k, &k->x);
    for (int i = 0; i < rounds->n; i++) {
        float a = rounds->at[i].a;
        const Tensor *poly = poly_of_gram(mu, k, rounds->at[i]);
        scale(dev, &k->next, poly, alpha, false);
        if (i > 0) {
            scale(dev, &k->next, &k->factor, a, true);
            matmul(dev, &k->next, poly, &k->factor, true);
        }
        swap(&k->factor, &k->next);
        alpha *= a;
        if (i + 1 == rounds->n)
            break;
        scale(dev, &k->next, &k->gram, a, false);
        matmul(dev, &k->next, poly, &k->gram, true);
        scale(dev, &k->gram, &k->next, a, false);
        matmul(dev, &k->gram, poly, &k->next, true);
    }
    multiply(mu, k, alpha, &k->factor, &k->x);
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
    if (is_long(mu->compute, w->rows, w->cols))
        by_gram(mu, &k, rounds_of(w->rows, w->cols));
    else
        by_rounds(mu, &k, rounds_of(w->rows, w->cols));
    double longer = (double)(w->rows > w->cols ? w->rows : w->cols);
    scale(dev, w, w, 1 - step->lr * step->weight_decay, false);
    scale(dev, w, &k.x, -step->lr * 0.2f * (float)sqrt(longer), true);
    if (w_cast)
        cast(dev, w_cast, w);
}
