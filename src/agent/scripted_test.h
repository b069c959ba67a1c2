/* A ChatModel for tests: says its lines in order, and keeps what it was asked. */
#ifndef AGENT_SCRIPTED_TEST_H
#define AGENT_SCRIPTED_TEST_H

#include "infer/chatmodel.h"

typedef struct {
    const char *const *lines; /* NULL at the end */
    size_t said;
    Status fails;      /* when the lines are used up: with this, */
    ChatFinish finish; /* and this */
    Conversation asked; /* the last call's messages */
    ChatCall call;      /* and the rest of it */
} Scripted;

static Status scripted_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    Scripted *s = self;
    s->call = *call;
    conversation_copy(&s->asked, call->messages);
    out->counted = true;
    out->prompt_tokens = 100;
    if (!s->lines[s->said]) {
        out->finish = s->finish;
        return fail(s->fails, "the lines are used up");
    }
    str_adds(&out->text, s->lines[s->said++]);
    out->completion_tokens = 10;
    return ST_OK;
}

static void scripted_close(void *self)
{
    Scripted *s = self;
    conversation_drop(&s->asked);
}

static const ChatModelKind scripted_kind = {scripted_ask, scripted_close};

static ChatModel *scripted_model(Scripted *s)
{
    ChatModel *m;
    chatmodel_open(&m, &scripted_kind, s, "scripted");
    return m;
}

#endif
