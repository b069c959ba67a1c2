/* Linear layers with and without adapters, forward and backward.
 * What lies where under adapters: frozen.h. */
#include "model/linear.h"

#include "base/check.h"
#include "model/state.h"

LinearShape linear_shape(const HParams *h, Linear which)
{
    int64_t C = h->hidden_size, F = h->intermediate_size;
    int64_t q = h->num_attention_heads * h->head_dim, kv = h->num_key_value_heads * h->head_dim;
    switch (which) {
    case LINEAR_QKV: return (LinearShape){PARAM_Q, 3, C, q + 2 * kv, {q, kv, kv}};
    case LINEAR_O: return (LinearShape){PARAM_O, 1, q, C, {C}};
    case LINEAR_GATE_UP: return (LinearShape){PARAM_GATE, 2, C, 2 * F, {F, F}};
    case LINEAR_DOWN: return (LinearShape){PARAM_DOWN, 1, F, C, {C}};
    case LINEARS: break;
    }
    check(which < LINEARS);
    return (LinearShape){0};
}

/* The parts of a product's block ------------------------------------------------------------------------- */

static Tensor block_part(const Tensor *whole, int64_t row, int64_t rows, int64_t col, int64_t cols)
{
    Tensor some = tensor_rows(whole, row, rows);
    return tensor_cols(&some, col, cols);
}

typedef struct {
    LinearShape shape;
    int64_t spare; /* columns, R */
    int64_t ranks; /* of them in use */
    const LoraSetup *lora;
    Linear which;
} Adapters;

static Adapters adapters_of(const Model *m, Linear which)
{
    Adapters a = {.shape = linear_shape(&m->h, which), .lora = &m->setup.lora, .which = which};
    a.spare = lora_columns(a.lora, which);
    a.ranks = lora_column(a.lora, which, a.shape.first + (ParamKind)a.shape.count);
    return a;
}

/* One matrix of a product that has an adapter. */
typedef struct {
    ParamKind kind;
    int64_t rank, col; /* where its columns are among the ranks */
    int64_t row, rows; /* where its outputs are among the product's */
    float scale;
} Target;

static Target target_at(const Adapters *a, int i)
{
    Target t = {.kind = a->shape.first + (ParamKind)i, .rows = a->shape.rows[i]};
    t.rank = a->lora->rank[t.kind - PARAM_Q];
    t.col = lora_column(a->lora, a->which, t.kind);
    t.scale = (float)lora_scale(a->lora, t.kind);
    for (int k = 0; k < i; k++)
        t.row += a->shape.rows[k];
    return t;
}

static Tensor factor_a(const Adapters *a, const Tensor *whole)
{
    return block_part(whole, a->shape.out, a->ranks, 0, a->shape.in);
}

static Tensor factor_b(const Adapters *a, const Tensor *whole, const Target *t)
{
    return block_part(whole, t->row, t->rows, a->shape.in + t->col, t->rank);
}

void linear_place_adapters(Model *m, int64_t layer, Linear which, const Tensor *whole)
{
    Adapters a = adapters_of(m, which);
    for (int i = 0; i < a.shape.count; i++) {
        Target t = target_at(&a, i);
        if (t.rank == 0)
            continue;
        Tensor from = model_factor(m, m->master, t.kind, layer, PART_LORA_A);
        Tensor to = block_part(whole, a.shape.out + t.col, t.rank, 0, a.shape.in);
        cast(m->dev, &to, &from);
        from = model_factor(m, m->master, t.kind, layer, PART_LORA_B);
        to = factor_b(&a, whole, &t);
        cast(m->dev, &to, &from);
    }
}

/* Between the factors ------------------------------------------------------------------------------------ */

/* A tensor with the spare columns behind it. */
static Tensor widened(const Tensor *t, int64_t spare)
{
    Tensor wide = *t;
    wide.cols += spare;
    check(wide.rows <= 1 || wide.cols <= wide.stride);
    return wide;
}

static Tensor behind(const Tensor *t, int64_t first, int64_t count)
{
    Tensor wide = widened(t, first + count);
    return tensor_cols(&wide, t->cols + first, count);
}

/* Rows of what flows between the factors, times alpha / r: one operation where all are alike. */
static void scale_between(Model *m, const Adapters *a, const Tensor *x)
{
    for (int i = 0; i < a->shape.count; i++) {
        Target t = target_at(a, i);
        Dropout d = {.scale = t.scale};
        int64_t rank = t.rank;
        for (; i + 1 < a->shape.count && target_at(a, i + 1).scale == t.scale; i++)
            rank += target_at(a, i + 1).rank;
        if (rank == 0 || t.scale == 1)
            continue;
        Tensor between = behind(x, t.col, rank);
        dropout(m->dev, &between, &between, &d, false);
    }
}

static bool drops(const Model *m)
{
    return m->training_now && m->setup.lora.dropout > 0;
}

/* What a product's adapters do not see, as a function of the batch, the layer and the product. */
static Dropout drop_of(const Model *m, int64_t layer, Linear which)
{
    double rate = m->setup.lora.dropout;
    return (Dropout){.rate = (float)rate,
                     .scale = (float)(1 / (1 - rate)),
                     .key = m->noise + (uint64_t)(layer * LINEARS + which + 1) * 0xD1342543DE82EF95u};
}

/* The adapters' inputs: x itself, or in a buffer what is left of it. */
static Tensor seen(Model *m, int64_t layer, Linear which, const Tensor *x)
{
    if (!drops(m))
        return *x;
    Dropout d = drop_of(m, layer, which);
    Tensor left = tensor_rows(&m->a.dropped, 0, x->rows);
    left = tensor_cols(&left, 0, x->cols);
    dropout(m->dev, &left, x, &d, false);
    return left;
}

/* s x A^T behind x. */
static void through_a(Model *m, int64_t layer, const Adapters *a, const Tensor *whole, const Tensor *x)
{
    if (a->ranks == 0)
        return;
    Tensor from = seen(m, layer, a->which, x), to = behind(x, 0, a->ranks), w = factor_a(a, whole);
    matmul(m->dev, &to, &from, &w, false);
    scale_between(m, a, x);
}

/* s dy B behind dy. */
static void back_through_b(Model *m, const Adapters *a, const Tensor *whole, const Tensor *dy)
{
    for (int i = 0; i < a->shape.count; i++) {
        Target t = target_at(a, i);
        if (t.rank == 0)
            continue;
        Tensor from = tensor_cols(dy, t.row, t.rows), to = behind(dy, t.col, t.rank),
               w = factor_b(a, whole, &t);
        matmul_back_x(m->dev, &to, &from, &w, false);
    }
    scale_between(m, a, dy);
}

static void gradients(Model *m, int64_t layer, const Adapters *a, const Tensor *dy, const Tensor *x,
                      bool add_to)
{
    Tensor dxa = behind(dy, 0, a->ranks), from = seen(m, layer, a->which, x), g = {0};
    for (int i = a->shape.count; i-- > 0;) {
        Target t = target_at(a, i);
        if (t.rank == 0)
            continue;
        Tensor of_y = tensor_cols(dy, t.row, t.rows), xa = behind(x, t.col, t.rank);
        Tensor b = model_factor(m, m->gradients, t.kind, layer, PART_LORA_B);
        matmul_back_w(m->dev, &b, &of_y, &xa, add_to);
        g = model_factor(m, m->gradients, t.kind, layer, PART_LORA_A); /* the first one's in the end */
    }
    g.rows = a->ranks; /* the As are neighbours */
    matmul_back_w(m->dev, &g, &dxa, &from, add_to);
}

/* dx = dy W + drop(s dy B A) */
static void dropped_back(Model *m, int64_t layer, const Adapters *a, const Tensor *whole, Tensor *dx,
                         const Tensor *dy)
{
    Dropout d = drop_of(m, layer, a->which);
    Tensor w = block_part(whole, 0, a->shape.out, 0, a->shape.in), f = factor_a(a, whole),
           dxa = behind(dy, 0, a->ranks);
    Tensor share = tensor_rows(&m->a.dropped, 0, dx->rows);
    share = tensor_cols(&share, 0, dx->cols);
    matmul_back_x(m->dev, dx, dy, &w, false);
    matmul_back_x(m->dev, &share, &dxa, &f, false);
    dropout(m->dev, dx, &share, &d, true);
}

/* The layers --------------------------------------------------------------------------------------------- */

void linear_between(Model *m, int64_t layer, Linear which, const Tensor *x)
{
    if (!m->frozen)
        return;
    Adapters a = adapters_of(m, which);
    if (a.ranks == 0)
        return;
    Tensor whole = frozen_linear(m, layer, which);
    through_a(m, layer, &a, &whole, x);
}

void linear(Model *m, int64_t layer, Linear which, Tensor *y, const Tensor *x, bool add_to)
{
    if (!m->frozen) {
        Tensor w = model_linear_weights(m, layer, which);
        matmul(m->dev, y, x, &w, add_to);
        return;
    }
    Adapters a = adapters_of(m, which);
    Tensor whole = frozen_linear(m, layer, which);
    through_a(m, layer, &a, &whole, x);
    Tensor w = block_part(&whole, 0, a.shape.out, 0, a.shape.in + a.spare), wide = widened(x, a.spare);
    matmul(m->dev, y, &wide, &w, add_to);
}

static void adapted_back(Model *m, int64_t layer, Linear which, Tensor *dx, const Tensor *dy, const Tensor *x,
                         bool add_to)
{
    Adapters a = adapters_of(m, which);
    if (!dx && a.ranks == 0)
        return;
    Tensor whole = frozen_linear(m, layer, which);
    if (a.ranks > 0) {
        back_through_b(m, &a, &whole, dy);
        gradients(m, layer, &a, dy, x, add_to);
    }
    if (!dx)
        return;
    if (drops(m) && a.ranks > 0) {
        dropped_back(m, layer, &a, &whole, dx, dy);
        return;
    }
    Tensor w = block_part(&whole, 0, a.shape.out + a.spare, 0, a.shape.in), wide = widened(dy, a.spare);
    matmul_back_x(m->dev, dx, &wide, &w, false);
}

void linear_back(Model *m, int64_t layer, Linear which, Tensor *dx, const Tensor *dy, const Tensor *x,
                 bool add_to)
{
    if (m->frozen) {
        adapted_back(m, layer, which, dx, dy, x, add_to);
        return;
    }
    Tensor w = model_linear_weights(m, layer, which), g = model_linear_gradients(m, layer, which);
    matmul_back_w(m->dev, &g, dy, x, add_to);
    matmul_back_x(m->dev, dx, dy, &w, false);
}
