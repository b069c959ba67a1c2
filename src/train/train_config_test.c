#include "train/train_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void lengths_become_steps(void **state)
{
    (void)state;
    TrainConfig c = {0};
    config_defaults(&train_table, &c);
    assert_int_equal(train_config_check(&c), ST_OK);
    assert_int_equal(train_config_steps(&c, 1000, 10500, 0), 10); /* one epoch */
    assert_int_equal(train_config_steps(&c, 1000, 10, 0), 1);
    c.epochs = 2.5;
    assert_int_equal(train_config_steps(&c, 1000, 10000, 0), 25);
    assert_int_equal(train_config_steps(&c, 1000, 10000, 4000), 21);
    assert_int_equal(train_config_steps(&c, 1000, 10000, -4000), 29);
    c.epochs = 0;
    c.tokens = 3999;
    assert_int_equal(train_config_steps(&c, 1000, 10000, 0), 3);
    c.tokens = 0;
    c.minutes = 1;
    assert_int_equal(train_config_steps(&c, 1000, 10000, 0), -1);
    c.minutes = 0;
    c.steps = 17;
    assert_int_equal(train_config_steps(&c, 1000, 10000, 0), 17);
    c.minutes = 1;
    assert_int_equal(train_config_check(&c), ST_ARG);
    config_drop(&train_table, &c);
}

static void names_become_settings(void **state)
{
    (void)state;
    TrainConfig c = {0};
    config_defaults(&train_table, &c);
    Schedule s = train_config_schedule(&c, 1000);
    assert_int_equal(s.kind, SCHEDULE_COSINE);
    assert_int_equal(s.warmup, 20);
    assert_int_equal(config_set(&train_table, &c, "schedule", "wsd"), ST_OK);
    assert_int_equal(config_set(&train_table, &c, "warmup-steps", "7"), ST_OK);
    assert_int_equal(config_set(&train_table, &c, "compute", "f32"), ST_OK);
    assert_int_equal(config_set(&train_table, &c, "recompute", "layer"), ST_OK);
    assert_int_equal(config_set(&train_table, &c, "final-dtype", "f16"), ST_OK);
    s = train_config_schedule(&c, 1000);
    assert_int_equal(s.kind, SCHEDULE_WSD);
    assert_int_equal(s.warmup, 7);
    assert_int_equal(s.decay, 200);
    ModelSetup setup = train_config_setup(&c, 64);
    assert_true(setup.compute == DTYPE_F32 && setup.recompute == RECOMPUTE_LAYER && setup.training &&
                setup.context == 64);
    assert_int_equal(train_config_final_dtype(&c), DTYPE_F16);
    assert_true(train_config_is_harmless("log_every"));
    assert_false(train_config_is_harmless("learning_rate"));
    assert_int_equal(config_set(&train_table, &c, "learning_rate", "-1"), ST_ARG);
    assert_int_equal(config_set(&train_table, &c, "beta2", "0.99999999"), ST_ARG); /* 1 as a float */
    assert_int_equal(config_set(&train_table, &c, "beta2", "0.99999997"), ST_OK);
    assert_true((float)c.beta2 < 1);
    c.lora_rslora = true;
    assert_int_equal(train_config_check(&c), ST_ARG);
    assert_non_null(strstr(error_text(), "lora_rslora"));
    c.lora_rslora = false;
    assert_int_equal(config_set(&train_table, &c, "lora_rank", "4"), ST_OK);
    assert_int_equal(train_config_check(&c), ST_ARG); /* nobody asked for adapters */
    assert_non_null(strstr(error_text(), "--lora"));
    c.lora = true;
    assert_int_equal(train_config_check(&c), ST_OK);
    assert_false(train_config_optimizer(&c).muon);
    assert_int_equal(config_set(&train_table, &c, "optimizer", "muon"), ST_OK);
    assert_true(train_config_optimizer(&c).muon);
    assert_int_equal(train_config_check(&c), ST_ARG); /* it moves whole matrices, and none is trained */
    assert_int_equal(config_set(&train_table, &c, "optimizer", "adamw"), ST_OK);
    c.spike_skip = true;
    c.spike_threshold = 0;
    assert_int_equal(train_config_check(&c), ST_ARG);
    config_drop(&train_table, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_become_steps),
        cmocka_unit_test(names_become_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
