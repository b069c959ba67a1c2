/* What the small shapes of check_ops_test.c do not reach in the blocked kernels of attention: several blocks,
 * scores so far apart that the base of the softmax is raised, documents across blocks, a cache of many
 * chunks, odd thread counts. */
#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

enum { OUT, LSE, DV, DQ, DK, RESULTS };

/* One sequence: q, k, v as columns of one matrix, and what attention and its backward pass make of them. */
typedef struct {
    AttentionShape s;
    Tensor qkv, dout, starts, result[RESULTS], grad;
    bool isolated;
} Case;

static Tensor tensor_new(DType d, int64_t rows, int64_t cols)
{
    return tensor_view(mem_zeroed((size_t)(rows * cols), dtype_size(d)), d, rows, cols);
}

static void fill(const Tensor *t, Rng *rng)
{
    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0; c < t->cols; c++)
            tensor_set(t, r, c, rng_normal(rng));
}

static Tensor part(const Case *c, const Tensor *fused, int i)
{
    const AttentionShape *s = &c->s;
    return tensor_cols(fused, i == 0 ? 0 : (s->H + (i - 1) * s->Hk) * s->D, (i == 0 ? s->H : s->Hk) * s->D);
}

/* document 0: none are isolated */
static Case case_new(DType d, AttentionShape s, int64_t document)
{
    int64_t N = s.B * s.T, width = (s.H + 2 * s.Hk) * s.D;
    Case c = {.s = s,
              .qkv = tensor_new(d, N, width),
              .dout = tensor_new(d, N, s.H * s.D),
              .isolated = document > 0};
    Rng rng;
    rng_seed(&rng, 5);
    fill(&c.qkv, &rng);
    fill(&c.dout, &rng);
    c.starts = tensor_new(DTYPE_I32, 1, N);
    for (int64_t n = 0; n < N && document; n++)
        tensor_i32(&c.starts, 0)[n] = (int32_t)(n % s.T / document * document);
    c.grad = tensor_new(d, N, width);
    c.result[OUT] = tensor_new(d, N, s.H * s.D);
    c.result[LSE] = tensor_new(d == DTYPE_F64 ? d : DTYPE_F32, N, s.H);
    c.result[DQ] = part(&c, &c.grad, 0);
    c.result[DK] = part(&c, &c.grad, 1);
    c.result[DV] = part(&c, &c.grad, 2);
    return c;
}

static void case_drop(Case *c)
{
    mem_free(c->qkv.data);
    mem_free(c->dout.data);
    mem_free(c->starts.data);
    mem_free(c->grad.data);
    mem_free(c->result[OUT].data);
    mem_free(c->result[LSE].data);
}

static void case_run(Case *c, const char *table, int threads)
{
    Device *dev;
    check(device_open_cpu(&dev, threads) == ST_OK && ops_attach(dev, table) == ST_OK);
    Tensor q = part(c, &c->qkv, 0), k = part(c, &c->qkv, 1), v = part(c, &c->qkv, 2), *r = c->result;
    const Tensor *starts = c->isolated ? &c->starts : NULL;
    attention(dev, &r[OUT], &r[LSE], &q, &k, &v, starts, &c->s);
    attention_back(dev, &r[DQ], &r[DK], &r[DV], &c->dout, &r[OUT], &r[LSE], &q, &k, &v, starts, &c->s);
    check(device_sync(dev) == ST_OK);
    device_close(dev);
}

static double difference(const Tensor *a, const Tensor *b)
{
    double errors = 0, squares = 0;
    for (int64_t r = 0; r < a->rows; r++) {
        for (int64_t c = 0; c < a->cols; c++) {
            double x = tensor_get(a, r, c), y = tensor_get(b, r, c);
            errors += (x - y) * (x - y);
            squares += y * y;
        }
    }
    return sqrt(errors / squares);
}

/* The first `results` of every table at 1 and 3 threads against the reference's in f64 on the same numbers.
 */
static void compare(const Case *given, int results, double tolerance)
{
    CpuFeatures cpu = cpu_features();
    OpsTable tables[OPS_TABLES_MAX];
    Case want = case_new(DTYPE_F64, given->s, 0);
    want.isolated = given->isolated;
    memcpy(want.starts.data, given->starts.data, tensor_bytes(&want.starts));
    for (int64_t r = 0; r < want.qkv.rows; r++) {
        for (int64_t c = 0; c < want.qkv.cols; c++)
            tensor_set(&want.qkv, r, c, tensor_get(&given->qkv, r, c));
        for (int64_t c = 0; c < want.dout.cols; c++)
            tensor_set(&want.dout, r, c, tensor_get(&given->dout, r, c));
    }
    case_run(&want, "ref", 2);
    for (int n = ops_tables(tables, &cpu), i = 1; i < n; i++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            Case got = *given;
            case_run(&got, tables[i].name, threads);
            for (int k = 0; k < results; k++) {
                double error = difference(&got.result[k], &want.result[k]);
                if (!(error <= tolerance))
                    fail_msg("%s, %d threads, result %d: error %g, allowed %g", tables[i].name, threads, k,
                             error, tolerance);
            }
        }
    }
    case_drop(&want);
}

static void several_blocks_and_documents(void **state)
{
    (void)state;
    static const int64_t documents[] = {0, 37, 150};
    for (int i = 0; i < 3; i++) {
        for (int bf16 = 0; bf16 < 2; bf16++) {
            Case c =
                case_new(bf16 ? DTYPE_BF16 : DTYPE_F32, (AttentionShape){1, 203, 2, 1, 34}, documents[i]);
            compare(&c, RESULTS, bf16 ? 0.008 : 5e-6);
            case_drop(&c);
        }
    }
}

/* Key 3 outdoes every query's own key by more than 2^100, keys 70 and 140 that by as much.  One probability
 * is then nearly 1, so dq and dk are differences of nearly equal numbers, of which only the size can be
 * checked. */
static void scores_far_apart(void **state)
{
    (void)state;
    for (int bf16 = 0; bf16 < 2; bf16++) {
        Case c = case_new(bf16 ? DTYPE_BF16 : DTYPE_F32, (AttentionShape){1, 203, 1, 1, 32}, 0);
        Tensor q = part(&c, &c.qkv, 0), k = part(&c, &c.qkv, 1);
        for (int64_t t = 0; t < c.s.T; t++) {
            for (int64_t d = 0; d < c.s.D; d++) {
                tensor_set(&k, t, d, tensor_get(&k, t, d) / 16);
                tensor_set(&q, t, d, tensor_get(&q, t, d) / 16 + 4);
                if (t % 70 == 3 || t % 70 == 0)
                    tensor_set(&k, t, d, t == 3 ? 4 : t == 70 || t == 140 ? 8 : 0);
            }
        }
        compare(&c, DV + 1, bf16 ? 0.008 : 5e-5);
        for (int64_t t = 0; t < c.s.T; t++)
            for (int64_t d = 0; d < 3 * c.s.D; d++)
                assert_true(isfinite(tensor_get(&c.grad, t, d)));
        case_drop(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_blocks_and_documents),
        cmocka_unit_test(scores_far_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
