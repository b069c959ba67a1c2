/* Any bytes as a server's reply to a chat completion; the first one chooses its status. */
#include <string.h>

#include "base/check.h"
#include "infer/chatmodel_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const long statuses[] = {200, 400, 404, 429, 500};
    static WireReply r; /* its memory is kept from reply to reply, as a model keeps it */
    static ChatAnswer a;
    if (n == 0)
        return 0;
    HttpReply http = {.status = statuses[bytes[0] % 5]};
    str_add(&http.body, bytes + 1, n - 1);
    str_clear(&a.text);
    a = (ChatAnswer){.text = a.text};
    Status st = chatmodel_wire_reply(&r, &http, &a);
    check(st == ST_OK || st == ST_PEER || st == ST_FORMAT);
    check(st == ST_OK || *error_text());
    check(st != ST_OK || (http.status == 200 && r.words.n == 0 && a.finish <= CHAT_FINISH_FILTER));
    check(a.prompt_tokens >= 0 && a.completion_tokens >= 0 && (a.counted || a.prompt_tokens == 0));
    check(utf8_valid(str_c(&a.text), a.text.n) && utf8_valid(str_c(&r.words), r.words.n));
    for (size_t i = 0; i < r.words.n; i++)
        check((unsigned char)r.words.at[i] >= 32 && r.words.at[i] != 127);
    str_drop(&http.body);
    return 0;
}
