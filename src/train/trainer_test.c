#include "train/trainer.h"

#include "base/json_file.h"
#include "train/fixture_test.h"

static void a_run_learns_and_leaves_its_folder(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.steps = 40;
    f->c.spike_threshold = 1.5; /* so low that a spike is logged now and then */
    expect_ok(train(f));
    assert_int_equal(f->result.steps, 40);
    assert_int_equal(f->result.tokens, 40 * 4 * TINY_T);
    assert_true(f->last_loss < f->first_loss - 0.3);
    assert_int_equal(f->evaluations, 7); /* every 6 steps, and at the end */
    assert_true(isfinite(f->result.held_out_bits_per_byte));
    static const char *const files[] = {"config.json",
                                        "log.jsonl",
                                        "results.json",
                                        "model/config.json",
                                        "model/model.safetensors",
                                        "checkpoints/step-00000040/state.json",
                                        "checkpoints/step-00000036/state.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_true(is_there(f->tiny.run, files[i]));
    assert_false(is_there(f->tiny.run, "checkpoints/step-00000032"));
    Str log = bytes_of(f->tiny.run, "log.jsonl");
    assert_non_null(strstr(log.at, "\"loss_nats\":"));
    assert_non_null(strstr(log.at, "\"event\":\"eval\""));
    assert_non_null(strstr(log.at, "\"python\":{\"loss_nats\":"));
    str_drop(&log);
    drop(f);
}

/* The same numbers in the log and in results.json, of every source and kind: one of each kind here. */
static void an_evaluation_tells_of_sources_and_kinds(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"code", "python"}, {"text", "prose"}};
    Fixture *f = fixture();
    f->c.steps = 2;
    f->c.eval_every = 0;
    expect_ok(train(f));
    Str log = bytes_of(f->tiny.run, "log.jsonl"), text = bytes_of(f->tiny.run, "results.json");
    char *line = strstr(log.at, "\"event\":\"eval\"");
    assert_non_null(line);
    while (line > log.at && line[-1] != '\n')
        line--;
    json_t *told = json_loadb(line, strcspn(line, "\n"), 0, NULL),
           *results = json_loadb(text.at, text.n, 0, NULL), *held_out = json_object_get(results, "held_out");
    for (int64_t k = 0; k < 2; k++) {
        const json_t *kind = json_object_get(json_object_get(held_out, "kinds"), names[k][0]),
                     *source = json_object_get(json_object_get(held_out, "sources"), names[k][1]),
                     *logged = json_object_get(json_object_get(told, "kinds"), names[k][0]);
        assert_int_equal(json_integer_value(json_object_get(kind, "tokens")),
                         TINY_HELD_OUT / 2 * TINY_T - k * TINY_PADDING); /* the last row is padded */
        assert_true(json_is_object(kind) && json_equal(kind, source));
        assert_int_equal(json_integer_value(json_object_get(logged, "tokens")),
                         json_integer_value(json_object_get(kind, "tokens")));
        assert_true(json_object_get(json_object_get(told, "sources"), names[k][1]) != NULL);
    }
    json_decref(told);
    json_decref(results);
    str_drop(&log);
    str_drop(&text);
    drop(f);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.save_every = -1;
    f->c.eval_every = -1;
    f->count_from = 2;
    expect_ok(train(f));
    assert_int_equal(f->mem_after, f->mem_before);
    drop(f);
}

/* Stopped at 5 and gone on with, again at 9: the same bytes as a run in one piece. */
static void resumed_runs_end_in_the_same_bytes(void **state)
{
    (void)state;
    Fixture *f = fixture();
    expect_ok(train(f));
    f->job.output = f->tiny.other;
    f->job.resume = true;
    f->stop_at = 5;
    assert_int_equal(train(f), ST_CANCELLED);
    assert_non_null(strstr(error_text(), "--resume"));
    assert_int_equal(f->result.steps, 5);
    f->stop = 0;
    f->stop_at = 9;
    assert_int_equal(train(f), ST_CANCELLED);
    f->stop = 0;
    f->stop_at = 0;
    expect_ok(train(f));
    expect_same_end(f->tiny.run, f->tiny.other);
    drop(f);
}

/* An evaluation that is due when the stop comes, on the way and at the end, is dropped and made on resume. */
static void a_stop_does_not_wait_for_an_evaluation(void **state)
{
    (void)state;
    Fixture *f = fixture();
    expect_ok(train(f));
    assert_int_equal(f->evaluations, 2);
    f->job.output = f->tiny.other;
    f->job.resume = true;
    f->evaluations = 0;
    for (int64_t step = 6; step <= 12; step += 6) {
        f->stop_at = step;
        assert_int_equal(train(f), ST_CANCELLED);
        assert_non_null(strstr(error_text(), "--resume"));
        assert_int_equal(f->result.steps, step);
        assert_int_equal(f->evaluations, step / 6 - 1);
        assert_false(is_there(f->tiny.other, "results.json"));
        f->stop = 0;
    }
    f->stop_at = 0;
    expect_ok(train(f));
    assert_int_equal(f->evaluations, 2);
    expect_same_end(f->tiny.run, f->tiny.other);
    assert_true(isfinite(f->result.held_out_nats));
    drop(f);
}

/* What a kill between checkpoints leaves: the log runs ahead of the checkpoint, and a half-written one lies
 * about. */
static void a_kill_between_checkpoints_costs_only_time(void **state)
{
    (void)state;
    Fixture *f = fixture();
    char path[256];
    expect_ok(train(f));
    f->job.output = f->tiny.other;
    f->c.keep_checkpoints = 0;
    expect_ok(train(f));
    snprintf(path, sizeof path, "%s/checkpoints/step-00000012", f->tiny.other);
    assert_int_equal(folder_remove(path), ST_OK);
    snprintf(path, sizeof path, "%s/checkpoints/step-00000008/state.json", f->tiny.other);
    assert_int_equal(unlink(path), 0); /* as if the folder had been copied before it was whole */
    snprintf(path, sizeof path, "%s/checkpoints/.tmp-step-00000012", f->tiny.other);
    assert_int_equal(folder_make(path), ST_OK);
    f->job.resume = true;
    expect_ok(train(f));
    expect_same_end(f->tiny.run, f->tiny.other);
    Str log = bytes_of(f->tiny.other, "log.jsonl");
    const char *first = strstr(log.at, "{\"step\":9,\"loss");
    assert_non_null(first);
    assert_null(strstr(first + 1, "{\"step\":9,\"loss")); /* once: the old one was cut off */
    str_drop(&log);
    assert_false(path_exists(path));
    drop(f);
}

/* Weights that are not finite make the loss so: the run stops, says where, and leaves the checkpoint. */
static void a_loss_that_is_not_finite_stops_the_run(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.learning_rate = 10;
    f->c.weight_decay = 10;
    f->c.warmup_ratio = 0;
    f->c.steps = 400;
    f->c.save_every = 1;
    f->c.eval_every = -1;
    Status st = train(f);
    assert_int_equal(st, ST_LIMIT);
    assert_non_null(strstr(error_text(), "Lower learning_rate"));
    assert_non_null(strstr(error_text(), "checkpoint"));
    assert_non_null(strstr(error_text(), "rows"));
    assert_false(is_there(f->tiny.run, "model"));
    drop(f);
}

static void expect_in_log(const char *run, const char *what)
{
    Str log = bytes_of(run, "log.jsonl");
    if (!strstr(log.at, what))
        print_error("%s is not in %s\n", what, log.at);
    assert_non_null(strstr(log.at, what));
    str_drop(&log);
}

/* Far too high a rate, that comes after a warm-up in which the run learns: finite to its end, and lost. */
static void a_run_that_diverges_is_no_success(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.learning_rate = 3;
    f->c.weight_decay = 0;
    f->c.warmup_steps = 600;
    f->c.steps = 200;
    f->c.save_every = 10;
    f->c.keep_checkpoints = 1;
    f->c.eval_every = 0;
    Status st = train(f);
    assert_int_equal(st, ST_LIMIT);
    assert_true(f->result.diverged);
    assert_int_equal(f->result.steps, 200);
    static const char *const words[] = {"the run diverged: loss", "at step 200", "best",
                                        "Lower learning_rate", "--init"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_non_null(strstr(error_text(), words[i]));
    /* The checkpoint that the sentence names is there still, beside the newest. */
    const char *named = strstr(error_text(), "checkpoints/");
    char folder[64];
    assert_non_null(named);
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(named, " "), named);
    assert_true(is_there(f->tiny.run, folder));
    assert_string_not_equal(folder, "checkpoints/step-00000200");
    assert_true(is_there(f->tiny.run, "checkpoints/step-00000200"));
    assert_true(is_there(f->tiny.run, "model/model.safetensors"));
    expect_in_log(f->tiny.run, "\"event\":\"diverging\"");
    expect_in_log(f->tiny.run, "\"event\":\"end\",\"status\":\"diverged\"");
    Str results = bytes_of(f->tiny.run, "results.json");
    assert_non_null(strstr(results.at, "\"status\": \"diverged\""));
    str_drop(&results);
    f->job.resume = true;
    assert_int_equal(train(f), ST_LIMIT); /* and it stays so */
    drop(f);
}

/* A model to begin from that holds a number that is none: its weights are named, not the
 * learning rate. */
static void a_model_that_is_not_finite_is_named(void **state)
{
    (void)state;
    Fixture *f = fixture();
    expect_ok(train(f));
    Str bytes = bytes_of(f->tiny.run, "model/model.safetensors");
    char *init = path_join(f->tiny.run, "model"), *path = path_join(init, "model.safetensors");
    memcpy(bytes.at + bytes.n - 2, "\xC0\x7F", 2); /* bf16's NaN */
    expect_ok(file_replace(path, bytes.at, bytes.n));
    f->job.init = init;
    f->job.output = f->tiny.other;
    assert_int_equal(train(f), ST_LIMIT);
    assert_non_null(strstr(error_text(), "first step"));
    assert_non_null(strstr(error_text(), init));
    assert_false(is_there(f->tiny.other, "model"));
    str_drop(&bytes);
    mem_free(path);
    mem_free(init);
    drop(f);
}

static int64_t number_in(const char *run, const char *name, const char *section, const char *key)
{
    char *path = path_join(run, name);
    json_t *json = NULL;
    expect_ok(json_file_read(&json, path));
    const json_t *v = json_object_get(section ? json_object_get(json, section) : json, key);
    int64_t n = json_is_integer(v) ? json_integer_value(v) : -1;
    json_decref(json);
    mem_free(path);
    return n;
}

/* An evaluation of all rows after every step would take most of a run of minutes: it looks at fewer, says so,
 * and a resumed run looks at the same ones. */
static void a_short_run_evaluates_fewer_rows(void **state)
{
    (void)state;
    Fixture *f = fixture();
    char rows[64];
    f->c.steps = 0;
    f->c.batch = f->c.grad_accumulation = 1;
    f->c.eval_every = 1;
    f->c.eval_rows = 0;
    f->c.save_every = 0;
    f->stop_at = 2;
    Status st;
    int64_t allowed;
    int tries = 0;
    double minutes = 0.008;
    do { /* beside other programs the first step may look so slow that there is no second one */
        f->c.minutes = minutes;
        f->stop = 0;
        f->job.overwrite = tries > 0;
        st = train(f);
        allowed = number_in(f->tiny.run, "config.json", NULL, "eval_rows");
        minutes *= st == ST_CANCELLED && allowed > 0 ? 0.7 : 1.5;
    } while ((st != ST_CANCELLED || allowed == 0 || allowed == TINY_HELD_OUT) && ++tries < 20);
    assert_int_equal(st, ST_CANCELLED);
    assert_true(allowed >= 1 && allowed < TINY_HELD_OUT);
    assert_int_equal(f->result.held_out_rows, allowed);
    f->job.overwrite = false;
    f->stop = 0;
    f->stop_at = 0;
    f->job.resume = true;
    expect_ok(train(f));
    assert_int_equal(f->result.steps, number_in(f->tiny.run, "config.json", NULL, "total_steps"));
    assert_int_equal(number_in(f->tiny.run, "results.json", "held_out", "rows"), allowed);
    assert_int_equal(number_in(f->tiny.run, "results.json", "held_out", "rows_set"), TINY_HELD_OUT);
    snprintf(rows, sizeof rows, "\"held_out_rows\":%lld,", (long long)allowed);
    expect_in_log(f->tiny.run, rows);
    f->job.resume = false;
    f->job.overwrite = true;
    f->c.minutes = 0;
    f->c.steps = 3;
    expect_ok(train(f)); /* without minutes all rows are looked at */
    assert_int_equal(number_in(f->tiny.run, "results.json", "held_out", "rows"), TINY_HELD_OUT);
    assert_int_equal(number_in(f->tiny.run, "results.json", "held_out", "rows_set"), -1);
    drop(f);
}

/* Full from step 7 to 10, so that the checkpoint at 8 cannot be written. */
static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.log_every = 1;
    expect_ok(train(f));
    f->job.output = f->tiny.other;
    f->full_from = 7;
    f->full_until = 10;
    expect_ok(train(f));
    assert_true(is_there(f->tiny.other, "checkpoints/step-00000004"));
    assert_false(is_there(f->tiny.other, "checkpoints/step-00000008"));
    assert_false(is_there(f->tiny.other, "checkpoints/.tmp-step-00000008"));
    expect_same_end(f->tiny.run, f->tiny.other);

    mem_free(f->c.on_save_failure);
    f->c.on_save_failure = mem_str("stop");
    f->job.overwrite = true;
    Status st = train(f);
    disk_is_full(false);
    assert_int_equal(st, ST_IO);
    assert_non_null(strstr(error_text(), "step 8"));
    f->job.overwrite = false;
    f->job.resume = true;
    f->full_from = 0;
    expect_ok(train(f));
    expect_same_end(f->tiny.run, f->tiny.other);
    drop(f);
}

static void a_touched_file_saves(void **state)
{
    (void)state;
    Fixture *f = fixture();
    f->c.save_every = 0;
    f->c.keep_checkpoints = 0;
    assert_int_equal(folder_make(f->tiny.run), ST_OK);
    char *save = path_join(f->tiny.run, "save");
    assert_int_equal(file_replace(save, "", 0), ST_OK);
    expect_ok(train(f));
    assert_false(path_exists(save));
    assert_true(is_there(f->tiny.run, "checkpoints/step-00000001"));
    assert_true(is_there(f->tiny.run, "checkpoints/step-00000012"));
    mem_free(save);
    drop(f);
}

/* At its end, too: the model has half the bytes of a checkpoint's weights, and may fit where they do not. */
static void a_full_disk_at_the_end_keeps_the_model(void **state)
{
    (void)state;
    const rlim_t between = 18000;
    Fixture *f = fixture();
    expect_ok(train(f));
    char *model = path_join(f->tiny.run, "model/model.safetensors");
    char *weights = path_join(f->tiny.run, "checkpoints/step-00000012/model.safetensors");
    assert_true(file_size(model) < (int64_t)between && (int64_t)between < file_size(weights));
    mem_free(model);
    mem_free(weights);

    f->job.output = f->tiny.other;
    files_end_at(between);
    Status st = train(f);
    files_end_at(0);
    expect_ok(st);
    expect_same_file(f->tiny.run, f->tiny.other, "model/model.safetensors");
    assert_true(is_there(f->tiny.other, "results.json"));
    assert_false(is_there(f->tiny.other, "checkpoints/step-00000012"));
    assert_false(is_there(f->tiny.other, "checkpoints/.tmp-step-00000012"));

    f->job.overwrite = true;
    mem_free(f->c.on_save_failure);
    f->c.on_save_failure = mem_str("stop");
    f->c.save_every = 0;
    files_end_at(between);
    st = train(f);
    files_end_at(0);
    assert_int_equal(st, ST_IO);
    assert_false(is_there(f->tiny.other, "results.json"));
    drop(f);
}

static void vocabulary_goes(void *context, const TrainStep *s)
{
    Fixture *f = context;
    if (s->step == 5)
        assert_int_equal(folder_remove(f->tiny.other), ST_OK);
    on_step(context, s);
}

static int times_said(const char *text, const char *words)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, words)); at += strlen(words))
        n++;
    return n;
}

/* A vocabulary that is moved away while the run trains is missed aloud, once. */
static void a_vocabulary_that_goes_is_missed(void **state)
{
    (void)state;
    Fixture *f = fixture();
    char *file = path_join(f->tiny.other, "tokenizer.json"), *said = path_join(f->tiny.root, "said.txt");
    assert_int_equal(folder_make(f->tiny.other), ST_OK);
    assert_int_equal(file_replace(file, "{}", 2), ST_OK);
    f->job.tokenizer = f->tiny.other;
    f->job.hooks.on_step = vocabulary_goes;
    f->c.keep_checkpoints = 0;
    log_level_set(LOG_WARN);
    fflush(stderr);
    int screen = dup(STDERR_FILENO);
    assert_non_null(freopen(said, "w", stderr));
    Status st = train(f);
    fflush(stderr);
    dup2(screen, STDERR_FILENO);
    close(screen);
    log_level_set(LOG_ERROR);
    expect_ok(st);
    assert_true(is_there(f->tiny.run, "checkpoints/step-00000004/tokenizer.json"));
    assert_false(is_there(f->tiny.run, "checkpoints/step-00000008/tokenizer.json"));
    Str text = bytes_of(f->tiny.root, "said.txt");
    assert_int_equal(times_said(str_c(&text), "is no longer there"), 1);
    str_drop(&text);
    mem_free(file);
    mem_free(said);
    drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_learns_and_leaves_its_folder),
        cmocka_unit_test(an_evaluation_tells_of_sources_and_kinds),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(resumed_runs_end_in_the_same_bytes),
        cmocka_unit_test(a_stop_does_not_wait_for_an_evaluation),
        cmocka_unit_test(a_kill_between_checkpoints_costs_only_time),
        cmocka_unit_test(a_loss_that_is_not_finite_stops_the_run),
        cmocka_unit_test(a_run_that_diverges_is_no_success),
        cmocka_unit_test(a_model_that_is_not_finite_is_named),
        cmocka_unit_test(a_short_run_evaluates_fewer_rows),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(a_full_disk_at_the_end_keeps_the_model),
        cmocka_unit_test(a_vocabulary_that_goes_is_missed),
        cmocka_unit_test(a_touched_file_saves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
