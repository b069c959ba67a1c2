#include "infer/chatmodel_wire.h"

#include <jansson.h>
#include <string.h>

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static Status read_text(long status, const char *text, size_t n, WireReply *r, ChatAnswer *a)
{
    HttpReply http = {.status = status};
    str_add(&http.body, text, n);
    chatmodel_answer_drop(a);
    Status st = chatmodel_wire_reply(r, &http, a);
    http_reply_drop(&http);
    return st;
}

/* As llama.cpp's server answers, its timings left out. */
static const char whole[] =
    "{\"choices\":[{\"finish_reason\":\"length\",\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
    "\"caf\\u00e9\\n\"}}],\"created\":1,\"model\":\"m\",\"object\":\"chat.completion\",\"usage\":{"
    "\"completion_tokens\":4,\"prompt_tokens\":9,\"total_tokens\":13},\"id\":\"x\"}";

static void every_truncation_is_a_cut(void **state)
{
    (void)state;
    WireReply r = {0};
    ChatAnswer a = {0};
    size_t n = strlen(whole);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(read_text(200, whole, i, &r, &a), ST_FORMAT);
        assert_true(r.cut);
    }
    assert_int_equal(read_text(200, whole, n, &r, &a), ST_OK);
    assert_false(r.cut);
    assert_string_equal(str_c(&a.text), "caf\xC3\xA9\n");
    assert_int_equal(a.finish, CHAT_FINISH_LENGTH);
    assert_true(a.counted && a.prompt_tokens == 9 && a.completion_tokens == 4);
    chatmodel_answer_drop(&a);
    str_drop(&r.words);
}

/* Half of a letter as bytes and as escapes; a pair, an escaped backslash and a NUL stay what they are. */
static void what_is_no_text_is_mended(void **state)
{
    (void)state;
    static const char body[] =
        "{\"choices\":[{\"message\":{\"content\":\"a\xE9 \\ud83d \\uDE00\\n\\ud83d\\ude00 "
        "\\\\ud83d \\u0000.\\uD83D\"}}]}";
    static const char text[] =
        "a\xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD\n\xF0\x9F\x98\x80 \\ud83d \0.\xEF\xBF\xBD";
    WireReply r = {0};
    ChatAnswer a = {0};
    assert_int_equal(read_text(200, body, sizeof body - 1, &r, &a), ST_OK);
    assert_int_equal(a.text.n, sizeof text - 1);
    assert_memory_equal(a.text.at, text, sizeof text - 1);
    chatmodel_answer_drop(&a);
    str_drop(&r.words);
}

static void errors_are_read_in_every_dialect(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *body, *words;
        long seen;
        bool context, quota;
    } cases[] = {
        {429, "{\"error\":{\"message\":\"a\",\"type\":\"insufficient_quota\",\"code\":null}}", "a", 429,
         false, true},
        {400, "{\"error\":{\"message\":\"a\",\"code\":\"context_length_exceeded\"}}", "a", 400, true, false},
        {400, "{\"error\":{\"message\":\"a\",\"code\":400,\"type\":\"exceed_context_size_error\"}}", "a", 400,
         true, false},
        {400, "{\"object\":\"error\",\"message\":\"This model's maximum context length is 8\"}",
         "This model's maximum context length is 8", 400, true, false},
        {200, "{\"error\":{\"message\":\"a\",\"code\":402}}", "a", 402, false, false},
        {200, "{\"error\":\"a  \\n b\"}", "a b", 500, false, false},
        {422, "{\"detail\":\"a\"}", "a", 422, false, false},
        {502, "<h1>\r\nBad\xFF</h1>\n", "<h1> Bad?</h1>", 502, false, false},
        {500, "", "", 500, false, false},
        {500, "[]", "[]", 500, false, false},
    };
    WireReply r = {0};
    ChatAnswer a = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_text(cases[i].status, cases[i].body, strlen(cases[i].body), &r, &a), ST_PEER);
        assert_string_equal(str_c(&r.words), cases[i].words);
        assert_int_equal(r.status, cases[i].seen);
        assert_int_equal(r.context, cases[i].context);
        assert_int_equal(r.quota, cases[i].quota);
    }
    str_drop(&r.words);
}

static void requests_are_json_whatever_is_said(void **state)
{
    (void)state;
    Conversation c = {0};
    Str body = {0};
    conversation_add(&c, CHAT_USER, span("half \xC3 \"letter\""));
    conversation_add(&c, CHAT_ASSISTANT, span(""))->mute = true; /* of no concern to a server */
    ChatCall call = chatmodel_call(&c);
    call.sampler.temperature = 1;
    call.sampler.seed = UINT64_MAX;
    call.sampler.min_p = 0.5;
    call.sampler.repetition_penalty = 2;
    chatmodel_wire_request(&body, &call, "m", "max_tokens");
    assert_string_equal(str_c(&body),
                        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"half \xEF\xBF\xBD "
                        "\\\"letter\\\"\"},{\"role\":\"assistant\",\"content\":\"\"}],\"temperature\":1.0,"
                        "\"seed\":9223372036854775807,\"min_p\":0.5,\"repetition_penalty\":2.0}");
    str_drop(&body);
    conversation_drop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_a_cut),
        cmocka_unit_test(what_is_no_text_is_mended),
        cmocka_unit_test(errors_are_read_in_every_dialect),
        cmocka_unit_test(requests_are_json_whatever_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
