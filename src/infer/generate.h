/* Text that goes on from a prompt, one sequence at a time, with a KV cache.
 *
 *     Generator *g;
 *     TRY(generate_open(&g, model, tokenizer));
 *     GenerateOptions o = {.max_tokens = 128, .sampler = sampler_greedy(), .prompt_flags = TOK_BOS};
 *     TRY(generate_text(g, "def main(", 9, &o, print, NULL, &result));
 *
 * Works on a model that is being trained as well as on one opened for inference: weights are read, and
 * activations are overwritten.  One thread at a time. */
#ifndef INFER_GENERATE_H
#define INFER_GENERATE_H

#include "infer/sampler.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

typedef struct {
    int64_t max_tokens; /* new ones, at most */
    SamplerSettings sampler;
    const char *const *stops; /* text that ends the text, itself not part of it; none empty */
    size_t stops_n;
    const int32_t *ends; /* ids that end the text, not part of it */
    size_t ends_n;
    int prompt_flags;    /* TOK_* for the prompt */
} GenerateOptions;

typedef enum {
    ENDED_BY_LENGTH,  /* max_tokens     */
    ENDED_BY_CONTEXT, /* no room left   */
    ENDED_BY_TOKEN,   /* one of `ends`  */
    ENDED_BY_STRING,  /* one of `stops` */
    ENDED_BY_CALLER,  /* the sink       */
} GenerateEnd;
const char *generate_end_name(GenerateEnd e); /* "length", "context", "token", "string", "caller" */

typedef struct {
    int64_t prompt_tokens, tokens; /* ids run; new ids, an ending one not counted */
    double prompt_s, tokens_s;
    GenerateEnd end;
    int stop; /* index of the stop string; -1 */
} GenerateResult;

/* Receives text as it becomes certain: whole UTF-8 characters where the model writes such, nothing of a
 * stop string.  False ends the generation. */
typedef bool GenerateSink(void *context, const char *text, size_t n);

typedef struct Generator Generator;
/* Borrows both for its life.  Cache: the model's context.  ST_NOMEM. */
MUST_CHECK Status generate_open(Generator **out, Model *m, const Tokenizer *t);
void generate_close(Generator *g);

/* ST_ARG: an option is out of bounds, or the prompt has no token.  ST_LIMIT: it fills the context.
 * ST_DEVICE, ST_FORMAT: the model gives no numbers. */
MUST_CHECK Status generate_text(Generator *g, const char *prompt, size_t n, const GenerateOptions *o,
                                GenerateSink *sink, void *context, GenerateResult *result);

#endif
