#include "model/golden_lora_test.h"
#include "model/lora_merge.h"

/* A decoder that merges at its opening, from a file or from the model that trains. */
static void a_decoder_merges_at_its_opening(void **state)
{
    (void)state;
    Golden g;
    ModelFile *base;
    LoraMerge *merge;
    int32_t ids[G_N], targets[G_N];
    golden_open(&g, "all");
    golden_batch(&g, ids, targets);
    assert_int_equal(model_file_open(&base, base_folder), ST_OK);
    assert_int_equal(lora_merge_open(&merge, base, g.folder), ST_OK);
    DecoderSetup setup = {.max_rows = G_T, .max_logits = G_T, .compute = DTYPE_F32};
    for (int way = 0; way < 2; way++) {
        Decoder *d;
        float logits[G_T * G_V];
        DecoderRun run = {.ids = ids, .n = G_T, .logits = G_T};
        assert_int_equal(
            way ? decoder_open_model(&d, g.m, &setup) : lora_merge_decoder(&d, g.dev, merge, &setup), ST_OK);
        assert_int_equal(decoder_pass(d, &run, 1, logits), ST_OK);
        const float *theirs = expected(&g, "logits", "")->data;
        double bound = 0.02; /* where bf16 products are fast a decoder packs weights as bf16 */
        assert_true(relative_difference(logits, theirs, G_T * G_V) < bound);
        decoder_close(d);
    }
    lora_merge_close(merge);
    model_file_close(base);
    golden_close(&g);
}


int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_decoder_merges_at_its_opening)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
