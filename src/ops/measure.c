#include "ops/measure.h"

#include <omp.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "ops/ops.h"

static double budget(MeasureEffort effort)
{
    return effort == MEASURE_WELL ? 1.0 : 0.25;
}

/* Products --------------------------------------------------------------------------------------------- */

/* y [N, M] = x [N, K] w [M, K]^T.  A power of two in every size makes rows fall on the same cache sets; which
 * of these shapes suits a processor best is not known beforehand, so the fastest counts.  The smallest is
 * first: where it alone takes longer than all should, as without kernels of that type, it is the measure. */
static const struct {
    int64_t N, M, K;
} gemm_shapes[] = {{2048, 864, 288}, {2016, 1536, 1056}, {2048, 2048, 2048}};
enum { GEMM_SHAPES = sizeof gemm_shapes / sizeof gemm_shapes[0], GEMM_MAX = 2048 * 2048 };

/* Numbers of the size of activations, so that no kernel meets zeroes, denormals or overflow. */
static void fill(Device *dev, void *to, DType type, void *host)
{
    for (int64_t i = 0; i < GEMM_MAX; i++)
        dtype_store(host, type, i, (double)(i * 2654435761 % 1021) / 1021 - 0.5);
    device_upload(dev, to, host, GEMM_MAX * dtype_size(type));
}

static double seconds_of(Device *dev, Tensor *y, const Tensor *x, const Tensor *w)
{
    double start = clock_now();
    matmul(dev, y, x, w, false);
    Status st = device_sync(dev);
    return st == ST_OK ? clock_now() - start : 0;
}

/* Each round tries all shapes, so that a disturbance of a moment hits all of them. */
static double fastest_product(Device *dev, void *y_data, void *x_data, void *w_data, DType type,
                              double budget_s)
{
    double best = 0, end = 0;
    for (int round = 0; round < 3 || clock_now() < end; round++) {
        for (int i = 0; i < 2 * GEMM_SHAPES && !device_failed(dev); i++) {
            DType out = i % 2 ? type : DTYPE_F32;
            if (i % 2 && type == DTYPE_F32)
                continue;
            int64_t N = gemm_shapes[i / 2].N, M = gemm_shapes[i / 2].M, K = gemm_shapes[i / 2].K;
            Tensor y = tensor_view(y_data, out, N, M);
            Tensor x = tensor_view(x_data, type, N, K), w = tensor_view(w_data, type, M, K);
            double s = seconds_of(dev, &y, &x, &w);
            double rate = s > 0 ? 2.0 * (double)N * (double)M * (double)K / s : 0;
            if (rate > best)
                best = rate;
            if (round == 0 && i == 0 && s > budget_s)
                return best;
        }
        if (round == 0) /* the first makes kernels and touches memory */
            end = clock_now() + budget_s;
        if (device_failed(dev))
            return 0;
    }
    return best;
}

double measure_gemm(Device *dev, DType type, MeasureEffort effort)
{
    check(type == DTYPE_F32 || type == DTYPE_BF16);
    size_t in = GEMM_MAX * dtype_size(type), out = GEMM_MAX * sizeof(float);
    void *x = NULL, *w = NULL, *y = NULL;
    double rate = 0;
    Status st = device_alloc(dev, &x, in, "a measurement");
    if (st == ST_OK)
        st = device_alloc(dev, &w, in, "a measurement");
    if (st == ST_OK)
        st = device_alloc(dev, &y, out, "a measurement");
    void *host = st == ST_OK ? mem_array(float, GEMM_MAX) : NULL;
    if (st != ST_OK) {
        device_fail(dev, "%s", error_text());
    } else {
        fill(dev, x, type, host);
        fill(dev, w, type, host);
        rate = fastest_product(dev, y, x, w, type, budget(effort));
    }
    mem_free(host);
    device_free(dev, y, out);
    device_free(dev, w, in);
    device_free(dev, x, in);
    return rate;
}

/* Reading ---------------------------------------------------------------------------------------------- */

/* A vector register that every processor here has; wider ones read main memory no faster. */
typedef uint64_t Words __attribute__((vector_size(16)));

static inline Words line_sum(const Words *w)
{
    return (w[0] + w[1]) + (w[2] + w[3]);
}

/* The sum keeps the compiler from leaving the loads out.  Four places at once keep the prefetchers of a core
 * busy across page ends; four sums keep additions off the critical path. */
static uint64_t sum_words(const uint64_t *p, size_t n)
{
    const Words *w = (const Words *)(const void *)p;
    Words a = {0}, b = {0}, c = {0}, d = {0};
    size_t quarter = n / 8; /* in Words; a share is whole pages, so nothing is left over */
    for (size_t i = 0; i < quarter; i += 4) {
        a += line_sum(w + i);
        b += line_sum(w + quarter + i);
        c += line_sum(w + 2 * quarter + i);
        d += line_sum(w + 3 * quarter + i);
    }
    a += b + c + d;
    return a[0] + a[1];
}

/* Thread t's share of n words, a whole number of pages. */
static size_t share_start(size_t n, int t, int threads)
{
    return n / 512 * (size_t)t / (size_t)threads * 512;
}

static uint64_t read_all(const uint64_t *p, size_t n, int threads)
{
    uint64_t total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
        int t = omp_get_thread_num(), of = omp_get_num_threads();
        size_t from = share_start(n, t, of), to = share_start(n, t + 1, of);
        total += sum_words(p + from, to - from);
    }
    return total;
}

static void write_all(uint64_t *p, size_t n, int threads)
{
#pragma omp parallel num_threads(threads)
    {
        int t = omp_get_thread_num(), of = omp_get_num_threads();
        for (size_t i = share_start(n, t, of), to = share_start(n, t + 1, of); i < to; i++)
            p[i] = i;
    }
}

size_t measure_cold_bytes(int threads)
{
    size_t bytes = (size_t)(threads > 4 ? threads : 4) << 26;
    int64_t available = memory_available();
    size_t cache = (size_t)cpu_cache_bytes();
    bytes = bytes < 2 * cache ? 2 * cache : bytes;
    if (available >= 0 && bytes > (size_t)available / 8)
        bytes = (size_t)available / 8;
    return (bytes >> 16 << 16) + (1 << 16);
}

/* The buffer is read part after part, each timed by itself: the shorter what is timed, the likelier that once
 * nothing disturbs it. */
enum { PARTS = 8 };

static const uint64_t *part(const uint64_t *buffer, size_t n, int i)
{
    return buffer + n / PARTS * (size_t)i;
}

double measure_read(Device *dev, MeasureEffort effort)
{
    size_t bytes = measure_cold_bytes(dev->threads), n = bytes / sizeof(uint64_t);
    void *buffer = NULL;
    if (device_alloc(dev, &buffer, bytes, "a measurement of read bandwidth") != ST_OK) {
        device_fail(dev, "%s", error_text());
        return 0;
    }
    write_all(buffer, n, dev->threads);
    uint64_t expected[PARTS];
    for (int i = 0; i < PARTS; i++)
        expected[i] = read_all(part(buffer, n, i), n / PARTS, dev->threads);
    double best = 0, end = clock_now() + budget(effort);
    for (int i = 0; best == 0 || clock_now() < end; i = (i + 1) % PARTS) {
        double start = clock_now();
        uint64_t sum = read_all(part(buffer, n, i), n / PARTS, dev->threads);
        double rate = (double)(bytes / PARTS) / (clock_now() - start);
        check(sum == expected[i]);
        if (rate > best)
            best = rate;
    }
    device_free(dev, buffer, bytes);
    return best;
}
