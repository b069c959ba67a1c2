/* What PEFT computed with its adapters, computed here: logits, gradients, AdamW; and folders written here. */
#include "model/golden_lora_test.h"

#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

enum { STEPS = 5 };

static void expect_flat(const Golden *g, const Tensor *flat, const char *prefix)
{
    const Params *p = model_trainable(g->m);
    for (int64_t i = 0; i < p->n; i++)
        expect_near(g, (const float *)flat->data + p->at[i].offset, prefix, p->at[i].name);
}

static double number(const Golden *g, const char *key)
{
    double v;
    assert_int_equal(parse_double(&v, safetensors_metadata(g->expected, key)), ST_OK);
    return v;
}

static void adamw_once(const Golden *g, Tensor *m, Tensor *v, int step)
{
    double beta1 = number(g, "beta1"), beta2 = number(g, "beta2");
    AdamWStep s = {.lr = (float)number(g, "lr"),
                   .beta1 = (float)beta1,
                   .beta2 = (float)beta2,
                   .eps = (float)number(g, "eps"),
                   .weight_decay = (float)number(g, "weight_decay"),
                   .bias1 = (float)(1 - pow(beta1, step + 1)),
                   .bias2 = (float)(1 - pow(beta2, step + 1)),
                   .grad_scale = 1};
    Tensor w = model_weights(g->m), gradients = model_gradients(g->m);
    adamw(g->dev, &w, NULL, m, v, &gradients, &s);
    model_weights_changed(g->m);
}

static void peft_computes_the_same(void **state)
{
    (void)state;
    static const char *const cases[] = {"all", "patterns"};
    for (int k = 0; k < 2; k++) {
        Golden g;
        int32_t ids[G_N], targets[G_N];
        float loss[G_N], logits[G_N * G_V];
        golden_open(&g, cases[k]);
        Batch b = golden_batch(&g, ids, targets);
        int64_t learned = 0, total = model_trainable(g.m)->total;
        for (int i = 0; i < G_N; i++)
            learned += targets[i] >= 0;
        assert_int_equal(model_logits(g.m, &b, logits), ST_OK);
        expect_near(&g, logits, "logits", "");
        Tensor m = tensor_view(mem_array(float, total), DTYPE_F32, 1, total), v = m;
        v.data = mem_array(float, total);
        const float *losses = expected(&g, "losses", "")->data;
        for (int step = 0; step < STEPS; step++) {
            double mean = 0;
            model_step(g.m, &b, 1 / (float)learned, false);
            assert_int_equal(model_losses(g.m, loss), ST_OK);
            for (int i = 0; i < G_N; i++)
                mean += loss[i] / (double)learned;
            assert_true(fabs(mean - losses[step]) < TOLERANCE * mean);
            Tensor gradients = model_gradients(g.m);
            if (step == 0) {
                expect_near(&g, loss, "loss", "");
                expect_flat(&g, &gradients, "grad.");
            }
            adamw_once(&g, &m, &v, step);
        }
        assert_int_equal(device_sync(g.dev), ST_OK);
        Tensor w = model_weights(g.m);
        expect_flat(&g, &w, "final.");
        mem_free(m.data);
        mem_free(v.data);
        golden_close(&g);
    }
}

/* The file's own bits come back, and the settings say the same. */
static void what_is_saved_is_what_was_loaded(void **state)
{
    (void)state;
    char folder[] = "/tmp/lemur-adapter-XXXXXX";
    assert_non_null(mkdtemp(folder));
    Golden g;
    golden_open(&g, "all");
    assert_int_equal(model_save_trained(g.m, folder, DTYPE_F32), ST_OK);
    Adapter *a, *b;
    assert_int_equal(adapter_open(&a, g.folder, &g.h), ST_OK);
    assert_int_equal(adapter_open(&b, folder, &g.h), ST_OK);
    assert_string_equal(adapter_base(b), base_folder);
    for (int l = 0; l < 2; l++) {
        for (ParamKind k = PARAM_Q; k <= PARAM_DOWN; k++) {
            const AdapterMatrix *x = adapter_find(a, k, l), *y = adapter_find(b, k, l);
            assert_memory_equal(x->a->data, y->a->data, (size_t)x->a->count * 4);
            assert_memory_equal(x->b->data, y->b->data, (size_t)x->b->count * 4);
            assert_true(fabs(x->scale - y->scale) < 1e-12);
        }
    }
    adapter_close(a);
    adapter_close(b);
    golden_close(&g);
    assert_int_equal(folder_remove(folder), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peft_computes_the_same),
        cmocka_unit_test(what_is_saved_is_what_was_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
