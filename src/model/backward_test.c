#include <string.h>

#include "model/tiny_test.h"

static double total_loss(Tiny *t, const Batch *batch, float scale)
{
    float loss[TINY_N];
    double sum = 0;
    model_evaluate(t->m, batch);
    assert_int_equal(model_losses(t->m, loss), ST_OK);
    for (int i = 0; i < TINY_N; i++)
        sum += (double)loss[i] * (double)scale;
    return sum;
}

/* Along a random direction of all parameters at once: (L(w + e d) - L(w - e d)) / 2e = g . d */
static void gradient_is_the_slope(const HParams *h)
{
    ModelSetup setup = tiny_setup(true);
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_open(h, &setup);
    model_step(t.m, &batch, 0.25f, false);
    float *g = tiny_gradients(&t);
    Tensor w = model_weights(t.m);
    float *values = w.data, *before = mem_copy(values, tensor_bytes(&w));
    for (int kind = PARAM_EMBED; kind <= PARAM_FINAL_NORM; kind++) {
        if (kind == PARAM_HEAD && h->tie_word_embeddings)
            continue;
        bool outer = kind == PARAM_EMBED || kind == PARAM_HEAD || kind == PARAM_FINAL_NORM;
        const Param *p = params_find(model_params(t.m), (ParamKind)kind, outer ? -1 : 1);
        double slope = 0, length = 0;
        for (int64_t i = 0; i < p->rows * p->cols; i++)
            length += (double)g[p->offset + i] * (double)g[p->offset + i];
        length = sqrt(length);
        assert_true(length > 0);
        double loss[2], e = fmin(0.05, 2e-3 / length); /* a step that f32 losses can tell from rounding */
        for (int side = 0; side < 2; side++) {
            for (int64_t i = p->offset; i < p->offset + p->rows * p->cols; i++)
                values[i] = before[i] + (float)((side ? -e : e) * (double)g[i] / length);
            loss[side] = total_loss(&t, &batch, 0.25f);
        }
        memcpy(values, before, tensor_bytes(&w));
        slope = (loss[0] - loss[1]) / (2 * e);
        if (!(fabs(slope - length) <= 0.01 * length)) /* NaN, too */
            fail_msg("%s: slope %g, gradient %g", p->name, slope, length);
    }
    mem_free(before);
    mem_free(g);
    tiny_close(&t);
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    gradient_is_the_slope(&h);
    h.tie_word_embeddings = true;
    gradient_is_the_slope(&h);
}

/* Of one step; caller frees. */
static float *gradients_with(const ModelSetup *setup, int64_t *n)
{
    HParams h = tiny_hparams();
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_open(&h, setup);
    model_step(t.m, &batch, 0.25f, false);
    float *g = tiny_gradients(&t);
    *n = model_params(t.m)->total;
    tiny_close(&t);
    return g;
}

static void recomputation_changes_no_bit(void **state)
{
    (void)state;
    float *g[2];
    int64_t n = 0;
    for (int i = 0; i < 2; i++) {
        ModelSetup setup = tiny_setup(true);
        setup.recompute = i ? RECOMPUTE_LAYER : RECOMPUTE_NONE;
        g[i] = gradients_with(&setup, &n);
    }
    assert_memory_equal(g[0], g[1], (size_t)n * sizeof(float));
    mem_free(g[0]);
    mem_free(g[1]);
}

static void micro_batches_add_up(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    for (int tied = 0; tied < 2; tied++) {
        h.tie_word_embeddings = tied;
        ModelSetup setup = tiny_setup(true);
        TinyBatch b;
        Batch batch = tiny_batch(&b);
        Tiny t = tiny_open(&h, &setup);
        int64_t n = model_params(t.m)->total;
        model_step(t.m, &batch, 0.5f, false);
        float *whole = tiny_gradients(&t);
        model_step(t.m, &batch, 0.25f, false); /* must forget what was there */
        model_step(t.m, &batch, 0.25f, true);
        float *halves = tiny_gradients(&t);
        assert_true(relative_difference(halves, whole, n) < 1e-5);
        mem_free(whole);
        mem_free(halves);
        tiny_close(&t);
    }
}

static void bf16_gradients_are_near(void **state)
{
    (void)state;
    float *g[2];
    int64_t n = 0;
    for (int i = 0; i < 2; i++) {
        ModelSetup setup = tiny_setup(true);
        setup.compute = i ? DTYPE_BF16 : DTYPE_F32;
        g[i] = gradients_with(&setup, &n);
    }
    double d = relative_difference(g[1], g[0], n);
    if (d > 0.03)
        fail_msg("bf16 gradients differ by %g", d);
    mem_free(g[0]);
    mem_free(g[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(recomputation_changes_no_bit),
        cmocka_unit_test(micro_batches_add_up),
        cmocka_unit_test(bf16_gradients_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
