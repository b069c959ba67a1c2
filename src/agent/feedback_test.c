#include "agent/feedback.h"

#include <string.h>

#include "agent/scripted_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char template[] = "Ex:{in_context_example}\nTools:{tool_desc}\nPath:{trajectory}\n{correct_solution}";

static void talk(Conversation *c)
{
    conversation_add(c, CHAT_SYSTEM, span(""));
    conversation_add(c, CHAT_USER, span("rules\n---\nexample Task: no\n---\nnow\nTask:\n1 + 1?---\nwell"));
    conversation_add(c, CHAT_ASSISTANT, span("Assistant:\n<solution>3</solution>\n"));
}

static void prompt_shows_the_path_and_withholds(void **state)
{
    (void)state;
    Conversation c = {0};
    Str out = {0};
    talk(&c);
    Feedback f = {.template = span(template), .example = span("rules Task: a"), .tools = span("t")};
    assert_int_equal(feedback_prompt(&out, &f, &c, span("Observation:\nwrong\n")), ST_OK);
    assert_string_equal(str_c(&out),
                        "Ex:Task: a\nTools:t\nPath:Task:\n1 + 1?---\nwell\nAssistant:\n<solution>3</solution>\n\n"
                        "Observation:\nwrong\n\nCorrect solution (please DO NOT disclose the correct solution to "
                        "the assistant): NOT GIVEN\n");
    str_clear(&out);
    f.solution = span(" 2\n");
    assert_int_equal(feedback_prompt(&out, &f, &c, span("")), ST_OK);
    assert_non_null(strstr(str_c(&out), "the assistant): 2\n"));
    f.template = span("{other}");
    assert_int_equal(feedback_prompt(&out, &f, &c, span("")), ST_FORMAT);
    conversation_drop(&c);
    str_drop(&out);
}

static Status ask(Str *out, const char *says, FeedbackForm form, ChatFinish finish)
{
    const char *const lines[] = {says, NULL};
    Scripted s = {.lines = lines, .fails = finish == CHAT_FINISH_CONTEXT ? ST_LIMIT : ST_PEER, .finish = finish};
    ChatModel *m = scripted_model(&s);
    Conversation c = {0};
    ChatAnswer answer = {0};
    talk(&c);
    str_clear(out);
    Feedback f = {.model = m, .template = span(template), .form = form};
    Status st = feedback_ask(out, &answer, &f, &c, span("Observation:\n"));
    assert_int_equal(s.call.max_tokens, 1024);
    assert_int_equal(s.call.stops_n, 3);
    conversation_drop(&c);
    chatmodel_answer_drop(&answer);
    chatmodel_close(m);
    return st;
}

static void words_or_good_and_bad(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(ask(&out, "Look at 1. GOOD", FEEDBACK_TEXT, CHAT_FINISH_FAILED), ST_OK);
    assert_string_equal(str_c(&out), "Look at 1. GOOD");
    assert_int_equal(ask(&out, "That is GOOD, not BAD. Go on.", FEEDBACK_BINARY, CHAT_FINISH_FAILED), ST_OK);
    assert_string_equal(str_c(&out), "This is GOOD.");
    assert_int_equal(ask(&out, "It is BAD.", FEEDBACK_BINARY, CHAT_FINISH_FAILED), ST_OK);
    assert_string_equal(str_c(&out), "This is BAD.");
    assert_int_equal(ask(&out, "Fine. GOOD.", FEEDBACK_BINARY, CHAT_FINISH_FAILED), ST_OK);
    assert_string_equal(str_c(&out), ""); /* the first sentence decides */
    assert_int_equal(ask(&out, "GOOD", FEEDBACK_BINARY, CHAT_FINISH_FAILED), ST_OK);
    assert_string_equal(str_c(&out), "");
    str_drop(&out);
}

static void a_full_context_is_passed_over_a_dead_server_is_not(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(ask(&out, NULL, FEEDBACK_TEXT, CHAT_FINISH_CONTEXT), ST_OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(ask(&out, NULL, FEEDBACK_TEXT, CHAT_FINISH_FAILED), ST_PEER);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompt_shows_the_path_and_withholds),
        cmocka_unit_test(words_or_good_and_bad),
        cmocka_unit_test(a_full_context_is_passed_over_a_dead_server_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
