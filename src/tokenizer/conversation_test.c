#include "tokenizer/conversation.h"

#include "base/scratch_test.h"

static json_t *json_of(const char *text)
{
    json_error_t why;
    json_t *value = json_loads(text, 0, &why);
    if (!value)
        fail_msg("%s: %s", why.text, text);
    return value;
}

static void read_json(Conversation *c, const char *text)
{
    json_t *value = json_of(text);
    if (conversation_from_json(c, value) != ST_OK)
        fail_msg("%s", error_text());
    json_decref(value);
}

static void assert_refused(const char *text, const char *words)
{
    Conversation c = {0};
    conversation_add(&c, CHAT_USER, span("kept"));
    json_t *value = json_of(text);
    assert_int_equal(conversation_from_json(&c, value), ST_FORMAT);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
    assert_int_equal(c.messages.n, 1);
    assert_null(c.tools);
    json_decref(value);
    conversation_drop(&c);
}

static void test_reads(void **state)
{
    (void)state;
    Conversation c = {0};
    read_json(&c, "[{\"role\": \"developer\", \"content\": [{\"type\": \"text\", \"text\": \"a\"}, \"b\"]},"
                  " {\"role\": \"user\", \"content\": \"\", \"name\": \"Ann\", \"extra\": 3},"
                  " {\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"id\": \"c1\", \"type\": "
                  "\"function\","
                  "  \"function\": {\"name\": \"f\", \"arguments\": \"{\\\"x\\\": 1}\"}}, {\"name\": "
                  "\"g\"}], \"weight\": 0},"
                  " {\"role\": \"function\", \"content\": \"r\", \"tool_call_id\": \"c1\", \"name\": \"f\"},"
                  " {\"role\": \"assistant\", \"content\": \"end\", \"learn\": true, \"weight\": 1.0},"
                  " {\"role\": \"assistant\", \"content\": null, \"function_call\": {\"name\": \"h\", "
                  "\"arguments\": \"\"}, "
                  "\"train\": false}]");
    const ChatMessage *m = c.messages.at;
    assert_int_equal(c.messages.n, 6);
    assert_true(m[0].role == CHAT_SYSTEM && span_is(m[0].content, "ab"));
    assert_true(m[1].role == CHAT_USER && m[1].content.n == 0 && span_is(m[1].name, "Ann"));
    assert_true(m[2].mute && json_array_size(m[2].tool_calls) == 2);
    json_t *want = json_of("[{\"name\": \"f\", \"arguments\": {\"x\": 1}, \"id\": \"c1\"}, {\"name\": \"g\", "
                           "\"arguments\": {}}]");
    assert_true(json_equal(m[2].tool_calls, want));
    json_decref(want);
    assert_true(m[3].role == CHAT_TOOL && span_is(m[3].tool_call_id, "c1") && span_is(m[3].name, "f"));
    assert_false(m[4].mute);
    assert_true(m[5].mute && json_array_size(m[5].tool_calls) == 1);
    conversation_drop(&c);
}

/* Written, read and written again it is the same. */
static void test_round_trip(void **state)
{
    (void)state;
    Conversation c = {0}, again = {0}, copy = {0};
    read_json(&c, "{\"tools\": \"[{\\\"name\\\": \\\"f\\\"}]\", \"messages\": [{\"role\": \"user\", "
                  "\"content\": \"\\u00e9\\n\"},"
                  " {\"role\": \"assistant\", \"content\": \"\", \"weight\": 0, \"tool_calls\": [{\"id\": "
                  "\"1\", \"function\":"
                  " {\"name\": \"f\", \"arguments\": {\"b\": [1, 2.5], \"a\": null}}}]},"
                  " {\"role\": \"tool\", \"content\": \"x\", \"tool_call_id\": \"1\"}]}");
    conversation_add(&c, CHAT_USER,
                     (Span){"\xff"
                            "a",
                            2}); /* bytes that no JSON can hold */
    json_t *first = conversation_to_json(&c);
    assert_int_equal(conversation_from_json(&again, first), ST_OK);
    json_t *second = conversation_to_json(&again);
    assert_true(json_equal(first, second));
    conversation_copy(&copy, &again);
    conversation_drop(&again);
    json_t *third = conversation_to_json(&copy);
    assert_true(json_equal(first, third));
    assert_true(span_is(copy.messages.at[3].content, "\xEF\xBF\xBD"
                                                     "a"));
    conversation_drop(&copy);
    conversation_drop(&c);
    json_decref(first);
    json_decref(second);
    json_decref(third);
}

static void test_refuses(void **state)
{
    (void)state;
    assert_refused("{}", "\"messages\"");
    assert_refused("{\"messages\": {}}", "\"messages\"");
    assert_refused("[3]", "message 1");
    assert_refused("[{\"content\": \"x\"}]", "message 1: it has no role");
    assert_refused("[{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"narrator\", \"content\": \"x\"}]",
                   "message 2: role 'narrator'");
    assert_refused("[{\"role\": 3, \"content\": \"x\"}]", "\"role\" is no text");
    assert_refused("[{\"role\": \"user\"}]", "no content");
    assert_refused("[{\"role\": \"user\", \"content\": null}]", "no content");
    assert_refused("[{\"role\": \"user\", \"content\": {\"a\": 1}}]", "no text");
    assert_refused("[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": \"x\"}]}]",
                   "image_url");
    assert_refused("[{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]", "part 1");
    assert_refused("[{\"role\": \"user\", \"content\": \"x\", \"tool_calls\": [{\"name\": \"f\"}]}]",
                   "only the assistant");
    assert_refused("[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"id\": \"x\"}]}]",
                   "no name");
    assert_refused(
        "[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"name\": \"f\", \"arguments\": "
        "\"[1]\"}]}]",
        "no JSON object");
    assert_refused("[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"name\": \"f\", \"arguments\": "
                   "{\"a\": [1, 1.8446744073709552e19]}}]}]",
                   "beyond 64 bits");
    assert_refused("[{\"role\": \"assistant\", \"content\": \"x\", \"tool_calls\": 3}]", "no array");
    assert_refused("[{\"role\": \"assistant\", \"content\": \"x\", \"weight\": 0.5}]", "neither 0 nor 1");
    assert_refused("[{\"role\": \"assistant\", \"content\": \"x\", \"learn\": 1}]", "neither true nor false");
    assert_refused("{\"messages\": [], \"tools\": \"{\"}", "no array of functions");
    assert_refused("{\"messages\": [{\"role\": \"x\"}], \"tools\": [{}]}", "message 1");
}

static void test_edits(void **state)
{
    (void)state;
    Conversation c = {0};
    conversation_pop(&c);
    for (int i = 0; i < 40; i++)
        conversation_add(&c, CHAT_USER, span("text"));
    conversation_pop(&c);
    assert_int_equal(c.messages.n, 39);
    assert_true(span_is(c.messages.at[38].content, "text"));
    conversation_clear(&c);
    assert_int_equal(c.messages.n, 0);
    assert_true(conversation_keep(&c, (Span){NULL, 0}).n == 0);
    conversation_drop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
