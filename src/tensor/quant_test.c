/* Blocks against those of gguf's Python package and of ggml (tests/golden/quant; tools/make_golden_quant.py
 * makes it). */
#include "tensor/quant.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { GOLDEN_BLOCKS = 8 };

static Str golden(const char *part, const char *name)
{
    char path[128];
    Str bytes = {0};
    snprintf(path, sizeof path, "tests/golden/quant/%s%s.bin", part, name);
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    return bytes;
}

static void names_and_sizes(void **state)
{
    (void)state;
    QuantType t;
    assert_string_equal(quant_name(QUANT_Q4_K), "Q4_K");
    assert_true(quant_find(&t, "q6_k"));
    assert_int_equal(t, QUANT_Q6_K);
    assert_true(quant_find(&t, "bf16"));
    assert_int_equal(t, QUANT_BF16);
    assert_false(quant_find(&t, "Q4"));
    assert_int_equal(quant_bytes(QUANT_Q4_K, 512), 288);
    assert_int_equal(quant_bytes(QUANT_F16, 3), 6);
    assert_true(quant_fits(QUANT_Q8_0, 96));
    assert_false(quant_fits(QUANT_Q6_K, 96));
    assert_int_equal(quant_of_dtype(DTYPE_F16), QUANT_F16);
    assert_false(quant_writes(QUANT_Q5_1));
    for (int i = 0; i < QUANT_TYPES; i++) {
        assert_true(quant_find(&t, quant_name((QuantType)i)));
        assert_int_equal(t, i);
    }
}

/* -0 and 0 differ here: they come of the same products. */
static void blocks_decode_as_elsewhere(void **state)
{
    (void)state;
    static const char *const names[] = {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        QuantType t;
        assert_true(quant_find(&t, names[i]));
        int64_t n = GOLDEN_BLOCKS * quant_block(t);
        Str file = golden("decode_", names[i]);
        assert_int_equal(file.n, quant_bytes(t, n) + (size_t)n * sizeof(float));
        float *got = mem_array(float, n), want;
        quant_decode(got, file.at, t, n);
        for (int64_t k = 0; k < n; k++) {
            memcpy(&want, file.at + quant_bytes(t, n) + (size_t)k * sizeof want, sizeof want);
            if (memcmp(&want, &got[k], sizeof want) != 0)
                fail_msg("%s, number %lld: %a and not %a", names[i], (long long)k, (double)got[k],
                         (double)want);
        }
        mem_free(got);
        str_drop(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_sizes),
        cmocka_unit_test(blocks_decode_as_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
