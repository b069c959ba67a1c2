/* The harness of check_ops_test.c: a call of an operation with its tensors, run by a table and by the
 * reference in f64, and compared.  Tests only.
 *
 * A Call owns its tensors.  Each is allocated to the exact byte, so that AddressSanitizer sees a step
 * outside; rows lie `gap` elements apart, and what lies between them must be the same afterwards; outputs
 * start as rubbish, so that a kernel that does nothing or adds where it should set is seen. */
#ifndef OPS_CHECK_OPS_H
#define OPS_CHECK_OPS_H

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

/* Activation types. */
static const DType acts[] = {DTYPE_F32, DTYPE_BF16};
enum { ACTS = 2 };

typedef enum {
    ROLE_IN,  /* read */
    ROLE_OUT, /* overwritten */
    ROLE_ADD, /* read and written */
    ROLE_COPY /* overwritten, and bf16 even where everything else is f64 */
} Role;

enum { CALL_TENSORS = 12 };

typedef struct Call {
    void (*run)(Device *dev, struct Call *c);
    double tolerance; /* 0: by the output's type */
    Tensor t[CALL_TENSORS];
    Role role[CALL_TENSORS];
    int n;
    int64_t gap; /* between rows of the tensors made next */
    Rng rng;
    /* options of the operations */
    AttentionShape shape;
    AdamWStep step;
    int64_t count; /* head_dim, past */
    float number;  /* eps, scale */
    bool flag;     /* add_to, has starts, ... */
    PackedMatrix packed[3]; /* without their data, which are tensors of words */
    QuantType from;
    KvPages kv;
    PagedRows rows[4];
    int32_t pages[64];
} Call;

static inline Call call_start(void (*run)(Device *, Call *), uint64_t seed)
{
    Call c = {.run = run};
    rng_seed(&c.rng, seed);
    return c;
}

static inline size_t call_bytes(const Tensor *t)
{
    return (size_t)((t->rows - 1) * t->stride + t->cols) * dtype_size(t->dtype);
}

/* Normal numbers of this size; rubbish in outputs and in gaps. */
static inline Tensor *call_tensor(Call *c, Role role, DType d, int64_t rows, int64_t cols, double size)
{
    check(c->n < CALL_TENSORS);
    Tensor *t = &c->t[c->n];
    *t = tensor_view(NULL, d, rows, cols);
    t->stride = cols + (rows > 1 ? c->gap : 0);
    t->data = mem_zeroed(1, call_bytes(t));
    c->role[c->n++] = role;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < (r + 1 < rows ? t->stride : cols); i++)
            dtype_store(t->data, d, r * t->stride + i,
                        i >= cols || role == ROLE_OUT || role == ROLE_COPY ? 777
                                                                           : size * rng_normal(&c->rng));
    return t;
}

/* Whole numbers in [low, high). */
static inline Tensor *call_index(Call *c, int64_t n, int64_t low, int64_t high)
{
    Tensor *t = call_tensor(c, ROLE_IN, DTYPE_I32, 1, n, 0);
    for (int64_t i = 0; i < n; i++)
        tensor_i32(t, 0)[i] = (int32_t)(low + (int64_t)rng_below(&c->rng, (uint64_t)(high - low)));
    return t;
}

static inline void call_drop(Call *c)
{
    for (int i = 0; i < c->n; i++)
        mem_free(c->t[i].data);
}

/* A copy with memory of its own; wide: floating tensors as f64, without gaps. */
static inline Call call_copy(const Call *c, bool wide)
{
    Call copy = *c;
    for (int i = 0; i < c->n; i++) {
        const Tensor *from = &c->t[i];
        Tensor *to = &copy.t[i];
        if (!wide || from->dtype == DTYPE_I32 || c->role[i] == ROLE_COPY) {
            to->data = mem_copy(from->data, call_bytes(from));
            continue;
        }
        *to = tensor_view(mem_zeroed((size_t)tensor_count(from), sizeof(double)), DTYPE_F64, from->rows,
                          from->cols);
        for (int64_t r = 0; r < to->rows; r++)
            for (int64_t k = 0; k < to->cols; k++)
                tensor_set(to, r, k, tensor_get(from, r, k));
    }
    return copy;
}

/* How far a is from b: `mean` is the root of the mean squared error over that of b, `worst` the greatest
 * error of an element over its own size plus the root mean square of b. */
typedef struct {
    double mean, worst;
} Distance;

static inline Distance distance(const Tensor *a, const Tensor *b)
{
    double errors = 0, squares = 0, worst = 0;
    for (int64_t r = 0; r < b->rows; r++)
        for (int64_t i = 0; i < b->cols; i++)
            squares += tensor_get(b, r, i) * tensor_get(b, r, i);
    double size = sqrt(squares / (double)tensor_count(b));
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t i = 0; i < b->cols; i++) {
            double x = tensor_get(a, r, i), y = tensor_get(b, r, i), error = fabs(x - y);
            if (x == y)
                continue; /* infinities too */
            errors += error * error;
            error /= fabs(y) + size;
            if (!(error <= worst)) /* NaN counts */
                worst = error;
        }
    }
    return (Distance){size > 0 ? sqrt(errors / (double)tensor_count(b)) / size : errors, worst};
}

/* One rounding to bf16 is 2^-8 at most, to f32 2^-24; what is above is for the sums inside. */
static inline double call_tolerance(const Call *c, const Tensor *out)
{
    if (c->tolerance > 0)
        return c->tolerance;
    return out->dtype == DTYPE_BF16 ? 0.004 : 1e-6;
}

static inline bool close_enough(const Call *c, const Tensor *a, const Tensor *b)
{
    Distance d = distance(a, b);
    double tolerance = call_tolerance(c, a);
    return d.mean <= tolerance && d.worst <= 4 * tolerance;
}

static inline bool is_output(const Call *c, int i)
{
    return c->role[i] != ROLE_IN;
}

/* Everything that is not an output, and what lies between rows, is as it was. */
static inline bool rest_untouched(const Call *before, const Call *after)
{
    for (int i = 0; i < before->n; i++) {
        const Tensor *a = &before->t[i], *b = &after->t[i];
        size_t size = dtype_size(a->dtype), row = (size_t)a->stride * size, used = (size_t)a->cols * size;
        if (!is_output(before, i) && memcmp(a->data, b->data, call_bytes(a)) != 0)
            return false;
        for (int64_t r = 0; r + 1 < a->rows; r++) {
            size_t at = (size_t)r * row + used;
            if (memcmp((char *)a->data + at, (char *)b->data + at, row - used) != 0)
                return false;
        }
    }
    return true;
}

typedef struct {
    const char *table, *op;
    Device *dev, *ref; /* ref: the reference's */
    int64_t calls;
} Harness;

static inline void describe(const Harness *h, const Call *c, const char *what)
{
    print_error("%s %s: %s (%d threads)\n", h->table, h->op, what, h->dev->threads);
    for (int i = 0; i < c->n; i++)
        print_error("  tensor %d: %s [%lld, %lld] stride %lld\n", i, dtype_name(c->t[i].dtype),
                    (long long)c->t[i].rows, (long long)c->t[i].cols, (long long)c->t[i].stride);
}

static inline void require(const Harness *h, const Call *c, bool ok, const char *what)
{
    if (!ok) {
        describe(h, c, what);
        fail();
    }
}

static inline void require_close(const Harness *h, const Call *before, const Call *got, const Call *want)
{
    for (int i = 0; i < got->n; i++) {
        if (!is_output(got, i))
            continue;
        if (!close_enough(got, &got->t[i], &want->t[i])) {
            Distance d = distance(&got->t[i], &want->t[i]);
            print_error("output %d: mean error %.3g, worst %.3g, allowed %.3g and %.3g\n", i, d.mean, d.worst,
                        call_tolerance(got, &got->t[i]), 4 * call_tolerance(got, &got->t[i]));
            require(h, got, false, "is not what the reference computes");
        }
        require(h, got, !close_enough(got, &before->t[i], &want->t[i]),
                "the test would pass without the operation");
    }
}

/* Runs the call by the table twice and by the reference in f64, compares, and frees the call. */
static inline void judge(Harness *h, Call *c)
{
    Call want = call_copy(c, true), first = call_copy(c, false), second = call_copy(c, false);
    want.run(h->ref, &want);
    first.run(h->dev, &first);
    second.run(h->dev, &second);
    require(h, c, !device_failed(h->dev) && !device_failed(h->ref), "the device failed");
    for (int i = 0; i < c->n; i++)
        require(h, c, memcmp(first.t[i].data, second.t[i].data, call_bytes(&c->t[i])) == 0,
                "two runs, two results");
    require(h, c, rest_untouched(c, &first), "wrote outside its outputs");
    require_close(h, c, &first, &want);
    call_drop(&want);
    call_drop(&first);
    call_drop(&second);
    call_drop(c);
    h->calls++;
}

/* sum of out * weight */
static inline double weighted(const Tensor *out, const Tensor *weight)
{
    double sum = 0;
    for (int64_t r = 0; r < out->rows; r++)
        for (int64_t i = 0; i < out->cols; i++)
            sum += tensor_get(out, r, i) * tensor_get(weight, r, i);
    return sum;
}

/* `gradient` is d weighted(forward's tensor `out`, weight) / d (forward's tensor `in`): by central
 * differences, in f64. */
static inline void require_gradient(Device *dev, Call *forward, int out, const Tensor *weight, int in,
                                    const Tensor *gradient)
{
    Tensor *x = &forward->t[in];
    double h = 1e-5, largest = 0;
    check(x->dtype == DTYPE_F64 && tensor_same_shape(x, gradient) &&
          tensor_same_shape(&forward->t[out], weight));
    for (int64_t r = 0; r < x->rows; r++) {
        for (int64_t i = 0; i < x->cols; i++) {
            double value = tensor_get(x, r, i), side[2];
            for (int k = 0; k < 2; k++) {
                Call moved = call_copy(forward, true);
                tensor_set(&moved.t[in], r, i, value + (k ? -h : h));
                moved.run(dev, &moved);
                side[k] = weighted(&moved.t[out], weight);
                call_drop(&moved);
            }
            double slope = (side[0] - side[1]) / (2 * h), got = tensor_get(gradient, r, i);
            if (!(fabs(slope - got) <= 1e-7 * (1 + fabs(slope)))) {
                print_error("tensor %d [%lld, %lld]: differences say %.9g, the gradient is %.9g\n", in,
                            (long long)r, (long long)i, slope, got);
                fail();
            }
            largest = fmax(largest, fabs(slope));
        }
    }
    assert_true(largest > 1e-3);
}

#endif
