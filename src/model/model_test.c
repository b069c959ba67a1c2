#include "model/tiny_test.h"

static void plan_is_what_is_taken(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    for (int training = 0; training < 2; training++) {
        ModelSetup setup = tiny_setup(training);
        ModelPlan plan = model_plan(&h, &setup);
        Tiny t = tiny_open(&h, &setup);
        assert_int_equal(t.dev->bytes, plan.total - plan.optimizer - plan.scratch);
        tiny_close(&t);
    }
}

static void recomputation_needs_less(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    ModelSetup keep = tiny_setup(true), again = keep;
    again.recompute = RECOMPUTE_LAYER;
    assert_true(model_plan(&h, &again).activations < model_plan(&h, &keep).activations);
}

static void same_seed_same_weights(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    ModelSetup setup = tiny_setup(true);
    Tiny a = tiny_open(&h, &setup), b = tiny_open(&h, &setup);
    Tensor wa = model_weights(a.m), wb = model_weights(b.m);
    const Param *q = params_find(model_params(a.m), PARAM_Q, 0);
    assert_memory_equal((float *)wa.data + q->offset, (float *)wb.data + q->offset,
                        (size_t)(q->rows * q->cols) * 4);
    model_init(b.m, 8);
    assert_memory_not_equal((float *)wa.data + q->offset, (float *)wb.data + q->offset,
                            (size_t)(q->rows * q->cols) * 4);
    tiny_close(&a);
    tiny_close(&b);
}

static void a_step_allocates_nothing_after_the_first(void **state)
{
    (void)state;
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_training();
    model_step(t.m, &batch, 0.1f, false);
    assert_int_equal(device_sync(t.dev), ST_OK);
    int64_t on_device = t.dev->allocations, small = mem_allocations();
    for (int i = 0; i < 3; i++)
        model_step(t.m, &batch, 0.1f, i > 0);
    assert_int_equal(device_sync(t.dev), ST_OK);
    assert_int_equal(t.dev->allocations, on_device);
    assert_int_equal(mem_allocations(), small);
    tiny_close(&t);
}

static void a_model_too_large_is_refused(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    h.hidden_size = 1 << 20;
    h.num_attention_heads = h.num_key_value_heads = 1 << 17;
    h.intermediate_size = 1 << 22;
    h.num_hidden_layers = 100;
    ModelSetup setup = tiny_setup(true);
    Device *dev;
    Model *m = NULL;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_NOMEM);
    assert_null(m);
    assert_int_equal(dev->bytes, 0);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_is_what_is_taken),
        cmocka_unit_test(recomputation_needs_less),
        cmocka_unit_test(same_seed_same_weights),
        cmocka_unit_test(a_step_allocates_nothing_after_the_first),
        cmocka_unit_test(a_model_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
