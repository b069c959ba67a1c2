/* Checks of the operations that low-rank adapters and quantised bases need, for check_ops_test.c. */
#ifndef OPS_CHECK_ADAPTERS_H
#define OPS_CHECK_ADAPTERS_H

#include "ops/check_rows.h"

/* ---- dropout ---- */

static void run_dropout(Device *dev, Call *c)
{
    dropout(dev, &c->t[0], &c->t[1], &(Dropout){.rate = c->number, .scale = 1.5f, .key = (uint64_t)c->count},
            c->flag);
}

static void check_dropout(Harness *h)
{
    static const float rates[] = {0, 0.05f, 0.5f};
    for (int a = 0; a < ACTS; a++) {
        for (int i = 3; i < SHAPES; i++) { /* of one element nothing might be left */
            Call c = call_start(run_dropout, 21);
            c.gap = shapes[i].gap;
            c.count = 1000 + i;
            c.number = rates[i % 3];
            c.flag = i % 2;
            c.tolerance = acts[a] == DTYPE_F32 ? 1e-6 : 0.006; /* += rounds twice */
            call_tensor(&c, c.flag ? ROLE_ADD : ROLE_OUT, acts[a], shapes[i].N, shapes[i].C, 1);
            call_tensor(&c, ROLE_IN, acts[a], shapes[i].N, shapes[i].C, 1);
            judge(h, &c);
        }
    }
}

/* ---- decode_rows ---- */

static void run_decode_rows(Device *dev, Call *c)
{
    decode_rows(dev, &c->t[0], c->t[1].data, c->from, c->flag ? &c->t[2] : NULL);
}

static Call decode_rows_call(DType d, QuantType type, int64_t blocks, bool some, Rng *rng)
{
    Call c = call_start(run_decode_rows, 22);
    int64_t rows = 5, cols = blocks * (quant_block(type) > 1 ? quant_block(type) : 7);
    size_t bytes = quant_bytes(type, rows * cols);
    c.from = type;
    c.flag = some;
    c.gap = 32;
    call_tensor(&c, ROLE_OUT, d, some ? 3 : rows, cols, 0);
    c.gap = 0;
    Tensor *raw = call_tensor(&c, ROLE_IN, DTYPE_I32, 1, (int64_t)(bytes + 3) / 4, 0);
    float values[256];
    size_t at = 0;
    for (int64_t i = 0; i < rows * cols; i += quant_block(type)) {
        for (int64_t k = 0; k < quant_block(type); k++)
            values[k] = (float)rng_normal(rng);
        if (quant_writes(type))
            quant_encode((char *)raw->data + at, type, values, quant_block(type));
        else /* bytes after the scale, which stays small */
            for (size_t k = 4; k < quant_block_bytes(type); k++)
                ((unsigned char *)raw->data)[at + k] = (unsigned char)rng_below(rng, 256);
        if (!quant_writes(type))
            memcpy((char *)raw->data + at, (uint16_t[]){0x2E66, 0x2E66},
                   quant_block_bytes(type) == 22 ? 2 : 4);
        at += quant_block_bytes(type);
    }
    if (some)
        call_index(&c, 3, 0, rows);
    return c;
}

static void check_decode_rows(Harness *h)
{
    Rng rng;
    rng_seed(&rng, 23);
    for (int type = 0; type < QUANT_TYPES; type++) {
        for (int i = 0; i < 4 * ACTS; i++) {
            Call c = decode_rows_call(acts[i % ACTS], (QuantType)type, 1 + i / ACTS, i % 3 == 0, &rng);
            judge(h, &c);
        }
    }
}

#endif
