#include "model/convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

/* Every 16-bit pattern survives f32 and back; NaNs stay NaNs, of the same sign. */
static void check_every_pattern(DType dtype, uint32_t exponent)
{
    enum { N = 1 << 16 };
    uint16_t *from = mem_array(uint16_t, N), *back = mem_array(uint16_t, N);
    float *wide = mem_array(float, N);
    for (uint32_t i = 0; i < N; i++)
        from[i] = (uint16_t)i;
    assert_int_equal(convert_floats(wide, DTYPE_F32, from, dtype, N), 0);
    assert_int_equal(convert_floats(back, dtype, wide, DTYPE_F32, N), 0);
    for (uint32_t i = 0; i < N; i++) {
        bool nan = (i & 0x7FFFu) > exponent;
        assert_int_equal(isnan(wide[i]), nan);
        if (nan)
            assert_true((back[i] & 0x7FFFu) > exponent && (back[i] & 0x8000u) == (i & 0x8000u));
        else
            assert_int_equal(back[i], i);
    }
    mem_free(from);
    mem_free(back);
    mem_free(wide);
}

static void sixteen_bits_survive_f32(void **state)
{
    (void)state;
    check_every_pattern(DTYPE_BF16, 0x7F80);
    check_every_pattern(DTYPE_F16, 0x7C00);
}

static void equal_types_are_copied_bit_by_bit(void **state)
{
    (void)state;
    /* NaNs with payloads, -0, the smallest number */
    uint32_t from[] = {0x7FA00001u, 0xFFC00123u, 0x80000000u, 1}, to[4];
    assert_int_equal(convert_floats(to, DTYPE_F32, from, DTYPE_F32, 4), 0);
    assert_memory_equal(from, to, sizeof from);
}

static void rounding_is_to_nearest_even(void **state)
{
    (void)state;
    float from[] = {1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.01p-8f, -1 - 0x1p-8f};
    uint16_t bf16[4], f16[1];
    convert_floats(bf16, DTYPE_BF16, from, DTYPE_F32, 4);
    assert_int_equal(bf16[0], 0x3F80);
    assert_int_equal(bf16[1], 0x3F82);
    assert_int_equal(bf16[2], 0x3F81);
    assert_int_equal(bf16[3], 0xBF80);
    double half = 1 + 0x1p-11;
    convert_floats(f16, DTYPE_F16, &half, DTYPE_F64, 1);
    assert_int_equal(f16[0], 0x3C00);
}

static void numbers_that_become_infinite_are_counted(void **state)
{
    (void)state;
    float from[] = {65519.9f, 65520, -1e6f, INFINITY, NAN, 1};
    uint16_t to[6];
    assert_int_equal(convert_floats(to, DTYPE_F16, from, DTYPE_F32, 6), 2);
    assert_int_equal(to[0], 0x7BFF);
    assert_int_equal(to[1], 0x7C00);
    float large = 3.4e38f;
    assert_int_equal(convert_floats(to, DTYPE_BF16, &large, DTYPE_F32, 1), 1);
    assert_int_equal(convert_floats(to, DTYPE_BF16, from, DTYPE_F32, 6), 0);
    double huge[] = {1e300, 1, -INFINITY};
    float narrow[3];
    assert_int_equal(convert_floats(narrow, DTYPE_F32, huge, DTYPE_F64, 3), 1);
    assert_true(isinf(narrow[0]) && narrow[1] == 1);
}

static void unaligned_and_longer_than_a_block(void **state)
{
    (void)state;
    enum { N = 2500 };
    char *bytes = mem_array(char, N * 2 + 1);
    float *to = mem_array(float, N);
    for (int i = 0; i < N; i++) {
        uint16_t h = bf16_from_f32((float)i - 1200);
        memcpy(bytes + 1 + 2 * i, &h, sizeof h);
    }
    convert_floats(to, DTYPE_F32, bytes + 1, DTYPE_BF16, N);
    for (int i = 0; i < N; i++)
        assert_true(to[i] == bf16_to_f32(bf16_from_f32((float)i - 1200)));
    assert_int_equal(convert_floats(to, DTYPE_F32, bytes, DTYPE_BF16, 0), 0);
    mem_free(bytes);
    mem_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_bits_survive_f32),
        cmocka_unit_test(equal_types_are_copied_bit_by_bit),
        cmocka_unit_test(rounding_is_to_nearest_even),
        cmocka_unit_test(numbers_that_become_infinite_are_counted),
        cmocka_unit_test(unaligned_and_longer_than_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
