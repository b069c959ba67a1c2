/* What ops/check_ops_test.c does not reach: shapes large enough to be laid out first, the memory that calls
 * take, and equal bits from equal calls. */
#include "ops/onednn/onednn.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ops/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

enum { N = 600, M = 72, K = 50 }; /* N is past the point from which the weights are laid out */

typedef struct {
    Device *fast, *ref;
    Tensor x, w, y, expected;
} Fixture;

static Device *open_device(const char *table, int threads)
{
    Device *dev;
    check(device_open_cpu(&dev, threads) == ST_OK && ops_attach(dev, table) == ST_OK);
    return dev;
}

static Tensor tensor_random(DType d, int64_t rows, int64_t cols, uint64_t seed)
{
    Rng rng;
    rng_seed(&rng, seed);
    Tensor t = tensor_view(mem_zeroed((size_t)(rows * cols), dtype_size(d)), d, rows, cols);
    for (int64_t i = 0; i < rows * cols; i++)
        dtype_store(t.data, d, i, rng_normal(&rng));
    return t;
}

static Fixture fixture(DType in, DType out, int64_t rows, int64_t outputs, int64_t inputs)
{
    return (Fixture){.fast = open_device("onednn", 2),
                     .ref = open_device("ref", 2),
                     .x = tensor_random(in, rows, inputs, 1),
                     .w = tensor_random(in, outputs, inputs, 2),
                     .y = tensor_random(out, rows, outputs, 3),
                     .expected = tensor_random(out, rows, outputs, 3)};
}

static void fixture_drop(Fixture *f)
{
    assert_int_equal(device_sync(f->fast), ST_OK);
    device_close(f->fast);
    device_close(f->ref);
    mem_free(f->x.data);
    mem_free(f->w.data);
    mem_free(f->y.data);
    mem_free(f->expected.data);
}

/* The largest difference, as a share of the root mean square of what is expected. */
static double difference(const Tensor *a, const Tensor *expected)
{
    double worst = 0, sum = 0;
    for (int64_t r = 0; r < a->rows; r++) {
        for (int64_t c = 0; c < a->cols; c++) {
            double d = fabs(tensor_get(a, r, c) - tensor_get(expected, r, c));
            worst = d > worst || isnan(d) ? d : worst;
            sum += tensor_get(expected, r, c) * tensor_get(expected, r, c);
        }
    }
    return worst / sqrt(sum / (double)tensor_count(a));
}

static void many_rows_agree_with_the_reference(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        Fixture f = fixture(DTYPE_BF16, i < 2 ? DTYPE_BF16 : DTYPE_F32, N, M, K);
        matmul(f.fast, &f.y, &f.x, &f.w, i % 2);
        matmul(f.ref, &f.expected, &f.x, &f.w, i % 2);
        assert_true(difference(&f.y, &f.expected) < (i < 2 ? 0.03 : 1e-5));
        fixture_drop(&f);
    }
}

static void many_rows_back_agree_with_the_reference(void **state)
{
    (void)state;
    /* x stands for dy [N, K], w is [K, M], y stands for dx [N, M]. */
    Fixture f = fixture(DTYPE_BF16, DTYPE_BF16, N, M, K);
    Tensor w = tensor_random(DTYPE_BF16, K, M, 4);
    matmul_back_x(f.fast, &f.y, &f.x, &w, false);
    matmul_back_x(f.ref, &f.expected, &f.x, &w, false);
    assert_true(difference(&f.y, &f.expected) < 0.03);
    mem_free(w.data);
    fixture_drop(&f);
}

/* Column ranges of one fused product, as q, k, v and gate, up are. */
static void strided_rows_are_read_and_written_in_place(void **state)
{
    (void)state;
    Fixture f = fixture(DTYPE_BF16, DTYPE_BF16, N, M, K);
    Tensor y = tensor_cols(&f.y, 8, 32), expected = tensor_cols(&f.expected, 8, 32);
    Tensor x = tensor_cols(&f.x, 3, 41), w = tensor_cols(&f.w, 3, 41);
    w = tensor_rows(&w, 5, 32);
    matmul(f.fast, &y, &x, &w, false);
    matmul(f.ref, &expected, &x, &w, false);
    /* The whole is compared: what lies beside the range is as it was. */
    assert_true(difference(&f.y, &f.expected) < 0.03);
    fixture_drop(&f);
}

static void calls_after_the_first_take_no_memory(void **state)
{
    (void)state;
    Fixture f = fixture(DTYPE_BF16, DTYPE_BF16, N, M, K);
    int64_t device = 0, heap = 0;
    for (int i = 0; i < 5; i++) {
        matmul(f.fast, &f.y, &f.x, &f.w, false);
        matmul_back_x(f.fast, &f.x, &f.y, &f.w, false);
        if (i == 0)
            device = f.fast->allocations, heap = mem_allocations();
    }
    assert_int_equal(f.fast->allocations, device);
    assert_int_equal(mem_allocations(), heap);
    fixture_drop(&f);
}

static void equal_calls_give_equal_bits(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        DType out = i ? DTYPE_F32 : DTYPE_BF16;
        Fixture f = fixture(DTYPE_BF16, out, 512, 40, 1024);
        Tensor dw = tensor_random(DTYPE_F32, 40, 1024, 5), first = tensor_random(DTYPE_F32, 40, 1024, 6);
        Tensor dy = tensor_random(DTYPE_BF16, 512, 40, 7);
        matmul(f.fast, &f.expected, &f.x, &f.w, false);
        matmul_back_w(f.fast, &first, &dy, &f.x, false);
        for (int again = 0; again < 10; again++) {
            matmul(f.fast, &f.y, &f.x, &f.w, false);
            matmul_back_w(f.fast, &dw, &dy, &f.x, false);
            assert_memory_equal(f.y.data, f.expected.data, tensor_bytes(&f.y));
            assert_memory_equal(dw.data, first.data, tensor_bytes(&dw));
        }
        mem_free(dw.data);
        mem_free(first.data);
        mem_free(dy.data);
        fixture_drop(&f);
    }
}

static volatile sig_atomic_t rung;

static void ring(int number)
{
    (void)number;
    rung++;
}

/* A signal's frame is written where the stack pointer points, which must not be into the data. */
static void signals_spoil_no_product(void **state)
{
    (void)state;
    enum { TIMES = 400 };
    const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    struct sigaction old, mine = {.sa_handler = ring, .sa_flags = SA_RESTART};
    Fixture f = fixture(DTYPE_F32, DTYPE_F32, 256, 768, 256);
    matmul(f.fast, &f.expected, &f.x, &f.w, false);
    sigemptyset(&mine.sa_mask);
    assert_int_equal(sigaction(SIGALRM, &mine, &old), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    rung = 0;
    for (int i = 0; i < TIMES; i++) {
        matmul(f.fast, &f.y, &f.x, &f.w, false);
        if (memcmp(f.y.data, f.expected.data, (size_t)(256 * 768) * sizeof(float)) != 0)
            fail_msg("product %d differs", i);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_true(rung > TIMES / 10); /* they wait, and come */
    fixture_drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_spoil_no_product),
        cmocka_unit_test(many_rows_agree_with_the_reference),
        cmocka_unit_test(many_rows_back_agree_with_the_reference),
        cmocka_unit_test(strided_rows_are_read_and_written_in_place),
        cmocka_unit_test(calls_after_the_first_take_no_memory),
        cmocka_unit_test(equal_calls_give_equal_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
