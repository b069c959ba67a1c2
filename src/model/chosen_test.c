/* Rows that are not learned go around what lies behind the last attention: what is left is the same loss and the same
 * gradients. */
#include <string.h>

#include "model/tiny_test.h"
#include "ops/ops.h"

enum { B = 4, T = 20, N = B * T };

typedef struct {
    int32_t ids[N], targets[N], masked[N];
} Rows;

static Batch batch_of(Rows *r, const int32_t *targets)
{
    return (Batch){.ids = r->ids, .targets = targets, .noise = 9};
}

static void fill(Rows *r)
{
    Rng rng;
    rng_seed(&rng, 3);
    for (int i = 0; i < N; i++) {
        r->ids[i] = (int32_t)rng_below(&rng, TINY_V);
        r->targets[i] = (int32_t)rng_below(&rng, TINY_V);
    }
}

/* Answers of a conversation: the last `learned` of each 10 positions, or all the others. */
static const int32_t *mask(Rows *r, int learned, bool others)
{
    for (int i = 0; i < N; i++)
        r->masked[i] = (i % 10 >= 10 - learned) == !others ? r->targets[i] : -1;
    return r->masked;
}

static ModelSetup setup_of(DType compute, bool training)
{
    ModelSetup s = tiny_setup(training);
    s.batch = B;
    s.context = T;
    s.compute = compute;
    return s;
}

static Tiny open_with(const HParams *h, const ModelSetup *setup)
{
    Tiny t = tiny_open(h, setup);
    if (!lora_on(&setup->lora))
        return t;
    Rng r;
    rng_seed(&r, 11);
    Tensor w = model_weights(t.m);
    for (int64_t i = 0; i < w.cols; i++) /* B away from 0, where the gradients of A would be */
        ((float *)w.data)[i] += (float)(0.1 * rng_normal(&r));
    model_weights_changed(t.m);
    return t;
}

static int64_t trained(const Tiny *t)
{
    return model_trainable(t->m)->total;
}

static void losses_of(Tiny *t, float *out)
{
    assert_int_equal(model_losses(t->m, out), ST_OK);
}

/* Of every parameter by itself: a small one must not hide behind a large one. */
static void expect_near(const Tiny *t, const float *a, const float *b, double tolerance)
{
    const Params *p = model_trainable(t->m);
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i];
        double d = relative_difference(a + one->offset, b + one->offset, one->rows * one->cols);
        if (!(d < tolerance))
            fail_msg("%s differs by %g", one->name, d);
    }
}

/* All rows at once take the way around nothing; some of them and then the others must add up to that. */
static void parts_are_the_whole(const HParams *h, const ModelSetup *setup, int learned, double tolerance)
{
    Rows r;
    float all[N], some[N];
    fill(&r);
    Tiny t = open_with(h, setup);
    Batch b = batch_of(&r, r.targets);
    model_step(t.m, &b, 0.25f, false);
    losses_of(&t, all);
    float *whole = tiny_gradients(&t);
    for (int others = 0; others < 2; others++) {
        b = batch_of(&r, mask(&r, learned, others));
        model_step(t.m, &b, 0.25f, others);
        losses_of(&t, some);
        for (int i = 0; i < N; i++)
            assert_true(r.masked[i] < 0 ? some[i] == 0 : fabs((double)some[i] - (double)all[i]) < 1e-4);
    }
    float *parts = tiny_gradients(&t);
    expect_near(&t, parts, whole, tolerance);
    mem_free(parts);
    mem_free(whole);
    tiny_close(&t);
}

static void learned_and_unlearned_rows_add_up(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        double tolerance = type ? 0.02 : 2e-5;
        ModelSetup setup = setup_of(type ? DTYPE_BF16 : DTYPE_F32, true);
        for (int tied = 0; tied < 2; tied++) {
            HParams h = tiny_hparams();
            h.tie_word_embeddings = tied;
            setup.lora = (LoraSetup){0};
            for (int learned = 0; learned < 10; learned += 3)
                parts_are_the_whole(&h, &setup, learned, tolerance);
            setup.recompute = RECOMPUTE_LAYER;
            parts_are_the_whole(&h, &setup, 4, tolerance);
            setup.recompute = RECOMPUTE_NONE;
            setup.lora = lora_setup(4, 8);
            setup.lora.head = setup.lora.embed = !tied;
            parts_are_the_whole(&h, &setup, 3, tolerance);
        }
    }
}

/* In a step, not an evaluation: there dropout would leave everything. */
static double total(Tiny *t, const Batch *b)
{
    float loss[N];
    double sum = 0;
    model_step(t->m, b, 0.25f, false);
    losses_of(t, loss);
    for (int i = 0; i < N; i++)
        sum += 0.25 * (double)loss[i];
    return sum;
}

static void slopes_of(const ModelSetup *setup)
{
    HParams h = tiny_hparams();
    Rows r;
    fill(&r);
    Batch b = batch_of(&r, mask(&r, 3, false));
    Tiny t = open_with(&h, setup);
    model_step(t.m, &b, 0.25f, false);
    float *g = tiny_gradients(&t);
    Tensor w = model_weights(t.m);
    float *values = w.data, *before = mem_copy(values, tensor_bytes(&w));
    const Params *p = model_trainable(t.m);
    for (int64_t k = 0; k < p->n; k++) {
        const Param *one = &p->at[k];
        int64_t first = one->offset, end = first + one->rows * one->cols;
        double length = 0, loss[2];
        for (int64_t i = first; i < end; i++)
            length += (double)g[i] * (double)g[i];
        length = sqrt(length);
        assert_true(length > 0);
        double e = fmin(0.05, 2e-3 / length);
        for (int side = 0; side < 2; side++) {
            for (int64_t i = first; i < end; i++)
                values[i] = before[i] + (float)((side ? -e : e) * (double)g[i] / length);
            model_weights_changed(t.m);
            loss[side] = total(&t, &b);
        }
        memcpy(values, before, tensor_bytes(&w));
        double slope = (loss[0] - loss[1]) / (2 * e);
        if (!(fabs(slope - length) <= 0.01 * length)) /* NaN, too */
            fail_msg("%s: slope %g, gradient %g", one->name, slope, length);
    }
    mem_free(before);
    mem_free(g);
    tiny_close(&t);
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    ModelSetup setup = setup_of(DTYPE_F32, true);
    slopes_of(&setup);
    setup.lora = lora_setup(4, 8);
    setup.lora.dropout = 0.2; /* what is dropped depends on which rows are chosen: only here it can be told */
    slopes_of(&setup);
    setup.recompute = RECOMPUTE_LAYER;
    slopes_of(&setup);
}

static void nothing_learned_is_no_gradient(void **state)
{
    (void)state;
    for (int way = 0; way < 6; way++) {
        HParams h = tiny_hparams();
        ModelSetup setup = setup_of(way % 2 ? DTYPE_BF16 : DTYPE_F32, true);
        h.tie_word_embeddings = way / 2 == 1;
        if (way / 2 == 2) {
            setup.lora = lora_setup(4, 8);
            setup.lora.head = setup.lora.embed = true;
        }
        Rows r;
        float loss[N];
        fill(&r);
        Tiny t = open_with(&h, &setup);
        Batch all = batch_of(&r, r.targets), none = batch_of(&r, mask(&r, 0, false));
        model_step(t.m, &all, 0.25f, false);
        float *before = tiny_gradients(&t);
        model_step(t.m, &none, 0.25f, true); /* adds nothing */
        float *after = tiny_gradients(&t);
        for (int64_t i = 0; i < trained(&t); i++)
            assert_true(after[i] == before[i]);
        losses_of(&t, loss);
        for (int i = 0; i < N; i++)
            assert_true(loss[i] == 0);
        mem_free(after);
        model_step(t.m, &none, 0.25f, false); /* and forgets what was there */
        after = tiny_gradients(&t);
        for (int64_t i = 0; i < trained(&t); i++)
            assert_true(after[i] == 0);
        mem_free(after);
        mem_free(before);
        tiny_close(&t);
    }
}

/* An evaluation's loss is what all logits say, in training and in inference, and of learned rows alone. */
static void evaluation_and_logits_agree(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    float *logits = mem_array(float, N *TINY_V), loss[N];
    for (int training = 0; training < 2; training++) {
        ModelSetup setup = setup_of(DTYPE_F32, training);
        Tiny t = tiny_open(&h, &setup);
        Rows r;
        fill(&r);
        for (int learned = 0; learned <= 10; learned++) {
            Batch b = batch_of(&r, mask(&r, learned, false));
            model_evaluate(t.m, &b);
            losses_of(&t, loss);
            assert_int_equal(model_logits(t.m, &b, logits), ST_OK);
            for (int n = 0; n < N; n++) {
                double sum = 0;
                for (int v = 0; v < TINY_V; v++)
                    sum += exp((double)logits[n * TINY_V + v]);
                double expected = r.masked[n] < 0 ? 0 : log(sum) - (double)logits[n * TINY_V + r.masked[n]];
                assert_true(r.masked[n] < 0 ? loss[n] == 0 : fabs((double)loss[n] - expected) < 1e-4);
            }
        }
        tiny_close(&t);
    }
    mem_free(logits);
}

static int64_t rows_of_loss;
static const Ops *real;

static void counting_cross_entropy(Device *dev, Tensor *loss, Tensor *dlogits, const Tensor *logits,
                                   const Tensor *targets, float scale)
{
    rows_of_loss += logits->rows;
    real->cross_entropy(dev, loss, dlogits, logits, targets, scale);
}

/* Rows come in sixteens; so few unlearned ones that this takes them all are no reason to move any. */
static void unlearned_rows_cost_no_logits(void **state)
{
    (void)state;
    static const int64_t expected[] = {16, 16, 16, 32, 32, 48, 48, 64, 64, 80, 80}; /* of 8 learned each */
    HParams h = tiny_hparams();
    ModelSetup setup = setup_of(DTYPE_F32, true);
    Tiny t = tiny_open(&h, &setup);
    Rows r;
    fill(&r);
    real = t.dev->ops;
    Ops counting = *real;
    counting.cross_entropy = counting_cross_entropy;
    t.dev->ops = &counting;
    for (int learned = 0; learned <= 10; learned++) {
        Batch b = batch_of(&r, mask(&r, learned, false));
        for (int way = 0; way < 2; way++) {
            rows_of_loss = 0;
            if (way)
                model_step(t.m, &b, 0.25f, false);
            else
                model_evaluate(t.m, &b);
            assert_int_equal(rows_of_loss, expected[learned]);
        }
    }
    t.dev->ops = real;
    tiny_close(&t);
}

static void same_rows_same_bits(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    ModelSetup setup = setup_of(DTYPE_F32, true);
    Rows r;
    fill(&r);
    Tiny t = tiny_open(&h, &setup);
    Batch all = batch_of(&r, r.targets);
    float *g[2];
    for (int i = 0; i < 2; i++) {
        if (i) /* whatever lay in the buffers */
            model_step(t.m, &all, 3, false);
        Batch some = batch_of(&r, mask(&r, 3, false));
        model_step(t.m, &some, 0.25f, false);
        g[i] = tiny_gradients(&t);
    }
    assert_memory_equal(g[0], g[1], (size_t)trained(&t) * sizeof(float));
    mem_free(g[0]);
    mem_free(g[1]);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learned_and_unlearned_rows_add_up), cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(nothing_learned_is_no_gradient),    cmocka_unit_test(evaluation_and_logits_agree),
        cmocka_unit_test(unlearned_rows_cost_no_logits),     cmocka_unit_test(same_rows_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
