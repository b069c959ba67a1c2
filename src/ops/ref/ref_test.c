/* The reference's forward passes on numbers that can be worked out by hand; its backward passes are checked
 * against these by differences, and every other table against it, in check_ops_test.c. */
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

static Device *dev;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(device_open_cpu(&dev, 2), ST_OK);
    assert_int_equal(ops_attach(dev, "ref"), ST_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    device_close(dev);
    return 0;
}

#define assert_near(a, b) assert_true(fabs((double)(a) - (double)(b)) < 1e-6)

static Tensor f32(float *data, int64_t rows, int64_t cols)
{
    return tensor_view(data, DTYPE_F32, rows, cols);
}

static Tensor i32(int32_t *data, int64_t n)
{
    return tensor_view(data, DTYPE_I32, 1, n);
}

static void embed_looks_up_and_its_gradient_adds(void **state)
{
    (void)state;
    float table[] = {1, 2, 3, 4, 5, 6}, out[6], d[6] = {0, 0, 0, 0, 0, 1};
    int32_t ids[] = {2, 0, 2};
    Tensor t = f32(table, 3, 2), o = f32(out, 3, 2), g = f32(d, 3, 2), i = i32(ids, 3);
    embed(dev, &o, &t, &i);
    assert_true(out[0] == 5 && out[1] == 6 && out[2] == 1 && out[3] == 2 && out[4] == 5);
    embed_back(dev, &g, &o, &i);
    assert_true(d[0] == 1 && d[1] == 2 && d[2] == 0 && d[4] == 10 && d[5] == 13);
}

static void rmsnorm_divides_by_the_root_of_the_mean_square(void **state)
{
    (void)state;
    float x[] = {3, 4, 0, 0}, w[] = {1, 10}, out[4], r[2];
    Tensor tx = f32(x, 2, 2), tw = f32(w, 1, 2), to = f32(out, 2, 2), tr = f32(r, 1, 2);
    rmsnorm(dev, &to, &tr, &tx, &tw, 0.25f);
    assert_near(r[0], 1 / sqrt(12.75));
    assert_near(out[0], 3 / sqrt(12.75));
    assert_near(out[1], 40 / sqrt(12.75));
    assert_true(r[1] == 2 && out[2] == 0 && out[3] == 0); /* eps under the root */
}

/* Two heads of four: i turns with i + 2, each head alike, by the angles of the row's position. */
static void rope_turns_pairs_half_a_head_apart(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4, 5, 6, 7, 8}, table[] = {1, 1, 0, 0, 0, 0.6f, 1, 0.8f};
    int32_t at[] = {1};
    Tensor tx = f32(x, 1, 8), tt = f32(table, 2, 4), tp = i32(at, 1);
    rope(dev, &tx, &tt, &tp, 4);
    assert_near(x[0], -3); /* a quarter turn */
    assert_near(x[2], 1);
    assert_near(x[1], 2 * 0.6 - 4 * 0.8);
    assert_near(x[3], 4 * 0.6 + 2 * 0.8);
    assert_near(x[4], -7);
    rope_back(dev, &tx, &tt, &tp, 4);
    assert_near(x[0], 1);
    assert_near(x[7], 8);
}

static void the_three_products(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 0, -1, 2, 1, 0}, y[4] = {100, 0, 0, 0}, dx[6], dw[6];
    Tensor tx = f32(x, 2, 3), tw = f32(w, 2, 3), ty = f32(y, 2, 2), tdx = f32(dx, 2, 3), tdw = f32(dw, 2, 3);
    matmul(dev, &ty, &tx, &tw, true);
    assert_true(y[0] == 98 && y[1] == 4 && y[2] == -2 && y[3] == 13);
    matmul(dev, &ty, &tx, &tw, false);
    assert_true(y[0] == -2);
    matmul_back_x(dev, &tdx, &ty, &tw, false);
    assert_true(dx[0] == 6 && dx[1] == 4 && dx[2] == 2 && dx[3] == 24);
    matmul_back_w(dev, &tdw, &ty, &tx, false);
    assert_true(dw[0] == -10 && dw[1] == -14 && dw[3] == 56);
}

/* Queries of zeros see all rows alike: the mean of the values, and the log of how many there are. */
static void attention_averages_what_a_row_may_see(void **state)
{
    (void)state;
    float q[2 * 4 * 2] = {0}, k[4] = {5, 6, 7, 8}, v[4] = {1, 3, 5, 9}, out[8], lse[8];
    int32_t from[] = {0, 0, 2, 2};
    AttentionShape s = {1, 4, 2, 1, 1};
    Tensor tq = f32(q, 4, 2), tk = f32(k, 4, 1), tv = f32(v, 4, 1), to = f32(out, 4, 2), tl = f32(lse, 4, 2),
           ts = i32(from, 4);
    attention(dev, &to, &tl, &tq, &tk, &tv, NULL, &s);
    assert_true(out[0] == 1 && out[1] == 1 && out[2] == 2 && out[4] == 3 && out[7] == 4.5f);
    assert_near(lse[6], log(4));
    attention(dev, &to, &tl, &tq, &tk, &tv, &ts, &s);
    assert_true(out[2] == 2 && out[4] == 5 && out[6] == 7);
    assert_near(lse[6], log(2));
}

/* One head of two: scores are divided by sqrt(2); then by softmax of (ln 3, 0) three quarters and one. */
static void attention_weighs_by_the_softmax_of_scaled_products(void **state)
{
    (void)state;
    float q[] = {0, 0, 1, 0}, k[] = {(float)(log(3) * sqrt(2)), 7, 0, 7}, v[] = {4, 0, 0, 8}, out[4], lse[2];
    AttentionShape s = {1, 2, 1, 1, 2};
    Tensor tq = f32(q, 2, 2), tk = f32(k, 2, 2), tv = f32(v, 2, 2), to = f32(out, 2, 2), tl = f32(lse, 2, 1);
    attention(dev, &to, &tl, &tq, &tk, &tv, NULL, &s);
    assert_near(out[2], 3);
    assert_near(out[3], 2);
    assert_near(lse[1], log(4));
}

static void swiglu_gates(void **state)
{
    (void)state;
    float gate_up[] = {0, 1, -1000, 7, 2, 3}, out[3];
    Tensor t = f32(gate_up, 1, 6), o = f32(out, 1, 3);
    swiglu(dev, &o, &t);
    assert_true(out[0] == 0);
    assert_near(out[1], 2 / (1 + exp(-1)));
    assert_near(out[2], 0);
}

static void cross_entropy_of_equal_logits(void **state)
{
    (void)state;
    float logits[] = {2, 2, 2, 2, 1000, 0, 0, 0}, loss[2], d[8];
    int32_t targets[] = {1, -1};
    Tensor t = f32(logits, 2, 4), tl = f32(loss, 1, 2), td = f32(d, 2, 4), ti = i32(targets, 2);
    cross_entropy(dev, &tl, &td, &t, &ti, 2);
    assert_near(loss[0], log(4));
    assert_near(d[0], 0.5);
    assert_near(d[1], -1.5);
    assert_true(loss[1] == 0 && d[4] == 0 && d[7] == 0);
    targets[1] = 0;
    cross_entropy(dev, &tl, NULL, &t, &ti, 2);
    assert_true(loss[1] == 0); /* nothing overflows */
    targets[1] = 3;
    cross_entropy(dev, &tl, NULL, &t, &ti, 2);
    assert_true(loss[1] == 1000);
}

/* Two steps of torch.optim.AdamW of PyTorch 1.13, in f64. */
static void adamw_steps_as_pytorch_does(void **state)
{
    (void)state;
    double w = 1, m = 0, v = 0, g[2] = {0.5, -0.25}, want[2] = {0.899000002, 0.8714672987058463};
    uint16_t copy = 0;
    Tensor tw = tensor_view(&w, DTYPE_F64, 1, 1), tm = tensor_view(&m, DTYPE_F64, 1, 1),
           tv = tensor_view(&v, DTYPE_F64, 1, 1);
    Tensor tc = tensor_view(&copy, DTYPE_BF16, 1, 1);
    AdamWStep s = {
        .lr = 0.1f, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.01f, .grad_scale = 1};
    for (int i = 0; i < 2; i++) {
        Tensor tg = tensor_view(&g[i], DTYPE_F64, 1, 1);
        s.bias1 = (float)(1 - pow(0.9, i + 1));
        s.bias2 = (float)(1 - pow(0.999, i + 1));
        adamw(dev, &tw, &tc, &tm, &tv, &tg, &s);
        assert_near(w, want[i]); /* the settings are floats */
        assert_int_equal(copy, bf16_from_f32((float)w));
    }
}

static void sums_and_casts(void **state)
{
    (void)state;
    float a[] = {3, 4, -12, 1.00390625f};
    uint16_t h[4];
    double sum;
    Tensor ta = f32(a, 2, 2), three = f32(a, 1, 3);
    Tensor th = tensor_view(h, DTYPE_BF16, 2, 2), ts = tensor_view(&sum, DTYPE_F64, 1, 1);
    sum_squares(dev, &ts, &three);
    assert_true(sum == 169);
    cast(dev, &th, &ta);
    assert_true(h[0] == 0x4040 && h[3] == 0x3F80); /* a tie, to the even one */
}

/* Two rows and a half of a word: 3 columns, x rounded to bf16 (1 + 2^-9 is 1 there). */
static void packed_products_and_rows(void **state)
{
    (void)state;
    float w[] = {1, 0, -1, 2, 1, 0}, x[] = {1 + 0x1p-9f, 2, 3}, y[2], rows[6];
    int32_t ids[] = {1, 0};
    unsigned char panel[2 * 64];
    PackedMatrix p = {QUANT_BF16, 2, 3, panel};
    Tensor tx = f32(x, 1, 3), ty = f32(y, 1, 2), tr = f32(rows, 2, 3), ti = i32(ids, 2);
    assert_int_equal(packed_bytes(QUANT_BF16, 2, 3), sizeof panel);
    pack_weights(dev, &p, 0, 2, w, QUANT_F32);
    matmul_packed(dev, &ty, &tx, &p, 1, false);
    assert_true(y[0] == -2 && y[1] == 4);
    matmul_packed(dev, &ty, &tx, &p, 1, true);
    assert_true(y[0] == -4 && y[1] == 8);
    embed_packed(dev, &tr, &p, &ti);
    assert_true(rows[0] == 2 && rows[1] == 1 && rows[2] == 0 && rows[3] == 1 && rows[5] == -1);
}

/* x = 127, 1, 0, ... has the scale 1; the block of w is d = 1/2 and q = 2, -4, 0, ...: the dot
 * product is 250, halved. */
static void packed_bytes_are_multiplied_as_whole_numbers(void **state)
{
    (void)state;
    unsigned char block[34] = {0x00, 0x38, 2, 0xFC}, panel[9 * 64];
    float x[32] = {127, 1}, y[1];
    PackedMatrix p = {QUANT_Q8_0, 1, 32, panel};
    Tensor tx = f32(x, 1, 32), ty = f32(y, 1, 1);
    pack_weights(dev, &p, 0, 1, block, QUANT_Q8_0);
    matmul_packed(dev, &ty, &tx, &p, 1, false);
    assert_true(y[0] == 125);
}

/* Queries of zeros see all positions alike: the mean of the values, over two pages in any order. */
static void paged_attention_averages_what_a_row_may_see(void **state)
{
    (void)state;
    enum { LENGTH = KV_PAGE + 2 };
    static float k[LENGTH], v[LENGTH], q[LENGTH], out[LENGTH], memory[2 * KV_PAGE * 17];
    static const int32_t pages[] = {1, 0};
    KvPages kv = {memory, DTYPE_F32, 2, 1, 1};
    PagedRows rows = {pages, 0, 0, LENGTH};
    AttentionShape s = {1, 1, 1, 1, 1};
    Tensor tk = f32(k, LENGTH, 1), tv = f32(v, LENGTH, 1), tq = f32(q, LENGTH, 1), to = f32(out, LENGTH, 1);
    for (int i = 0; i < LENGTH; i++)
        v[i] = (float)i;
    assert_int_equal(2 * kv_page_bytes(DTYPE_F32, 1, 1), sizeof memory);
    kv_write(dev, &kv, &tk, &tv, &rows, 1);
    attention_paged(dev, &to, &tq, &kv, &rows, 1, &s);
    for (int i = 0; i < LENGTH; i++)
        assert_true(fabs((double)out[i] - i / 2.0) < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embed_looks_up_and_its_gradient_adds),
        cmocka_unit_test(rmsnorm_divides_by_the_root_of_the_mean_square),
        cmocka_unit_test(rope_turns_pairs_half_a_head_apart),
        cmocka_unit_test(the_three_products),
        cmocka_unit_test(attention_averages_what_a_row_may_see),
        cmocka_unit_test(attention_weighs_by_the_softmax_of_scaled_products),
        cmocka_unit_test(swiglu_gates),
        cmocka_unit_test(cross_entropy_of_equal_logits),
        cmocka_unit_test(adamw_steps_as_pytorch_does),
        cmocka_unit_test(sums_and_casts),
        cmocka_unit_test(packed_products_and_rows),
        cmocka_unit_test(packed_bytes_are_multiplied_as_whole_numbers),
        cmocka_unit_test(paged_attention_averages_what_a_row_may_see),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
