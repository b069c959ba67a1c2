/* How likely a model finds given texts: multiple choice, perplexity of an answer.
 *
 *     ScoreItem items[2];                       // the same context, two continuations
 *     Score scores[2];
 *     TRY(score_all(engine, items, 2, scores));
 *
 * All items are the engine's at once; contexts that begin alike are computed once (pages.h), and a
 * continuation costs its own tokens.  A score is the same whatever it was asked together with. */
#ifndef INFER_SCORE_H
#define INFER_SCORE_H

#include "infer/engine.h"

typedef struct {
    const int32_t *ids; /* [n] context, then continuation */
    int64_t n;
    int64_t from;  /* where the continuation begins: 1 .. n, as the first id has nothing in front of it */
    int64_t bytes; /* of the continuation's text; 0: per_byte is not wanted */
} ScoreItem;

typedef struct {
    double sum;                 /* log-probability of the continuation, in nats; 0 for an empty one */
    double per_token, per_byte; /* of it; 0 where there are none */
    int64_t tokens;             /* of the continuation */
    bool greedy;                /* each of them is the most likely one in its place */
} Score;

/* ST_ARG: `from` is out of bounds, or an id is; ST_LIMIT: an item is longer than the context; ST_DEVICE,
 * ST_FORMAT as of requests. */
MUST_CHECK Status score_all(Engine *e, const ScoreItem *items, int64_t n, Score *out);

/* Appends the ids of context and continuation, tokenised as one text, to *ids; *from is where the
 * continuation begins.  Spaces at the end of the context count as the continuation's, whose first word most
 * vocabularies join them to.  As lm-evaluation-harness does (lm_eval/api/model.py, TemplateLM._encode_pair),
 * so that scores can be compared.  flags as of tokenizer_encode.  ST_ARG: nothing stands in front of the
 * continuation: pass TOK_BOS, or give a context. */
MUST_CHECK Status score_encode(const Tokenizer *t, Ids *ids, int64_t *from, Span context, Span continuation,
                               int flags);

#endif
