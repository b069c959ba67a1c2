#include "train/optimizer.h"

#include <math.h>

#include "ops/select.h"
#include "train/tiny_data_test.h"

/* Two steps written out with the formulas of AdamW in double precision, a decayed and an undecayed weight. */
static void two_groups_follow_the_formula(void **state)
{
    (void)state;
    Device *dev;
    Model *m;
    Optimizer o;
    HParams h = tiny_shape();
    ModelSetup setup = {.batch = 1, .context = 8, .compute = DTYPE_F32, .training = true};
    AdamW set = {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.5};
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_OK);
    assert_int_equal(optimizer_open(&o, dev, m, &set), ST_OK);
    model_init(m, 1);
    const Params *p = model_params(m);
    float *w = model_weights(m).data, *g = model_gradients(m).data;
    int64_t at[2] = {5, p->matrices + 3}; /* of a matrix, of a vector */
    double want[2], m1[2] = {0}, v1[2] = {0};
    for (int k = 0; k < 2; k++)
        want[k] = (double)w[at[k]];
    for (int step = 1; step <= 2; step++) {
        for (int k = 0; k < 2; k++) {
            g[at[k]] = (float)(0.25 * step * (k ? -1 : 1));
            double scaled = 0.5 * (double)g[at[k]], decay = k == 0 ? 0.5 : 0, lr = 0.01;
            m1[k] = 0.9 * m1[k] + 0.1 * scaled;
            v1[k] = 0.95 * v1[k] + 0.05 * scaled * scaled;
            double update = m1[k] / (1 - pow(0.9, step)) / (sqrt(v1[k] / (1 - pow(0.95, step))) + 1e-8);
            want[k] -= lr * (update + decay * want[k]);
        }
        optimizer_step(&o, 0.01, 0.5);
        assert_int_equal(device_sync(dev), ST_OK);
        for (int k = 0; k < 2; k++)
            assert_true(fabs((double)w[at[k]] - want[k]) < 1e-6);
    }
    assert_int_equal(o.steps, 2);
    optimizer_reset(&o);
    assert_true(tensor_f32(&o.m, 0)[at[0]] == 0);
    assert_int_equal(o.steps, 0);
    optimizer_close(&o);
    model_close(m);
    device_close(dev);
}

/* With bf16 products the copy is the rounded master after every step. */
static void the_copy_follows_the_master(void **state)
{
    (void)state;
    Device *dev;
    Model *m;
    Optimizer o;
    HParams h = tiny_shape();
    ModelSetup setup = {.batch = 1, .context = 8, .compute = DTYPE_BF16, .training = true};
    AdamW set = {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_OK);
    assert_int_equal(optimizer_open(&o, dev, m, &set), ST_OK);
    model_init(m, 1);
    float *g = model_gradients(m).data, *w = model_weights(m).data;
    uint16_t *copy = model_weights_copy(m).data;
    for (int64_t i = 0; i < model_params(m)->total; i++)
        g[i] = (float)(i % 17) - 8;
    for (int step = 0; step < 3; step++)
        optimizer_step(&o, 0.03, 1);
    const Params *p = model_params(m);
    for (int64_t i = 0; i < p->n; i++) /* padding between parameters is nobody's */
        for (int64_t k = 0; p->at[i].offset < p->matrices && k < p->at[i].rows * p->at[i].cols; k++)
            assert_int_equal(copy[p->at[i].offset + k], bf16_from_f32(w[p->at[i].offset + k]));
    optimizer_close(&o);
    model_close(m);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_groups_follow_the_formula),
        cmocka_unit_test(the_copy_follows_the_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
