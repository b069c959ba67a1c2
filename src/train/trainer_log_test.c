#include "train/trainer_state.h"

#include <math.h>

#include "train/tiny_data_test.h"

/* A run whose every upward step counts as a spike: skipped, logged with its rows, and the skip is in the
 * step's own line. */
static void spikes_are_skipped_and_logged(void **state)
{
    (void)state;
    Tiny tiny;
    TrainConfig c = {0};
    TrainResult result;
    tiny_open(&tiny);
    config_defaults(&train_table, &c);
    c.batch = 1;
    c.steps = 60;
    c.threads = 1;
    c.learning_rate = 1e-3;
    c.spike_threshold = 0.8;
    c.spike_skip = true;
    c.save_every = 0;
    c.eval_every = -1;
    c.peak_flops = 1e9;
    TrainJob job = {.data = tiny.data, .output = tiny.run, .hparams = tiny_shape()};
    assert_int_equal(train_run(&c, &job, &result), ST_OK);

    Str text = {0};
    char *path = path_join(tiny.run, "log.jsonl");
    assert_int_equal(file_read(&text, path, 0), ST_OK);
    int steps = 0, spikes = 0, skips = 0;
    for (char *line = strtok(text.at, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *j = json_loads(line, 0, NULL);
        assert_non_null(j);
        const char *event = json_string_value(json_object_get(j, "event"));
        steps += json_object_get(j, "lr") != NULL;
        skips += json_object_get(j, "skipped") != NULL;
        if (event && strcmp(event, "spike") == 0) {
            int64_t row = strtoll(json_string_value(json_object_get(j, "rows")), NULL, 10);
            int64_t step = json_integer_value(json_object_get(j, "step"));
            if (step <= TINY_ROWS)
                assert_int_equal(row, step - 1); /* the first epoch is in the order of the file */
            assert_true(json_number_value(json_object_get(j, "loss_z")) > 0.8 ||
                        json_number_value(json_object_get(j, "norm_z")) > 0.8);
            spikes++;
        }
        json_decref(j);
    }
    assert_int_equal(steps, 60);
    assert_true(spikes > 0 && skips > 0 && skips <= spikes);
    mem_free(path);
    str_drop(&text);

    path = mem_format("%s/checkpoints/step-00000060/state.json", tiny.run);
    json_t *saved = json_load_file(path, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(saved, "updates")),
                     60 - skips); /* AdamW's t leaves them out */
    json_decref(saved);
    mem_free(path);
    config_drop(&train_table, &c);
    tiny_close(&tiny);
}

/* More rows than there is room for are cut with dots, and nothing is written past the end. */
static void rows_are_told_as_far_as_there_is_room(void **state)
{
    (void)state;
    Tiny tiny;
    TrainConfig c = {.batch = 4};
    Trainer t = {.c = &c, .step.order = {.packed = true, .micro_steps = 2, .ranks = 1}};
    char text[64];
    tiny_open(&tiny);
    assert_int_equal(loader_open(&t.train, tiny.data, "train", 4), ST_OK);
    trainer_rows_text(&t, 1, text, sizeof text);
    assert_string_equal(text, "8 9 10 11 12 13 14 15");
    for (size_t room = 6; room < 30; room++) {
        memset(text, '#', sizeof text);
        trainer_rows_text(&t, 1, text, room);
        assert_true(strlen(text) < room && text[room] == '#');
        assert_true(room >= 26 || strcmp(text + strlen(text) - 4, " ...") == 0);
    }
    loader_close(t.train);
    tiny_close(&tiny);
}

/* A loss that is no number is no 0, which would be the best there is. */
static void losses_that_are_not_finite_are_null(void **state)
{
    (void)state;
    Tiny tiny;
    TrainConfig c = {.batch = 4};
    Trainer t = {.c = &c, .state.loss_nats = (double)NAN};
    tiny_open(&tiny);
    assert_int_equal(loader_open(&t.held_out, tiny.data, "held_out", 4), ST_OK);
    loss_report_init(&t.evaluation, t.held_out);
    t.evaluation.all = (LossSum){.nats = (double)INFINITY, .tokens = 5};
    json_t *r = trainer_log_results(&t), *held_out = json_object_get(r, "held_out");
    assert_true(json_is_null(json_object_get(r, "loss_nats")));
    assert_true(json_is_null(json_object_get(held_out, "loss_nats")));
    assert_int_equal(json_integer_value(json_object_get(held_out, "tokens")), 5);
    json_decref(r);
    t.state.loss_nats = 2.5;
    r = trainer_log_results(&t);
    assert_true(json_number_value(json_object_get(r, "loss_nats")) == 2.5);
    json_decref(r);
    loss_report_drop(&t.evaluation);
    loader_close(t.held_out);
    tiny_close(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spikes_are_skipped_and_logged),
        cmocka_unit_test(rows_are_told_as_far_as_there_is_room),
        cmocka_unit_test(losses_that_are_not_finite_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
