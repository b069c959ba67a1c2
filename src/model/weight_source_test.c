#include "model/weight_source.h"

#include <math.h>

#include "base/scratch_test.h"

static void files_give_rows_in_order(void **state)
{
    (void)state;
    ModelFile *folder, *gguf;
    assert_int_equal(model_file_open(&folder, "tests/golden/llama/llama3"), ST_OK);
    assert_int_equal(model_file_open(&gguf, "tests/golden/quant/llama3.gguf"), ST_OK);
    WeightSource a = weight_source_file(folder), b = weight_source_file(gguf);
    assert_int_equal(a.params->n, b.params->n);
    float x[64], y[64];
    for (int64_t i = 0; i < a.params->n; i++) {
        const Param *p = &a.params->at[i];
        for (int64_t row = 0; row < p->rows; row++) {
            a.row(&a, p, row, x);
            b.row(&b, p, row, y);
            assert_memory_equal(x, y, (size_t)p->cols * sizeof *x);
            assert_memory_equal(b.stored(&b, p, row, QUANT_F32), x, (size_t)p->cols * sizeof *x);
            assert_null(b.stored(&b, p, row, QUANT_BF16));
        }
    }
    model_file_close(folder);
    model_file_close(gguf);
}

static void random_weights_follow_their_seed(void **state)
{
    (void)state;
    HParams h;
    Params p;
    float x[2048], y[2048];
    assert_int_equal(hparams_preset(&h, "1b"), ST_OK);
    params_init(&p, &h);
    WeightSource s = weight_source_random(&p, 3), same = weight_source_random(&p, 3),
                 other = weight_source_random(&p, 4);
    const Param *q = params_find(&p, PARAM_Q, 5), *o = params_find(&p, PARAM_O, 5);
    s.row(&s, q, 9, x);
    same.row(&same, q, 9, y);
    assert_memory_equal(x, y, sizeof x);
    double sum = 0;
    for (int i = 0; i < 2048; i++)
        sum += (double)x[i] * (double)x[i];
    assert_true(fabs(sqrt(sum / 2048) / params_deviation(&h, PARAM_Q) - 1) < 0.1);
    other.row(&other, q, 9, y);
    assert_memory_not_equal(x, y, sizeof x);
    s.row(&s, q, 10, y);
    assert_memory_not_equal(x, y, sizeof x);
    s.row(&s, o, 9, y);
    assert_memory_not_equal(x, y, sizeof x);
    s.row(&s, params_find(&p, PARAM_FINAL_NORM, -1), 0, x);
    assert_true(x[0] == 1 && x[2047] == 1);
    params_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_give_rows_in_order),
        cmocka_unit_test(random_weights_follow_their_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
