#include "model/grow.h"

#include "base/scratch_test.h"
#include "model/model_file.h"
#include "model/tiny_test.h"

static float at(Model *m, ParamKind kind, int64_t row, int64_t col)
{
    const Param *p = params_find(model_params(m), kind, kind == PARAM_DOWN ? 1 : -1);
    return ((const float *)model_weights(m).data)[p->offset + row * p->cols + col];
}

static Status load(Model *m, const char *folder, bool as_file)
{
    ModelFile *f;
    if (!as_file)
        return grow_load(m, folder);
    assert_int_equal(model_file_open(&f, folder), ST_OK);
    Status st = grow_load_file(m, f);
    model_file_close(f);
    return st;
}

static void grow_by(int64_t more, bool tied, bool as_file)
{
    HParams h = tiny_hparams();
    ModelSetup setup = tiny_setup(true);
    h.tie_word_embeddings = tied;
    Tiny small = tiny_open(&h, &setup);
    assert_int_equal(model_save(small.m, in_scratch("small"), DTYPE_F32), ST_OK);
    h.vocab_size += more;
    Tiny large = tiny_open(&h, &setup);
    assert_int_equal(load(large.m, in_scratch("small"), as_file), ST_OK);
    for (int64_t c = 0; c < h.hidden_size; c++) {
        double mean = 0;
        for (int64_t r = 0; r < TINY_V; r++) {
            assert_true(at(large.m, PARAM_EMBED, r, c) == at(small.m, PARAM_EMBED, r, c));
            assert_true(at(large.m, PARAM_HEAD, r, c) == at(small.m, PARAM_HEAD, r, c));
            mean += (double)at(small.m, PARAM_HEAD, r, c);
        }
        for (int64_t r = TINY_V; r < TINY_V + more; r++)
            assert_true(fabs((double)at(large.m, PARAM_HEAD, r, c) - mean / TINY_V) < 1e-6);
    }
    assert_true(at(large.m, PARAM_DOWN, 3, 5) == at(small.m, PARAM_DOWN, 3, 5));
    tiny_close(&small);
    tiny_close(&large);
}

static void new_rows_are_the_mean(void **state)
{
    (void)state;
    for (int as_file = 0; as_file < 2; as_file++) {
        grow_by(3, false, as_file);
        grow_by(2, true, as_file);
        grow_by(0, false, as_file);
    }
}

static void it_does_not_shrink(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    ModelSetup setup = tiny_setup(true);
    Tiny small = tiny_open(&h, &setup);
    assert_int_equal(model_save(small.m, in_scratch("shrink"), DTYPE_F32), ST_OK);
    tiny_close(&small);
    h.vocab_size -= 1;
    Tiny less = tiny_open(&h, &setup);
    for (int as_file = 0; as_file < 2; as_file++) {
        assert_int_equal(load(less.m, in_scratch("shrink"), as_file), ST_ARG);
        expect_words("cannot grow to fewer");
    }
    tiny_close(&less);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(new_rows_are_the_mean),
                                       cmocka_unit_test(it_does_not_shrink)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
