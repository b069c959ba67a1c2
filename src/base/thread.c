#include "base/thread.h"

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
