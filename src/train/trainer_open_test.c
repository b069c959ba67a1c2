/* How a run begins: what it is given is taken or refused, and one that is there is gone on with. */
#include "train/checkpoint.h"
#include "model/safetensors.h"
#include "train/fixture_test.h"

/* A run that is complete stays as it is, whatever asks for more of the same. */
static void a_complete_run_is_left_alone(void **state)
{
    (void)state;
    Fixture *f = fixture();
    expect_ok(train(f));
    Str before = bytes_of(f->tiny.run, "log.jsonl");
    double held_out = f->result.held_out_nats;
    f->job.resume = true;
    f->evaluations = 0;
    expect_ok(train(f));
    assert_int_equal(f->evaluations, 0);
    assert_int_equal(f->result.steps, 12);
    assert_true(f->result.held_out_nats >= held_out && f->result.held_out_nats <= held_out);
    Str after = bytes_of(f->tiny.run, "log.jsonl");
    assert_int_equal(after.n, before.n);
    assert_memory_equal(after.at, before.at, before.n);
    str_drop(&before);
    str_drop(&after);

    Str half = bytes_of(f->tiny.run, "model/model.safetensors");
    mem_free(f->c.final_dtype);
    f->c.final_dtype = mem_str("f32"); /* is something to do */
    expect_ok(train(f));
    Str whole = bytes_of(f->tiny.run, "model/model.safetensors");
    assert_true(whole.n > half.n + half.n / 3);
    str_drop(&half);
    str_drop(&whole);

    f->job.accept_changes = true; /* and so is a greater length: the run is complete no more */
    f->c.steps = 20;
    f->stop_at = 15;
    assert_int_equal(train(f), ST_CANCELLED);
    assert_false(is_there(f->tiny.run, "results.json"));
    drop(f);
}

/* ... also without a checkpoint, from which nothing could be done again but all. */
static void a_complete_run_without_checkpoints_is_left_alone(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.save_every = -1;
    expect_ok(train(f));
    TrainResult first = f->result;
    Str before = bytes_of(f->tiny.run, "log.jsonl");
    f->job.resume = true;
    f->evaluations = 0;
    expect_ok(train(f));
    assert_int_equal(f->evaluations, 0);
    assert_int_equal(f->result.steps, 12);
    assert_int_equal(f->result.tokens, first.tokens);
    assert_true(fabs(f->result.loss_nats - first.loss_nats) < 1e-9);
    assert_true(fabs(f->result.held_out_nats - first.held_out_nats) < 1e-9);
    Str after = bytes_of(f->tiny.run, "log.jsonl");
    assert_int_equal(after.n, before.n);
    str_drop(&before);
    str_drop(&after);
    f->job.resume = false;
    f->job.overwrite = true; /* its results are those of the run before */
    f->stop_at = 3;
    assert_int_equal(train(f), ST_CANCELLED);
    assert_false(is_there(f->tiny.run, "results.json"));
    drop(f);
}

static void a_refused_plan_leaves_no_folder(void **state)
{
    (void)state;
    Fixture *f = fixture();
    HParams *h = &f->job.hparams;
    h->num_hidden_layers = 1000;
    h->hidden_size = 8192;
    h->intermediate_size = 28672;
    h->num_attention_heads = 64;
    h->num_key_value_heads = 8;
    h->head_dim = 128;
    assert_int_equal(train(f), ST_LIMIT);
    assert_non_null(strstr(error_text(), "memory"));
    assert_false(path_exists(f->tiny.run));
    drop(f);
}

static void damage(const char *path, size_t at, bool cut)
{
    if (cut) {
        assert_int_equal(truncate(path, (off_t)at), 0);
        return;
    }
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    int c = fgetc(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    fputc(c ^ 1, file);
    fclose(file);
}

/* Every file of the newest checkpoint, cut or with one bit changed: the one before it is taken, and the end
 * is the same. */
static void damaged_checkpoints_are_passed_over(void **state)
{
    (void)state;
    static const char *const files[] = {"model.safetensors", "optimizer.safetensors", "state.json",
                                        "config.json"};
    Fixture *f = fixture();
    char folder[128], path[256];
    f->c.save_every = 6;
    expect_ok(train(f));
    for (size_t i = 0; i < 8; i++) {
        f->job.output = f->tiny.other;
        f->job.overwrite = true;
        f->job.resume = false;
        expect_ok(train(f));
        snprintf(folder, sizeof folder, "%s/checkpoints/step-00000012", f->tiny.other);
        snprintf(path, sizeof path, "%s/%s", folder, files[i / 2]);
        damage(path, (size_t)file_size(path) / 2, i % 2);
        json_t *found = NULL;
        assert_true(checkpoint_verify(&found, folder) != ST_OK);
        assert_non_null(strstr(error_text(), files[i / 2]));
        f->job.overwrite = false;
        f->job.resume = true;
        expect_ok(train(f));
        expect_same_end(f->tiny.run, f->tiny.other);
    }
    /* All damaged: refused, and nothing is overwritten. */
    for (int64_t step = 6; step <= 12; step += 6) {
        snprintf(path, sizeof path, "%s/checkpoints/step-%08lld/model.safetensors", f->tiny.other,
                 (long long)step);
        damage(path, 100, false);
    }
    assert_int_equal(train(f), ST_FORMAT);
    assert_true(is_there(f->tiny.other, "checkpoints/step-00000006/optimizer.safetensors"));
    drop(f);
}

static void a_run_with_muon_goes_on_to_the_same_end(void **state)
{
    (void)state;
    Fixture *f = fixture();
    Safetensors *file;
    mem_free(f->c.optimizer);
    f->c.optimizer = mem_str("muon");
    expect_ok(train(f));
    assert_true(f->last_loss < 0.9 * f->first_loss);
    f->job.output = f->tiny.other;
    f->stop_at = 5;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    f->job.resume = true;
    expect_ok(train(f));
    expect_same_end(f->tiny.run, f->tiny.other);
    char *path = path_join(f->tiny.run, "checkpoints/step-00000012/optimizer.safetensors");
    expect_ok(safetensors_open(&file, path));
    assert_non_null(safetensors_find(file, "exp_avg.model.layers.0.mlp.up_proj.weight"));
    assert_null(safetensors_find(file, "exp_avg_sq.model.layers.0.mlp.up_proj.weight"));
    assert_non_null(safetensors_find(file, "exp_avg_sq.model.layers.0.input_layernorm.weight"));
    safetensors_close(file);
    mem_free(path);
    mem_free(f->c.optimizer);
    f->c.optimizer = mem_str("adamw");
    assert_int_equal(train(f), ST_ARG);
    if (!strstr(error_text(), "optimizer: was \"muon\", is \"adamw\""))
        fail_msg("%s", error_text());
    drop(f);
}

static void changed_settings_are_refused_by_name(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->stop_at = 5;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    assert_int_equal(train(f), ST_ARG); /* neither resume nor overwrite */
    assert_non_null(strstr(error_text(), "--overwrite"));
    f->job.resume = true;
    f->c.learning_rate = 1e-3;
    f->c.threads = 2;
    f->c.save_every = 3; /* harmless */
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "learning_rate: was 0.003, is 0.001"));
    assert_non_null(strstr(error_text(), "threads: was 1, is 2"));
    assert_null(strstr(error_text(), "save_every"));
    f->c.threads = 1;
    f->c.learning_rate = 3e-3;
    tiny_data(f->tiny.data, TINY_V, true, 7);
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "data: was"));
    f->job.accept_changes = true;
    expect_ok(train(f));
    f->job.hparams.hidden_size = 32;
    assert_int_equal(train(f), ST_ARG); /* another model cannot be accepted */
    assert_non_null(strstr(error_text(), "hidden_size: was 16, is 32"));
    drop(f);
}

static void longer_runs_continue_when_accepted(void **state)
{
    (void)state;
    Fixture *f = fixture();
    expect_ok(train(f));
    f->job.resume = f->job.accept_changes = true;
    f->c.steps = 15;
    expect_ok(train(f));
    assert_int_equal(f->result.steps, 15);
    assert_true(is_there(f->tiny.run, "checkpoints/step-00000015"));

    Str before = bytes_of(f->tiny.run, "results.json");
    f->c.steps = 14; /* shorter it does not become */
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "stands at step 15"));
    Str after = bytes_of(f->tiny.run, "results.json");
    assert_int_equal(after.n, before.n);
    str_drop(&before);
    str_drop(&after);
    drop(f);
}

static json_t *last_step(const char *run)
{
    Str text = bytes_of(run, "log.jsonl");
    json_t *last = NULL;
    for (char *line = strtok(text.at, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *one = json_loads(line, 0, NULL);
        if (json_object_get(one, "loss_nats")) {
            json_decref(last);
            last = json_incref(one);
        }
        json_decref(one);
    }
    str_drop(&text);
    assert_non_null(last);
    return last;
}

/* A run of epochs that goes on with larger steps has as many epochs, and reads on where it stood. */
static void epochs_stay_when_steps_change(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.steps = 0;
    f->c.epochs = 4; /* of 37 rows, 4 a step */
    f->c.eval_every = -1;
    f->stop_at = 19;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    f->job.resume = f->job.accept_changes = true;
    f->c.batch = 6; /* 12 a step: (148 - 76) / 12 = 6 are left */
    f->stop_at = 21;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    f->job.accept_changes = false;
    expect_ok(train(f)); /* accepted once */
    assert_int_equal(f->result.steps, 25);
    assert_int_equal(f->result.tokens, 148 * TINY_T);
    json_t *last = last_step(f->tiny.run);
    assert_true(fabs(json_number_value(json_object_get(last, "epoch")) - 4) < 1e-9);
    json_decref(last);
    f->job.accept_changes = true;
    f->c.batch = 2; /* complete with any size of steps */
    expect_ok(train(f));
    assert_int_equal(f->result.steps, 25);
    drop(f);
}

/* A run that is killed before its next checkpoint goes on with what was accepted. */
static void changes_are_accepted_once(void **state)
{
    (void)state;
    Fixture *f = fixture();
    char path[256];
    expect_ok(train(f));
    f->job.resume = f->job.accept_changes = true;
    f->c.steps = 15;
    f->c.learning_rate = 1e-3;
    expect_ok(train(f));
    snprintf(path, sizeof path, "%s/checkpoints/step-00000015", f->tiny.run);
    assert_int_equal(folder_remove(path), ST_OK);
    f->job.accept_changes = false;
    f->c.seed = 7;
    assert_int_equal(train(f), ST_ARG); /* another change */
    f->c.seed = 42;
    f->c.save_every = 5; /* harmless */
    expect_ok(train(f));
    assert_int_equal(f->result.steps, 15);
    drop(f);
}

static void a_wrong_vocabulary_is_refused(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->job.hparams.vocab_size = TINY_V + 16;
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "wrong vocabulary"));
    assert_false(path_exists(f->tiny.run));
    f->job.padded_vocab = true;
    expect_ok(train(f));
    f->job.padded_vocab = false;
    f->job.overwrite = true;
    f->job.hparams.vocab_size = 0;
    expect_ok(train(f));
    f->job.init = "/nonexistent";
    assert_int_equal(train(f), ST_IO);
    assert_true(is_there(f->tiny.run,
                         "model/model.safetensors")); /* --overwrite deletes nothing before all is well */
    drop(f);
}

/* Adapters over a model that --overwrite would delete could never be used again. */
static void what_a_run_stands_on_is_not_overwritten(void **state)
{
    (void)state;
    Fixture *f = fixture();
    expect_ok(train(f));
    char *model = path_join(f->tiny.run, "model");
    f->job.init = model;
    f->job.overwrite = true;
    f->c.lora = true;
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "lies in the run that --overwrite deletes"));
    assert_true(is_there(model, "model.safetensors") && is_there(f->tiny.run, "results.json"));
    f->c.lora = false;
    f->job.init = NULL;
    f->job.tokenizer = model;
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "the vocabulary"));
    assert_true(is_there(model, "model.safetensors"));
    f->job.tokenizer = NULL;
    expect_ok(train(f));
    mem_free(model);
    drop(f);
}

/* Rows that were made beside those of a run take their place when the new run begins, and not before. */
static void rows_are_put_into_place_when_the_run_begins(void **state)
{
    (void)state;
    Fixture *f = fixture();
    RunFolder place;
    char *data = path_join(f->tiny.run, "data"), *made = path_join(f->tiny.run, ".tmp-data");
    tiny_data(data, TINY_V, false, 7);
    f->job.data = data;
    expect_ok(train(f));
    Str before = bytes_of(data, "train-00000.tok");

    f->job.overwrite = true;
    expect_ok(run_folder_open(&place, f->tiny.run, false, true));
    tiny_data(made, TINY_V, true, 7);
    f->job.data = made;
    f->job.data_place = data;
    f->job.folder = &place;
    f->job.hparams.vocab_size = TINY_V + 1;
    assert_int_equal(train(f), ST_ARG); /* refused: all is as it was */
    Str after = bytes_of(data, "train-00000.tok");
    assert_true(after.n == before.n && memcmp(after.at, before.at, before.n) == 0);
    assert_true(is_there(f->tiny.run, "results.json"));
    str_drop(&after);
    f->job.hparams.vocab_size = 0;
    expect_ok(train(f));
    after = bytes_of(data, "train-00000.tok");
    assert_false(after.n == before.n && memcmp(after.at, before.at, before.n) == 0);
    assert_false(path_exists(made));
    run_folder_close(&place);
    json_t *config;
    expect_ok(run_folder_read_config(&config, f->tiny.run));
    assert_string_equal(json_string_value(json_object_get(config, "data")), data);
    json_decref(config);
    str_drop(&before);
    str_drop(&after);

    tiny_data(made, TINY_V, true, 7); /* of one that was killed */
    f->job.data = data;
    f->job.data_place = NULL;
    f->job.folder = NULL;
    expect_ok(train(f));
    assert_false(path_exists(made));
    mem_free(data);
    mem_free(made);
    drop(f);
}

static void lengths_are_refused_when_there_are_two(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.epochs = 1;
    assert_int_equal(train(f), ST_ARG);
    f->c.steps = 0;
    expect_ok(train(f));
    assert_int_equal(f->result.steps, TINY_ROWS / 4);
    f->c.epochs = 0;
    f->c.minutes = 0.002;
    f->c.save_every = 0;
    f->job.overwrite = true;
    expect_ok(train(f));
    assert_true(f->result.steps >= 1);
    drop(f);
}

/* A file where the folder should be; and a dry run, which needs none. */
static void folders_that_cannot_be_written_are_said(void **state)
{
    (void)state;
    Fixture *f = fixture();
    assert_int_equal(file_replace(f->tiny.other, "x", 1), ST_OK);
    f->job.output = f->tiny.other;
    assert_int_equal(train(f), ST_IO);
    assert_non_null(strstr(error_text(), f->tiny.other));
    f->job.dry_run = true;
    f->job.output = NULL;
    expect_ok(train(f));
    assert_int_equal(f->result.steps, 0);
    drop(f);
}

static void two_runs_do_not_share_a_folder(void **state)
{
    (void)state;
    Fixture *f = fixture();
    RunFolder held;
    assert_int_equal(run_folder_open(&held, f->tiny.run, false, false), ST_OK);
    assert_int_equal(train(f), ST_ARG);
    assert_non_null(strstr(error_text(), "another process"));
    run_folder_close(&held);
    expect_ok(train(f));
    drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_run_is_left_alone),
        cmocka_unit_test(a_complete_run_without_checkpoints_is_left_alone),
        cmocka_unit_test(a_refused_plan_leaves_no_folder),
        cmocka_unit_test(damaged_checkpoints_are_passed_over),
        cmocka_unit_test(a_run_with_muon_goes_on_to_the_same_end),
        cmocka_unit_test(changed_settings_are_refused_by_name),
        cmocka_unit_test(longer_runs_continue_when_accepted),
        cmocka_unit_test(epochs_stay_when_steps_change),
        cmocka_unit_test(changes_are_accepted_once),
        cmocka_unit_test(a_wrong_vocabulary_is_refused),
        cmocka_unit_test(what_a_run_stands_on_is_not_overwritten),
        cmocka_unit_test(rows_are_put_into_place_when_the_run_begins),
        cmocka_unit_test(lengths_are_refused_when_there_are_two),
        cmocka_unit_test(folders_that_cannot_be_written_are_said),
        cmocka_unit_test(two_runs_do_not_share_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
