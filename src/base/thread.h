/* Threads for work on bytes (reading, cleaning, tokenising).  Operations on tensors use OpenMP instead,
 * because oneDNN does, and both must share one pool. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdint.h>

/* Calls work(context, task, thread) for every task in [0, tasks), each once, on up to `threads` threads, this
 * one among them; returns when all are done.  Tasks are handed out in order; `thread` is in [0, threads). */
typedef void ThreadWork(void *context, int64_t task, int thread);
void thread_each(int64_t tasks, int threads, ThreadWork *work, void *context);

#endif
