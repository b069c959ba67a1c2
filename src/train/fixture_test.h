/* For the tests of whole runs: a small one with its settings and hooks, and what it leaves behind. */
#ifndef TRAIN_FIXTURE_TEST_H
#define TRAIN_FIXTURE_TEST_H

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "train/run_folder.h"
#include "train/tiny_data_test.h"
#include "train/trainer.h"

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

/* Writes fail beyond so many bytes of a file; 0: none does. */
static inline void files_end_at(rlim_t bytes)
{
    struct rlimit r;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes ? bytes : r.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* As a full disk does it: writes fail beyond a few kilobytes, which logs stay below and weights do not. */
static inline void disk_is_full(bool full)
{
    files_end_at(full ? 8000 : 0);
}

static inline void on_step(void *context, const TrainStep *s)
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

static inline void on_eval(void *context, Model *m, int64_t step, const LossReport *r,
                           const ShardSet *held_out)
{
    (void)m;
    (void)step;
    Fixture *f = context;
    assert_int_equal(r->sources_n, shards_sources_n(held_out));
    f->evaluations++;
}

static inline Fixture *fixture(void)
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

static inline void drop(Fixture *f)
{
    tiny_close(&f->tiny);
    config_drop(&train_table, &f->c);
    mem_free(f);
}

static inline Status train(Fixture *f)
{
    return train_run(&f->c, &f->job, &f->result);
}

static inline void expect_ok(Status st)
{
    if (st != ST_OK)
        print_error("%s\n", error_text());
    assert_int_equal(st, ST_OK);
}

/* Bytes of a file under a run. */
static inline Str bytes_of(const char *run, const char *name)
{
    Str s = {0};
    char *path = path_join(run, name);
    expect_ok(file_read(&s, path, 0));
    mem_free(path);
    return s;
}

static inline void expect_same_file(const char *a, const char *b, const char *name)
{
    Str x = bytes_of(a, name), y = bytes_of(b, name);
    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.at, y.at, x.n);
    str_drop(&x);
    str_drop(&y);
}

static inline bool is_there(const char *run, const char *name)
{
    char *path = path_join(run, name);
    bool there = path_exists(path);
    mem_free(path);
    return there;
}

static inline void expect_same_end(const char *a, const char *b)
{
    expect_same_file(a, b, "checkpoints/step-00000012/model.safetensors");
    expect_same_file(a, b, "checkpoints/step-00000012/optimizer.safetensors");
    expect_same_file(a, b, "model/model.safetensors");
}

#endif
