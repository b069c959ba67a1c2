/* Text that goes on from a text, one at a time: an engine's request, read to its end.
 *
 *     RequestSpec spec = request_spec(NULL, 0);
 *     spec.max_tokens = 128;
 *     TRY(generate_text(engine, tokenizer, span("def main("), TOK_BOS, &spec, print, NULL, &result));
 */
#ifndef INFER_GENERATE_H
#define INFER_GENERATE_H

#include "infer/engine.h"

/* Receives every event, the last one too, as it comes.  False ends the generation (FINISH_CANCELLED). */
typedef bool GenerateSink(void *context, const RequestEvent *event);

/* The request's prompt is what `flags` (TOK_*) make of the text; all else is as `spec` says.  Errors as of
 * tokenizer_encode, engine_submit and request_result. */
MUST_CHECK Status generate_text(Engine *e, const Tokenizer *t, Span prompt, int flags,
                                const RequestSpec *spec, GenerateSink *sink, void *context,
                                RequestResult *result);
/* The same from ids. */
MUST_CHECK Status generate_ids(Engine *e, const int32_t *ids, int64_t n, const RequestSpec *spec,
                               GenerateSink *sink, void *context, RequestResult *result);

/* A sample of a model in memory, one in training for instance, by a decoder that is opened for it and closed
 * again: weights are read as they are now, and the model is left as it was.  Further errors as of
 * decoder_open_model. */
MUST_CHECK Status generate_sample(Model *m, const Tokenizer *t, Span prompt, int flags,
                                  const RequestSpec *spec, GenerateSink *sink, void *context,
                                  RequestResult *result);

#endif
