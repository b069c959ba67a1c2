/* Checks of the matrix products and of attention, for check_ops_test.c. */
#ifndef OPS_CHECK_PRODUCTS_H
#define OPS_CHECK_PRODUCTS_H

#include "ops/check_ops.h"

/* ---- the three products ---- */

static void run_matmul(Device *dev, Call *c)
{
    matmul(dev, &c->t[0], &c->t[1], &c->t[2], c->flag);
}

static void run_matmul_back_x(Device *dev, Call *c)
{
    matmul_back_x(dev, &c->t[0], &c->t[1], &c->t[2], c->flag);
}

static void run_matmul_back_w(Device *dev, Call *c)
{
    matmul_back_w(dev, &c->t[0], &c->t[1], &c->t[2], c->flag);
}

/* N, M, K of y [N, M] = x [N, K] w [M, K]^T, and elements between rows */
static const int64_t products[][4] = {
    {1, 1, 1, 0},    {1, 17, 33, 0},  {3, 7, 1, 2},     {17, 33, 65, 0},  {33, 3, 17, 5},   {1, 100, 96, 0},
    {7, 96, 48, 16}, {64, 64, 64, 0}, {65, 17, 130, 1}, {100, 33, 7, 32}, {32, 96, 128, 0}, {2, 256, 64, 0},
};
enum { PRODUCTS = sizeof products / sizeof products[0] };

static Call matmul_call(void (*run)(Device *, Call *), DType out, DType d, const int64_t p[4], bool add_to)
{
    Call c = call_start(run, 5);
    int64_t N = p[0], M = p[1], K = p[2];
    bool y = run == run_matmul, x = run == run_matmul_back_x;
    c.flag = add_to;
    c.gap = p[3];
    /* f32 sums of f32 products drift with their length; a product may go through bf16 where the output is
     * bf16 */
    c.tolerance = out == DTYPE_F32 ? 4e-6 : out == DTYPE_BF16 ? 0.005 : 0;
    call_tensor(&c, add_to ? ROLE_ADD : ROLE_OUT, out, y || x ? N : M, y ? M : K, 1);
    call_tensor(&c, ROLE_IN, d, N, y ? K : M, 1);
    call_tensor(&c, ROLE_IN, d, y || x ? M : N, K, 1);
    return c;
}

static void check_product(Harness *h, void (*run)(Device *, Call *))
{
    for (int a = 0; a < ACTS; a++) {
        for (int out = 0; out < (run == run_matmul_back_w ? 1 : ACTS); out++) {
            for (int i = 0; i < 2 * PRODUCTS; i++) {
                Call c = matmul_call(run, acts[out], acts[a], products[i / 2], i % 2);
                judge(h, &c);
            }
        }
    }
}

static void check_matmul(Harness *h)
{
    check_product(h, run_matmul);
}

static void check_matmul_back_x(Harness *h)
{
    check_product(h, run_matmul_back_x);
}

static void check_matmul_back_w(Harness *h)
{
    check_product(h, run_matmul_back_w);
}

static void matmul_differences(Device *dev)
{
    static const int64_t p[4] = {3, 4, 5, 0};
    Call forward = matmul_call(run_matmul, DTYPE_F64, DTYPE_F64, p, false);
    Call dx = matmul_call(run_matmul_back_x, DTYPE_F64, DTYPE_F64, p, false);
    Call dw = matmul_call(run_matmul_back_w, DTYPE_F64, DTYPE_F64, p, false);
    memcpy(dx.t[2].data, forward.t[2].data, call_bytes(&dx.t[2]));
    memcpy(dw.t[1].data, dx.t[1].data, call_bytes(&dw.t[1]));
    memcpy(dw.t[2].data, forward.t[1].data, call_bytes(&dw.t[2]));
    dx.run(dev, &dx);
    dw.run(dev, &dw);
    require_gradient(dev, &forward, 0, &dx.t[1], 1, &dx.t[0]);
    require_gradient(dev, &forward, 0, &dx.t[1], 2, &dw.t[0]);
    call_drop(&forward);
    call_drop(&dx);
    call_drop(&dw);
}

/* ---- attention ---- */

/* t: out 0, lse 1, q 2, k 3, v 4, starts 5 (where flag) */
static void run_attention(Device *dev, Call *c)
{
    attention(dev, &c->t[0], &c->t[1], &c->t[2], &c->t[3], &c->t[4], c->flag ? &c->t[5] : NULL, &c->shape);
}

/* t: dq 0, dk 1, dv 2, dout 3, out 4, lse 5, q 6, k 7, v 8, starts 9 */
static void run_attention_back(Device *dev, Call *c)
{
    attention_back(dev, &c->t[0], &c->t[1], &c->t[2], &c->t[3], &c->t[4], &c->t[5], &c->t[6], &c->t[7],
                   &c->t[8], c->flag ? &c->t[9] : NULL, &c->shape);
}

static const AttentionShape attentions[] = {
    /* B, T, H, Hk, D */
    {1, 1, 1, 1, 2},   {2, 3, 2, 1, 4},    {1, 7, 4, 2, 8},     {2, 17, 3, 3, 16},
    {1, 33, 4, 4, 24}, {3, 16, 2, 2, 32},  {1, 65, 6, 2, 48},   {1, 64, 2, 2, 64},
    {2, 31, 2, 1, 80}, {1, 100, 1, 1, 96}, {1, 130, 2, 1, 128}, {2, 48, 3, 1, 6},
};
enum { ATTENTIONS = sizeof attentions / sizeof attentions[0] };

/* bf16 kernels round probabilities to bf16 before they multiply them. */
static double attention_tolerance(DType d, bool back)
{
    return d == DTYPE_BF16 ? (back ? 0.012 : 0.006) : d == DTYPE_F32 ? (back ? 1e-5 : 4e-6) : 0;
}

/* Documents of random length: each row's first visible row is its document's. */
static void attention_starts(Call *c, const AttentionShape *s)
{
    Tensor *starts = call_index(c, s->B * s->T, 0, 1);
    int32_t start = 0;
    for (int64_t n = 0; n < s->B * s->T; n++) {
        if (n % s->T == 0)
            start = 0;
        else if (rng_below(&c->rng, 9) == 0)
            start = (int32_t)(n % s->T);
        tensor_i32(starts, 0)[n] = start;
    }
}

static Call attention_call(DType d, const AttentionShape *s, int64_t gap, bool starts)
{
    Call c = call_start(run_attention, 6);
    int64_t N = s->B * s->T;
    c.shape = *s;
    c.flag = starts;
    c.gap = gap;
    c.tolerance = attention_tolerance(d, false);
    call_tensor(&c, ROLE_OUT, d, N, s->H * s->D, 0);
    call_tensor(&c, ROLE_OUT, d == DTYPE_F64 ? d : DTYPE_F32, N, s->H, 0);
    call_tensor(&c, ROLE_IN, d, N, s->H * s->D, 1.5);
    call_tensor(&c, ROLE_IN, d, N, s->Hk * s->D, 1.5);
    call_tensor(&c, ROLE_IN, d, N, s->Hk * s->D, 1);
    if (starts)
        attention_starts(&c, s);
    return c;
}

/* What the forward pass of the reference leaves, and a random dout. */
static Call attention_back_call(Device *ref, DType d, const AttentionShape *s, int64_t gap, bool starts)
{
    Call forward = attention_call(d, s, gap, starts), c = call_start(run_attention_back, 7);
    forward.run(ref, &forward);
    c.shape = *s;
    c.flag = starts;
    c.gap = gap;
    c.tolerance = attention_tolerance(d, true);
    for (int i = 2; i < 5; i++) /* dq, dk, dv */
        call_tensor(&c, ROLE_OUT, d, forward.t[i].rows, forward.t[i].cols, 0);
    call_tensor(&c, ROLE_IN, d, forward.t[0].rows, forward.t[0].cols, 1);
    for (int i = 0; i < forward.n; i++) { /* out, lse, q, k, v, starts */
        c.t[c.n] = forward.t[i];
        c.role[c.n++] = ROLE_IN;
    }
    return c; /* owns what was the forward call's */
}

static void check_attention(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < ATTENTIONS; i++) {
            Call c = attention_call(acts[a], &attentions[i], i % 3 * 4, false);
            judge(h, &c);
            c = attention_call(acts[a], &attentions[i], i % 2 * 16, true);
            judge(h, &c);
        }
    }
}

static void check_attention_back(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < ATTENTIONS; i++) {
            Call c = attention_back_call(h->ref, acts[a], &attentions[i], i % 3 * 4, i % 2);
            judge(h, &c);
        }
    }
}

static void attention_differences(Device *dev)
{
    static const AttentionShape s = {2, 5, 4, 2, 4};
    for (int starts = 0; starts < 2; starts++) {
        Call forward = attention_call(DTYPE_F64, &s, 0, starts),
             back = attention_back_call(dev, DTYPE_F64, &s, 0, starts);
        back.run(dev, &back);
        for (int i = 0; i < 3; i++)
            require_gradient(dev, &forward, 0, &back.t[3], 2 + i, &back.t[i]);
        call_drop(&forward);
        call_drop(&back);
    }
}

#endif
