/* Muon against tests/golden/muon.json (tools/make_golden_muon.py), and what it does to directions. */
#include "train/muon.h"

#include <math.h>

#include "base/json_file.h"
#include "base/mem.h"
#include "ops/select.h"
#include "train/tiny_data_test.h"

enum { MOST = 64 };

static float number(const json_t *o, const char *key)
{
    return (float)json_number_value(json_object_get(o, key));
}

static void take_numbers(float *to, const json_t *rows)
{
    size_t i, k;
    json_t *row, *v;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) json_array_foreach(row, k, v)
        *to++ = (float)json_number_value(v);
}

/* A table of one matrix inside of a layer. */
static void open_muon(Muon *mu, Device *dev, int64_t rows, int64_t cols, DType compute)
{
    Param one = {.layer = 0, .rows = rows, .cols = cols};
    Params p = {.at = &one, .n = 1, .matrices = rows * cols, .total = rows * cols};
    assert_int_equal(muon_open(mu, dev, &p, compute), ST_OK);
}

static void check_case(const json_t *all, const json_t *one, const char *kernels, DType compute, double bound)
{
    Device *dev;
    Muon mu;
    float w[MOST], m[MOST] = {0}, g[MOST], want[MOST];
    uint16_t copy[MOST];
    int64_t rows = json_integer_value(json_object_get(one, "rows")),
            cols = json_integer_value(json_object_get(one, "cols"));
    assert_true(rows * cols <= MOST);
    assert_int_equal(device_open_cpu(&dev, 2), ST_OK);
    assert_int_equal(ops_attach(dev, kernels), ST_OK);
    open_muon(&mu, dev, rows, cols, compute);
    take_numbers(w, json_object_get(one, "w"));
    Tensor tw = tensor_view(w, DTYPE_F32, rows, cols), tm = tensor_view(m, DTYPE_F32, rows, cols),
           tg = tensor_view(g, DTYPE_F32, rows, cols), tc = tensor_view(copy, DTYPE_BF16, rows, cols);
    MuonStep step = {number(all, "lr"), number(all, "momentum"), number(all, "weight_decay"),
                     number(all, "grad_scale")};
    json_t *gradients = json_object_get(one, "gradients"), *after = json_object_get(one, "after");
    for (size_t i = 0; i < json_array_size(gradients); i++) {
        take_numbers(g, json_array_get(gradients, i));
        take_numbers(want, json_array_get(after, i));
        muon_update(&mu, &tw, compute == DTYPE_BF16 ? &tc : NULL, &tm, &tg, &step);
        assert_int_equal(device_sync(dev), ST_OK);
        double length = 0.2 * (double)step.lr * sqrt((double)(rows > cols ? rows : cols));
        for (int64_t k = 0; k < rows * cols; k++) {
            if (!(fabs((double)w[k] - (double)want[k]) <= bound * length * (double)(i + 1))) /* NaN, too */
                fail_msg("%lld x %lld, step %zu, element %lld: %.8f and not %.8f", (long long)rows,
                         (long long)cols, i, (long long)k, (double)w[k], (double)want[k]);
            if (compute == DTYPE_BF16)
                assert_int_equal(copy[k], bf16_from_f32(w[k]));
        }
    }
    muon_close(&mu);
    device_close(dev);
}

static void matrices_move_as_another_program_moves_them(void **state)
{
    (void)state;
    json_t *all, *one;
    size_t i;
    assert_int_equal(json_file_read(&all, "tests/golden/muon.json"), ST_OK);
    json_array_foreach(json_object_get(all, "cases"), i, one)
    {
        check_case(all, one, "ref", DTYPE_F32, 1e-4);
        check_case(all, one, NULL, DTYPE_F32, 1e-4);
        check_case(all, one, NULL, DTYPE_BF16, 0.15);
    }
    assert_true(i >= 5);
    json_decref(all);
}

/* However unlike a gradient's directions are, they move alike; where there is none nothing moves. */
static void directions_move_alike(void **state)
{
    (void)state;
    enum { N = 4 };
    Device *dev;
    Muon mu;
    float w[N * N] = {0}, m[N * N] = {0}, g[N * N] = {0};
    Tensor tw = tensor_view(w, DTYPE_F32, N, N), tm = tensor_view(m, DTYPE_F32, N, N),
           tg = tensor_view(g, DTYPE_F32, N, N);
    MuonStep step = {.lr = 1, .momentum = 0.95f, .grad_scale = 1};
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    open_muon(&mu, dev, N, N, DTYPE_F32);
    muon_update(&mu, &tw, NULL, &tm, &tg, &step);
    for (int i = 0; i < N * N; i++)
        assert_true(w[i] == 0);
    static const float lengths[N] = {1, 0.5f, -0.3f, 0.1f};
    for (int i = 0; i < N; i++)
        g[i * N + i] = lengths[i];
    muon_update(&mu, &tw, NULL, &tm, &tg, &step);
    assert_int_equal(device_sync(dev), ST_OK);
    for (int i = 0; i < N; i++) /* 0.2 sqrt(4) of singular values near 1 */
        assert_true(fabsf(fabsf(w[i * N + i]) - 0.4f) < 0.14f && (w[i * N + i] < 0) == (lengths[i] > 0));
    muon_close(&mu);
    device_close(dev);
}

/* More of them take more rounds. */
static void many_directions_move_alike(void **state)
{
    (void)state;
    enum { N = 600 };
    Device *dev;
    Muon mu;
    float *w = mem_array(float, N * N), *m = mem_array(float, N * N), *g = mem_array(float, N * N);
    Tensor tw = tensor_view(w, DTYPE_F32, N, N), tm = tensor_view(m, DTYPE_F32, N, N),
           tg = tensor_view(g, DTYPE_F32, N, N);
    MuonStep step = {.lr = 1, .momentum = 0.95f, .grad_scale = 1};
    assert_int_equal(device_open_cpu(&dev, 2), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    open_muon(&mu, dev, N, N, DTYPE_F32);
    for (int i = 0; i < N; i++)
        g[i * N + i] = 0.1f + (float)i / N;
    muon_update(&mu, &tw, NULL, &tm, &tg, &step);
    assert_int_equal(device_sync(dev), ST_OK);
    double length = 0.2 * sqrt(N);
    for (int i = 0; i < N; i++)
        assert_true(fabs((double)w[i * N + i] + length) < 0.25 * length);
    muon_close(&mu);
    device_close(dev);
    mem_free(w);
    mem_free(m);
    mem_free(g);
}

/* Where the fast products are not those of a few numbers: wide and tall, two steps each.  Caller frees. */
enum { ROWS = 96, COLS = 160, CELLS = ROWS * COLS };
static float *moved(const char *kernels, int threads, DType compute, bool tall)
{
    Device *dev;
    Muon mu;
    int64_t rows = tall ? COLS : ROWS, cols = CELLS / rows;
    float *w = mem_array(float, CELLS), *m = mem_array(float, CELLS), *g = mem_array(float, CELLS);
    Tensor tw = tensor_view(w, DTYPE_F32, rows, cols), tm = tensor_view(m, DTYPE_F32, rows, cols),
           tg = tensor_view(g, DTYPE_F32, rows, cols);
    MuonStep step = {.lr = 0.1f, .momentum = 0.9f, .weight_decay = 0.1f, .grad_scale = 2};
    assert_int_equal(device_open_cpu(&dev, threads), ST_OK);
    assert_int_equal(ops_attach(dev, kernels), ST_OK);
    open_muon(&mu, dev, rows, cols, compute);
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < CELLS; i++)
            g[i] = (float)((i * 7919 + k * 104729) % 2003 - 1001) * 1e-3f;
        muon_update(&mu, &tw, NULL, &tm, &tg, &step);
    }
    assert_int_equal(device_sync(dev), ST_OK);
    muon_close(&mu);
    device_close(dev);
    mem_free(m);
    mem_free(g);
    return w;
}

static void fast_products_move_them_alike(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        DType compute = k / 2 ? DTYPE_BF16 : DTYPE_F32;
        float *plain = moved("ref", 1, compute, k % 2), *fast = moved(NULL, 2, compute, k % 2);
        double bound = (k / 2 ? 0.05 : 1e-4) * 0.1 * 0.2 * sqrt(COLS);
        for (int64_t i = 0; i < CELLS; i++)
            assert_true(fabs((double)fast[i] - (double)plain[i]) < bound);
        mem_free(plain);
        mem_free(fast);
    }
}

static void it_takes_the_matrices_of_layers(void **state)
{
    (void)state;
    HParams h = tiny_shape();
    for (int tied = 0; tied < 2; tied++) {
        Params p;
        int64_t first, end, inside = 0;
        h.tie_word_embeddings = tied;
        params_init(&p, &h);
        muon_span(&p, &first, &end);
        for (int64_t i = 0; i < p.n; i++) {
            bool matrix = p.at[i].layer >= 0 && p.at[i].offset < p.matrices;
            bool within = p.at[i].offset >= first && p.at[i].offset < end;
            assert_int_equal(within, matrix);
            inside += matrix;
        }
        assert_int_equal(inside, 7 * h.num_hidden_layers);
        params_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrices_move_as_another_program_moves_them),
        cmocka_unit_test(directions_move_alike),
        cmocka_unit_test(many_directions_move_alike),
        cmocka_unit_test(fast_products_move_them_alike),
        cmocka_unit_test(it_takes_the_matrices_of_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
