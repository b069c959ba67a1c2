/* A base in blocks: the same losses and gradients as over its decoded numbers, and its plan. */
#include "model/frozen.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/quantize_model.h"
#include "model/tiny_test.h"

/* Rows of 256, which K types want; wide heads, so that o's are too. */
static HParams blocky(void)
{
    HParams h = tiny_hparams();
    h.hidden_size = 256;
    h.intermediate_size = 256;
    h.num_hidden_layers = 2;
    h.num_attention_heads = 4;
    h.num_key_value_heads = 2;
    h.head_dim = 64;
    return h;
}

/* A GGUF file of random weights; caller unlinks and frees. */
static char *write_base(const HParams *h, const char *type)
{
    char *path = mem_format("/tmp/lemur-frozen-%d.gguf", (int)getpid());
    Params p;
    QuantPlan plan;
    params_init(&p, h);
    WeightSource s = weight_source_random(&p, 5);
    GgufWriter *w = gguf_writer_new();
    quantize_plan(&plan, &p, quantize_mix_find(type), false);
    gguf_put_text(w, "general.architecture", span("llama"));
    quantize_declare(w, &p, &plan);
    if (quantize_write_gguf(&s, &plan, w, path, 2) != ST_OK)
        fail_msg("%s", error_text());
    gguf_writer_free(w);
    quantize_plan_drop(&plan);
    params_drop(&p);
    return path;
}

typedef struct {
    Tiny t;
    size_t weights;
} Adapted;

static Adapted open_over(const ModelFile *f, bool in_blocks, DType compute)
{
    Adapted a;
    ModelSetup setup = tiny_setup(true);
    setup.lora = lora_setup(4, 8);
    setup.compute = compute;
    setup.base = in_blocks ? f : NULL;
    a.weights = model_plan(model_file_hparams(f), &setup).copy;
    assert_int_equal(device_open_cpu(&a.t.dev, 2), ST_OK);
    assert_int_equal(ops_attach(a.t.dev, NULL), ST_OK);
    assert_int_equal(model_open(&a.t.m, a.t.dev, model_file_hparams(f), &setup), ST_OK);
    if (model_load_file(a.t.m, f) != ST_OK)
        fail_msg("%s", error_text());
    model_init_adapters(a.t.m, 3);
    Tensor w = model_weights(a.t.m);
    const Params *p = model_trainable(a.t.m);
    Rng r;
    rng_seed(&r, 4);
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < p->at[i].rows * p->at[i].cols && p->at[i].part == PART_LORA_B; k++)
            ((float *)w.data)[p->at[i].offset + k] = (float)(0.05 * rng_normal(&r));
    model_weights_changed(a.t.m);
    return a;
}

/* The first half of the rows is read and not learned. */
static Batch half_learned(TinyBatch *b)
{
    Batch batch = tiny_batch(b);
    for (int i = 0; i < TINY_N / 2; i++)
        b->targets[i] = -1;
    return batch;
}

static void blocks_are_as_good_as_their_numbers(void **state)
{
    (void)state;
    static const char *const types[] = {"Q8_0", "Q4_0", "Q4_K_M", "Q6_K", "F16"};
    HParams h = blocky();
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        char *path = write_base(&h, types[k]);
        ModelFile *f;
        TinyBatch b;
        Batch batch = k % 2 ? half_learned(&b) : tiny_batch(&b);
        float loss[2][TINY_N], *g[2];
        size_t weights[2];
        uint64_t hash[2];
        int64_t n = 0;
        if (model_file_open(&f, path) != ST_OK)
            fail_msg("%s", error_text());
        for (int in_blocks = 0; in_blocks < 2; in_blocks++) {
            Adapted a = open_over(f, in_blocks, DTYPE_F32);
            model_step(a.t.m, &batch, 0.25f, false);
            assert_int_equal(model_losses(a.t.m, loss[in_blocks]), ST_OK);
            g[in_blocks] = tiny_gradients(&a.t);
            n = model_trainable(a.t.m)->total;
            weights[in_blocks] = a.weights;
            assert_int_equal(model_base_hash(a.t.m, &hash[in_blocks]), ST_OK);
            tiny_close(&a.t);
        }
        assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
        assert_memory_equal(g[0], g[1], (size_t)n * sizeof(float));
        if (strcmp(types[k], "F16") != 0)
            /* The largest product's numbers are in scratch, the rest in blocks. */
            assert_true(weights[1] < weights[0]);
        mem_free(g[0]);
        mem_free(g[1]);
        model_file_close(f);
        assert_int_equal(unlink(path), 0);
        mem_free(path);
    }
}

/* Along its gradient a tensor's loss rises as the gradient says, over a base in blocks. */
static void gradients_over_blocks_are_slopes(void **state)
{
    (void)state;
    HParams h = blocky();
    char *path = write_base(&h, "Q4_0");
    ModelFile *f;
    TinyBatch b;
    Batch batch = half_learned(&b);
    assert_int_equal(model_file_open(&f, path), ST_OK);
    Adapted a = open_over(f, true, DTYPE_F32);
    model_step(a.t.m, &batch, 0.25f, false);
    float *g = tiny_gradients(&a.t);
    Tensor w = model_weights(a.t.m);
    float *values = w.data, *before = mem_copy(values, tensor_bytes(&w));
    const Params *p = model_trainable(a.t.m);
    for (int64_t k = 0; k < p->n; k++) {
        const Param *one = &p->at[k];
        int64_t first = one->offset, end = first + one->rows * one->cols;
        double length = 0, loss[2] = {0};
        for (int64_t i = first; i < end; i++)
            length += (double)g[i] * (double)g[i];
        length = sqrt(length);
        double e = fmin(0.05, 4e-3 / length);
        for (int side = 0; side < 2; side++) {
            float each[TINY_N];
            for (int64_t i = first; i < end; i++)
                values[i] = before[i] + (float)((side ? -e : e) * (double)g[i] / length);
            model_weights_changed(a.t.m);
            model_evaluate(a.t.m, &batch);
            assert_int_equal(model_losses(a.t.m, each), ST_OK);
            for (int i = 0; i < TINY_N; i++)
                loss[side] += 0.25 * (double)each[i];
        }
        memcpy(values, before, tensor_bytes(&w));
        double slope = (loss[0] - loss[1]) / (2 * e);
        if (!(fabs(slope - length) <= 0.01 * length)) /* NaN, too */
            fail_msg("%s: slope %g, gradient %g", one->name, slope, length);
    }
    mem_free(before);
    mem_free(g);
    tiny_close(&a.t);
    model_file_close(f);
    assert_int_equal(unlink(path), 0);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_as_good_as_their_numbers),
        cmocka_unit_test(gradients_over_blocks_are_slopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
