#include "train/optimizer.h"

#include <math.h>

#include "ops/select.h"
#include "train/tiny_data_test.h"

typedef struct {
    Device *dev;
    Model *m;
    Optimizer o;
} Fixture;

static void open_model(Fixture *f, DType compute, double weight_decay)
{
    HParams h = tiny_shape();
    ModelSetup setup = {.batch = 1, .context = 8, .compute = compute, .training = true};
    OptimizerSettings set = {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = weight_decay};
    assert_int_equal(device_open_cpu(&f->dev, 1), ST_OK);
    assert_int_equal(ops_attach(f->dev, NULL), ST_OK);
    assert_int_equal(model_open(&f->m, f->dev, &h, &setup), ST_OK);
    assert_int_equal(optimizer_open(&f->o, f->dev, f->m, &set), ST_OK);
    model_init(f->m, 1);
}

static void close_model(Fixture *f)
{
    optimizer_close(&f->o);
    model_close(f->m);
    device_close(f->dev);
}

/* Two steps written out with the formulas of AdamW in double precision, a decayed and an undecayed weight. */
static void two_groups_follow_the_formula(void **state)
{
    (void)state;
    Fixture f;
    open_model(&f, DTYPE_F32, 0.5);
    const Params *p = model_params(f.m);
    float *w = model_weights(f.m).data, *g = model_gradients(f.m).data;
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
        optimizer_step(&f.o, 0.01, 0.5);
        assert_int_equal(device_sync(f.dev), ST_OK);
        for (int k = 0; k < 2; k++)
            assert_true(fabs((double)w[at[k]] - want[k]) < 1e-6);
    }
    assert_int_equal(f.o.steps, 2);
    optimizer_reset(&f.o);
    assert_true(tensor_f32(&f.o.m, 0)[at[0]] == 0);
    assert_int_equal(f.o.steps, 0);
    close_model(&f);
}

/* With bf16 products the copy is the rounded master after every step. */
static void the_copy_follows_the_master(void **state)
{
    (void)state;
    Fixture f;
    open_model(&f, DTYPE_BF16, 0.1);
    float *g = model_gradients(f.m).data, *w = model_weights(f.m).data;
    uint16_t *copy = model_weights_copy(f.m).data;
    for (int64_t i = 0; i < model_params(f.m)->total; i++)
        g[i] = (float)(i % 17) - 8;
    for (int step = 0; step < 3; step++)
        optimizer_step(&f.o, 0.03, 1);
    const Params *p = model_params(f.m);
    for (int64_t i = 0; i < p->n; i++) /* padding between parameters is nobody's */
        for (int64_t k = 0; p->at[i].offset < p->matrices && k < p->at[i].rows * p->at[i].cols; k++)
            assert_int_equal(copy[p->at[i].offset + k], bf16_from_f32(w[p->at[i].offset + k]));
    close_model(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_groups_follow_the_formula),
        cmocka_unit_test(the_copy_follows_the_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
