#include "model/tiny_test.h"

/* Any way to cut a sequence into pieces gives the logits of the whole forward pass. */
static void pieces_give_the_whole(DType compute, float tolerance)
{
    HParams h = tiny_hparams();
    ModelSetup setup = tiny_setup(false);
    setup.compute = compute;
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_open(&h, &setup);
    float *whole = mem_array(float, TINY_N * TINY_V), *one = mem_array(float, TINY_V);
    assert_int_equal(model_logits(t.m, &batch, whole), ST_OK);
    KvCache *c;
    assert_int_equal(kvcache_open(&c, t.m, TINY_T), ST_OK);
    static const int64_t pieces[] = {1, 3, 1, 7};
    for (int64_t i = 0, done = 0; i < 4; i++) {
        assert_int_equal(model_extend(t.m, c, b.ids + done, pieces[i], one), ST_OK);
        done += pieces[i];
        assert_int_equal(kvcache_length(c), done);
        assert_true(relative_difference(one, whole + (done - 1) * TINY_V, TINY_V) < (double)tolerance);
    }
    assert_int_equal(model_extend(t.m, c, b.ids, 1, one), ST_LIMIT);
    kvcache_truncate(c, 4); /* take words back and say others */
    assert_int_equal(model_extend(t.m, c, b.ids + 4, 2, one), ST_OK);
    assert_true(relative_difference(one, whole + 5 * TINY_V, TINY_V) < (double)tolerance);
    kvcache_close(c);
    mem_free(whole);
    mem_free(one);
    tiny_close(&t);
}

static void cached_rows_equal_whole_rows(void **state)
{
    (void)state;
    pieces_give_the_whole(DTYPE_F32, 1e-5f);
    pieces_give_the_whole(DTYPE_BF16, 0.03f);
}

static void a_cache_beyond_the_context_is_refused(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    ModelSetup setup = tiny_setup(false);
    Tiny t = tiny_open(&h, &setup);
    KvCache *c = NULL;
    assert_int_equal(kvcache_open(&c, t.m, TINY_T + 1), ST_ARG);
    assert_null(c);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_rows_equal_whole_rows),
        cmocka_unit_test(a_cache_beyond_the_context_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
