/* The inside of an Engine and of a Request: for engine.c and request.c only.
 *
 * `lock` guards what threads share: the lists and flags of the Engine, and all of a Request but `reading`,
 * which is its reader's, and `sequence`, which is the engine's thread's.  The scheduler and its sequences are
 * the engine's thread's; without a thread, they are those of whoever runs a turn. */
#ifndef INFER_ENGINE_STATE_H
#define INFER_ENGINE_STATE_H

#include <pthread.h>

#include "infer/engine.h"
#include "infer/scheduler.h"

struct Request {
    Engine *engine;
    Sequence *sequence; /* until it has finished */
    pthread_cond_t came;
    Events incoming, reading;
    RequestResult result;
    Error error;
    bool over;      /* finished: the end is in the events, result and error are set */
    bool end_read;
    bool abandoned; /* closed by its owner before it was over */
    void (*notify)(void *context);
    void *notify_context;
};

struct Engine {
    pthread_mutex_t lock;
    pthread_cond_t work, room; /* for the engine's thread; for those who wait to submit */
    pthread_t thread;
    EngineSetup setup;
    SequenceSetup sequences;
    Scheduler *scheduler;
    Sequences inbox;
    Array(Request *) cancels; /* whose sequences are to be told */
    int64_t queued;           /* in the inbox, or waiting and never run */
    EngineStats stats;
    bool closing;
    int64_t holders; /* the owner, until engine_close, and every request */
};

void engine_turn(Engine *e);       /* without a thread: one turn, by the caller */
void engine_let_go(Engine *e);     /* with the lock held, which it gives up; the last one frees the engine */
void engine_wait(Engine *e, pthread_cond_t *on, double seconds); /* with the lock held; negative: no limit */

#endif
