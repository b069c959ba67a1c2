/* How the processor adds products of bf16 in tiles, which is what the table's BF16 products are: a
 * restatement in plain C that must give the same bits.  That rows and batches are alike: ops/packed_test.c.
 */
#include "ops/amx/amx.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ops/packed.h"
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

enum { PIECE = 32 };

/* Number k of a row of bf16; 0 behind the last. */
static float number(const uint16_t *row, int64_t K, int64_t k)
{
    return k < K ? (float)dtype_load(row, DTYPE_BF16, k) : 0;
}

/* Intel 64 and IA-32 Architectures Software Developer's Manual, TDPBF16PS: in a piece of k even and odd
 * numbers each have a chain of fused multiplications and additions. */
static float added_in_pieces(const uint16_t *x, const uint16_t *w, int64_t K)
{
    float sum = 0;
    for (int64_t k = 0; k < K; k += PIECE) {
        float chain[2] = {0, 0};
        for (int64_t i = 0; i < PIECE; i++)
            chain[i % 2] = fmaf(number(x, K, k + i), number(w, K, k + i), chain[i % 2]);
        sum += chain[0] + chain[1];
    }
    return sum;
}

static uint16_t *random_bf16(int64_t n, uint64_t seed)
{
    Rng rng;
    rng_seed(&rng, seed);
    uint16_t *numbers = mem_array(uint16_t, n);
    for (int64_t i = 0; i < n; i++)
        dtype_store(numbers, DTYPE_BF16, i, rng_normal(&rng));
    return numbers;
}

static void require_pieces(int64_t N, int64_t M, int64_t K)
{
    Device *dev;
    check(ops_open(&dev, "amx", 2) == ST_OK);
    uint16_t *x = random_bf16(N * K, 1), *raw = random_bf16(M * K, 2);
    PackedMatrix w = {.type = QUANT_BF16, .rows = M, .cols = K};
    w.data = mem_aligned(packed_bytes(w.type, M, K));
    pack_weights(dev, &w, 0, M, raw, QUANT_BF16);
    Tensor in = tensor_view(x, DTYPE_BF16, N, K);
    Tensor out = tensor_view(mem_array(float, N *M), DTYPE_F32, N, M);
    matmul_packed(dev, &out, &in, &w, 1, false);
    for (int64_t n = 0; n < N; n++) {
        for (int64_t m = 0; m < M; m++) {
            float want = added_in_pieces(x + n * K, raw + m * K, K);
            assert_memory_equal(&tensor_f32(&out, n)[m], &want, sizeof want);
        }
    }
    mem_free(out.data);
    mem_free(w.data);
    mem_free(raw);
    mem_free(x);
    device_close(dev);
}

static void bf16_is_added_in_pieces(void **state)
{
    (void)state;
    CpuFeatures cpu = cpu_features();
    if (!cpu.amx) {
        print_message("SKIP this processor lacks AMX, or this process may not use it\n");
        skip();
    }
    static const int64_t rows[] = {1, 2, 15, 16, 17, 32, 33, 70}, cols[] = {1, 31, 32, 33, 96, 130, 544};
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 7; k++)
            require_pieces(rows[i], 1 + (i * 37 + k * 19) % 170, cols[k]);
}

/* x in so many chunks that each is less than all rows, and blocks of panels of more than one matrix. */
static void chunks_are_alike(void **state)
{
    CpuFeatures cpu = cpu_features();
    (void)state;
    if (!cpu.amx) {
        print_message("SKIP this processor lacks AMX, or this process may not use it\n");
        skip();
    }
    require_pieces(100, 90, 16400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_is_added_in_pieces),
        cmocka_unit_test(chunks_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
