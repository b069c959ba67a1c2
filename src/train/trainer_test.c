#include "train/trainer.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_file.h"
#include "train/checkpoint.h"
#include "train/run_folder.h"
#include "train/tiny_data_test.h"

typedef struct {
    Tiny tiny;
    TrainConfig c;
    TrainJob job;
    TrainResult result;
    volatile sig_atomic_t stop;
    int64_t stop_at, count_from, full_from, full_until; /* steps */
    int64_t mem_before, mem_after;
    int evaluations;
    double first_loss, last_loss;
} Fixture;

/* As a full disk does it: writes fail beyond a few kilobytes, which logs stay below and weights do not. */
static void disk_is_full(bool full)
{
    struct rlimit r;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = full ? 8000 : r.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void on_step(void *context, const TrainStep *s)
{
    Fixture *f = context;
    if (f->full_from)
        disk_is_full(s->step >= f->full_from && s->step < f->full_until);
    if (s->step == 1)
        f->first_loss = s->loss_nats;
    f->last_loss = s->loss_nats;
    if (s->step == f->stop_at)
        f->stop = 1;
    if (s->step == f->count_from)
        f->mem_before = mem_allocations();
    f->mem_after = mem_allocations();
}

static void on_eval(void *context, Model *m, int64_t step, const LossReport *r, const ShardSet *held_out)
{
    (void)m;
    (void)step;
    Fixture *f = context;
    assert_int_equal(r->sources_n, shards_sources_n(held_out));
    f->evaluations++;
}

static Fixture *fixture(void)
{
    Fixture *f = mem_new(Fixture);
    tiny_open(&f->tiny);
    config_defaults(&train_table, &f->c);
    f->c.batch = 2;
    f->c.grad_accumulation = 2;
    f->c.steps = 12;
    f->c.learning_rate = 3e-3;
    f->c.threads = 1;
    f->c.save_every = 4;
    f->c.eval_every = 6;
    f->c.peak_flops = 1e11;
    f->job = (TrainJob){.data = f->tiny.data,
                        .output = f->tiny.run,
                        .hparams = tiny_shape(),
                        .stop = &f->stop,
                        .hooks = {f, on_step, on_eval}};
    return f;
}

static void drop(Fixture *f)
{
    tiny_close(&f->tiny);
    config_drop(&train_table, &f->c);
    mem_free(f);
}

static Status train(Fixture *f)
{
    return train_run(&f->c, &f->job, &f->result);
}

static void expect_ok(Status st)
{
    if (st != ST_OK)
        print_error("%s\n", error_text());
    assert_int_equal(st, ST_OK);
}

/* Bytes of a file under a run. */
static Str bytes_of(const char *run, const char *name)
{
    Str s = {0};
    char *path = path_join(run, name);
    expect_ok(file_read(&s, path, 0));
    mem_free(path);
    return s;
}

static void expect_same_file(const char *a, const char *b, const char *name)
{
    Str x = bytes_of(a, name), y = bytes_of(b, name);
    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.at, y.at, x.n);
    str_drop(&x);
    str_drop(&y);
}

static bool is_there(const char *run, const char *name)
{
    char *path = path_join(run, name);
    bool there = path_exists(path);
    mem_free(path);
    return there;
}

static void expect_same_end(const char *a, const char *b)
{
    expect_same_file(a, b, "checkpoints/step-00000012/model.safetensors");
    expect_same_file(a, b, "checkpoints/step-00000012/optimizer.safetensors");
    expect_same_file(a, b, "model/model.safetensors");
}

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
    expect_ok(train(f)); /* resuming a run that is complete is no error */
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
    f->c.minutes = 0.008;
    f->c.batch = f->c.grad_accumulation = 1;
    f->c.eval_every = 1;
    f->c.eval_rows = 0;
    f->c.save_every = 0;
    f->stop_at = 2;
    assert_int_equal(train(f), ST_CANCELLED);
    int64_t allowed = number_in(f->tiny.run, "config.json", NULL, "eval_rows");
    assert_true(allowed >= 1 && allowed < TINY_HELD_OUT);
    assert_int_equal(f->result.held_out_rows, allowed);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_learns_and_leaves_its_folder),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(resumed_runs_end_in_the_same_bytes),
        cmocka_unit_test(a_kill_between_checkpoints_costs_only_time),
        cmocka_unit_test(damaged_checkpoints_are_passed_over),
        cmocka_unit_test(changed_settings_are_refused_by_name),
        cmocka_unit_test(longer_runs_continue_when_accepted),
        cmocka_unit_test(a_wrong_vocabulary_is_refused),
        cmocka_unit_test(a_loss_that_is_not_finite_stops_the_run),
        cmocka_unit_test(a_run_that_diverges_is_no_success),
        cmocka_unit_test(a_model_that_is_not_finite_is_named),
        cmocka_unit_test(lengths_are_refused_when_there_are_two),
        cmocka_unit_test(a_short_run_evaluates_fewer_rows),
        cmocka_unit_test(folders_that_cannot_be_written_are_said),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(two_runs_do_not_share_a_folder),
        cmocka_unit_test(a_touched_file_saves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
