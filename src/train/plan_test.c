#include "train/plan.h"

#include <math.h>

#include "train/tiny_data_test.h"

static void the_plan_adds_up_and_refuses(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *train, *held_out;
    TrainConfig c = {0};
    HParams h = tiny_shape();
    tiny_open(&tiny);
    config_defaults(&train_table, &c);
    c.batch = 2;
    c.grad_accumulation = 3;
    assert_int_equal(loader_open(&train, tiny.data, "train", c.batch), ST_OK);
    assert_int_equal(loader_open(&held_out, tiny.data, "held_out", c.batch), ST_OK);
    ModelSetup setup = train_config_setup(&c, TINY_T);
    TrainPlan p = plan_make(&c, &h, &setup, train, held_out, 2);
    assert_int_equal(p.step_tokens, 2 * 3 * 2 * TINY_T);
    assert_int_equal(p.epoch_tokens, TINY_ROWS * TINY_T);
    assert_int_equal(p.steps, TINY_ROWS / 12);
    assert_int_equal(p.eval_rows, TINY_HELD_OUT);
    assert_true(p.memory_bytes > p.model.total && p.disk_bytes > p.checkpoint_bytes);
    plan_print(&p, &c, tiny.data, tiny.run, 2);
    assert_int_equal(plan_check(&p, &c, tiny.run, 0), ST_OK);
    assert_int_equal(plan_check(&p, &c, "relative/that/is/not/there", 0), ST_OK);

    TrainPlan large = p;
    large.memory_bytes = (size_t)1 << 60;
    assert_int_equal(plan_check(&large, &c, tiny.run, 0), ST_LIMIT);
    assert_non_null(strstr(error_text(), "lower batch (now 2"));
    assert_non_null(strstr(error_text(), "recompute"));
    large = p;
    large.disk_bytes = (size_t)1 << 60;
    assert_int_equal(plan_check(&large, &c, tiny.run, 0), ST_LIMIT);
    assert_non_null(strstr(error_text(), "keep_checkpoints"));
    assert_int_equal(plan_check(&large, &c, tiny.run, large.disk_bytes),
                     ST_OK); /* what is replaced gives its room */

    c.save_every = -1;
    TrainPlan none = plan_make(&c, &h, &setup, train, held_out, 2);
    assert_true(none.disk_bytes < none.checkpoint_bytes);
    loader_close(train);
    loader_close(held_out);
    config_drop(&train_table, &c);
    tiny_close(&tiny);
}

static void tokens_that_are_not_learned_cost_no_head_and_half_a_layer(void **state)
{
    (void)state;
    HParams h = tiny_shape();
    TrainConfig c = {0};
    config_defaults(&train_table, &c);
    c.batch = 2;
    c.grad_accumulation = 3;
    PlanData data = {TINY_T, TINY_ROWS, TINY_HELD_OUT};
    ModelSetup setup = train_config_setup(&c, TINY_T);
    for (int adapters = 0; adapters < 2; adapters++) {
        if (adapters)
            setup.lora = lora_setup(4, 8);
        TrainPlan p = plan_of(&c, &h, &setup, &data, 2);
        int64_t all = 2 * 3 * 2 * TINY_T;
        assert_true(isnan(plan_step_mfu(&p, 0.5, all)));
        p.peak_flops = 1e9;
        double full = p.flops_per_token * (double)all / (0.5 * 1e9 * 2), none = plan_step_mfu(&p, 0.5, 0);
        double some = adapters ? lora_learned_flops(&h, &setup.lora) : hparams_learned_flops(&h);
        some *= (double)all / (0.5 * 1e9 * 2);
        assert_true(fabs(plan_step_mfu(&p, 0.5, all) - full) < 1e-9 * full);
        assert_true(fabs(none - (full - some)) < 1e-9 * full);
        assert_true(none > 0);
        assert_true(fabs(plan_step_mfu(&p, 0.5, all / 4) - (none + some / 4)) < 1e-9 * full);
        double alone = 0.5 * full; /* seconds at 1e9 */
        p.peak_flops = 1e9;
        assert_true(plan_step_mfu(&p, alone / 4, all) > 3.99 && p.peak_flops == 1e9); /* one that was given stays */
        p.peak_measured = true;
        p.peak_flops = 4e9;
        assert_true(fabs(plan_step_mfu(&p, alone, all) - 0.25) < 1e-9 && p.peak_flops == 4e9);
        p.peak_flops = 1e9;
        assert_true(plan_step_mfu(&p, alone / 2, all) == 1 && fabs(p.peak_flops - 2e9) < 1);
        assert_true(fabs(plan_step_mfu(&p, alone, all) - 0.5) < 1e-9);
    }
    config_drop(&train_table, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_adds_up_and_refuses),
        cmocka_unit_test(tokens_that_are_not_learned_cost_no_head_and_half_a_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
