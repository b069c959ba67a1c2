/* One request under way: its ids, how far they are computed, and what becomes of logits: a token, its text,
 * events.
 *
 * The thread that submits makes it (sequence_new reads the prompt's text); from then on it is the engine's
 * thread's.  Who gets pages and rows is scheduler.h's affair. */
#ifndef INFER_SEQUENCE_H
#define INFER_SEQUENCE_H

#include "base/arena.h"
#include "infer/events.h"
#include "infer/pages.h"
#include "infer/stops.h"
#include "tokenizer/tokenizer.h"

typedef struct {
    const Tokenizer *tokenizer; /* NULL: no text */
    int64_t vocab;              /* V: numbers in a row of logits */
    int64_t writable;           /* ids that may be written */
    int64_t context;            /* positions */
} SequenceSetup;

typedef struct {
    SequenceSetup setup;
    RequestSpec spec; /* what it points to lies in `arena` */
    Arena arena;
    Ids ids; /* the prompt, then what was written */

    /* The scheduler's. */
    PageTable pages;
    int64_t past;         /* ids[0..past) are computed and in the pages */
    /* of the pass that runs: new ids, and for how many of the last of them there are logits */
    int64_t rows, wanted;
    uint64_t serial;      /* order of submission */
    /* serial of the sequence that computes ids which this one begins with, too; 0: none */
    uint64_t waits_for;
    int64_t waits_until;  /* how many */
    /* on clock_now; the latter two 0 before: first pass, prompt's last logits */
    double submitted, started, answered;
    int64_t counted;                     /* of the tokens written, those in the statistics */
    bool cancelled;                      /* somebody asked to end it */
    void *owner;                         /* whom its events are for */

    /* Its own. */
    Sampler sampler;
    Detok detok;
    Stops stops;
    Str piece, certain;
    int64_t text_seen;      /* bytes that came out of detok */
    int64_t prompt_told;    /* prompt tokens that EVENT_PROMPT was about */
    /* where prompt_logprobs is set: the text, and where each token begins and comes out in it */
    Str prompt_text;
    int64_t *prompt_begins, *prompt_ends; /* [prompt_n] */
    float *kept;            /* [V] the logits as they came, where log-probabilities are wanted */
    uint64_t *mask;         /* where there is a constraint */
    Candidates top;
    Events events;
    RequestResult result;
    Error error;
    bool finished; /* EVENT_END was written */
} Sequence;

/* Checks and copies `spec`; its constraint is taken over where ST_OK is returned, and else the
 * caller's still.  ST_ARG, ST_LIMIT as of engine_submit. */
MUST_CHECK Status sequence_new(Sequence **out, const RequestSpec *spec, const SequenceSetup *setup);
void sequence_free(Sequence *s); /* closes the constraint; the pages have been released */

/* ids that are to be computed now: rows remain while past is less */
int64_t sequence_target(const Sequence *s);
/* position of the first row whose logits are wanted; none before it is */
int64_t sequence_first_wanted(const Sequence *s);
bool sequence_writes(const Sequence *s);          /* its prompt is behind it */

/* A pass has computed `rows` more; logits [wanted, V], which are changed.  Writes events; may end. */
void sequence_take(Sequence *s, float *logits);
void sequence_end(Sequence *s, Finish finish);
void sequence_fail(Sequence *s); /* ends it with this thread's error */

#endif
