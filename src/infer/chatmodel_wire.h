/* Chat completions as OpenAI's servers and those like them read and write them:
 * https://platform.openai.com/docs/api-reference/chat/create.  For chatmodel_remote.c. */
#ifndef INFER_CHATMODEL_WIRE_H
#define INFER_CHATMODEL_WIRE_H

#include "base/http.h"
#include "infer/chatmodel.h"

/* Appends the request's body.  What OpenAI's interface lacks (top_k, min_p, repetition_penalty) is written
 * where it is asked for, under the names that llama.cpp and vLLM give it: a server that lacks it, too,
 * refuses. */
void chatmodel_wire_request(Str *out, const ChatCall *call, const char *model, const char *max_tokens_key);

/* What a reply says, whatever it is. */
typedef struct {
    long status;  /* the reply's, or that of an error inside a 200 */
    bool cut;     /* the body ends in the middle of its JSON, or is empty */
    bool context; /* the error is that the messages are too long */
    bool quota;   /* ... that the account has nothing left: waiting does not help */
    Str words;    /* the error's, on one line however long; empty: none */
} WireReply;
/* Fills *out with the answer where there is one.
 *   ST_PEER    the server says that it failed: reply->status, words
 *   ST_FORMAT  a 200 that holds no chat completion: the sentence says why */
MUST_CHECK Status chatmodel_wire_reply(WireReply *reply, const HttpReply *http, ChatAnswer *out);

#endif
