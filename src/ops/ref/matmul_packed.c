/* Products with packed weights.  Quantised types: the chain of f32 operations is part of what is specified
 * (dot_block.h), and kernels repeat it bit for bit.  Plain types: sums in f64. */
#include "ops/ref/dot_block.h"
#include "ops/ref/ref.h"

static double plain_number(const PackedMatrix *w, int64_t row, int64_t k)
{
    const unsigned char *panel = packed_panel(w, row / PACKED_ROWS);
    int64_t lane = row % PACKED_ROWS;
    return w->type == QUANT_BF16 ? dtype_load(panel, DTYPE_BF16, k / 2 * 32 + lane * 2 + k % 2)
                                 : dtype_load(panel, DTYPE_F32, k * PACKED_ROWS + lane);
}

/* x as the product takes it: [N][K] in f64, rounded to bf16 where the weights are. */
static void round_plain(double *to, const Tensor *x, int64_t n, QuantType type)
{
    for (int64_t k = 0; k < x->cols; k++) {
        double value = tensor_get(x, n, k);
        to[k] = type == QUANT_BF16 ? (double)bf16_to_f32(bf16_from_f32((float)value)) : value;
    }
}

static void round_blocks(RoundedBlock *to, const Tensor *x, int64_t n)
{
    float block[DOT_BLOCK];
    for (int64_t k = 0; k < x->cols; k += DOT_BLOCK) {
        for (int64_t i = 0; i < DOT_BLOCK; i++)
            block[i] = (float)tensor_get(x, n, k + i);
        ref_round_block(&to[k / DOT_BLOCK], block);
    }
}

static void put(const Tensor *y, int64_t n, int64_t m, double value, bool add_to)
{
    if (add_to)
        ref_add_to(y, n, m, value);
    else
        tensor_set(y, n, m, value);
}

static void plain_product(Device *dev, const Tensor *y, const Tensor *x, const PackedMatrix *w, bool add_to)
{
    double *rounded = device_scratch(dev, (size_t)(tensor_count(x) + 1) * sizeof *rounded);
    if (!rounded)
        return;
#pragma omp parallel num_threads(dev->threads)
    {
#pragma omp for schedule(static)
        for (int64_t n = 0; n < x->rows; n++)
            round_plain(rounded + n * x->cols, x, n, w->type);
#pragma omp for schedule(static) collapse(2)
        for (int64_t m = 0; m < w->rows; m++) {
            for (int64_t n = 0; n < x->rows; n++) {
                double sum = 0;
                for (int64_t k = 0; k < x->cols; k++)
                    sum += rounded[n * x->cols + k] * plain_number(w, m, k);
                put(y, n, m, sum, add_to);
            }
        }
    }
}

/* Each block of a row of w is taken apart once, for all rows of x. */
static void dot_product(Device *dev, const Tensor *y, const Tensor *x, const PackedMatrix *w, bool add_to)
{
    int64_t blocks = x->cols / DOT_BLOCK, N = x->rows;
    size_t rounded_bytes = (size_t)(N * blocks) * sizeof(RoundedBlock),
           sums_bytes = (size_t)N * sizeof(float);
    char *scratch = device_scratch(dev, rounded_bytes + (size_t)dev->threads * sums_bytes + 1);
    if (!scratch)
        return;
    RoundedBlock *rounded = (RoundedBlock *)(void *)scratch;
#pragma omp parallel num_threads(dev->threads)
    {
        float *acc = (float *)(void *)(scratch + rounded_bytes) + omp_get_thread_num() * N;
#pragma omp for schedule(static)
        for (int64_t n = 0; n < N; n++)
            round_blocks(rounded + n * blocks, x, n);
#pragma omp for schedule(static)
        for (int64_t m = 0; m < w->rows; m++) {
            memset(acc, 0, sums_bytes);
            for (int64_t b = 0; b < blocks; b++) {
                DotBlock block;
                ref_dot_block(&block, w, m, b * DOT_BLOCK);
                for (int64_t n = 0; n < N; n++)
                    acc[n] = ref_add_dot(acc[n], &block, &rounded[n * blocks + b]);
            }
            for (int64_t n = 0; n < N; n++)
                put(y, n, m, (double)acc[n], add_to);
        }
    }
}

void ref_matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count, bool add_to)
{
    int64_t first = 0;
    for (int i = 0; i < count; first += w[i++].rows) {
        Tensor part = tensor_cols(y, first, w[i].rows);
        if (packed_form(w[i].type))
            dot_product(dev, &part, x, &w[i], add_to);
        else
            plain_product(dev, &part, x, &w[i], add_to);
    }
}
