/* Threads for work on bytes (reading, cleaning, tokenising).  Operations on tensors use OpenMP instead,
 * because oneDNN does, and both must share one pool. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <signal.h>
#include <stdint.h>

#include "base/status.h"

/* Calls work(context, task, thread) for every task in [0, tasks), each once, on up to `threads` threads, this
 * one among them; returns when all are done.  Tasks are handed out in order; `thread` is in [0, threads). */
typedef void ThreadWork(void *context, int64_t task, int thread);
void thread_each(int64_t tasks, int threads, ThreadWork *work, void *context);

/* One thread beside the caller's, with all signals blocked: they are the caller's to take.  ST_IO: none can be had. */
typedef struct Thread Thread;
MUST_CHECK Status thread_start(Thread **out, void (*run)(void *context), void *context);
void thread_join(Thread *t); /* waits for its end and frees it; NULL is fine */

/* Signals wait from the one to the other, which takes what the first one gave; threads started between them never
 * get any. */
sigset_t thread_hold_signals(void);
void thread_release_signals(sigset_t before);

#endif
