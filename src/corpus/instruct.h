/* Instruction sets as they are published -> conversations.  Front door of reading them.
 *
 *     InstructFormat f = instruct_recognise(record);               // INSTRUCT_AUTO: none of them
 *     InstructExamples all = {0};
 *     instruct_convert(&all, &options, f, record);
 *     for (size_t i = 0; i < all.n; i++)
 *         if (all.at[i].reason == REJECT_NONE) use(&all.at[i].conversation);
 *     instruct_examples_drop(&all);
 *
 * A record is one JSON object of a file; most give one example, a tree of messages gives several.  Whatever
 * is wrong with an example is data: it comes with a reason and a sentence, and the others go on.
 * docs/formats/instruct.md shows every format. */
#ifndef CORPUS_INSTRUCT_H
#define CORPUS_INSTRUCT_H

#include <stdbool.h>

#include "tokenizer/chat.h"

typedef enum {
    INSTRUCT_AUTO,
    INSTRUCT_MESSAGES,   /* {"messages": [{"role", "content", "tool_calls"}], "tools"}: OpenAI          */
    INSTRUCT_TRANSCRIPT, /* the same with "transcript": 1 and what became of the episode: lemur agent   */
    INSTRUCT_COMPLETION, /* {"prompt", "completion"}, each text or a list of messages                   */
    INSTRUCT_ALPACA,     /* {"instruction", "input", "output"}; Evol-CodeAlpaca is the same without input */
    INSTRUCT_SHAREGPT,   /* {"conversations": [{"from", "value"}], "system", "tools"}                   */
    INSTRUCT_ORCA,       /* {"system_prompt", "question", "response"}: OpenOrca                         */
    INSTRUCT_OASST,      /* {"message_tree_id", "prompt": {"text", "role", "replies": [...]}}           */
    INSTRUCT_FORMATS
} InstructFormat;

/* "auto", "messages", ..., NULL-terminated; "evol" stands behind them as another word for alpaca. */
extern const char *const instruct_format_names[INSTRUCT_FORMATS + 2];
InstructFormat instruct_format_named(const char *name); /* one of the above */

/* Why an example was kept aside. */
typedef enum {
    REJECT_NONE,
    REJECT_UNREADABLE, /* a file that cannot be opened, or is damaged from some byte on */
    REJECT_NOT_UTF8,
    REJECT_NOT_JSON,
    REJECT_OTHER_FORMAT, /* JSON, but not of the source's format                   */
    REJECT_BAD_MESSAGE,  /* a message without content, a tool call that is no JSON */
    REJECT_UNKNOWN_ROLE,
    REJECT_ROLE_ORDER,
    REJECT_EMPTY_PROMPT,
    REJECT_EMPTY_ANSWER,
    REJECT_NOTHING_TO_LEARN, /* no answer, or every one is muted                  */
    REJECT_LANGUAGE,
    REJECT_LOW_REWARD,
    REJECT_TEMPLATE, /* the chat template has no place for it                      */
    REJECT_TOO_LONG,
    REJECT_DUPLICATE,
    REJECT_REASONS
} InstructReject;
extern const char *const instruct_reject_names[REJECT_REASONS];

typedef struct {
    bool all_paths;       /* OASST: every path through the tree, each answer learned once; else the
                           * best-ranked one */
    const char *language; /* OASST: of all messages, such as "en"; "": any */
    double min_reward;    /* transcripts: below it they are kept aside; -INFINITY: none is */
    bool trim;            /* answers in front of the first question and what follows the last answer are
                           * dropped, where they would be REJECT_ROLE_ORDER */
} InstructOptions;

typedef struct {
    Conversation conversation; /* of a good one */
    InstructReject reason;
    Str why;      /* a sentence; empty for a good one */
    bool trimmed; /* messages were dropped           */
} InstructExample;

typedef struct {
    InstructExample *at;
    size_t n, cap; /* [n, cap) keep their memory for the next call */
} InstructExamples;

/* The format that an object has the keys of; INSTRUCT_AUTO where none fits. */
InstructFormat instruct_recognise(const json_t *record);
/* "an object with keys a, b, c": what a sentence shows of a record that was not understood. */
void instruct_describe(Str *out, const json_t *record);

/* What one record gives: sets `out` anew. */
void instruct_convert(InstructExamples *out, const InstructOptions *o, InstructFormat format,
                      const json_t *record);
void instruct_examples_drop(InstructExamples *list);

/* Whether a conversation can be learned from: roles in order, no empty question or answer, something to
 * learn.  `why` gets the sentence. */
InstructReject instruct_check(const Conversation *c, Str *why);

#endif
