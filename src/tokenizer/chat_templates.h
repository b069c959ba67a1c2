/* The inside of chat.h: what a template is, and the pen it writes with.  Used by the chat_ files and
 * bpe_write.c.
 *
 * A style is code: a function that walks over a conversation and writes its own words (literals, in which
 * marks become tokens) and the messages' (in which nothing does).  The pen keeps both as text with parts;
 * chat.c makes ids of it, or text. */
#ifndef TOKENIZER_CHAT_TEMPLATES_H
#define TOKENIZER_CHAT_TEMPLATES_H

#include "tokenizer/chat.h"

/* In literals: the vocabulary's begin-of-text and end-of-text token. */
#define BOS "\1"
#define EOS "\2"

#define CHAT_PLAIN_SIGN "{#- The words alone: Lemur's template plain. -#}"

/* Whether a rendering begins with the begin-of-text token. */
typedef enum {
    BOS_ASKED,  /* where the vocabulary asks for one (tokenizer_adds_bos) */
    BOS_ALWAYS, /* where it has one                                       */
    BOS_NEVER,
    BOS_INSIDE, /* the style writes it itself                             */
} BosRule;

typedef struct ChatPen ChatPen;

typedef struct {
    const char *name, *about;
    const char *const *marks;      /* of turns; NULL-terminated.  A message never spells one as a token */
    const char *const *tool_marks; /* that the assistant may write too; NULL-terminated */
    const char *opening;           /* of the assistant's turn, where it is the same for all turns       */
    const char *end;               /* of the assistant's turn                                           */
    const char *const *stops;      /* texts that end it besides; NULL-terminated                        */
    const char *const *spelled;    /* the same where the vocabulary has no id for the end               */
    const char *system;            /* default system prompt; NULL: none                                 */
    BosRule bos;
    bool trims;     /* white space around messages is dropped                   */
    bool pads;      /* an answer ends with a space that belongs to the template */
    bool tools;     /* they, calls and results have their place */
    Status (*write)(ChatPen *pen);
    /* What the assistant writes for a message, from the opening to the end mark, both excluded. */
    void (*answer)(const ChatTemplate *tmpl, const ChatMessage *m, Str *out);
    const char *jinja; /* %BOS%, %SYSTEM% stand for what depends on vocabulary and settings */
} ChatStyle;

/* chat_jinja.c */
extern const char chat_jinja_chatml[], chat_jinja_llama2[], chat_jinja_llama3[], chat_jinja_llama31[],
    chat_jinja_tulu[], chat_jinja_zephyr[], chat_jinja_alpaca[], chat_jinja_plain[];

struct ChatTemplate {
    const ChatStyle *style;
    char *system;
    BosRule bos;
    bool trims, tools;
};

/* NULL-terminated; the default first. */
extern const ChatStyle *const chat_styles[];

ChatTemplate *chat_template_of_style(const ChatStyle *style);
/* chat_template_jinja for a vocabulary whose texts begin with a begin-of-text token, or not. */
void chat_add_jinja(const ChatTemplate *tmpl, bool bos, Str *out);
/* The id of a mark (BOS and EOS included) in a vocabulary; -1: it has none, and the mark is spelled out. */
int32_t chat_mark_id(const Tokenizer *t, const char *mark);

/* The pen ----------------------------------------------------------------------------------------------- */

typedef enum { PART_TEXT, PART_MARK, PART_IDS } PartKind;
typedef struct {
    PartKind kind;
    bool message; /* words of a message, not the template's */
    bool learn;
    bool cut;                   /* no token reaches across its beginning */
    size_t begin, end;          /* in the pen's text            */
    const ChatMessage *written; /* PART_IDS: its ids are those of the text */
} ChatPart;

struct ChatPen {
    const ChatTemplate *tmpl;
    const Conversation *c;
    int flags;
    Str text;
    Array(ChatPart) parts;
    bool learn, cut;
};

void chat_put(ChatPen *pen, const char *literal);
void chat_put_message(ChatPen *pen, Span text);
/* A message's words, as the template wants them: trimmed or not. */
Span chat_words(const ChatTemplate *tmpl, Span text);
/* The whole assistant turn from behind its opening: answer and end, learned as flags and message say. `last`:
 * it is the conversation's last message. */
void chat_put_answer(ChatPen *pen, const ChatMessage *m, bool last);
/* How much of an answer stays where it is to be written on (CHAT_CONTINUE). */
size_t chat_open_end(const ChatTemplate *tmpl, Span answer);
/* Python's str.lstrip, str.rstrip and str.strip, which Jinja's trim is. */
Span chat_strip_start(Span text);
Span chat_strip_end(Span text);
Span chat_strip(Span text);
/* Whether the loss falls on message i. */
bool chat_learns(const Conversation *c, size_t i, int flags);

#endif
