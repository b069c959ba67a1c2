/* Which sequences run, with how many rows each, in which pages: one pass of the model after the other.  Knows
 * neither threads nor text.
 *
 *     Scheduler *s = scheduler_new(&model, &limits);
 *     scheduler_add(s, sequence);                       // waits for its turn
 *     while (scheduler_turn(s))
 *         for (i < s->spoke.n) ... s->spoke.at[i]->events; free the sequence if it is finished ...
 *
 * A turn:
 *   1. Sequences that were cancelled or have come to their deadline end.
 *   2. Each that has one id left to compute, as those have that are being written, gets a row.  Prompts share
 *      what is left, which is little while texts are being written (prefill_rows), so that these never stall
 *      for long: half goes to the oldest prompt, the rest to the shortest, then to whoever has use for it.
 *   3. From the oldest to the youngest they get the pages that these rows need.  Where there are none left,
 *      the youngest gives its own up and waits again; what it computed stays in the cache as long as nobody
 *      needs the room.
 *   4. Rows that are left go to sequences that wait, in their order, as long as there are pages for their
 *      whole prompts.  One whose beginning another is just computing waits until it can take it over.
 *   5. The pass runs, and each sequence takes its logits.
 *
 * The order is by priority, then by submission.  The oldest always gets on, so everything ends. */
#ifndef INFER_SCHEDULER_H
#define INFER_SCHEDULER_H

#include "infer/sequence.h"
#include "model/decoder.h"

/* What runs passes: a Decoder, or a test's model. */
typedef struct PassModel {
    void *context;
    Status (*pass)(void *context, const DecoderRun *runs, int64_t count, float *logits); /* as decoder_pass */
    void (*copy_page)(void *context, int32_t to, int32_t from);
    int64_t vocab, max_rows, max_logits, pages, positions; /* positions one sequence may have */
    int threads; /* that may take logits at once; 0 is 1 */
} PassModel;

typedef struct {
    int64_t max_sequences; /* that run together: at most max_rows and max_logits */
    int64_t prefill_rows;  /* of prompts in a pass in which texts are written, too */
    bool prefix_cache;
} SchedulerLimits;

typedef struct {
    int64_t passes, rows, prompt_tokens, cached_tokens, tokens, preemptions;
} SchedulerCounts;

typedef Array(Sequence *) Sequences;

typedef struct {
    PassModel model;
    SchedulerLimits limits;
    Pages *pages;
    Sequences running, waiting; /* each in order */
    /* of the last turn: have written events; the finished ones are in no other list */
    Sequences spoke;
    int64_t fresh;              /* of those that wait, how many never ran */
    SchedulerCounts counts;
    uint64_t serial;
    Sequences chosen; /* of this turn: have rows */
    Array(DecoderRun) runs;
    float *logits; /* [max_logits, V] */
} Scheduler;

/* ST_NOMEM: the logits. */
MUST_CHECK Status scheduler_new(Scheduler **out, const PassModel *model, const SchedulerLimits *limits);
void scheduler_free(Scheduler *s); /* no sequence is left in it */

/* positions that one sequence may have: the model's, and what its pages hold */
int64_t scheduler_context(const Scheduler *s);
void scheduler_add(Scheduler *s, Sequence *sequence); /* keeps it until it is among the finished of `spoke` */
bool scheduler_turn(Scheduler *s);                    /* false: there was nothing to do */
void scheduler_cancel_all(Scheduler *s);              /* all are in `spoke` then, finished */

#endif
