/* A vocabulary with more special tokens than it had, and what is written beside it for a model that chats.
 *
 *     Tokenizer *grown;
 *     TRY(tokenizer_extend(&grown, tok, chat_template_markers(tmpl)));
 *     Str jinja = {0};
 *     chat_template_jinja(tmpl, grown, &jinja);
 *     TRY(tokenizer_set_chat(grown, str_span(&jinja), ends, ends_n));   // before other threads use it
 *     TRY(tokenizer_save(grown, folder));
 *
 * Ids that were there stay; new ones come behind them.  Everything else that the files say stays as it was.
 */
#ifndef TOKENIZER_EXTEND_H
#define TOKENIZER_EXTEND_H

#include "tokenizer/tokenizer.h"

/* A new tokenizer, in whose vocabulary each of `specials` (NULL-terminated) is a special token; with none
 * lacking it is the same vocabulary.
 *   ST_UNSUPPORTED  a SentencePiece vocabulary has one of them as an ordinary piece
 *   ST_FORMAT       its own file cannot be changed: no list of added tokens where one must be */
MUST_CHECK Status tokenizer_extend(Tokenizer **out, const Tokenizer *t, const char *const *specials);

/* Changes what tokenizer_save writes, not the vocabulary: the chat template in tokenizer_config.json, and
 * generation_config.json, in which generation ends at `ends`.  ST_UNSUPPORTED: a vocabulary that came as
 * arrays, and that no file has words for. */
MUST_CHECK Status tokenizer_set_chat(Tokenizer *t, Span jinja, const int32_t *ends, size_t ends_n);

#endif
