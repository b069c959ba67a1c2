/* Inside instruct: each format turned into OpenAI's {"messages": [...], "tools": [...]}, which the chat
 * template's reader understands; so roles, tool calls and weights have one home. */
#ifndef CORPUS_INSTRUCT_FORMATS_H
#define CORPUS_INSTRUCT_FORMATS_H

#include "corpus/instruct.h"

/* New references, or NULL with a reason and a sentence. */
typedef struct {
    InstructReject reason;
    Str *why;
} FormatFailure;

json_t *instruct_formats_messages(const json_t *record, FormatFailure *f);
json_t *instruct_formats_completion(const json_t *record, FormatFailure *f);
json_t *instruct_formats_alpaca(const json_t *record, FormatFailure *f);
json_t *instruct_formats_sharegpt(const json_t *record, FormatFailure *f);
json_t *instruct_formats_orca(const json_t *record, FormatFailure *f);

/* Sets the failure and gives NULL. */
json_t *instruct_formats_fail(FormatFailure *f, InstructReject reason, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A message to the end of a list. */
void instruct_formats_say(json_t *messages, const char *role, const json_t *text);

/* instruct_oasst.c: calls `take` for each path of a tree, with its messages (borrowed). */
typedef void InstructTake(void *context, json_t *messages);
bool instruct_oasst(const json_t *record, const InstructOptions *o, FormatFailure *f, InstructTake *take,
                    void *context);

#endif
