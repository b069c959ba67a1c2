#include "tensor/dtype.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* What an f16 means, from its definition (IEEE 754-2008, 3.4): sign, 5 bits of exponent, 10 of fraction. */
static double f16_value(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 0x3FF;
    double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -magnitude : magnitude;
}

static bool f16_is_finite(uint16_t h)
{
    return (h >> 10 & 31) != 31;
}

static void every_f16_is_read_and_written_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t h = (uint16_t)i;
        float f = f16_to_f32(h);
        if (f16_is_finite(h)) {
            if ((double)f != f16_value(h) || f16_from_f32(f) != h)
                fail_msg("f16 %04x reads as %a, should be %a, and is written back as %04x", i, (double)f,
                         f16_value(h), f16_from_f32(f));
        } else if (h & 0x3FF) {
            assert_true(isnan(f));
            assert_true(isnan(f16_to_f32(f16_from_f32(f))));
        } else {
            assert_true(isinf(f) && (f < 0) == (h >> 15));
            assert_int_equal(f16_from_f32(f), h);
        }
    }
    assert_int_equal(f16_from_f32(-0.0f), 0x8000); /* the sign of zero stays */
}

/* Between each two neighbours: halfway goes to the even one, a little to either side goes to that side. */
static void f16_rounds_to_the_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x7BFF; i++) {
        float middle =
            (float)((f16_value((uint16_t)i) + f16_value((uint16_t)(i + 1))) / 2); /* exact in f32 */
        uint16_t even = (uint16_t)(i + (i & 1));
        assert_int_equal(f16_from_f32(middle), even);
        assert_int_equal(f16_from_f32(-middle), 0x8000 | even);
        assert_int_equal(f16_from_f32(nextafterf(middle, 0)), i);
        assert_int_equal(f16_from_f32(nextafterf(middle, INFINITY)), i + 1);
    }
    assert_int_equal(f16_from_f32(65519.0f), 0x7BFF);
    assert_int_equal(f16_from_f32(65520.0f), 0x7C00); /* halfway to what would be 65536 */
    assert_int_equal(f16_from_f32(3e38f), 0x7C00);
    assert_int_equal(f16_from_f32(-INFINITY), 0xFC00);
}

static void every_bf16_is_read_and_written_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        float f = bf16_to_f32((uint16_t)i);
        if (isnan(f))
            assert_true(isnan(bf16_to_f32(bf16_from_f32(f))));
        else
            assert_int_equal(bf16_from_f32(f), i);
    }
}

static void bf16_rounds_to_the_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x7F80; i++) {
        uint32_t low = i << 16;
        assert_int_equal(bf16_from_f32(from_bits(low | 0x7FFF)), i);
        assert_int_equal(bf16_from_f32(from_bits(low | 0x8000)), i + (i & 1));
        assert_int_equal(bf16_from_f32(from_bits(low | 0x8001)), i + 1);
        assert_int_equal(bf16_from_f32(from_bits(low | 0x80008001u)), 0x8000 | (i + 1));
    }
    assert_true(
        isnan(bf16_to_f32(bf16_from_f32(from_bits(0x7F800001))))); /* a NaN whose upper half says infinity */
}

static void elements_of_every_type_go_through_double(void **state)
{
    (void)state;
    static const size_t sizes[DTYPE_COUNT] = {4, 2, 2, 8, 4};
    static const char *const names[DTYPE_COUNT] = {"f32", "bf16", "f16", "f64", "i32"};
    for (int d = 0; d < DTYPE_COUNT; d++) {
        double room[4] = {0};
        dtype_store(room, (DType)d, 1, -3);
        dtype_store(room, (DType)d, 2, 0.5);
        assert_true(dtype_load(room, (DType)d, 0) == 0 && dtype_load(room, (DType)d, 1) == -3);
        assert_true(dtype_load(room, (DType)d, 2) == (d == DTYPE_I32 ? 0 : 0.5));
        assert_int_equal(dtype_size((DType)d), sizes[d]);
        assert_string_equal(dtype_name((DType)d), names[d]);
    }
    double third;
    dtype_store(&third, DTYPE_F64, 0, 1.0 / 3);
    assert_true(dtype_load(&third, DTYPE_F64, 0) == 1.0 / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_f16_is_read_and_written_back),
        cmocka_unit_test(f16_rounds_to_the_nearest_and_ties_to_even),
        cmocka_unit_test(every_bf16_is_read_and_written_back),
        cmocka_unit_test(bf16_rounds_to_the_nearest_and_ties_to_even),
        cmocka_unit_test(elements_of_every_type_go_through_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
