#include "cli/sampling.h"

#include "base/scratch_test.h"

/* Defaults and bounds are those that the sampler takes. */
static void test_settings(void **state)
{
    (void)state;
    SamplingConfig c = {0};
    config_defaults(&sampling_table, &c);
    SamplerSettings s = sampling_settings(&c);
    assert_int_equal(sampler_check(&s), ST_OK);
    assert_int_equal(config_set(&sampling_table, &c, "top-k", "5"), ST_OK);
    assert_int_equal(config_set(&sampling_table, &c, "presence_penalty", "-2"), ST_OK);
    assert_int_equal(config_set(&sampling_table, &c, "seed", "7"), ST_OK);
    assert_int_equal(config_set(&sampling_table, &c, "top_p", "1.5"), ST_ARG);
    s = sampling_settings(&c);
    assert_int_equal(sampler_check(&s), ST_OK);
    assert_true(s.top_k == 5 && s.presence_penalty == -2 && s.seed == 7 && s.temperature == 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
