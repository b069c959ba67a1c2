#include "base/scratch_test.h"
#include "tokenizer/chat.h"

static void assert_parsed(const char *style, const char *text, const char *content, const char *calls)
{
    ChatTemplate *t;
    Str got = {0};
    json_t *found = NULL, *want = calls ? json_loads(calls, 0, NULL) : NULL;
    assert_int_equal(chat_template_open(&t, style), ST_OK);
    chat_parse_answer(t, span(text), &got, &found);
    assert_string_equal(str_c(&got), content);
    if (calls ? !json_equal(found, want) : found != NULL)
        fail_msg("other calls than %s in %s", calls ? calls : "none", text);
    str_drop(&got);
    json_decref(found);
    json_decref(want);
    chat_template_free(t);
}

#define CALL "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>"
#define F "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"

static void test_tagged(void **state)
{
    (void)state;
    assert_parsed("chatml", "no call", "no call", NULL);
    assert_parsed("chatml", "", "", NULL);
    assert_parsed("chatml", CALL, "", "[" F "]");
    assert_parsed("chatml", "Well.\n" CALL "\n" CALL, "Well.", "[" F "," F "]");
    assert_parsed("chatml", "<tool_call>{\"name\": \"f\", \"parameters\": {\"x\": 1}}</tool_call> so", " so",
                  "[" F "]");
    assert_parsed("chatml", "a <tool_call>{broken</tool_call> b", "a <tool_call>{broken</tool_call> b", NULL);
    assert_parsed("chatml", "<tool_call>{broken\n" CALL, "<tool_call>{broken", "[" F "]");
    assert_parsed("chatml", "<tool_call>" F, "<tool_call>" F, NULL); /* no end */
    assert_parsed("chatml", "<tool_call>{\"name\": \"f\"}</tool_call>",
                  "<tool_call>{\"name\": \"f\"}</tool_call>", NULL);
    assert_parsed("chatml", "<tool_call>[]</tool_call>", "<tool_call>[]</tool_call>", NULL);
}

static void test_bare(void **state)
{
    (void)state;
    assert_parsed("llama-3.1", "{\"name\": \"f\", \"parameters\": {\"x\": 1}}", "", "[" F "]");
    assert_parsed("llama-3.1", "<|python_tag|>" F, "", "[" F "]");
    assert_parsed("llama-3.1", "so " F, "so " F, NULL);
    assert_parsed("llama-3.1", "{\"name\": 3}", "{\"name\": 3}", NULL);
    assert_parsed("llama-3", F, F, NULL); /* knows no tools */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tagged), cmocka_unit_test(test_bare)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
