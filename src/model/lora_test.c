#include "model/lora.h"

#include <string.h>

#include "model/tiny_test.h"

static void targets_are_named_as_people_do(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int mask; /* bit t: target t */
    } cases[] = {{"q,v", 5},      {" q_proj , v_proj ", 5}, {"all", 127},      {"all-linear", 127},
                 {"mlp", 0x70},   {"attention", 0x0F},      {"attention,up", 0x2F}, {"down,", 0x40}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool targets[LORA_TARGETS];
        assert_int_equal(lora_targets(targets, cases[i].text), ST_OK);
        for (int t = 0; t < LORA_TARGETS; t++)
            assert_int_equal(targets[t], cases[i].mask >> t & 1);
    }
    bool targets[LORA_TARGETS];
    assert_int_equal(lora_targets(targets, "q,qv"), ST_ARG);
    assert_non_null(strstr(error_text(), "'qv'"));
    assert_int_equal(lora_targets(targets, " , "), ST_ARG);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    LoraSetup s = lora_setup(8, 16);
    assert_true(lora_on(&s));
    assert_int_equal(lora_check(&s, &h), ST_OK);
    s = lora_setup(25, 16);
    assert_int_equal(lora_check(&s, &h), ST_ARG); /* k and v have 16 rows */
    assert_non_null(strstr(error_text(), "_proj"));
    s = lora_setup(0, 16);
    assert_false(lora_on(&s));
    assert_int_equal(lora_check(&s, &h), ST_ARG);
    s = lora_setup(8, 16);
    s.dropout = 1;
    assert_int_equal(lora_check(&s, &h), ST_ARG);
    s.dropout = 0;
    s.embed = true;
    assert_int_equal(lora_check(&s, &h), ST_OK);
    h.tie_word_embeddings = true;
    assert_int_equal(lora_check(&s, &h), ST_ARG);
}

static void the_table_is_pefts(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    LoraSetup s = lora_setup(4, 6);
    s.head = true;
    Params p;
    lora_params(&p, &h, &s);
    int64_t end = 0, count = 0;
    for (int64_t i = 0; i < p.n; i++) {
        assert_true(p.at[i].offset >= end);
        end = p.at[i].offset + p.at[i].rows * p.at[i].cols;
        count += p.at[i].rows * p.at[i].cols;
    }
    assert_int_equal(p.matrices, p.total);
    assert_int_equal(count, lora_param_count(&h, &s));
    const Param *a = lora_find(&p, PARAM_K, 2, PART_LORA_A), *b = lora_find(&p, PARAM_K, 2, PART_LORA_B);
    assert_string_equal(a->name, "base_model.model.model.layers.2.self_attn.k_proj.lora_A.weight");
    assert_string_equal(b->name, "base_model.model.model.layers.2.self_attn.k_proj.lora_B.weight");
    assert_true(a->rows == 4 && a->cols == 24 && b->rows == 16 && b->cols == 4);
    /* As of one product are neighbours */
    assert_int_equal(lora_find(&p, PARAM_Q, 2, PART_LORA_A)->offset + 4 * 24, a->offset);
    assert_string_equal(lora_find(&p, PARAM_HEAD, -1, PART_WHOLE)->name, "base_model.model.lm_head.weight");
    assert_null(lora_find(&p, PARAM_EMBED, -1, PART_WHOLE));
    assert_int_equal(lora_columns(&s, LINEAR_QKV), 32);
    assert_int_equal(lora_column(&s, LINEAR_QKV, PARAM_V), 8);
    assert_true(fabs(lora_scale(&s, PARAM_O) - 1.5) < 1e-12);
    s.rslora = true;
    assert_true(fabs(lora_scale(&s, PARAM_O) - 3) < 1e-12);
    params_drop(&p);
}

static void work_counts_what_is_said(void **state)
{
    (void)state;
    HParams h = tiny_hparams();
    LoraSetup s = lora_setup(4, 8);
    double inside = 3.0 * (24 * 80 + 48 * 24 + 3 * 24 * 40) + 61 * 24, attention = 6.0 * 3 * 12 * 24;
    double wanted = 4 * inside + 6 * (double)lora_param_count(&h, &s) + attention;
    assert_true(fabs(lora_train_flops(&h, &s, 12) - wanted) < 0.5);
    double rest = 4 * (48 * 24 + 3 * 24 * 40) + 6.0 * 4 * ((48 + 24) + 3 * (24 + 40));
    assert_true(fabs(lora_learned_flops(&h, &s) - (rest + 4.0 * 61 * 24)) < 0.5);
    s.head = true;
    assert_true(fabs(lora_learned_flops(&h, &s) - (rest + 6.0 * 61 * 24)) < 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_named_as_people_do),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_table_is_pefts),
        cmocka_unit_test(work_counts_what_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
