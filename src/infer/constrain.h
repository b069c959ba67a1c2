/* Constrained decoding: at each step, which tokens keep the text inside a regular expression or a JSON
 * Schema.
 *
 *     ConstrainVocab *v = constrain_vocab_new(tokenizer, ends, ends_n); // once a model
 *     Constraint *c;
 *     TRY(constrain_json_schema(&c, v, schema, NULL)); // once a schema; requests share it
 *     ConstrainState *s = constrain_start(c);          // once a sequence
 *     while (!constrain_done(s)) {
 *         TRY(constrain_mask(s, mask)); // between logits ...
 *         id = sample(logits, mask);    // ... and the draw
 *         TRY(constrain_advance(s, id));
 *     }
 *     constrain_free(s);  constraint_free(c);  constrain_vocab_free(v);
 *
 * Fails closed: a keyword or a construct that cannot be honoured is refused by name and place when the
 * constraint is made, never passed over.  docs/constrain.md says what is honoured.
 *
 * The text is that of the sampled tokens as tokenizer_text gives it, from the first one on, and nothing of
 * the prompt.  Special tokens are never inside it; the end ids are allowed exactly where the text may end.  A
 * token may be any piece of a character: bytes are what is followed.
 *
 * A vocabulary and a constraint may be used by several threads at once, a state by one. */
#ifndef INFER_CONSTRAIN_H
#define INFER_CONSTRAIN_H

#include "tokenizer/tokenizer.h"

/* The tokens as a tree of bytes.  Borrows nothing. */
typedef struct ConstrainVocab ConstrainVocab;
ConstrainVocab *constrain_vocab_new(const Tokenizer *t, const int32_t *ends, size_t ends_n);
void constrain_vocab_free(ConstrainVocab *v);

typedef struct Constraint Constraint;
enum { CONSTRAIN_TRIGGER_MAX = 256 }; /* bytes */
typedef struct {
    bool compact;       /* JSON without white space between its tokens */
    bool leading_space; /* one space may stand in front: SentencePiece's "\u2581{" */
    /* Free text until the model writes `trigger` (say "<tool_call>\n"); what follows is constrained, then
     * `closing` is forced (say "\n</tool_call>"), and free text goes on.  NULL: constrained from the first
     * token.  A special token may stand for the part of trigger or closing that it spells. */
    const char *trigger, *closing;
    bool trigger_required; /* the text may not end before it came once */
} ConstrainOptions;

/* The vocabulary is borrowed for the constraint's life; `options` may be NULL.
 *   ST_ARG          not a regular expression, not JSON, or a schema that contradicts itself or the standard
 *   ST_UNSUPPORTED  well formed, and cannot be honoured: names the construct and its place
 *   ST_LIMIT        too large, too deep, or too ambiguous to follow */
MUST_CHECK Status constrain_regex(Constraint **out, const ConstrainVocab *v, Span pattern,
                                  const ConstrainOptions *options);
/* A schema document (JSON text).  "{}" is any JSON value, {"type":"object"} any object. */
MUST_CHECK Status constrain_json_schema(Constraint **out, const ConstrainVocab *v, Span schema,
                                        const ConstrainOptions *options);
void constraint_free(Constraint *c);

/* Where one sequence stands. */
typedef struct ConstrainState ConstrainState;
ConstrainState *constrain_start(Constraint *c); /* borrows the constraint */
ConstrainState *constrain_copy(const ConstrainState *s);
void constrain_free(ConstrainState *s);

/* Bit id % 64 of mask[id / 64] tells whether `id` may come next; ids at and above the tokenizer's vocabulary
 * size have no bit and may not.  mask [constrain_mask_words(v)].  At least one bit is set where ST_OK is
 * returned.
 *   ST_UNSUPPORTED  no token of this vocabulary can go on from here, nor may the text end
 *   ST_LIMIT        the constraint is too ambiguous to be followed further */
MUST_CHECK Status constrain_mask(ConstrainState *s, uint64_t *mask);
size_t constrain_mask_words(const ConstrainVocab *v);
static inline bool constrain_allows(const uint64_t *mask, int32_t id)
{
    return mask[id / 64] >> (id % 64) & 1;
}

/* Takes a token.  ST_ARG: it may not come here, and the state is as it was.  ST_LIMIT: as constrain_mask. */
MUST_CHECK Status constrain_advance(ConstrainState *s, int32_t id);
bool constrain_may_end(const ConstrainState *s); /* the text as it is satisfies the constraint */
/* An end id was taken, or the text is complete and nothing may follow but an end: no more sampling is needed.
 */
bool constrain_done(const ConstrainState *s);

#endif
