/* Any bytes as a model's chat template in Jinja and as its tokenizer_config.json: the style that it is, whose
 * own Jinja is that style again and whose masks are proved, or a sentence. */
#include <string.h>

#include "fuzz_folder.h"
#include "fuzz_tokenizer.h"
#include "tokenizer/chat.h"

static void again(const ChatTemplate *tmpl)
{
    ChatTemplate *same;
    Str jinja = {0};
    chat_template_jinja(tmpl, fuzz_vocabulary(), &jinja);
    check(chat_template_recognise(&same, str_span(&jinja)) == ST_OK);
    check(strcmp(chat_template_name(same), chat_template_name(tmpl)) == 0);
    chat_template_free(same);
    str_drop(&jinja);
}

/* Of a conversation in which the text is what the assistant says. */
static void render(const ChatTemplate *tmpl, Span text)
{
    Conversation c = {0};
    Ids ids = {0};
    ChatMask mask = {0};
    conversation_add(&c, CHAT_USER, span("a"));
    conversation_add(&c, CHAT_ASSISTANT, text);
    if (chat_render(fuzz_vocabulary(), tmpl, &c, 0, &ids, &mask) == ST_OK) {
        check(ids.n == mask.n);
        Status st = chat_prove(fuzz_vocabulary(), tmpl, &c, 0, ids.at, mask.at, ids.n);
        check(st == ST_OK || !span_trim(text).n);
    }
    array_drop(&ids);
    array_drop(&mask);
    conversation_drop(&c);
}

static void see(ChatTemplate *tmpl, Span text)
{
    check(*chat_template_name(tmpl));
    again(tmpl);
    render(tmpl, text);
    chat_template_free(tmpl);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span text = {(const char *)bytes, n};
    ChatTemplate *tmpl;
    if (chat_template_recognise(&tmpl, text) == ST_OK)
        see(tmpl, text);
    else
        check(*error_text());
    if (n && bytes[0] == '{') {
        char *path = fuzz_file("tokenizer_config.json", bytes, n);
        Status st = chat_template_of_folder(&tmpl, fuzz_folder);
        check(st == ST_OK || *error_text());
        if (st == ST_OK && tmpl)
            see(tmpl, text);
        mem_free(path);
    }
    return 0;
}
