#include "train/run_state.h"

#include <math.h>

#include "train/tiny_data_test.h"

static void facts_of(RunFacts *f)
{
    *f = (RunFacts){.h = tiny_shape(),
                    .data_hash = 0xFEDCBA9876543210u,
                    .tokenizer_hash = 5,
                    .threads = 2,
                    .ranks = 1,
                    .context = 16,
                    .compute = DTYPE_BF16,
                    .processor = "P"};
}

/* Through text, as a checkpoint does it. */
static json_t *reread(json_t *j)
{
    char *text = json_dumps(j, JSON_REAL_PRECISION(17));
    json_t *again = json_loads(text, 0, NULL);
    free(text);
    json_decref(j);
    assert_non_null(again);
    return again;
}

static void a_state_survives(void **state)
{
    (void)state;
    TrainConfig c = {0};
    RunState a, b;
    RunFacts f;
    bool length;
    config_defaults(&train_table, &c);
    facts_of(&f);
    run_state_init(&a, &c);
    a.step = 7;
    a.total_steps = 100;
    a.tokens = (int64_t)1 << 59;
    a.updates = 6;
    a.loss_nats = 1.0 / 3;
    a.eval_rows = 24;
    divergence_add(&a.divergence, 7, 1.0 / 3, 48);
    for (int i = 0; i < 200; i++)
        spike_add(&a.loss_window, 1.0 / (i + 1));
    json_t *j = reread(run_state_to_json(&a, &c, &f));
    assert_int_equal(run_state_from_json(&b, &c, j), ST_OK);
    assert_true(b.step == 7 && b.total_steps == 100 && b.tokens == a.tokens && b.updates == 6);
    assert_true(b.loss_nats == a.loss_nats && isnan(b.held_out_nats));
    assert_true(b.eval_rows == 24 && b.divergence.mean == a.divergence.mean);
    assert_true(spike_add(&a.loss_window, 0.5) == spike_add(&b.loss_window, 0.5));
    assert_int_equal(run_state_compare(j, &c, &f, false, &length), ST_OK);
    json_object_del(j, "eval_rows"); /* as earlier programs wrote it */
    json_object_del(j, "divergence");
    assert_int_equal(run_state_from_json(&b, &c, j), ST_OK);
    assert_true(b.eval_rows == 0 && b.divergence.seen == 0);
    json_object_set_new(j, "version", json_integer(2));
    assert_int_equal(run_state_from_json(&b, &c, j), ST_UNSUPPORTED);
    json_object_set_new(j, "version", json_integer(1));
    json_object_set_new(j, "step", json_string("x"));
    assert_int_equal(run_state_from_json(&b, &c, j), ST_FORMAT);
    json_decref(j);
    config_drop(&train_table, &c);
}

/* Each setting by itself: told by name, unless it changes no bit. */
static void every_setting_counts_unless_harmless(void **state)
{
    (void)state;
    RunState s;
    RunFacts f;
    bool length;
    facts_of(&f);
    log_level_set(LOG_ERROR);
    for (size_t i = 0; i < train_table.n; i++) {
        const Field *field = &train_table.fields[i];
        TrainConfig c = {0};
        config_defaults(&train_table, &c);
        run_state_init(&s, &c);
        json_t *j = reread(run_state_to_json(&s, &c, &f));
        const char *other = field->kind == FIELD_BOOL     ? "true"
                            : field->kind == FIELD_CHOICE ? field->choices[1]
                                                          : "0.5";
        if (field->kind == FIELD_CHOICE && strcmp(other, field->text) == 0)
            other = field->choices[0];
        if (field->kind == FIELD_INT)
            other = "19";
        assert_int_equal(config_set(&train_table, &c, field->name, other), ST_OK);
        Status st = run_state_compare(j, &c, &f, false, &length);
        if (train_config_is_harmless(field->name)) {
            assert_int_equal(st, ST_OK);
        } else {
            assert_int_equal(st, ST_ARG);
            assert_non_null(strstr(error_text(), field->name));
            assert_int_equal(run_state_compare(j, &c, &f, true, &length), ST_OK);
            bool makes_steps =
                strcmp(field->name, "batch") == 0 || strcmp(field->name, "grad_accumulation") == 0;
            bool is_length = strcmp(field->name, "steps") == 0 || strcmp(field->name, "tokens") == 0 ||
                             strcmp(field->name, "epochs") == 0 || strcmp(field->name, "minutes") == 0;
            assert_int_equal(length, is_length || makes_steps);
            json_object_set_new(json_object_get(j, "settings"), "steps", json_integer(7));
            c.steps = 7; /* of so many steps it is, whatever they are made of */
            assert_int_equal(run_state_compare(j, &c, &f, true, &length), ST_OK);
            assert_int_equal(length, is_length && strcmp(field->name, "steps") != 0);
        }
        json_decref(j);
        config_drop(&train_table, &c);
    }
}

/* Steps of 8 rows and then of 12: the next one begins behind the rows that were seen. */
static void the_place_in_the_data_is_kept(void **state)
{
    (void)state;
    TrainConfig c = {0};
    RunState s;
    RunFacts f;
    config_defaults(&train_table, &c);
    facts_of(&f);
    run_state_init(&s, &c);
    s.step = 30;
    s.total_steps = 100;
    c.batch = 4;
    c.grad_accumulation = 2;
    json_t *j = reread(run_state_to_json(&s, &c, &f));
    assert_null(json_object_get(j, "row_shift"));
    assert_int_equal(run_state_keep_place(&s, j, 8), ST_OK);
    assert_int_equal(s.row_shift, 0);
    assert_int_equal(run_state_keep_place(&s, j, 12), ST_OK);
    assert_int_equal(s.row_shift, 30 * 8 - 30 * 12);
    json_decref(j);
    s.step = 40;
    c.batch = 6;
    j = reread(run_state_to_json(&s, &c, &f));
    assert_int_equal(run_state_from_json(&s, &c, j), ST_OK);
    assert_int_equal(run_state_keep_place(&s, j, 8), ST_OK);
    assert_int_equal(s.row_shift, 30 * 8 + 10 * 12 - 40 * 8);
    json_object_set_new(j, "row_shift", json_integer(-40 * 12 - 1));
    assert_int_equal(run_state_from_json(&s, &c, j), ST_OK);
    assert_int_equal(run_state_keep_place(&s, j, 8), ST_FORMAT);
    json_object_del(json_object_get(j, "settings"), "batch");
    assert_int_equal(run_state_keep_place(&s, j, 8), ST_FORMAT);
    json_decref(j);
    config_drop(&train_table, &c);
}

static void facts_count_and_shapes_cannot_be_accepted(void **state)
{
    (void)state;
    TrainConfig c = {0};
    RunState s;
    RunFacts was, is;
    bool length;
    config_defaults(&train_table, &c);
    run_state_init(&s, &c);
    facts_of(&was);
    json_t *j = reread(run_state_to_json(&s, &c, &was));
    is = was;
    is.data_hash++;
    is.tokenizer_hash++;
    is.threads = 3;
    is.compute = DTYPE_F32;
    assert_int_equal(run_state_compare(j, &c, &is, false, &length), ST_ARG);
    assert_non_null(strstr(error_text(), "data: was \"fedcba9876543210\", is \"fedcba9876543211\""));
    assert_non_null(strstr(error_text(), "tokenizer: was"));
    assert_non_null(strstr(error_text(), "threads: was 2, is 3"));
    assert_non_null(strstr(error_text(), "compute: was \"bf16\", is \"f32\""));
    assert_int_equal(run_state_compare(j, &c, &is, true, &length), ST_OK);
    is = was;
    is.ranks = 2;
    assert_int_equal(run_state_compare(j, &c, &is, true, &length), ST_ARG);
    is = was;
    is.h.rope_theta = 5e5;
    assert_int_equal(run_state_compare(j, &c, &is, true, &length), ST_ARG);
    assert_non_null(strstr(error_text(), "rope_theta"));
    json_decref(j);
    config_drop(&train_table, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_survives),
        cmocka_unit_test(every_setting_counts_unless_harmless),
        cmocka_unit_test(the_place_in_the_data_is_kept),
        cmocka_unit_test(facts_count_and_shapes_cannot_be_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
