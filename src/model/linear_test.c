/* Adapters inside the model: gradients against central differences for every target, dropout off and on, and
 * what the parts promise each other. */
#include "model/linear.h"

#include <string.h>

#include "model/tiny_test.h"

static ModelSetup adapted_setup(int64_t rank, double dropout)
{
    ModelSetup setup = tiny_setup(true);
    setup.lora = lora_setup(rank, 2 * (double)rank);
    setup.lora.dropout = dropout;
    return setup;
}

/* B away from 0, where the gradients of A would be. */
static void shake_adapters(Tiny *t)
{
    Rng r;
    rng_seed(&r, 11);
    Tensor w = model_weights(t->m);
    const Params *p = model_trainable(t->m);
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < p->at[i].rows * p->at[i].cols && p->at[i].part == PART_LORA_B; k++)
            ((float *)w.data)[p->at[i].offset + k] = (float)(0.2 * rng_normal(&r));
    model_weights_changed(t->m);
}

static double total_loss(Tiny *t, const Batch *batch)
{
    float loss[TINY_N];
    double sum = 0;
    model_step(t->m, batch, 0.25f, false); /* a step, since an evaluation drops nothing */
    assert_int_equal(model_losses(t->m, loss), ST_OK);
    for (int i = 0; i < TINY_N; i++)
        sum += 0.25 * (double)loss[i];
    return sum;
}

/* Each table entry of layer 1 (and what is trained whole): (L(w + e d) - L(w - e d)) / 2e = |g| along
 * d = g / |g|. */
static void gradients_are_slopes(const HParams *h, const ModelSetup *setup)
{
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    batch.noise = 5;
    Tiny t = tiny_open(h, setup);
    shake_adapters(&t);
    model_step(t.m, &batch, 0.25f, false);
    float *g = tiny_gradients(&t);
    Tensor w = model_weights(t.m);
    float *values = w.data, *before = mem_copy(values, tensor_bytes(&w));
    const Params *p = model_trainable(t.m);
    int checked = 0;
    for (int64_t k = 0; k < p->n; k++) {
        const Param *one = &p->at[k];
        if (one->layer != 1 && one->layer != -1 && one->layer != 0)
            continue;
        double length = 0, loss[2];
        int64_t first = one->offset, end = first + one->rows * one->cols;
        for (int64_t i = first; i < end; i++)
            length += (double)g[i] * (double)g[i];
        length = sqrt(length);
        if (!(length > 0))
            fail_msg("%s has no gradient", one->name);
        double e = fmin(0.05, 4e-3 / length);
        for (int side = 0; side < 2; side++) {
            for (int64_t i = first; i < end; i++)
                values[i] = before[i] + (float)((side ? -e : e) * (double)g[i] / length);
            model_weights_changed(t.m);
            loss[side] = total_loss(&t, &batch);
        }
        memcpy(values, before, tensor_bytes(&w));
        double slope = (loss[0] - loss[1]) / (2 * e);
        if (!(fabs(slope - length) <= 0.01 * length)) /* NaN, too */
            fail_msg("%s: slope %g, gradient %g", one->name, slope, length);
        checked++;
    }
    assert_true(checked >= 2);
    mem_free(before);
    mem_free(g);
    tiny_close(&t);
}

static void every_target_learns_along_its_slope(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    for (int dropout = 0; dropout < 2; dropout++) {
        ModelSetup setup = adapted_setup(4, dropout ? 0.3 : 0);
        gradients_are_slopes(&h, &setup);
        for (int target = 0; target < LORA_TARGETS; target++) { /* alone */
            ModelSetup alone = setup;
            memset(alone.lora.rank, 0, sizeof alone.lora.rank);
            alone.lora.rank[target] = 3;
            gradients_are_slopes(&h, &alone);
        }
    }
    ModelSetup mixed = adapted_setup(4, 0.1); /* ranks and scales of their own, embedding and head whole */
    for (int target = 0; target < LORA_TARGETS; target++) {
        mixed.lora.rank[target] = 1 + target;
        mixed.lora.alpha[target] = 9 - target;
    }
    mixed.lora.rslora = mixed.lora.embed = mixed.lora.head = true;
    gradients_are_slopes(&h, &mixed);
    h.tie_word_embeddings = true;
    ModelSetup tied = adapted_setup(4, 0);
    gradients_are_slopes(&h, &tied);
}

/* With B = 0 the model is its base, bit for bit in f32. */
static void adapters_begin_as_nothing(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    ModelSetup plain = tiny_setup(true), adapted = adapted_setup(4, 0);
    Tiny whole = tiny_open(&h, &plain), with = tiny_open(&h, &adapted);
    float ours[TINY_N * TINY_V], theirs[TINY_N * TINY_V];
    assert_int_equal(model_logits(whole.m, &batch, theirs), ST_OK);
    assert_int_equal(model_logits(with.m, &batch, ours), ST_OK);
    assert_true(relative_difference(ours, theirs, TINY_N * TINY_V) < 1e-6);
    shake_adapters(&with);
    assert_int_equal(model_logits(with.m, &batch, ours), ST_OK);
    assert_true(relative_difference(ours, theirs, TINY_N * TINY_V) > 0.01);
    tiny_close(&whole);
    tiny_close(&with);
}

static float *gradients_with(const ModelSetup *setup, uint64_t noise, int64_t *n)
{
    HParams h = tiny_hparams();
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    batch.noise = noise;
    Tiny t = tiny_open(&h, setup);
    shake_adapters(&t);
    model_step(t.m, &batch, 0.25f, false);
    float *g = tiny_gradients(&t);
    *n = model_trainable(t.m)->total;
    tiny_close(&t);
    return g;
}

static void dropout_is_the_batchs(void **state)
{
    (void)state;
    int64_t n;
    ModelSetup setup = adapted_setup(4, 0.2), again = setup;
    again.recompute = RECOMPUTE_LAYER;
    float *g = gradients_with(&setup, 1, &n), *same = gradients_with(&again, 1, &n),
          *other = gradients_with(&setup, 2, &n);
    assert_memory_equal(g, same, (size_t)n * sizeof *g);
    assert_true(relative_difference(g, other, n) > 0.05);
    mem_free(g);
    mem_free(same);
    mem_free(other);
}

static void bf16_gradients_are_near(void **state)
{
    (void)state;
    int64_t n;
    ModelSetup exact = adapted_setup(4, 0), rounded = exact;
    rounded.compute = DTYPE_BF16;
    float *a = gradients_with(&exact, 0, &n), *b = gradients_with(&rounded, 0, &n);
    double d = relative_difference(b, a, n);
    if (d > 0.03)
        fail_msg("bf16 gradients differ by %g", d);
    mem_free(a);
    mem_free(b);
}

static void micro_batches_add_up(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    ModelSetup setup = adapted_setup(4, 0);
    setup.lora.embed = setup.lora.head = true;
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_open(&h, &setup);
    shake_adapters(&t);
    int64_t n = model_trainable(t.m)->total;
    model_step(t.m, &batch, 0.5f, false);
    float *whole = tiny_gradients(&t);
    model_step(t.m, &batch, 0.25f, false);
    model_step(t.m, &batch, 0.25f, true);
    float *halves = tiny_gradients(&t);
    assert_true(relative_difference(halves, whole, n) < 1e-5);
    mem_free(whole);
    mem_free(halves);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_target_learns_along_its_slope),
        cmocka_unit_test(adapters_begin_as_nothing),
        cmocka_unit_test(dropout_is_the_batchs),
        cmocka_unit_test(bf16_gradients_are_near),
        cmocka_unit_test(micro_batches_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
