/* The inference engine: one Decoder (model/decoder.h), its cache, and any number of requests at once.
 *
 *     Engine *e;
 *     EngineSetup setup = {0};
 *     TRY(engine_open(&e, decoder, tokenizer, &setup));
 *     ... engine_submit by any thread, request_next by any thread (request.h) ...
 *     engine_close(e);
 *
 * One thread owns the decoder and the cache; everybody else hands it requests and receives events.  Each pass
 * of the model takes one row of every sequence that is being written and a piece of prompts that are being
 * read, so that neither waits long for the other.  Keys and values lie in pages that sequences with the same
 * beginning share: the next turn of a conversation, or a thousand prompts behind one system prompt, compute
 * only what is new.  Where pages run out, requests wait, and the youngest gives its pages up and is computed
 * again later.
 *
 * The same request gives the same tokens and the same log-probabilities, bit for bit, whatever else runs
 * beside it, with and without the cache, however its prompt was cut.  docs/engine.md says how, and what it
 * costs. */
#ifndef INFER_ENGINE_H
#define INFER_ENGINE_H

#include "infer/request.h"
#include "model/decoder.h"
#include "tokenizer/tokenizer.h"

typedef struct Engine Engine;

typedef struct {
    int64_t max_sequences; /* that run together; 0: as many as a pass has rows and logits for */
    int64_t max_queue;     /* requests that wait for their turn; 0: 1024 */
    int64_t prefill_rows;  /* rows of prompts in a pass in which texts are written as well; 0: 64 */
    /* that turn logits into tokens; 0: all this process may use.  The decoder's are its device's */
    int threads;
    bool no_prefix_cache;
    /* No thread: whoever waits in request_next, or in engine_submit for room, runs the passes.  Then one
     * thread at a time may use the engine. */
    bool inline_passes;
} EngineSetup;

/* Borrows both until it is closed; nobody else runs passes on the decoder meanwhile.  The tokenizer turns ids
 * into text and says which ids may be written (those it has); NULL: there is no text, and all may.
 *   ST_ARG  the decoder has no pages, or no row of logits */
MUST_CHECK Status engine_open(Engine **out, Decoder *d, const Tokenizer *t, const EngineSetup *setup);
struct PassModel; /* scheduler.h: what runs passes in the place of a decoder */
MUST_CHECK Status engine_open_model(Engine **out, const struct PassModel *m, const Tokenizer *t,
                                    const EngineSetup *setup);

/* Ends what runs (FINISH_CANCELLED), wakes everybody who waits.  Requests may still be read, and must be
 * closed, afterwards. A thread that waits in engine_submit is told that it was closed; none may call it from
 * now on. */
void engine_close(Engine *e);

/* *out is the caller's, to close.
 *   ST_ARG        something in the spec is out of bounds: the sentence names it
 *   ST_LIMIT      the prompt fills the context or the cache, so that it could never run: the sentence says
 *                 the sizes; or the queue is full and refuse_if_full is set
 *   ST_CANCELLED  the engine was closed while this waited for room */
MUST_CHECK Status engine_submit(Engine *e, const RequestSpec *spec, Request **out);

int64_t engine_context(const Engine *e); /* positions that one sequence may have */

typedef struct {
    int64_t running, waiting;
    int64_t pages, pages_free, pages_cached; /* cached: held by no sequence, given up when needed */
    /* since the opening */
    int64_t requests, passes, rows, prompt_tokens, cached_tokens, tokens, preemptions;
} EngineStats;
EngineStats engine_stats(Engine *e);

#endif
