/* Checks of the operations on rows, for check_ops_test.c. */
#ifndef OPS_CHECK_ROWS_H
#define OPS_CHECK_ROWS_H

#include "ops/check_ops.h"

/* Rows, columns, elements between rows.  Whole vectors, parts of one, both, of 8 and of 16 lanes. */
typedef struct {
    int64_t N, C, gap;
} Shape;
static const Shape shapes[] = {
    {1, 1, 0},   {1, 3, 0},   {3, 1, 2},   {2, 7, 1},   {7, 8, 0},   {7, 8, 8},    {3, 15, 1},  {5, 16, 0},
    {5, 17, 5},  {17, 31, 0}, {17, 32, 1}, {1, 33, 0},  {2, 48, 16}, {9, 65, 3},   {33, 64, 0}, {4, 100, 0},
    {3, 127, 1}, {2, 128, 4}, {5, 130, 2}, {1, 257, 0}, {2, 768, 0}, {65, 96, 32},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* ---- embed ---- */

static void run_embed(Device *dev, Call *c)
{
    embed(dev, &c->t[0], &c->t[1], &c->t[2]);
}

static void run_embed_back(Device *dev, Call *c)
{
    embed_back(dev, &c->t[0], &c->t[1], &c->t[2]);
}

static Call embed_call(bool back, DType d, Shape s)
{
    Call c = call_start(back ? run_embed_back : run_embed, 1);
    int64_t V = 5; /* so that ids repeat */
    c.gap = s.gap;
    call_tensor(&c, back ? ROLE_ADD : ROLE_OUT, d == DTYPE_F64 ? d : DTYPE_F32, back ? V : s.N, s.C, 1);
    call_tensor(&c, ROLE_IN, d, back ? s.N : V, s.C, 1);
    call_index(&c, s.N, 0, V);
    return c;
}

static void check_embed(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < SHAPES; i++) {
            Call c = embed_call(false, acts[a], shapes[i]);
            judge(h, &c);
        }
    }
}

static void check_embed_back(Harness *h)
{
    for (int i = 0; i < SHAPES; i++) {
        Call c = embed_call(true, DTYPE_F32, shapes[i]);
        judge(h, &c);
    }
}

static void embed_differences(Device *dev)
{
    Call forward = embed_call(false, DTYPE_F64, (Shape){7, 3, 0}),
         back = embed_call(true, DTYPE_F64, (Shape){7, 3, 0});
    memcpy(back.t[2].data, forward.t[2].data, call_bytes(&back.t[2]));
    memset(back.t[0].data, 0, call_bytes(&back.t[0]));
    back.run(dev, &back);
    require_gradient(dev, &forward, 0, &back.t[1], 1, &back.t[0]);
    call_drop(&forward);
    call_drop(&back);
}

/* ---- rmsnorm ---- */

static void run_rmsnorm(Device *dev, Call *c)
{
    rmsnorm(dev, &c->t[0], c->flag ? &c->t[3] : NULL, &c->t[1], &c->t[2], c->number);
}

static void run_rmsnorm_back(Device *dev, Call *c)
{
    rmsnorm_back(dev, &c->t[0], c->flag ? &c->t[6] : NULL, &c->t[1], &c->t[2], &c->t[3], &c->t[4], &c->t[5]);
}

static Call rmsnorm_call(DType d, Shape s, bool flag)
{
    Call c = call_start(run_rmsnorm, 2);
    DType wide = d == DTYPE_F64 ? d : DTYPE_F32;
    c.flag = flag;
    c.gap = s.gap;
    c.number = 1e-5f;
    call_tensor(&c, ROLE_OUT, d, s.N, s.C, 0);
    call_tensor(&c, ROLE_IN, wide, s.N, s.C, 3);
    call_tensor(&c, ROLE_IN, wide, 1, s.C, 1);
    if (flag)
        call_tensor(&c, ROLE_OUT, wide, 1, s.N, 0);
    return c;
}

static Call rmsnorm_back_call(DType d, Shape s, bool flag)
{
    Call c = call_start(run_rmsnorm_back, 3);
    DType wide = d == DTYPE_F64 ? d : DTYPE_F32;
    c.flag = flag;
    c.gap = s.gap;
    call_tensor(&c, ROLE_ADD, wide, s.N, s.C, 1);
    call_tensor(&c, ROLE_ADD, wide, 1, s.C, 1);
    call_tensor(&c, ROLE_IN, d, s.N, s.C, 1);
    call_tensor(&c, ROLE_IN, wide, s.N, s.C, 1);
    call_tensor(&c, ROLE_IN, wide, 1, s.C, 1);
    call_tensor(&c, ROLE_IN, wide, 1, s.N, 1);
    if (flag)
        call_tensor(&c, ROLE_COPY, DTYPE_BF16, s.N, s.C, 0);
    return c;
}

static void check_rmsnorm(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < SHAPES; i++) {
            Call c = rmsnorm_call(acts[a], shapes[i], i % 3 != 0);
            judge(h, &c);
        }
    }
}

static void check_rmsnorm_back(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < SHAPES; i++) {
            Call c = rmsnorm_back_call(acts[a], shapes[i], i % 3 != 0);
            judge(h, &c);
        }
    }
}

static void rmsnorm_differences(Device *dev)
{
    Shape s = {3, 5, 0};
    Call forward = rmsnorm_call(DTYPE_F64, s, true), back = rmsnorm_back_call(DTYPE_F64, s, false);
    forward.run(dev, &forward);
    memset(back.t[0].data, 0, call_bytes(&back.t[0]));
    memset(back.t[1].data, 0, call_bytes(&back.t[1]));
    for (int i = 3; i < 6; i++) /* x, w, rstd */
        memcpy(back.t[i].data, forward.t[i - 2].data, call_bytes(&back.t[i]));
    back.run(dev, &back);
    require_gradient(dev, &forward, 0, &back.t[2], 1, &back.t[0]);
    require_gradient(dev, &forward, 0, &back.t[2], 2, &back.t[1]);
    call_drop(&forward);
    call_drop(&back);
}

/* ---- rope ---- */

static void run_rope(Device *dev, Call *c)
{
    rope(dev, &c->t[0], &c->t[1], &c->t[2], c->count);
}

static void run_rope_back(Device *dev, Call *c)
{
    rope_back(dev, &c->t[0], &c->t[1], &c->t[2], c->count);
}

static Call rope_call(void (*run)(Device *, Call *), DType d, int64_t N, int64_t heads, int64_t D)
{
    Call c = call_start(run, 4);
    int64_t P = 50;
    c.count = D;
    c.gap = 3;
    call_tensor(&c, ROLE_ADD, d, N, heads * D, 1);
    c.gap = 0;
    call_tensor(&c, ROLE_IN, d == DTYPE_F64 ? d : DTYPE_F32, P, D, 1);
    call_index(&c, N, 1, P);
    return c;
}

static const int64_t head_dims[] = {2, 4, 6, 8, 16, 18, 24, 32, 48, 64, 80, 96, 128};
enum { HEAD_DIMS = sizeof head_dims / sizeof head_dims[0] };

static void check_rope_of(Harness *h, void (*run)(Device *, Call *))
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < HEAD_DIMS; i++) {
            Call c = rope_call(run, acts[a], 1 + i, 1 + i % 3, head_dims[i]);
            judge(h, &c);
        }
    }
}

static void check_rope(Harness *h)
{
    check_rope_of(h, run_rope);
}

static void check_rope_back(Harness *h)
{
    check_rope_of(h, run_rope_back);
}

/* In place, so the weights are a tensor beside the call. */
static void rope_differences(Device *dev)
{
    Call forward = rope_call(run_rope, DTYPE_F64, 3, 2, 6),
         back = rope_call(run_rope_back, DTYPE_F64, 3, 2, 6);
    for (int64_t r = 0; r < 3; r++)
        for (int64_t i = 0; i < 12; i++)
            tensor_set(&back.t[0], r, i, rng_normal(&forward.rng));
    Call weight = call_copy(&back, true);
    back.run(dev, &back);
    require_gradient(dev, &forward, 0, &weight.t[0], 0, &back.t[0]);
    call_drop(&forward);
    call_drop(&back);
    call_drop(&weight);
}

/* ---- swiglu ---- */

static void run_swiglu(Device *dev, Call *c)
{
    swiglu(dev, &c->t[0], &c->t[1]);
}

static void run_swiglu_back(Device *dev, Call *c) /* flag: in place */
{
    swiglu_back(dev, &c->t[0], &c->t[1], c->flag ? &c->t[0] : &c->t[2]);
}

static Call swiglu_call(DType d, Shape s, double size)
{
    Call c = call_start(run_swiglu, 9);
    c.gap = s.gap;
    call_tensor(&c, ROLE_OUT, d, s.N, s.C, 0);
    call_tensor(&c, ROLE_IN, d, s.N, 2 * s.C, size);
    return c;
}

static Call swiglu_back_call(DType d, Shape s, double size, bool in_place)
{
    Call c = call_start(run_swiglu_back, 10);
    c.gap = s.gap;
    c.flag = in_place;
    call_tensor(&c, in_place ? ROLE_ADD : ROLE_OUT, d, s.N, 2 * s.C, size);
    call_tensor(&c, ROLE_IN, d, s.N, s.C, 1);
    if (!in_place)
        call_tensor(&c, ROLE_IN, d, s.N, 2 * s.C, size);
    return c;
}

static void check_swiglu(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < SHAPES; i++) {
            Call c = swiglu_call(acts[a], shapes[i], i % 3 ? 2 : 60);
            judge(h, &c);
        }
    }
}

static void check_swiglu_back(Harness *h)
{
    for (int a = 0; a < ACTS; a++) {
        for (int i = 0; i < SHAPES; i++) {
            Call c = swiglu_back_call(acts[a], shapes[i], i % 3 ? 2 : 60, i % 2);
            judge(h, &c);
        }
    }
}

static void swiglu_differences(Device *dev)
{
    Shape s = {2, 5, 0};
    Call forward = swiglu_call(DTYPE_F64, s, 2), back = swiglu_back_call(DTYPE_F64, s, 2, false);
    memcpy(back.t[2].data, forward.t[1].data, call_bytes(&back.t[2]));
    back.run(dev, &back);
    require_gradient(dev, &forward, 0, &back.t[1], 1, &back.t[0]);
    call_drop(&forward);
    call_drop(&back);
}

/* ---- cross_entropy ---- */

/* t: loss 0, targets 1, dlogits 2, logits 3; count 0: loss only, t[2] is logits; 1: in place; 2: apart */
static void run_cross_entropy(Device *dev, Call *c)
{
    cross_entropy(dev, &c->t[0], c->count ? &c->t[2] : NULL, &c->t[c->count == 2 ? 3 : 2], &c->t[1],
                  c->number);
}

static Call cross_entropy_call(DType out, DType d, Shape s, int64_t way, double size)
{
    Call c = call_start(run_cross_entropy, 12);
    c.count = way;
    c.gap = s.gap;
    c.number = 0.25f;
    call_tensor(&c, ROLE_OUT, d == DTYPE_F64 ? d : DTYPE_F32, 1, s.N, 0);
    Tensor *targets = call_index(&c, s.N, 0, s.C);
    if (s.N > 2)
        tensor_i32(targets, 0)[s.N / 2] = -1;
    if (way == 2)
        call_tensor(&c, ROLE_OUT, out, s.N, s.C, 0);
    call_tensor(&c, way == 1 ? ROLE_ADD : ROLE_IN, d, s.N, s.C, size);
    return c;
}

static void check_cross_entropy(Harness *h)
{
    static const Shape vocabularies[] = {{3, 2, 0},    {7, 3, 1},    {5, 17, 0},   {2, 33, 7},  {9, 100, 0},
                                         {3, 1000, 0}, {2, 2048, 0}, {2, 2049, 3}, {4, 5003, 1}};
    for (int i = 0; i < 9 * 3; i++) {
        for (int a = 0; a < ACTS * ACTS; a++) {
            int64_t way = i % 3;
            DType d = acts[a % 2], out = way == 1 ? d : acts[a / 2];
            Call c = cross_entropy_call(out, d, vocabularies[i / 3], way, i % 2 ? 2 : 40);
            judge(h, &c);
        }
    }
}

static void cross_entropy_differences(Device *dev)
{
    Shape s = {4, 6, 0};
    Call forward = cross_entropy_call(DTYPE_F64, DTYPE_F64, s, 0, 1);
    Call back = cross_entropy_call(DTYPE_F64, DTYPE_F64, s, 2, 1);
    memcpy(back.t[3].data, forward.t[2].data, call_bytes(&back.t[3]));
    back.run(dev, &back);
    Tensor weight = tensor_view((double[]){0.25, 0.25, 0.25, 0.25}, DTYPE_F64, 1, 4);
    require_gradient(dev, &forward, 0, &weight, 2, &back.t[2]);
    call_drop(&forward);
    call_drop(&back);
}

/* ---- adamw, sum_squares, cast ---- */

static void run_adamw(Device *dev, Call *c) /* t: w 0, m 1, v 2, g 3, w_cast 4 where flag */
{
    adamw(dev, &c->t[0], c->flag ? &c->t[4] : NULL, &c->t[1], &c->t[2], &c->t[3], &c->step);
}

static void check_adamw(Harness *h)
{
    for (int i = 0; i < SHAPES; i++) {
        Call c = call_start(run_adamw, 13);
        int64_t N = shapes[i].N, C = shapes[i].C;
        c.step = (AdamWStep){.lr = 0.01f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .weight_decay = 0.1f,
                             .bias1 = 0.271f, .bias2 = 0.142625f, .grad_scale = 0.5f};
        c.flag = i % 3 != 0;
        for (int k = 0; k < 3; k++)
            call_tensor(&c, ROLE_ADD, DTYPE_F32, N, C, 1);
        for (int64_t r = 0; r < N; r++) /* v is a mean of squares */
            for (int64_t k = 0; k < C; k++)
                tensor_set(&c.t[2], r, k, fabs(tensor_get(&c.t[2], r, k)));
        call_tensor(&c, ROLE_IN, DTYPE_F32, N, C, 1);
        if (c.flag)
            call_tensor(&c, ROLE_COPY, DTYPE_BF16, N, C, 0);
        judge(h, &c);
    }
}

static void run_sum_squares(Device *dev, Call *c)
{
    sum_squares(dev, &c->t[0], &c->t[1]);
}

static void check_sum_squares(Harness *h)
{
    static const int64_t counts[] = {1, 3, 17, 63, 64, 100, 8191, 8192, 8193, 50001};
    for (int i = 0; i < 10; i++) {
        Call c = call_start(run_sum_squares, 14);
        call_tensor(&c, ROLE_OUT, DTYPE_F64, 1, 1, 0);
        call_tensor(&c, ROLE_IN, DTYPE_F32, 1, counts[i], 1);
        judge(h, &c);
    }
}

static void run_cast(Device *dev, Call *c)
{
    cast(dev, &c->t[0], &c->t[1]);
}

static void check_cast(Harness *h)
{
    for (int i = 0; i < 9 * SHAPES; i++) {
        static const DType types[] = {DTYPE_F32, DTYPE_BF16, DTYPE_F64};
        Call c = call_start(run_cast, 15);
        c.gap = shapes[i / 9].gap;
        call_tensor(&c, ROLE_OUT, types[i % 3], shapes[i / 9].N, shapes[i / 9].C, 0);
        call_tensor(&c, ROLE_IN, types[i % 9 / 3], shapes[i / 9].N, shapes[i / 9].C, 1);
        judge(h, &c);
    }
}

#endif
