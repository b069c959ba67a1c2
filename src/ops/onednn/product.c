/* c = a b by oneDNN, in one of two ways:
 *
 * gemm       BLAS-like, f32 result, adds to c at no cost; packs both factors in its own memory at each call,
 *            which many rows pay for, and reads b in place for one row (a token being decoded).
 * primitive  a matmul made once per shape and kept; for a bf16 result, and for few rows.  With rows enough to
 *            pay for it, b is first laid out the way the kernel wants it, in scratch memory: left to itself,
 *            every thread does that again.
 *
 * The limits below are measured: docs/speed.md. */
#include "ops/onednn/onednn.h"

#include <dnnl_debug.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/thread.h"

/* Exported by oneDNN 2.6's library beside dnnl_sgemm, and declared by none of its headers; hence weak: a
 * library without it leaves NULL, and the primitive does the work.  Arguments as dnnl_sgemm's. */
extern dnnl_status_t dnnl_gemm_bf16bf16f32(char transa, char transb, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k,
                                           float alpha, const uint16_t *a, dnnl_dim_t lda, const uint16_t *b,
                                           dnnl_dim_t ldb, float beta, float *c, dnnl_dim_t ldc)
    __attribute__((weak));

enum {
    GEMM_ROWS = 96,  /* rows of c from which gemm's packing pays for itself */
    PACK_ROWS = 512, /* the same for laying out b before a primitive        */
};

/* Everything that a primitive is made for; compared as bytes, so it is filled over zeroes. */
typedef struct {
    int64_t m, n, k, a_row, a_col, b_row, b_col, c_row;
    int32_t in, out, add_to;
} Shape;

typedef struct {
    Shape shape;
    dnnl_primitive_t run, pack; /* run NULL: oneDNN cannot do this shape; pack NULL: b is used as it lies */
    dnnl_memory_t a, b, packed, c, work;
    size_t packed_bytes, work_bytes;
} Primitive;

typedef struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    Array(Primitive) made;
} OneDnn;

static void primitive_drop(Primitive *p)
{
    dnnl_memory_t memories[] = {p->a, p->b, p->packed, p->c, p->work};
    for (size_t i = 0; i < sizeof memories / sizeof memories[0]; i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
    if (p->run)
        dnnl_primitive_destroy(p->run);
    if (p->pack)
        dnnl_primitive_destroy(p->pack);
}

static void onednn_close(Device *dev)
{
    OneDnn *s = dev->ops_state;
    for (size_t i = 0; i < s->made.n; i++)
        primitive_drop(&s->made.at[i]);
    array_drop(&s->made);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    mem_free(s);
    dev->ops_state = NULL;
}

/* NULL, and the device has failed, when the library does not start. */
static OneDnn *state(Device *dev)
{
    if (dev->ops_state)
        return dev->ops_state;
    OneDnn *s = mem_new(OneDnn);
    dev->ops_state = s;
    dev->ops_close = onednn_close;
    dnnl_status_t st = dnnl_engine_create(&s->engine, dnnl_cpu, 0);
    if (st == dnnl_success)
        st = dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags);
    if (st != dnnl_success)
        device_fail(dev, "oneDNN does not start: %s", dnnl_status2str(st));
    return st == dnnl_success ? s : NULL;
}

/* Making a primitive ----------------------------------------------------------------------------------- */

static dnnl_data_type_t type_of(int32_t d)
{
    return d == DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
}

static dnnl_memory_desc_t describe(int64_t rows, int64_t cols, int64_t row, int64_t col, int32_t dtype)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims = {rows, cols}, strides = {row, col};
    memset(&md, 0, sizeof md);
    if (dnnl_memory_desc_init_by_strides(&md, 2, dims, type_of(dtype), strides) != dnnl_success)
        memset(&md, 0, sizeof md);
    return md;
}

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *out, bool add_to)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t st = dnnl_primitive_attr_create(out);
    if (st == dnnl_success)
        st = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (st == dnnl_success)
        st = dnnl_post_ops_create(&ops);
    if (st == dnnl_success && add_to)
        st = dnnl_post_ops_append_sum(ops, 1.0f);
    if (st == dnnl_success)
        st = dnnl_primitive_attr_set_post_ops(*out, ops);
    if (ops)
        dnnl_post_ops_destroy(ops);
    return st;
}

static dnnl_status_t make_memory(dnnl_memory_t *out, const dnnl_memory_desc_t *md, dnnl_engine_t engine)
{
    return dnnl_memory_create(out, md, engine, DNNL_MEMORY_NONE);
}

/* The step that lays out b; none where the kernel takes it as it lies. */
static dnnl_status_t make_pack(Primitive *p, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                               dnnl_engine_t engine)
{
    if (dnnl_memory_desc_equal(from, to))
        return dnnl_success;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL);
    if (st == dnnl_success)
        st = dnnl_primitive_create(&p->pack, pd);
    if (st == dnnl_success)
        st = make_memory(&p->packed, to, engine);
    p->packed_bytes = dnnl_memory_desc_get_size(to);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return st;
}

static dnnl_status_t make_run(Primitive *p, const dnnl_memory_desc_t *b, const_dnnl_primitive_desc_t pd,
                              dnnl_engine_t engine)
{
    const dnnl_memory_desc_t *work = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->work_bytes = dnnl_memory_desc_get_size(work);
    dnnl_status_t st = make_pack(p, b, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), engine);
    if (st == dnnl_success)
        st = make_memory(&p->a, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), engine);
    if (st == dnnl_success)
        st = make_memory(&p->b, b, engine);
    if (st == dnnl_success)
        st = make_memory(&p->c, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0), engine);
    if (st == dnnl_success)
        st = make_memory(&p->work, work, engine);
    if (st == dnnl_success)
        st = dnnl_primitive_create(&p->run, pd);
    return st;
}

static dnnl_status_t make(Primitive *p, dnnl_engine_t engine)
{
    const Shape *s = &p->shape;
    dnnl_memory_desc_t a = describe(s->m, s->k, s->a_row, s->a_col, s->in);
    dnnl_memory_desc_t b = describe(s->k, s->n, s->b_row, s->b_col, s->in), wanted = b;
    dnnl_memory_desc_t c = describe(s->m, s->n, s->c_row, 1, s->out);
    if (s->m >= PACK_ROWS) {
        dnnl_dims_t dims = {s->k, s->n};
        dnnl_memory_desc_init_by_tag(&wanted, 2, dims, type_of(s->in), dnnl_format_tag_any);
    }
    dnnl_matmul_desc_t desc;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = dnnl_matmul_desc_init(&desc, &a, &wanted, NULL, &c);
    if (st == dnnl_success)
        st = make_attributes(&attr, s->add_to);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL);
    if (st == dnnl_success)
        st = make_run(p, &b, pd, engine);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return st;
}

/* The primitive of that shape, made at the first call; NULL where there is none. */
static Primitive *find(Device *dev, OneDnn *s, const Shape *shape)
{
    for (size_t i = 0; i < s->made.n; i++)
        if (memcmp(&s->made.at[i].shape, shape, sizeof *shape) == 0)
            return &s->made.at[i];
    Primitive p;
    memset(&p, 0, sizeof p);
    p.shape = *shape;
    dnnl_status_t st = make(&p, s->engine);
    if (st != dnnl_success) {
        primitive_drop(&p);
        memset(&p, 0, sizeof p);
        p.shape = *shape;
        if (st != dnnl_unimplemented)
            device_fail(dev, "oneDNN cannot make a product of %lld x %lld x %lld: %s", (long long)shape->m,
                        (long long)shape->n, (long long)shape->k, dnnl_status2str(st));
    }
    array_push(&s->made, p);
    return &s->made.at[s->made.n - 1];
}

/* Running ---------------------------------------------------------------------------------------------- */

static dnnl_status_t run(Device *dev, const OneDnn *s, Primitive *p, void *a, void *b, void *c)
{
    size_t packed_bytes = (p->packed_bytes + 63) / 64 * 64;
    char *scratch = device_scratch(dev, packed_bytes + p->work_bytes + 64);
    if (!scratch)
        return dnnl_success; /* the device knows */
    dnnl_memory_set_data_handle(p->a, a);
    dnnl_memory_set_data_handle(p->b, b);
    dnnl_memory_set_data_handle(p->c, c);
    dnnl_memory_set_data_handle(p->work, scratch + packed_bytes);
    if (p->pack) {
        dnnl_memory_set_data_handle(p->packed, scratch);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, p->b}, {DNNL_ARG_TO, p->packed}};
        dnnl_status_t st = dnnl_primitive_execute(p->pack, s->stream, 2, args);
        if (st != dnnl_success)
            return st;
    }
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, p->a},
                              {DNNL_ARG_WEIGHTS, p->pack ? p->packed : p->b},
                              {DNNL_ARG_DST, p->c},
                              {DNNL_ARG_SCRATCHPAD, p->work}};
    return dnnl_primitive_execute(p->run, s->stream, 4, args);
}

static bool by_primitive(Device *dev, const Tensor *c, const Factor *a, const Factor *b, bool add_to)
{
    OneDnn *s = state(dev);
    if (!s)
        return true;
    Shape shape;
    memset(&shape, 0, sizeof shape);
    shape.m = a->rows, shape.n = b->cols, shape.k = a->cols;
    shape.a_row = a->row, shape.a_col = a->col, shape.b_row = b->row, shape.b_col = b->col;
    shape.c_row = c->stride;
    shape.in = (int32_t)a->dtype, shape.out = (int32_t)c->dtype, shape.add_to = add_to;
    Primitive *p = find(dev, s, &shape);
    if (!p->run)
        return device_failed(dev);
    dnnl_status_t st = run(dev, s, p, a->data, b->data, c->data);
    if (st != dnnl_success)
        device_fail(dev, "oneDNN failed in a product of %lld x %lld x %lld: %s", (long long)shape.m,
                    (long long)shape.n, (long long)shape.k, dnnl_status2str(st));
    return true;
}

static dnnl_status_t by_gemm(const Tensor *c, const Factor *a, const Factor *b, bool add_to)
{
    char ta = a->col == 1 ? 'N' : 'T', tb = b->col == 1 ? 'N' : 'T';
    int64_t lda = a->col == 1 ? a->row : a->col, ldb = b->col == 1 ? b->row : b->col;
    int64_t m = a->rows, n = b->cols, k = a->cols, ldc = c->stride;
    float beta = add_to ? 1.0f : 0.0f;
    if (a->dtype == DTYPE_F32)
        return dnnl_sgemm(ta, tb, m, n, k, 1.0f, a->data, lda, b->data, ldb, beta, c->data, ldc);
    if (!dnnl_gemm_bf16bf16f32)
        return dnnl_unimplemented;
    return dnnl_gemm_bf16bf16f32(ta, tb, m, n, k, 1.0f, a->data, lda, b->data, ldb, beta, c->data, ldc);
}

/* One row to bf16: gemm to f32 in scratch memory, then rounded. */
static bool by_row_gemm(Device *dev, const Tensor *c, const Factor *a, const Factor *b)
{
    Tensor wide = tensor_view(device_scratch(dev, (size_t)c->cols * sizeof(float)), DTYPE_F32, 1, c->cols);
    if (!wide.data)
        return true; /* the device knows */
    if (by_gemm(&wide, a, b, false) != dnnl_success)
        return false;
    const float *from = wide.data;
    uint16_t *to = c->data;
    for (int64_t i = 0; i < c->cols; i++)
        to[i] = bf16_from_f32(from[i]);
    return true;
}

static bool product(Device *dev, const Tensor *c, const Factor *a, const Factor *b, bool add_to)
{
    bool known = (a->dtype == DTYPE_F32 && c->dtype == DTYPE_F32) ||
                 (a->dtype == DTYPE_BF16 && (c->dtype == DTYPE_F32 || c->dtype == DTYPE_BF16));
    if (!known || a->rows == 0 || a->cols == 0 || b->cols == 0)
        return false;
    bool cheap_pack = a->dtype == DTYPE_F32 && b->col == 1; /* sgemm reads such a b almost as it lies */
    bool for_gemm = c->rows == 1 || c->rows >= GEMM_ROWS || cheap_pack;
    if (for_gemm && c->dtype == DTYPE_F32 && by_gemm(c, a, b, add_to) == dnnl_success)
        return true;
    if (c->rows == 1 && c->dtype == DTYPE_BF16 && !add_to && by_row_gemm(dev, c, a, b))
        return true;
    return by_primitive(dev, c, a, b, add_to);
}

/* oneDNN 2.6's kernels of f32 gemm take the stack pointer for a pointer into the data: a signal's frame would be written
 * over numbers, and over the heap's own words.  So signals wait until the product is done; the pool's other threads
 * get none (device_cpu.c). */
bool onednn_product(Device *dev, const Tensor *c, const Factor *a, const Factor *b, bool add_to)
{
    sigset_t before = thread_hold_signals();
    bool done = product(dev, c, a, b, add_to);
    thread_release_signals(before);
    return done;
}
