#include "model/lora_merge.h"

#include "model/golden_lora_test.h"

/* W' = W + s B A gives the adapter's logits. */
static void a_merged_model_computes_the_same(void **state)
{
    (void)state;
    static const char *const cases[] = {"all", "patterns"};
    for (int k = 0; k < 2; k++) {
        Golden g;
        ModelFile *base;
        LoraMerge *merge;
        int32_t ids[G_N], targets[G_N];
        float logits[G_N * G_V];
        golden_open(&g, cases[k]);
        Batch b = golden_batch(&g, ids, targets);
        assert_int_equal(model_file_open(&base, base_folder), ST_OK);
        assert_int_equal(lora_merge_open(&merge, base, g.folder), ST_OK);
        WeightSource s = lora_merge_source(merge);
        ModelSetup setup = {.batch = G_B, .context = G_T, .compute = DTYPE_F32, .training = true};
        Model *m;
        assert_int_equal(model_open(&m, g.dev, &g.h, &setup), ST_OK);
        Tensor w = model_weights(m);
        for (int64_t i = 0; i < s.params->n; i++)
            for (int64_t r = 0; r < s.params->at[i].rows; r++)
                s.row(&s, &s.params->at[i], r,
                      (float *)w.data + s.params->at[i].offset + r * s.params->at[i].cols);
        assert_int_equal(model_logits(m, &b, logits), ST_OK);
        expect_near(&g, logits, "logits", "");
        model_close(m);
        lora_merge_close(merge);
        model_file_close(base);
        golden_close(&g);
    }
}

/* A base of 29 ids under an adapter that brings 31: the merged model has 31. */
static void an_adapter_may_bring_more_ids(void **state)
{
    (void)state;
    HParams h;
    Adapter *a;
    assert_int_equal(hparams_read(&h, base_folder), ST_OK);
    h.vocab_size = 29;
    assert_int_equal(adapter_open(&a, "tests/golden/lora/patterns", &h), ST_OK);
    assert_int_equal(adapter_hparams(a)->vocab_size, G_V);
    adapter_close(a);
    h.vocab_size = 33;
    assert_int_equal(adapter_open(&a, "tests/golden/lora/patterns", &h), ST_FORMAT);
    assert_non_null(strstr(error_text(), "vocabulary"));
}

/* Blocks of matrices without an adapter are handed on as they lie. */
static void what_has_no_adapter_stays_as_it_lies(void **state)
{
    (void)state;
    ModelFile *base;
    LoraMerge *merge;
    assert_int_equal(model_file_open(&base, base_folder), ST_OK);
    assert_int_equal(lora_merge_open(&merge, base, "tests/golden/lora/patterns"), ST_OK);
    WeightSource s = lora_merge_source(merge);
    ModelTensor t;
    const Param *k = params_find(s.params, PARAM_K, 1), *q = params_find(s.params, PARAM_Q, 1);
    model_file_tensor(base, &t, PARAM_K, 1);
    assert_ptr_equal(s.stored(&s, k, 2, t.type), model_tensor_row(&t, 2));
    assert_null(s.stored(&s, q, 2, t.type));
    assert_null(s.stored(&s, params_find(s.params, PARAM_EMBED, -1), 2, t.type));
    lora_merge_close(merge);
    model_file_close(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merged_model_computes_the_same),
        cmocka_unit_test(an_adapter_may_bring_more_ids),
        cmocka_unit_test(what_has_no_adapter_stays_as_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
