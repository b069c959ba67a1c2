#include "model/rotations.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { POSITIONS = 40, D = 8 };

static double angle(const float *table, int64_t position, int64_t pair)
{
    return atan2((double)table[position * D + D / 2 + pair], (double)table[position * D + pair]);
}

static void angles_grow_with_the_position(void **state)
{
    (void)state;
    float table[POSITIONS * D];
    HParams h = {.head_dim = D, .rope_theta = 10000};
    rotations_fill(table, &h, POSITIONS);
    for (int64_t i = 0; i < D / 2; i++) {
        assert_true(table[i] == 1 && table[D / 2 + i] == 0); /* position 0 turns nothing */
        double f = pow(10, -(double)i);                      /* 10000^(-2 i / 8) */
        assert_true(fabs(angle(table, 3, i) - 3 * f) < 1e-6);
    }
}

/* Wavelengths of these four frequencies, in turns over the original 62.8 positions: 10, 1, 0.1, 0.01. */
static void llama3_stretches_long_waves_only(void **state)
{
    (void)state;
    float table[POSITIONS * D];
    HParams h = {.head_dim = D, .rope_theta = 10000,
                 .rope_scaling = {.factor = 8, .low_freq_factor = 0.5, .high_freq_factor = 4,
                                  .original_max_position_embeddings = 63}};
    rotations_fill(table, &h, POSITIONS);
    assert_true(fabs(angle(table, 2, 0) - 2) < 1e-6);
    assert_true(fabs(angle(table, 2, 2) - 0.02 / 8) < 1e-6);
    assert_true(fabs(angle(table, 2, 3) - 0.002 / 8) < 1e-6);
    double share = (63 * 0.1 / 6.283185307179586 - 0.5) / 3.5;
    assert_true(fabs(angle(table, 2, 1) - 0.2 * (share + (1 - share) / 8)) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(angles_grow_with_the_position),
        cmocka_unit_test(llama3_stretches_long_waves_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
