/* Any bytes as a recording of a model's answers: a sentence, or answers, each of which, written as a line of
 * another recording, is the same one there. */
#include <string.h>

#include "fuzz_folder.h"
#include "infer/chatmodel.h"

static Status ask(ChatModel *m, const ChatCall *call, ChatAnswer *a)
{
    Status st = chatmodel_ask(m, call, a);
    int64_t most = INT64_MAX / 1000000; /* of a million calls, the sums */
    check(a->prompt_tokens >= 0 && a->prompt_tokens < most && a->completion_tokens >= 0 &&
          a->completion_tokens < most && a->retries >= 0 && a->retries < most);
    check((st == ST_OK) == (a->finish < CHAT_FINISH_CONTEXT) && (st == ST_OK || *error_text()));
    return st;
}

static void again(const ChatCall *call, const ChatAnswer *a, Status st)
{
    Str line = {0}, said = {0};
    ChatModel *m;
    ChatAnswer b = {0};
    str_adds(&said, st == ST_OK ? "" : error_text());
    chatmodel_script_line(&line, call, a, st);
    char *path = fuzz_file("again.jsonl", line.at, line.n);
    check(chatmodel_script_open(&m, path, SCRIPT_IN_ORDER) == ST_OK);
    check((ask(m, call, &b) == ST_OK) == (st == ST_OK) && b.finish == a->finish && b.counted == a->counted);
    check(st != ST_OK || (b.text.n == a->text.n && (!b.text.n || !memcmp(b.text.at, a->text.at, b.text.n))));
    check(st == ST_OK || strcmp(str_c(&said), error_text()) == 0);
    chatmodel_answer_drop(&b);
    chatmodel_close(m);
    mem_free(path);
    str_drop(&said);
    str_drop(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *path = fuzz_file("script.jsonl", bytes, n);
    for (int order = SCRIPT_IN_ORDER; order <= SCRIPT_BY_HASH; order++) {
        ChatModel *m;
        ChatAnswer a = {0};
        Conversation c = {0};
        if (chatmodel_script_open(&m, path, (ScriptOrder)order) != ST_OK) {
            check(*error_text());
            continue;
        }
        conversation_add(&c, CHAT_USER, span("x"));
        ChatCall call = chatmodel_call(&c);
        for (int i = 0; i < 8; i++) {
            Status st = ask(m, &call, &a);
            if (st != ST_ARG) /* another prompt */
                again(&call, &a, st);
        }
        conversation_drop(&c);
        chatmodel_answer_drop(&a);
        chatmodel_close(m);
    }
    mem_free(path);
    return 0;
}
