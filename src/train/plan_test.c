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
    PlanData data = {TINY_T, TINY_ROWS, TINY_HELD_OUT, 1, 1};
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

/* Half of the tokens to train on, a quarter of those held out. */
/* It has no second moments for a layer's matrices, and more to do at the end of a step. */
static void muon_is_planned_with(void **state)
{
    (void)state;
    HParams h = tiny_shape();
    TrainConfig c = {0};
    config_defaults(&train_table, &c);
    PlanData data = {TINY_T, TINY_ROWS, TINY_HELD_OUT, 1, 1};
    assert_int_equal(config_set(&train_table, &c, "compute", "f32"), ST_OK);
    ModelSetup setup = train_config_setup(&c, TINY_T);
    TrainPlan plain = plan_of(&c, &h, &setup, &data, 1);
    assert_int_equal(config_set(&train_table, &c, "optimizer", "muon"), ST_OK);
    TrainPlan p = plan_of(&c, &h, &setup, &data, 1);
    int64_t C = h.hidden_size, F = h.intermediate_size, L = h.num_hidden_layers;
    int64_t q = h.num_attention_heads * h.head_dim, kv = h.num_key_value_heads * h.head_dim;
    int64_t inside = L * (2 * q * C + 2 * kv * C + 3 * F * C);
    int64_t work = 2 * F * C + 2 * C * C; /* of the largest, in f32; twice the matrix and twice its Gram matrix */
    assert_true(C < F && setup.compute == DTYPE_F32);
    assert_int_equal(plain.memory_bytes - p.memory_bytes, (inside - work) * 4);
    assert_int_equal(plain.checkpoint_bytes - p.checkpoint_bytes, inside * 4);
    plain.peak_flops = p.peak_flops = 1e9;
    double more = plan_seconds(&p, &c) - plan_seconds(&plain, &c);
    assert_true(more > 0 && p.flops_per_update > 5 * 4.0 * (double)inside);
    config_drop(&train_table, &c);
}

static void masked_data(const char *folder)
{
    static const ShardSource sources[] = {{"asked", SHARD_TEXT}};
    static const uint8_t half[] = {0xAA, 0xAA, 0}, quarter[] = {0x88, 0x88, 0};
    uint32_t starts[] = {0};
    ShardSpec spec = {.row_tokens = TINY_T + 1, .vocab_size = TINY_V, .isolated = true, .has_mask = true,
                      .sources = sources, .sources_n = 1};
    ShardSetWriter *w;
    int32_t ids[TINY_T + 1] = {0};
    assert_int_equal(shards_create(&w, folder, &spec, 16), ST_OK);
    for (int i = 0; i < 2 * TINY_ROWS; i++) {
        ShardRow row = {.starts = starts, .starts_n = 1, .mask = i < TINY_ROWS ? half : quarter};
        assert_int_equal(shards_add(w, i < TINY_ROWS ? "train" : "held_out", ids, &row), ST_OK);
    }
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
}

/* Seconds, in FLOPs at the peak: what is learned, what is only read, evaluations. */
static void a_forecast_counts_what_is_learned(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *train, *held_out;
    TrainConfig c = {0};
    HParams h = tiny_shape();
    tiny_open(&tiny);
    masked_data(tiny.other);
    config_defaults(&train_table, &c);
    c.batch = 2;
    c.steps = 10;
    c.eval_every = -1;
    c.eval_rows = 0;
    ModelSetup setup = train_config_setup(&c, TINY_T);
    double all = hparams_train_flops(&h, TINY_T), some = hparams_learned_flops(&h), tokens = 10 * 2 * TINY_T;
    assert_int_equal(loader_open(&train, tiny.data, "train", c.batch), ST_OK);
    assert_int_equal(loader_open(&held_out, tiny.data, "held_out", c.batch), ST_OK);
    TrainPlan p = plan_make(&c, &h, &setup, train, held_out, 1);
    p.peak_flops = 1 / 0.6;
    assert_true(fabs(plan_seconds(&p, &c) - tokens * all) < 1e-6 * all);
    loader_close(train);
    loader_close(held_out);

    assert_int_equal(loader_open(&train, tiny.other, "train", c.batch), ST_OK);
    assert_int_equal(loader_open(&held_out, tiny.other, "held_out", c.batch), ST_OK);
    p = plan_make(&c, &h, &setup, train, held_out, 1);
    p.peak_flops = 1 / 0.6;
    double half = tokens * (all - some / 2);
    assert_true(fabs(plan_seconds(&p, &c) - half) < 1e-6 * all);
    c.eval_every = 5; /* after 5 steps and after 10 */
    double read = 2.0 * TINY_ROWS * TINY_T * (all - some * 3 / 4) / 3;
    assert_true(fabs(plan_seconds(&p, &c) - (half + read)) < 1e-6 * all);
    plan_print(&p, &c, tiny.other, tiny.run, 2);
    loader_close(train);
    loader_close(held_out);
    config_drop(&train_table, &c);
    tiny_close(&tiny);
}

/* The last step's checkpoint is one, whether it falls on a multiple of save_every or not. */
static void checkpoints_are_counted(void **state)
{
    (void)state;
    static const struct {
        int64_t steps, every, keep, made;
    } cases[] = {{1000, 500, 2, 2}, {1001, 500, 2, 3}, {1000, 500, 0, 2}, {1001, 500, 0, 3}, {5000, 500, 2, 3},
                 {300, 500, 2, 1},  {300, 0, 2, 1},    {300, -1, 2, 0}};
    HParams h = tiny_shape();
    TrainConfig c = {0};
    config_defaults(&train_table, &c);
    PlanData data = {TINY_T, TINY_ROWS, TINY_HELD_OUT, 1, 1};
    ModelSetup setup = train_config_setup(&c, TINY_T);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.steps = cases[i].steps;
        c.save_every = cases[i].every;
        c.keep_checkpoints = cases[i].keep;
        TrainPlan p = plan_of(&c, &h, &setup, &data, 1);
        assert_int_equal(p.disk_bytes / p.checkpoint_bytes, cases[i].made);
    }
    config_drop(&train_table, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_adds_up_and_refuses),
        cmocka_unit_test(muon_is_planned_with),
        cmocka_unit_test(tokens_that_are_not_learned_cost_no_head_and_half_a_layer),
        cmocka_unit_test(a_forecast_counts_what_is_learned),
        cmocka_unit_test(checkpoints_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
