#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/mem.h"

typedef struct {
    ThreadWork *work;
    void *context;
    int64_t tasks;
    _Atomic int64_t next;
} Job;

typedef struct {
    Job *job;
    int thread;
    bool started;
    pthread_t id;
} Worker;

static void *worker_run(void *arg)
{
    Worker *w = arg;
    for (int64_t task; (task = atomic_fetch_add(&w->job->next, 1)) < w->job->tasks;)
        w->job->work(w->job->context, task, w->thread);
    return NULL;
}

void thread_each(int64_t tasks, int threads, ThreadWork *work, void *context)
{
    Job job = {.work = work, .context = context, .tasks = tasks};
    if (threads > tasks)
        threads = (int)tasks;
    if (threads < 1)
        threads = 1;
    Worker *workers = mem_array(Worker, threads);
    for (int i = 0; i < threads; i++)
        workers[i] = (Worker){.job = &job, .thread = i};
    /* A thread that cannot be had is no failure: the others do its tasks. */
    for (int i = 1; i < threads; i++)
        workers[i].started = pthread_create(&workers[i].id, NULL, worker_run, &workers[i]) == 0;
    worker_run(&workers[0]);
    for (int i = 1; i < threads; i++)
        if (workers[i].started)
            pthread_join(workers[i].id, NULL);
    mem_free(workers);
}

sigset_t thread_hold_signals(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    return before;
}

void thread_release_signals(sigset_t before)
{
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct Thread {
    void (*run)(void *context);
    void *context;
    pthread_t id;
};

static void *thread_run(void *arg)
{
    Thread *t = arg;
    t->run(t->context);
    return NULL;
}

Status thread_start(Thread **out, void (*run)(void *context), void *context)
{
    Thread *t = mem_new(Thread);
    *t = (Thread){.run = run, .context = context};
    sigset_t before = thread_hold_signals();
    int error = pthread_create(&t->id, NULL, thread_run, t);
    thread_release_signals(before);
    if (error) {
        mem_free(t);
        errno = error;
        return fail_errno(ST_IO, "starting a thread");
    }
    *out = t;
    return ST_OK;
}

void thread_join(Thread *t)
{
    if (t)
        pthread_join(t->id, NULL);
    mem_free(t);
}
