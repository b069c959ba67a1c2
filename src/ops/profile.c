#include "ops/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ops/ops.h"
#include "ops/select.h"

enum {
#define OP(name, params, args) OP_##name,
#include "ops/ops.def"
#undef OP
    OP_COUNT
};

/* Calls of one operation with one shape.  Two arguments tell the shape: the first output and what comes
 * after it. */
typedef struct {
    int op;
    int64_t rows1, cols1, rows2, cols2;
    int64_t calls;
    double seconds;
} Line;

enum { LINES_MAX = 256 };

/* The table comes first: the device's `ops` points at it, frees it with itself, and leads back here. */
typedef struct {
    Ops timed;
    Ops inner;
    Line lines[LINES_MAX];
    int n;
} Profile;

static Profile *profile_of(Device *dev)
{
    return (Profile *)(uintptr_t)dev->ops;
}

/* What an argument says of the shape of a call; nothing, where it is no matrix. */
typedef struct {
    int64_t rows, cols;
} Shape;

static Shape tensor_shape(const Tensor *t)
{
    return t ? (Shape){t->rows, t->cols} : (Shape){0, 0};
}

static Shape packed_shape(const PackedMatrix *w)
{
    return (Shape){w->rows, w->cols};
}

static Shape pages_shape(const KvPages *kv)
{
    return (Shape){kv->pages * KV_PAGE, kv->Hk * kv->D};
}

static Shape bytes_shape(const void *bytes)
{
    (void)bytes;
    return (Shape){0, 0};
}

static Shape no_shape(int64_t other)
{
    (void)other;
    return (Shape){0, 0};
}

static Line *line_for(Profile *p, int op, Shape a, Shape b)
{
    Line key = {.op = op, .rows1 = a.rows, .cols1 = a.cols, .rows2 = b.rows, .cols2 = b.cols};
    for (int i = 0; i < p->n; i++) {
        Line *l = &p->lines[i];
        if (l->op == key.op && l->rows1 == key.rows1 && l->cols1 == key.cols1 && l->rows2 == key.rows2 &&
            l->cols2 == key.cols2)
            return l;
    }
    if (p->n == LINES_MAX)
        return &p->lines[LINES_MAX - 1]; /* more shapes than anybody reads */
    p->lines[p->n] = key;
    return &p->lines[p->n++];
}

static void timed_end(Device *dev, int op, Shape a, Shape b, double start)
{
    if (!device_failed(dev))
        dev->kind->sync(dev);
    Line *l = line_for(profile_of(dev), op, a, b);
    l->calls++;
    l->seconds += clock_now() - start;
}

/* Every operation takes (device, output, what comes after it, ...). */
#define SHAPE_OF(x)                                                                                   \
    _Generic((x), Tensor *: tensor_shape, const Tensor *: tensor_shape, PackedMatrix *: packed_shape, \
        const PackedMatrix *: packed_shape, KvPages *: pages_shape, const void *: bytes_shape,        \
        default: no_shape)(x)
#define FIRST_SHAPE(dev, a, ...) SHAPE_OF(a)
#define SECOND_SHAPE(dev, a, b, ...) SHAPE_OF(b)
#define SECOND_OF(...) SECOND_SHAPE(__VA_ARGS__, 0)
#define OP(name, params, args)                                               \
    static void timed_##name params                                          \
    {                                                                        \
        double start = clock_now();                                          \
        profile_of(dev)->inner.name args;                                    \
        timed_end(dev, OP_##name, FIRST_SHAPE args, SECOND_OF args, start);  \
    }
#include "ops/ops.def"
#undef OP

Status profile_attach(Device *dev)
{
    check(dev->ops);
    Profile *p = mem_new(Profile);
    p->inner = *dev->ops;
#define OP(name, params, args) p->timed.name = timed_##name;
#include "ops/ops.def"
#undef OP
    mem_free((void *)(uintptr_t)dev->ops);
    dev->ops = &p->timed;
    return ST_OK;
}

void profile_reset(Device *dev)
{
    profile_of(dev)->n = 0;
}

double profile_seconds(Device *dev)
{
    Profile *p = profile_of(dev);
    double sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += p->lines[i].seconds;
    return sum;
}

/* FLOPs of one call, for the products: 2 N M K in all three.  0: not counted. */
static double line_flops(const Line *l)
{
    switch (l->op) {
    case OP_matmul:
    case OP_matmul_packed:
        return 2.0 * (double)l->rows1 * (double)l->cols1 * (double)l->cols2; /* y [N,M]   x [N,K]  */
    case OP_matmul_back_x:
        return 2.0 * (double)l->rows1 * (double)l->cols1 * (double)l->cols2; /* dx [N,K]  dy [N,M] */
    case OP_matmul_back_w:
        return 2.0 * (double)l->rows1 * (double)l->cols1 * (double)l->rows2; /* dw [M,K]  dy [N,M] */
    default: return 0;
    }
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const Line *)a)->seconds, y = ((const Line *)b)->seconds;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Lines summed over shapes, the most expensive first; returns how many. */
static int sum_by_op(const Profile *p, Line *sums, double *flops)
{
    int n = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        Line sum = {.op = op};
        flops[op] = 0;
        for (int i = 0; i < p->n; i++) {
            if (p->lines[i].op != op)
                continue;
            sum.calls += p->lines[i].calls;
            sum.seconds += p->lines[i].seconds;
            flops[op] += line_flops(&p->lines[i]) * (double)p->lines[i].calls;
        }
        if (sum.calls)
            sums[n++] = sum;
    }
    qsort(sums, (size_t)n, sizeof *sums, by_seconds);
    return n;
}

static void print_rate(FILE *out, double flops, double seconds)
{
    if (flops > 0 && seconds > 0)
        fprintf(out, "  %7.1f GFLOP/s", flops / seconds * 1e-9);
    fputc('\n', out);
}

void profile_print(Device *dev, double seconds, int64_t steps, FILE *out)
{
    Profile *p = profile_of(dev);
    Line sums[OP_COUNT];
    double flops[OP_COUNT], each = 1.0 / (double)(steps > 0 ? steps : 1), in_ops = profile_seconds(dev);
    int n = sum_by_op(p, sums, flops);
    fprintf(out, "%-18s %10s %10s %7s\n", "operation", "calls/step", "ms/step", "share");
    for (int i = 0; i < n; i++) {
        const Line *s = &sums[i];
        fprintf(out, "%-18s %10.1f %10.3f %6.1f%%", ops_name(s->op), (double)s->calls * each,
                s->seconds * each * 1e3, 100 * s->seconds / seconds);
        print_rate(out, flops[s->op], s->seconds);
    }
    fprintf(out, "%-18s %10s %10.3f %6.1f%%\n", "(outside)", "", (seconds - in_ops) * each * 1e3,
            100 * (seconds - in_ops) / seconds);
    qsort(p->lines, (size_t)p->n, sizeof p->lines[0], by_seconds);
    fprintf(out, "\n%-18s %-16s %-16s %10s %10s\n", "by shape", "first", "second", "ms/call", "ms/step");
    for (int i = 0; i < p->n; i++) {
        const Line *l = &p->lines[i];
        char a[40], b[40];
        snprintf(a, sizeof a, "%lldx%lld", (long long)l->rows1, (long long)l->cols1);
        snprintf(b, sizeof b, "%lldx%lld", (long long)l->rows2, (long long)l->cols2);
        fprintf(out, "%-18s %-16s %-16s %10.3f %10.3f", ops_name(l->op), a, l->rows2 ? b : "-",
                l->seconds / (double)l->calls * 1e3, l->seconds * each * 1e3);
        print_rate(out, line_flops(l) * (double)l->calls, l->seconds);
    }
}

json_t *profile_to_json(Device *dev, double seconds, int64_t steps)
{
    Profile *p = profile_of(dev);
    Line sums[OP_COUNT];
    double flops[OP_COUNT], each = 1.0 / (double)(steps > 0 ? steps : 1);
    int n = sum_by_op(p, sums, flops);
    json_t *all = json_object();
    for (int i = 0; i < n; i++) {
        const Line *s = &sums[i];
        json_t *one = json_pack("{s:f, s:f, s:f}", "calls_per_step", (double)s->calls * each, "ms_per_step",
                                s->seconds * each * 1e3, "share", s->seconds / seconds);
        if (flops[s->op] > 0 && s->seconds > 0)
            json_object_set_new(one, "flops_per_s", json_real(flops[s->op] / s->seconds));
        json_object_set_new(all, ops_name(s->op), one);
    }
    return all;
}
