/* What a vec.h promises and what simd.h builds on it, for the vec_test.c of each instruction set.  That
 * includes its vec.h first, says in `keeps_subnormals` whether bf16 subnormals are stored as they are, and in
 * runs_here whether this processor has the instructions.  Tests only. */
#ifndef OPS_SIMD_CHECK_VEC_H
#define OPS_SIMD_CHECK_VEC_H

#include "ops/simd/simd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

/* |got - want| in units of the last place of want as a float */
static double ulps(float got, double want)
{
    float nearest = (float)want;
    double unit = (double)nextafterf(fabsf(nearest), INFINITY) - (double)fabsf(nearest);
    return fabs((double)got - want) / unit;
}

static void exp_is_exact_to_an_ulp(void **state)
{
    (void)state;
    float x[LANES], y[LANES];
    double worst = 0;
    for (double from = -103; from < 88.7; from += 0.0007 * LANES) {
        for (int i = 0; i < LANES; i++)
            x[i] = (float)(from + 0.0007 * i);
        vec_store_f32(y, simd_exp(vec_load_f32(x, LANES)), LANES);
        for (int i = 0; i < LANES; i++)
            if (x[i] < 88.7f)
                worst = fmax(worst, ulps(y[i], exp((double)x[i])));
    }
    if (!(worst <= 1))
        fail_msg("exp is off by %.2f units of the last place", worst);
}

static void exp_and_sigmoid_end_where_they_should(void **state)
{
    (void)state;
    static const float x[8] = {-INFINITY, -200, 0, 89, 1e30f, INFINITY, -104, 0}, nan = NAN;
    float y[LANES];
    vec_store_f32(y, simd_exp(vec_load_f32(x, 8)), 8);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 1 && isinf(y[3]) && isinf(y[4]) && isinf(y[5]) &&
                y[6] == 0);
    vec_store_f32(y, simd_exp(vec_all(nan)), LANES);
    assert_true(isnan(y[0]));
    vec_store_f32(y, simd_sigmoid(vec_load_f32(x, 8)), 8);
    assert_true(y[0] < 1e-37f && y[1] < 1e-37f && y[2] == 0.5f && y[3] == 1 && y[5] == 1);
    vec_store_f32(y, simd_sigmoid(vec_all(nan)), LANES);
    assert_true(isnan(y[0]));
    double worst = 0;
    for (float z = -80; z < 80; z += 0.01f) {
        vec_store_f32(y, simd_sigmoid(vec_all(z)), LANES);
        worst = fmax(worst, ulps(y[0], 1 / (1 + exp(-(double)z))));
    }
    if (!(worst <= 2))
        fail_msg("sigmoid is off by %.2f units of the last place", worst);
}

static void bf16_rounds_as_dtype_does(void **state)
{
    (void)state;
    static const uint32_t low[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
    for (uint32_t i = 0; i < 0x10000 * 6; i++) {
        uint32_t bits = i / 6 << 16 | low[i % 6];
        float x, back[LANES];
        uint16_t got[LANES];
        memcpy(&x, &bits, sizeof x);
        if (!keeps_subnormals && fpclassify(x) == FP_SUBNORMAL)
            continue;
        vec_store_bf16(got, vec_all(x), LANES);
        vec_store_f32(back, vec_load_bf16(got, LANES), LANES);
        if (isnan(x))
            assert_true(isnan(back[0]));
        else if (got[0] != bf16_from_f32(x) || got[LANES - 1] != got[0] || !(back[0] == bf16_to_f32(got[0])))
            fail_msg("%08x becomes %04x instead of %04x", bits, got[0], bf16_from_f32(x));
    }
}

/* Whatever the number of lanes: those are moved, what lies behind is neither read into the vector nor
 * written. */
static void part_of_a_vector_stays_within(void **state)
{
    (void)state;
    float x[2 * LANES], y[2 * LANES];
    uint16_t hx[2 * LANES], hy[2 * LANES];
    for (int lanes = 1; lanes <= LANES; lanes++) {
        for (int i = 0; i < 2 * LANES; i++) {
            x[i] = (float)(i + 1);
            hx[i] = bf16_from_f32(x[i]);
            y[i] = -1;
            hy[i] = 0xBF80;
        }
        Vec a = vec_load_f32(x, lanes), b = vec_load_bf16(hx, lanes);
        assert_true(vec_sum(a) == (float)(lanes * (lanes + 1) / 2) && vec_sum(b) == vec_sum(a));
        assert_true(vec_sum_f64(a) == (double)vec_sum(a) && vec_top(a) == (float)lanes);
        assert_true(vec_sum(vec_fill(a, lanes, 1)) == vec_sum(a) + (float)(LANES - lanes));
        vec_store_f32(y, a, lanes);
        vec_store_bf16(hy, b, lanes);
        for (int i = 0; i < 2 * LANES; i++) {
            assert_true(y[i] == (i < lanes ? x[i] : -1));
            assert_int_equal(hy[i], i < lanes ? hx[i] : 0xBF80);
        }
    }
}

static void streamed_is_stored_wherever_it_goes(void **state)
{
    (void)state;
    _Alignas(64) uint16_t to[3 * LANES];
    float x[LANES];
    for (int i = 0; i < LANES; i++)
        x[i] = (float)i;
    for (int at = 0; at < 2 * LANES; at++) {
        memset(to, 0xFF, sizeof to);
        vec_stream_bf16(to + at, vec_load_f32(x, LANES));
        vec_stream_end();
        for (int i = 0; i < 3 * LANES; i++)
            assert_int_equal(to[i], i < at || i >= at + LANES ? 0xFFFF : bf16_from_f32(x[i - at]));
    }
}

/* The threads' parts follow each other, cover everything, and are cut at units. */
static void shares_cover_everything_once(void **state)
{
    (void)state;
    for (int64_t total = 0; total < 200; total += 7) {
        int64_t first[3] = {-1, -1, -1}, last[3] = {-1, -1, -1};
#pragma omp parallel num_threads(3)
        {
            SimdShare part = simd_share(total, 16);
            first[omp_get_thread_num()] = part.first;
            last[omp_get_thread_num()] = part.last;
        }
        assert_true(first[0] == 0 && last[0] == first[1] && last[1] == first[2] && last[2] == total);
        assert_true((first[1] % 16 == 0 || first[1] == total) && (first[2] % 16 == 0 || first[2] == total));
    }
}

static void none_of_it_runs_here(void **state)
{
    (void)state;
    print_message("SKIP this processor lacks the instructions\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_exact_to_an_ulp),
        cmocka_unit_test(exp_and_sigmoid_end_where_they_should),
        cmocka_unit_test(bf16_rounds_as_dtype_does),
        cmocka_unit_test(part_of_a_vector_stays_within),
        cmocka_unit_test(streamed_is_stored_wherever_it_goes),
        cmocka_unit_test(shares_cover_everything_once),
    };
    const struct CMUnitTest elsewhere[] = {cmocka_unit_test(none_of_it_runs_here)};
    CpuFeatures cpu = cpu_features();
    return runs_here(&cpu) ? cmocka_run_group_tests(tests, NULL, NULL)
                           : cmocka_run_group_tests(elsewhere, NULL, NULL);
}

#endif
