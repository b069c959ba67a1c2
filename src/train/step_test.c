#include "train/step.h"

#include <math.h>

#include "ops/select.h"
#include "train/tiny_data_test.h"

typedef struct {
    Tiny tiny;
    Device *dev;
    Comm *comm;
    Model *model;
    Optimizer optimizer;
    Clip clip;
    Loader *loader;
    Step step;
} Fixture;

static void open_step(Fixture *f, int64_t batch, int64_t micro_steps)
{
    HParams h = tiny_shape();
    ModelSetup setup = {.batch = batch, .context = TINY_T, .compute = DTYPE_F32, .training = true};
    OptimizerSettings set = {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
    assert_int_equal(device_open_cpu(&f->dev, 1), ST_OK);
    assert_int_equal(ops_attach(f->dev, NULL), ST_OK);
    assert_int_equal(comm_open(&f->comm, f->dev), ST_OK);
    assert_int_equal(model_open(&f->model, f->dev, &h, &setup), ST_OK);
    model_init(f->model, 3);
    assert_int_equal(optimizer_open(&f->optimizer, f->dev, f->model, &set), ST_OK);
    assert_int_equal(clip_open(&f->clip, f->dev), ST_OK);
    assert_int_equal(loader_open(&f->loader, f->tiny.data, "train", batch), ST_OK);
    f->step = (Step){.dev = f->dev,
                     .comm = f->comm,
                     .model = f->model,
                     .optimizer = &f->optimizer,
                     .clip = &f->clip,
                     .loader = f->loader,
                     .order = {.packed = true, .micro_steps = micro_steps, .ranks = 1},
                     .grad_clip = 1,
                     .losses = mem_array(float, batch *TINY_T)};
}

static void close_step(Fixture *f)
{
    mem_free(f->step.losses);
    loader_close(f->loader);
    clip_close(&f->clip);
    optimizer_close(&f->optimizer);
    model_close(f->model);
    comm_close(f->comm);
    device_close(f->dev);
}

/* Six sequences at once, or two by two: the same loss, norm and weights, up to rounding. */
static void accumulation_is_a_larger_batch(void **state)
{
    (void)state;
    Fixture f = {0};
    StepGradients whole, parts;
    tiny_open(&f.tiny);
    open_step(&f, 6, 1);
    assert_int_equal(step_gradients(&f.step, 1, &whole), ST_OK);
    step_update(&f.step, &whole, 0.01);
    int64_t n = model_params(f.model)->total;
    float *once = mem_copy(model_weights(f.model).data, (size_t)n * sizeof *once);
    close_step(&f);
    open_step(&f, 2, 3);
    assert_int_equal(step_gradients(&f.step, 1, &parts), ST_OK);
    step_update(&f.step, &parts, 0.01);
    assert_int_equal(parts.tokens, 6 * TINY_T);
    assert_true(fabs(whole.loss_nats - parts.loss_nats) < 1e-5);
    assert_true(fabs(whole.grad_norm - parts.grad_norm) < 1e-4 * whole.grad_norm);
    const Params *p = model_params(f.model);
    const float *w = model_weights(f.model).data;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < p->at[i].rows * p->at[i].cols; k++)
            assert_true(fabs((double)once[p->at[i].offset + k] - (double)w[p->at[i].offset + k]) < 2e-3);
    mem_free(once);
    close_step(&f);
    tiny_close(&f.tiny);
}

static void measuring_moves_nothing(void **state)
{
    (void)state;
    Fixture f = {0};
    double step, evaluation;
    tiny_open(&f.tiny);
    open_step(&f, 2, 2);
    size_t bytes = (size_t)model_params(f.model)->matrices * sizeof(float);
    void *before = mem_copy(model_weights(f.model).data, bytes);
    assert_int_equal(step_measure(&f.step, 0.2, &step, &evaluation), ST_OK);
    assert_true(step > 0 && evaluation > 0);
    assert_memory_equal(before, model_weights(f.model).data, bytes);
    assert_int_equal(f.optimizer.steps, 0);
    assert_true(f.optimizer.set.weight_decay == 0.1);
    mem_free(before);
    close_step(&f);
    tiny_close(&f.tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accumulation_is_a_larger_batch),
        cmocka_unit_test(measuring_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
