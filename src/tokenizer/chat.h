/* Messages -> token ids and loss mask.  The one place where a conversation becomes ids: tuning data and chat
 * requests are rendered by the same function, so what a model learned is what it is asked.
 *
 *     ChatTemplate *tmpl;
 *     TRY(chat_template_open(&tmpl, "chatml"));
 *     Conversation c = {0};
 *     conversation_add(&c, CHAT_USER, span("Hello!"));
 *     Ids ids = {0};
 *     TRY(chat_render(tok, tmpl, &c, CHAT_GENERATE, &ids, NULL));        // a request
 *     TRY(chat_render(tok, tmpl, &c, 0, &ids, &mask));                   // an example to learn from
 *
 * Ids equal those of transformers' apply_chat_template on the same vocabulary (tests/golden/chat), but for
 * two things, both wanted:
 *   - Text of a message never becomes a special token, whatever it spells.
 *   - No token reaches across the point where the assistant begins to write, or ends.  So the ids of a
 *     request (CHAT_GENERATE) are always the first ids of the same conversation with the answer in it: the
 *     prefix cache hits, and what is learned is what will be written.
 * An answer that a model wrote in this process may carry its ids (conversation_keep_ids): they stand for its
 * text. A template's markers ("<|im_start|>") become one id each where the vocabulary has them as added
 * tokens, else they are encoded as text; chat_template_check says which are missing. */
#ifndef TOKENIZER_CHAT_H
#define TOKENIZER_CHAT_H

#include "tokenizer/conversation.h"
#include "tokenizer/tokenizer.h"

/* Templates --------------------------------------------------------------------------------------------- */

typedef struct ChatTemplate ChatTemplate;

/* By name, large or small, without regard to '-', '_' and '.': "chatml", "llama-2", "llama-3", "tulu",
 * "alpaca", "plain", and what chat_template_names has besides.  ST_ARG: no such template; the sentence lists
 * them. */
MUST_CHECK Status chat_template_open(ChatTemplate **out, const char *name);
/* By the Jinja text of tokenizer_config.json or of GGUF's tokenizer.chat_template: recognised by its marks,
 * with the default system prompt that it carries.  The Jinja itself is never run.
 *   ST_UNSUPPORTED  none of ours; the sentence says to name one */
MUST_CHECK Status chat_template_recognise(ChatTemplate **out, Span jinja);
/* For a model folder: what chat_template.jinja or tokenizer_config.json's chat_template says.  *out is NULL
 * and the status ST_OK where the folder says nothing.  ST_IO, ST_FORMAT, ST_UNSUPPORTED. */
MUST_CHECK Status chat_template_of_folder(ChatTemplate **out, const char *folder);
/* Appends that text as it is; nothing where the folder says nothing.  ST_IO, ST_LIMIT, ST_FORMAT. */
MUST_CHECK Status chat_template_text(Str *out, const char *folder);
void chat_template_free(ChatTemplate *tmpl);

const char *const *chat_template_names(void); /* NULL-terminated */
const char *chat_template_name(const ChatTemplate *tmpl);
const char *chat_template_about(const ChatTemplate *tmpl); /* one line for --help */
/* The system prompt that stands in where a conversation has none; NULL: there is none then. */
const char *chat_template_system(const ChatTemplate *tmpl);
void chat_template_set_system(ChatTemplate *tmpl, const char *text); /* NULL or "": none */
bool chat_template_has_tools(const ChatTemplate *tmpl); /* whether tools and calls of them have their place */
/* Appends the same rendering as Jinja, for the tokenizer_config.json or GGUF of a model tuned with this
 * template and vocabulary; with {% generation %} marks, so that other trainers find the mask. */
void chat_template_jinja(const ChatTemplate *tmpl, const Tokenizer *t, Str *out);

/* The special tokens that the template's marks want to be, NULL-terminated: what a vocabulary lacks of these
 * is added before tuning, or is spelled out in text. */
const char *const *chat_template_markers(const ChatTemplate *tmpl);
/* ST_ARG names the marks that `t` lacks as special tokens, or says that it has no end-of-text id where the
 * template ends turns with it. */
MUST_CHECK Status chat_template_check(const ChatTemplate *tmpl, const Tokenizer *t);

/* Appends the ids that end the assistant's turn: the end marker and the vocabulary's end of text. */
void chat_stop_ids(const Tokenizer *t, const ChatTemplate *tmpl, Ids *out);
/* Texts that end it where no id does: the end marker as this vocabulary spells it out, the mark of the next
 * user turn ("### Instruction:").  NULL-terminated, static. */
const char *const *chat_stop_texts(const Tokenizer *t, const ChatTemplate *tmpl);

/* Rendering --------------------------------------------------------------------------------------------- */

enum {
    CHAT_GENERATE = 1,  /* ends with the opening of the assistant's turn (add_generation_prompt)            */
    CHAT_LAST_ONLY = 2, /* only the last assistant message is learned                                       */
    CHAT_CONTINUE = 4,  /* the last message is the assistant's and stays open, to be written on             */
    CHAT_NO_BOS = 8,    /* without the begin-of-text id in front                                            */
};

/* mask.at[i] is 1 where ids.at[i] is to be learned (as a target), else 0. */
typedef Array(uint8_t) ChatMask;

/* Appends ids, and the mask where it is not NULL (one byte for each id appended here).  On failure both are
 * as they were.
 *   ST_ARG          the template has no place for this: a system prompt after the start, two user turns in a
 *                   row where roles must alternate, tools or tool calls in a template without them
 *   ST_LIMIT        text over 2 GB */
MUST_CHECK Status chat_render(const Tokenizer *t, const ChatTemplate *tmpl, const Conversation *c, int flags,
                              Ids *ids, ChatMask *mask);
/* The same as text, markers spelled out: what transformers renders with tokenize=False. */
MUST_CHECK Status chat_render_text(const Tokenizer *t, const ChatTemplate *tmpl, const Conversation *c,
                                   int flags, Str *out);

/* The proof before training, over what will be learned from: ids and mask as they go to the trainer, of one
 * conversation.  Decodes every learned stretch and holds it against the messages: each is one assistant
 * message that is not mute, whole, with its end marker, behind the assistant's opening; every such message
 * has its stretch; nothing else is learned; and something is.
 *   ST_ARG  the sentence says which message and what is wrong with it: "message 4 (assistant): its end marker
 *           <|im_end|> is not learned" */
MUST_CHECK Status chat_prove(const Tokenizer *t, const ChatTemplate *tmpl, const Conversation *c, int flags,
                             const int32_t *ids, const uint8_t *mask, size_t n);

#endif
