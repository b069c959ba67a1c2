#include "ops/time_ops.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ops/measure.h"
#include "ops/select.h"
#include "ops/time_packed.h"

const TimeShape time_shapes[] = {
    {"15m", 8, 256, 288, 768, 6, 6, 32000},
    {"60m", 4, 512, 512, 1376, 8, 8, 32000},
    {"110m", 2, 1024, 768, 2048, 12, 12, 32000},
    {"1b", 1, 2048, 2048, 5632, 32, 4, 32000},
    {NULL, 0, 0, 0, 0, 0, 0, 0},
};

enum { LOGIT_ROWS = 256, PARAMETERS = 1 << 24, SETS_MAX = 2048, RUNS_MIN = 6 };
static const double seconds_each = 0.3;

/* More sets like the first. */
static void repeat_set(Timing *a)
{
    size_t bytes = 0;
    for (int i = 0; i < a->n; i++)
        bytes += tensor_bytes(&a->t[i]);
    size_t wanted = measure_cold_bytes(a->dev->threads) / bytes + 1;
    int sets = wanted < SETS_MAX ? (int)wanted : SETS_MAX;
    for (; a->status == ST_OK && a->n_sets < sets; a->n_sets++) {
        for (int i = 0; i < a->n; i++) {
            Tensor *copy = &a->sets[a->n_sets][i], *first = &a->sets[0][i];
            *copy = *first;
            copy->data = NULL;
            if (a->status == ST_OK)
                a->status = device_alloc(a->dev, &copy->data, tensor_bytes(copy), "timing operations");
            if (a->status == ST_OK)
                device_copy(a->dev, copy->data, first->data, tensor_bytes(copy));
        }
    }
}

/* For each operation what it is called with (`_set`, once) and the call (`_run`, many times). */

static void embed_set(Timing *a)
{
    operand(a, DTYPE_F32, a->N, a->s->C);
    operand(a, a->act, a->s->V, a->s->C);
    indices(a, a->N, a->s->V);
    describe(a, (double)(a->N * a->s->C) * (4 + act_size(a)), 0, "N %lld C %lld", a->N, a->s->C);
}

static void embed_run(Timing *a)
{
    embed(a->dev, &a->t[0], &a->t[1], &a->t[2]);
}

static void embed_back_set(Timing *a)
{
    operand(a, DTYPE_F32, a->s->V, a->s->C);
    operand(a, DTYPE_F32, a->N, a->s->C);
    indices(a, a->N, a->s->V);
    describe(a, (double)(a->N * a->s->C) * 12, 0, "N %lld C %lld", a->N, a->s->C);
}

static void embed_back_run(Timing *a)
{
    embed_back(a->dev, &a->t[0], &a->t[1], &a->t[2]);
}

static void rmsnorm_set(Timing *a)
{
    operand(a, a->act, a->N, a->s->C);
    operand(a, DTYPE_F32, a->N, a->s->C);
    operand(a, DTYPE_F32, 1, a->s->C);
    operand(a, DTYPE_F32, 1, a->N);
    describe(a, (double)(a->N * a->s->C) * (4 + act_size(a)), 0, "N %lld C %lld", a->N, a->s->C);
}

static void rmsnorm_run(Timing *a)
{
    rmsnorm(a->dev, &a->t[0], &a->t[3], &a->t[1], &a->t[2], 1e-5f);
}

static void rmsnorm_back_set(Timing *a)
{
    rmsnorm_set(a);
    operand(a, DTYPE_F32, a->N, a->s->C);
    operand(a, DTYPE_F32, 1, a->s->C);
    operand(a, DTYPE_BF16, a->N, a->s->C);
    describe(a, (double)(a->N * a->s->C) * (14 + act_size(a)), 0, "N %lld C %lld", a->N, a->s->C);
}

static void rmsnorm_back_run(Timing *a)
{
    rmsnorm_back(a->dev, &a->t[4], &a->t[6], &a->t[5], &a->t[0], &a->t[1], &a->t[2], &a->t[3]);
}

/* q and k are rotated where the fused product left them: beside v. */
static void rope_set(Timing *a)
{
    int64_t rotated = (a->s->H + a->s->Hk) * a->head_dim;
    operand(a, a->act, a->N, rotated + a->s->Hk * a->head_dim);
    operand(a, DTYPE_F32, a->s->T, a->head_dim);
    indices(a, a->N, a->s->T);
    describe(a, (double)(a->N * rotated) * 2 * act_size(a), 0, "N %lld of width %lld", a->N, rotated);
}

static void rope_run(Timing *a)
{
    Tensor x = tensor_cols(&a->t[0], 0, (a->s->H + a->s->Hk) * a->head_dim);
    rope(a->dev, &x, &a->t[1], &a->t[2], a->head_dim);
}

static void rope_back_run(Timing *a)
{
    Tensor x = tensor_cols(&a->t[0], 0, (a->s->H + a->s->Hk) * a->head_dim);
    rope_back(a->dev, &x, &a->t[1], &a->t[2], a->head_dim);
}

/* y [N, F], x [N, C], w [F, C], and dw in f32 */
static void matmul_set(Timing *a)
{
    operand(a, a->act, a->N, a->s->F);
    operand(a, a->act, a->N, a->s->C);
    operand(a, a->act, a->s->F, a->s->C);
    operand(a, DTYPE_F32, a->s->F, a->s->C);
    double N = (double)a->N, C = (double)a->s->C, F = (double)a->s->F;
    describe(a, (N * F + N * C + F * C) * act_size(a), 2 * N * C * F, "C %lld F %lld", a->s->C, a->s->F);
}

static void matmul_run(Timing *a)
{
    matmul(a->dev, &a->t[0], &a->t[1], &a->t[2], false);
}

static void matmul_back_x_run(Timing *a)
{
    matmul_back_x(a->dev, &a->t[1], &a->t[0], &a->t[2], false);
}

static void matmul_back_w_run(Timing *a)
{
    matmul_back_w(a->dev, &a->t[3], &a->t[0], &a->t[1], true);
}

/* q, k and v, gradients of the three, out, dout, lse */
static void attention_set(Timing *a)
{
    int64_t Cq = a->s->H * a->head_dim, Ck = a->s->Hk * a->head_dim;
    for (int i = 0; i < 2; i++) {
        operand(a, a->act, a->N, Cq);
        operand(a, a->act, a->N, Ck);
        operand(a, a->act, a->N, Ck);
        operand(a, a->act, a->N, Cq);
    }
    operand(a, DTYPE_F32, a->N, a->s->H);
    a->attention = (AttentionShape){a->s->B, a->s->T, a->s->H, a->s->Hk, a->head_dim};
    double pairs = (double)(a->s->B * a->s->H * a->s->T) * ((double)a->s->T + 1) / 2;
    describe(a, (double)(a->N * (2 * Cq + 2 * Ck)) * act_size(a), 4 * pairs * (double)a->head_dim,
             "T %lld D %lld", a->s->T, a->head_dim);
}

static void attention_run(Timing *a)
{
    attention(a->dev, &a->t[3], &a->t[8], &a->t[0], &a->t[1], &a->t[2], NULL, &a->attention);
}

static void attention_back_set(Timing *a)
{
    attention_set(a);
    a->result->flops *= 2.5; /* five products where the forward pass has two */
    a->result->bytes *= 2;
    if (a->status == ST_OK)
        attention_run(a);
}

static void attention_back_run(Timing *a)
{
    attention_back(a->dev, &a->t[4], &a->t[5], &a->t[6], &a->t[7], &a->t[3], &a->t[8], &a->t[0], &a->t[1],
                   &a->t[2], NULL, &a->attention);
}

static void swiglu_set(Timing *a)
{
    operand(a, a->act, a->N, a->s->F);
    operand(a, a->act, a->N, 2 * a->s->F);
    describe(a, (double)(3 * a->N * a->s->F) * act_size(a), 0, "N %lld F %lld", a->N, a->s->F);
}

static void swiglu_run(Timing *a)
{
    swiglu(a->dev, &a->t[0], &a->t[1]);
}

static void swiglu_back_set(Timing *a)
{
    swiglu_set(a);
    operand(a, a->act, a->N, 2 * a->s->F);
    describe(a, (double)(5 * a->N * a->s->F) * act_size(a), 0, "N %lld F %lld", a->N, a->s->F);
}

static void swiglu_back_run(Timing *a)
{
    swiglu_back(a->dev, &a->t[2], &a->t[0], &a->t[1]);
}

static void cross_entropy_set(Timing *a)
{
    operand(a, DTYPE_F32, 1, LOGIT_ROWS);
    operand(a, a->act, LOGIT_ROWS, a->s->V);
    operand(a, DTYPE_F32, LOGIT_ROWS, a->s->V);
    indices(a, LOGIT_ROWS, a->s->V);
    describe(a, (double)(LOGIT_ROWS * a->s->V) * (4 + act_size(a)), 0, "N %lld V %lld", LOGIT_ROWS, a->s->V);
}

static void cross_entropy_run(Timing *a)
{
    cross_entropy(a->dev, &a->t[0], &a->t[1], &a->t[2], &a->t[3], 1e-3f);
}

/* w, m, g, v, w_cast */
static void adamw_set(Timing *a)
{
    for (int i = 0; i < 4; i++)
        operand(a, DTYPE_F32, 1, PARAMETERS);
    operand(a, DTYPE_BF16, 1, PARAMETERS);
    for (int64_t i = 0; a->status == ST_OK && i < PARAMETERS; i++) /* v is a mean of squares */
        tensor_f32(&a->t[3], 0)[i] *= tensor_f32(&a->t[3], 0)[i];
    describe(a, (double)PARAMETERS * 30, 0, "%lld parameters", PARAMETERS, 0);
}

static void adamw_run(Timing *a)
{
    const AdamWStep step = {.lr = 1e-4f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .weight_decay = 0.1f,
                            .bias1 = 1, .bias2 = 1, .grad_scale = 1};
    adamw(a->dev, &a->t[0], &a->t[4], &a->t[1], &a->t[3], &a->t[2], &step);
}

static void sum_squares_set(Timing *a)
{
    operand(a, DTYPE_F64, 1, 1);
    operand(a, DTYPE_F32, 1, PARAMETERS);
    describe(a, (double)PARAMETERS * 4, 0, "%lld gradients", PARAMETERS, 0);
}

static void sum_squares_run(Timing *a)
{
    sum_squares(a->dev, &a->t[0], &a->t[1]);
}

static void cast_set(Timing *a)
{
    operand(a, DTYPE_BF16, 1, PARAMETERS);
    operand(a, DTYPE_F32, 1, PARAMETERS);
    describe(a, (double)PARAMETERS * 6, 0, "%lld numbers", PARAMETERS, 0);
}

static void cast_run(Timing *a)
{
    cast(a->dev, &a->t[0], &a->t[1]);
}

static void dropout_set(Timing *a)
{
    operand(a, a->act, a->N, a->s->C);
    operand(a, a->act, a->N, a->s->C);
    describe(a, (double)(a->N * a->s->C) * 2 * act_size(a), 0, "N %lld C %lld", a->N, a->s->C);
}

static void dropout_run(Timing *a)
{
    dropout(a->dev, &a->t[0], &a->t[1], &(Dropout){.rate = 0.05f, .scale = 1, .key = 1}, false);
}

/* A matrix of the feed-forward layer, as LoRA over a quantised base decodes it; zeros are as slow as
 * other numbers. */
static void decode_rows_set(Timing *a)
{
    int64_t K = (a->s->C + 255) / 256 * 256, bytes = (int64_t)quant_bytes(a->variant->type, a->s->F * K);
    operand(a, a->act, a->s->F, K);
    Tensor *blocks = operand(a, DTYPE_I32, 1, (bytes + 3) / 4);
    if (a->status == ST_OK)
        memset(blocks->data, 0, (size_t)bytes);
    describe(a, (double)bytes + (double)(a->s->F * K) * act_size(a), 0, "%lld x %lld", a->s->F, K);
}

static void decode_rows_run(Timing *a)
{
    decode_rows(a->dev, &a->t[0], a->t[1].data, a->variant->type, NULL);
}

static const struct {
    const char *op;
    void (*set)(Timing *a);
    void (*run)(Timing *a);
    const TimeVariant *variants; /* NULL: there is one way */
} timings[] = {
    {"embed", embed_set, embed_run, NULL},
    {"embed_back", embed_back_set, embed_back_run, NULL},
    {"rmsnorm", rmsnorm_set, rmsnorm_run, NULL},
    {"rmsnorm_back", rmsnorm_back_set, rmsnorm_back_run, NULL},
    {"rope", rope_set, rope_run, NULL},
    {"rope_back", rope_set, rope_back_run, NULL},
    {"matmul", matmul_set, matmul_run, NULL},
    {"matmul_back_x", matmul_set, matmul_back_x_run, NULL},
    {"matmul_back_w", matmul_set, matmul_back_w_run, NULL},
    {"attention", attention_set, attention_run, NULL},
    {"attention_back", attention_back_set, attention_back_run, NULL},
    {"swiglu", swiglu_set, swiglu_run, NULL},
    {"swiglu_back", swiglu_back_set, swiglu_back_run, NULL},
    {"cross_entropy", cross_entropy_set, cross_entropy_run, NULL},
    {"adamw", adamw_set, adamw_run, NULL},
    {"sum_squares", sum_squares_set, sum_squares_run, NULL},
    {"cast", cast_set, cast_run, NULL},
    {"dropout", dropout_set, dropout_run, NULL},
    {"decode_rows", decode_rows_set, decode_rows_run, types_timed},
    {"pack_weights", pack_weights_set, pack_weights_run, types_timed},
    {"matmul_packed", matmul_packed_set, matmul_packed_run, products_timed},
    {"embed_packed", embed_packed_set, embed_packed_run, types_timed},
    {"kv_write", kv_write_set, kv_write_run, rows_timed},
    {"attention_paged", attention_paged_set, attention_paged_run, rows_timed},
};
enum {
#define OP(name, params, args) OPERATION_##name,
#include "ops/ops.def"
#undef OP
    OPERATIONS,
    TIMINGS = sizeof timings / sizeof timings[0]
};
_Static_assert((int)TIMINGS == OPERATIONS, "each operation of ops.def has its timing");

/* The first run starts threads, and makes working memory and primitives. */
static void measure(Timing *a, void (*run)(Timing *a))
{
    double best = 1e9, spent = 0;
    for (int i = 0; i < RUNS_MIN || spent < seconds_each; i++) {
        a->t = a->sets[i % a->n_sets];
        double start = clock_now();
        run(a);
        double seconds = clock_now() - start;
        spent += i > 0 ? seconds : 0;
        best = i > 0 && seconds < best ? seconds : best;
    }
    a->result->seconds = best;
}

static void drop(Timing *a)
{
    for (int k = 0; k < a->n_sets; k++)
        for (int i = 0; i < a->n; i++)
            device_free(a->dev, a->sets[k][i].data, tensor_bytes(&a->sets[k][i]));
    mem_free(a->sets);
    device_close(a->dev);
}

/* "4096 x 768" becomes "Q4_K, 8 rows, 4096 x 768". */
static void name_variant(OpTime *t, const TimeVariant *v, bool typed)
{
    char shape[sizeof t->shape];
    snprintf(shape, sizeof shape, "%s", t->shape);
    snprintf(t->shape, sizeof t->shape, "%s%s%lld row%s, %.36s", typed ? quant_name(v->type) : "",
             typed ? ", " : "", (long long)v->rows, v->rows == 1 ? "" : "s", shape);
}

static Status time_one(OpTime *out, const OpsTable *table, int op, const TimeVariant *variant,
                       const TimeShape *shape, DType act, int threads)
{
    TimeVariant way = *variant;
    if (way.type == QUANT_BF16)
        way.type = quant_of_dtype(act);
    Timing a = {.s = shape,
                .act = act,
                .N = shape->B * shape->T,
                .head_dim = shape->C / shape->H,
                .variant = &way,
                .result = out};
    Ops *ops = mem_new(Ops);
    *ops = ops_ref;
    ops_overlay(ops, table->ops);
    a.status = device_open_cpu(&a.dev, threads);
    if (a.status != ST_OK) {
        mem_free(ops);
        return a.status;
    }
    a.dev->ops = ops;
    *out = (OpTime){.op = timings[op].op, .variant = table->name};
    a.sets = (Tensor(*)[TENSORS])mem_array(Tensor, SETS_MAX * TENSORS);
    a.n_sets = 1;
    a.t = a.sets[0];
    rng_seed(&a.rng, 1);
    timings[op].set(&a);
    if (timings[op].variants)
        name_variant(out, &way, timings[op].variants != rows_timed);
    if (a.status == ST_OK)
        repeat_set(&a);
    if (a.status == ST_OK) {
        measure(&a, timings[op].run);
        a.status = device_sync(a.dev);
    }
    drop(&a);
    return a.status;
}

/* Its place in ops.def, or -1. */
static int operation(const char *name)
{
    int i = ops_count() - 1;
    while (i >= 0 && strcmp(ops_name(i), name) != 0)
        i--;
    return i;
}

Status time_ops(OpTime *out, int *count, const TimeShape *shape, DType act, int threads, const char *only)
{
    Status st = ST_OK;
    CpuFeatures cpu = cpu_features();
    OpsTable tables[OPS_TABLES_MAX];
    int n = ops_tables(tables, &cpu);
    *count = 0;
    if (only && operation(only) < 0)
        return fail(ST_ARG, "there is no operation called '%s'; see `lemur doctor`", only);
    for (int op = 0; op < TIMINGS; op++) {
        for (int i = 1; i < n && st == ST_OK; i++) { /* tables[0] is the reference */
            if ((only && strcmp(only, timings[op].op) != 0) ||
                !ops_has(tables[i].ops, operation(timings[op].op)))
                continue;
            static const TimeVariant once[] = {{1, QUANT_BF16}, {0, QUANT_BF16}};
            const TimeVariant *v = timings[op].variants ? timings[op].variants : once;
            for (; v->rows > 0 && st == ST_OK; v++) {
                check(*count < TIME_OPS_MAX);
                st = time_one(&out[(*count)++], &tables[i], op, v, shape, act, threads);
            }
        }
    }
    return st;
}
