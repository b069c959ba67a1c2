/* What is asked of an engine (engine.h), and what comes back.
 *
 *     RequestSpec spec = request_spec(ids, n);
 *     spec.max_tokens = 128;
 *     Request *r;
 *     TRY(engine_submit(engine, &spec, &r));
 *     RequestEvent event;
 *     while (request_next(r, &event, -1) && event.kind != EVENT_END)
 *         print(event.text.at, event.text.n);
 *     st = request_result(r, &result);    // why it ended, tokens, seconds
 *     request_close(r);
 *
 * A Request belongs to the thread that submitted it, or whom that one hands it to; request_cancel may be
 * called by any. */
#ifndef INFER_REQUEST_H
#define INFER_REQUEST_H

#include "base/str.h"
#include "infer/sampler.h"

typedef struct Request Request;

/* What holds a text to a form: constrain.h's, by request_constraint, or another's.  One state belongs to one
 * request; it is called by one thread at a time, though not always the same.  A failure, or a mask without a
 * token, ends the request with that failure: nothing is ever written that the constraint did not allow. */
typedef struct {
    void *state; /* NULL: no constraint */
    /* Sets bit id % 64 of mask[id / 64] for exactly the tokens that may come next, the ids of the vocabulary;
     * it is all 0 before.  An id that ends the text (one of `ends`) has its bit set where the text may end
     * here. */
    Status (*mask)(void *state, uint64_t *mask);
    Status (*advance)(void *state, int32_t id); /* `id` came, be it one that ends the text */
    /* nothing may follow but an end, so the text ends here; NULL: never said */
    bool (*done)(const void *state);
    bool (*whole)(const void *state); /* the text as it is satisfies the constraint; NULL: never said */
    void (*close)(void *state);      /* NULL: nothing to do */
} TokenConstraint;
struct Constraint;
/* A new state of a compiled constraint, which is borrowed until the request is over. */
TokenConstraint request_constraint(struct Constraint *c);

/* Everything is copied by engine_submit; {0} in a field is the plain choice, but for `sampler`. */
typedef struct {
    const int32_t *prompt; /* [prompt_n], at least one id */
    int64_t prompt_n;
    /* new ones, at most; the context may end the text earlier.  0: only the prompt is read */
    int64_t max_tokens;
    int64_t min_tokens; /* `ends` cannot come before so many */
    SamplerSettings sampler;
    const char *const *stops; /* text that ends the text, itself not part of it; none empty */
    size_t stops_n;
    const int32_t *ends; /* ids that end the text, not part of it */
    size_t ends_n;
    const LogitBias *bias; /* added to the logits of these ids */
    size_t bias_n;
    bool special_text; /* special tokens that are written appear as text */

    /* Log-probabilities, in nats, are those of the model's own logits: before constraint, bias, penalties and
     * temperature, over all V ids. */
    bool logprobs;        /* of every token written */
    int64_t top_logprobs; /* and of so many of the most likely in its place: 0 .. TOP_LOGPROBS_MAX */
    bool prompt_logprobs; /* of the prompt's tokens, too, with as many others */
    int64_t prompt_logprobs_from; /* position of the first one; the token at position 0 has none */

    /* The engine's from engine_submit on, failed or not: it calls close when it is done with it. */
    TokenConstraint constraint;

    int priority;      /* the higher one goes first; among equals, the earlier */
    double deadline_s; /* seconds from the submission after which the request ends as it is; 0: none */
    bool no_cache;     /* neither finds its prefix in the cache nor leaves it there */
    bool refuse_if_full; /* a full queue: ST_LIMIT at once, instead of waiting for room */

    /* Called whenever events have come, by the engine's thread and while it holds its lock: must be short,
     * and call nothing of the engine or of requests.  Never called after request_close. */
    void (*notify)(void *context);
    void *notify_context;
} RequestSpec;

enum { TOP_LOGPROBS_MAX = 256 };

RequestSpec request_spec(const int32_t *prompt, int64_t n); /* greedy, no limit but the context */

typedef struct {
    int32_t id;
    float logprob;
} TokenLogprob;

/* EVENT_PROMPT  a token of the prompt, where prompt_logprobs is set: in order, before all others
 * EVENT_TOKEN   a token was written.  Its text may come later: bytes of a character that is not whole yet,
 *               and what may still become a stop string, are held back
 * EVENT_END     the last; text that was held back */
typedef enum { EVENT_PROMPT, EVENT_TOKEN, EVENT_END } EventKind;

typedef struct {
    EventKind kind;
    Span text; /* now certain: whole UTF-8 where the model writes such; valid until the next request_next */
    /* of EVENT_PROMPT and EVENT_TOKEN */
    int32_t id;
    int64_t index;  /* position in the prompt, or 0, 1, ... of the written ones */
    int64_t offset; /* bytes of text, held back or not, in front of this token.  Beyond
                       RequestResult.text_bytes in the end: the token belongs to a stop string */
    bool has_logprob; /* wanted, and there is one */
    float logprob;
    int64_t rank; /* 1: the most likely; among equals the lower id comes first */
    const TokenLogprob *top; /* [top_n], most likely first; lives as long as text */
    int64_t top_n;
} RequestEvent;

typedef enum {
    FINISH_LENGTH,     /* max_tokens               */
    FINISH_CONTEXT,    /* no position left         */
    FINISH_TOKEN,      /* one of `ends`            */
    FINISH_STRING,     /* one of `stops`           */
    FINISH_CONSTRAINT, /* it says that nothing may follow */
    FINISH_DEADLINE,
    FINISH_CANCELLED,  /* by request_cancel, or the engine was closed */
    FINISH_FAILED,     /* request_result says why  */
} Finish;
const char *finish_name(Finish f); /* "length", "context", "token", "string", "constraint", ... */

typedef struct {
    Finish finish;
    int stop;                    /* index of the stop string; -1 */
    int32_t end;                 /* the id that ended it; -1 */
    bool cut;                    /* a constraint is not satisfied yet: the text is but a beginning */
    int64_t prompt_tokens;
    int64_t cached_tokens;       /* of the prompt, that were not computed again */
    int64_t tokens;              /* written; an ending one is not counted */
    int64_t text_bytes;
    double queued_s;             /* submission to the first pass */
    double prompt_s;             /* from then to the prompt's last logits */
    double tokens_s;             /* from then to the end */
    int64_t preemptions;         /* how often it gave its pages to another and was computed again */
} RequestResult;

/* The next event; waits up to `seconds` for it (negative: as long as it takes).  False: none came in time, or
 * EVENT_END was delivered before. */
bool request_next(Request *r, RequestEvent *out, double seconds);
/* After EVENT_END, or at once where the caller knows that it is over.  The Status is ST_OK unless the request
 * failed:
 *   ST_DEVICE  the device failed    ST_FORMAT  the model gives no numbers
 *   others: what the constraint returned */
MUST_CHECK Status request_result(const Request *r, RequestResult *out);
void request_cancel(Request *r); /* soon EVENT_END follows, unless it was on its way */
void request_close(Request *r);  /* cancels what still runs, and does not wait for it; NULL is fine */

#endif
