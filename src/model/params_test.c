#include "model/params.h"

#include <string.h>

#include "model/tiny_test.h"

static void neighbours_are_fused(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    Params p;
    params_init(&p, &h);
    const Param *q = params_find(&p, PARAM_Q, 1), *k = params_find(&p, PARAM_K, 1),
                *v = params_find(&p, PARAM_V, 1);
    assert_int_equal(q->offset + q->rows * q->cols, k->offset);
    assert_int_equal(k->offset + k->rows * k->cols, v->offset);
    const Param *gate = params_find(&p, PARAM_GATE, 2), *up = params_find(&p, PARAM_UP, 2);
    assert_int_equal(gate->offset + gate->rows * gate->cols, up->offset);
    assert_string_equal(q->name, "model.layers.1.self_attn.q_proj.weight");
    params_drop(&p);
}

static void places_do_not_overlap_and_vectors_come_last(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    Params p;
    params_init(&p, &h);
    int64_t end = 0, counted = 0;
    for (int64_t i = 0; i < p.n; i++) {
        assert_true(p.at[i].offset >= end);
        end = p.at[i].offset + p.at[i].rows * p.at[i].cols;
        counted += p.at[i].rows * p.at[i].cols;
        assert_int_equal(p.at[i].kind >= PARAM_INPUT_NORM, p.at[i].offset >= p.matrices);
    }
    assert_true(end <= p.total);
    assert_int_equal(counted, hparams_param_count(&h));
    params_drop(&p);
}

static void tied_head_is_the_embedding(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    h.tie_word_embeddings = true;
    Params p;
    params_init(&p, &h);
    assert_ptr_equal(params_find(&p, PARAM_HEAD, -1), params_find(&p, PARAM_EMBED, -1));
    params_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_fused),
        cmocka_unit_test(places_do_not_overlap_and_vectors_come_last),
        cmocka_unit_test(tied_head_is_the_embedding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
