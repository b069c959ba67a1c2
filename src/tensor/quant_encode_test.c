/* Encoders against gguf's Python package (bytes) and ggml (errors): tests/golden/quant;
 * tools/make_golden_quant.py makes it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tensor/quant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ROWS = 24, COLS = 256 };

static Str golden(const char *name, const char *ending)
{
    char path[128];
    Str bytes = {0};
    snprintf(path, sizeof path, "tests/golden/quant/%s%s", name, ending);
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    return bytes;
}

static float *golden_numbers(void)
{
    Str x = golden("encode_x", ".bin");
    assert_int_equal(x.n, ROWS * COLS * sizeof(float));
    return (float *)(void *)x.at;
}

static void plain_blocks_encode_as_elsewhere(void **state)
{
    (void)state;
    static const QuantType types[] = {QUANT_Q8_0, QUANT_Q4_0};
    float *x = golden_numbers();
    for (int i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "encode_%s", quant_name(types[i]));
        Str want = golden(name, ".bin");
        assert_int_equal(want.n, quant_bytes(types[i], ROWS * COLS));
        char *got = mem_array(char, want.n);
        quant_encode(got, types[i], x, ROWS * COLS);
        assert_memory_equal(got, want.at, want.n);
        mem_free(got);
        str_drop(&want);
    }
    mem_free(x);
}

static double rms_after(QuantType t, const float *x, int64_t n)
{
    char *blocks = mem_array(char, quant_bytes(t, n));
    float *back = mem_array(float, n);
    double sum = 0;
    quant_encode(blocks, t, x, n);
    quant_decode(back, blocks, t, n);
    for (int64_t i = 0; i < n; i++)
        sum += (double)(back[i] - x[i]) * (double)(back[i] - x[i]);
    mem_free(blocks);
    mem_free(back);
    return sqrt(sum / (double)n);
}

/* Row by row: normal numbers of several widths, heavy tails, offsets, outliers, constants. */
static void errors_are_no_larger_than_ggmls(void **state)
{
    (void)state;
    float *x = golden_numbers();
    Str text = golden("ggml_rms", ".txt");
    char *line, *rest = text.at, name[8];
    int used, lines = 0;
    while ((line = strsep(&rest, "\n")) && *line) {
        QuantType t;
        assert_int_equal(sscanf(line, "%7s%n", name, &used), 1);
        assert_true(quant_find(&t, name));
        for (int row = 0; row < ROWS; row++) {
            double theirs;
            int more;
            line += used;
            assert_int_equal(sscanf(line, "%lf%n", &theirs, &more), 1);
            used = more;
            double ours = rms_after(t, x + row * COLS, COLS), size = 0;
            for (int i = 0; i < COLS; i++)
                size += (double)x[row * COLS + i] * (double)x[row * COLS + i] / COLS;
            if (!(ours <= theirs * 1.001 + 3e-4 * sqrt(size))) /* the second: of a scale as an f16 */
                fail_msg("%s, row %d: an error of %g, ggml's is %g", name, row, ours, theirs);
        }
        lines++;
    }
    assert_int_equal(lines, 5);
    str_drop(&text);
    mem_free(x);
}

static void plain_types_keep_what_they_can(void **state)
{
    (void)state;
    const float x[4] = {0.1f, -65504, 1e-8f, 3};
    unsigned char bytes[17];
    float back[4];
    quant_encode(bytes + 1, QUANT_F32, x, 4); /* unaligned on purpose */
    quant_decode(back, bytes + 1, QUANT_F32, 4);
    assert_memory_equal(back, x, sizeof x);
    quant_encode(bytes + 1, QUANT_F16, x, 4);
    quant_decode(back, bytes + 1, QUANT_F16, 4);
    assert_true(back[1] == -65504 && back[2] == 0 && back[3] == 3 && fabsf(back[0] - 0.1f) < 1e-4f);
    quant_encode(bytes + 1, QUANT_BF16, x, 4);
    quant_decode(back, bytes + 1, QUANT_BF16, 4);
    assert_true(back[2] != 0 && fabsf(back[2] / 1e-8f - 1) < 0.004f);
}

/* What has been rounded once stays where it is, or nearly: the search may find a line that is better still.
 */
static void decoded_numbers_survive_another_turn(void **state)
{
    (void)state;
    Rng r;
    float x[1024], once[1024], twice[1024];
    unsigned char blocks[1024 * 4];
    rng_seed(&r, 5);
    for (int i = 0; i < 1024; i++)
        x[i] = (float)rng_normal(&r) * 0.02f;
    for (int t = 0; t < QUANT_TYPES; t++) {
        if (!quant_writes((QuantType)t))
            continue;
        quant_encode(blocks, (QuantType)t, x, 1024);
        quant_decode(once, blocks, (QuantType)t, 1024);
        quant_encode(blocks, (QuantType)t, once, 1024);
        quant_decode(twice, blocks, (QuantType)t, 1024);
        double first = 0, second = 0;
        for (int i = 0; i < 1024; i++) {
            first += fabs((double)(once[i] - x[i]));
            second += fabs((double)(twice[i] - once[i]));
        }
        if (second > 0.1 * first)
            fail_msg("%s: the second turn moves numbers by %g, the first by %g", quant_name((QuantType)t),
                     second, first);
    }
}

/* The largest numbers allowed, and numbers too small for a scale, come back finite and of the right size. */
static void extremes_stay_finite(void **state)
{
    (void)state;
    for (int t = 0; t < QUANT_TYPES; t++) {
        if (!quant_writes((QuantType)t))
            continue;
        const float sizes[] = {quant_limit((QuantType)t), 1e-12f, 1e-38f, 1e-42f};
        for (int k = 0; k < 4; k++)
            for (int shape = 0; shape < 3; shape++) {
                float x[256], back[256];
                unsigned char blocks[1024];
                for (int i = 0; i < 256; i++)
                    x[i] = shape == 0 ? sizes[k] : shape == 1 ? -sizes[k] : i % 2 ? sizes[k] : -sizes[k];
                quant_encode(blocks, (QuantType)t, x, 256);
                quant_decode(back, blocks, (QuantType)t, 256);
                for (int i = 0; i < 256; i++)
                    if (!isfinite(back[i]) || (k == 0 && fabsf(back[i] / x[i] - 1) > 0.126f) ||
                        (k && fabsf(back[i]) > 1e-6f))
                        fail_msg("%s: %g becomes %g", quant_name((QuantType)t), (double)x[i],
                                 (double)back[i]);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_blocks_encode_as_elsewhere),
        cmocka_unit_test(errors_are_no_larger_than_ggmls),
        cmocka_unit_test(plain_types_keep_what_they_can),
        cmocka_unit_test(decoded_numbers_survive_another_turn),
        cmocka_unit_test(extremes_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
