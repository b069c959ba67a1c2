#include "infer/chatmodel.h"

#include "base/scratch_test.h"
#include "base/thread.h"

static ChatModel *model;
static Conversation talk;
static ChatAnswer answer;

static void open_script(const char *text, ScriptOrder order)
{
    scratch_text("script.jsonl", text);
    if (chatmodel_script_open(&model, in_scratch("script.jsonl"), order) != ST_OK)
        fail_msg("%s", error_text());
}

static void close_script(void)
{
    chatmodel_close(model);
    chatmodel_answer_drop(&answer);
    conversation_clear(&talk);
}

static int drop_talk(void **state)
{
    conversation_drop(&talk);
    return scratch_remove(state);
}

static Status ask(const char *text)
{
    conversation_clear(&talk);
    conversation_add(&talk, CHAT_USER, span(text));
    ChatCall call = chatmodel_call(&talk);
    return chatmodel_ask(model, &call, &answer);
}

static void expect(const char *text, const char *says)
{
    if (ask(text) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&answer.text), says);
}

static void lines_are_given_in_order_until_there_are_none(void **state)
{
    (void)state;
    open_script("{\"text\": \"one\", \"finish\": \"length\", \"prompt_tokens\": 7, \"completion_tokens\": 2, "
                "\"seconds\": 1.5, \"retries\": 1, \"who\": \"gpt-4\"}\n\n  \n"
                "{\"error\": \"it was too late\", \"finish\": \"deadline\"}\n"
                "{\"error\": \"the server fell over\"}\n"
                "{\"error\": \"not this\", \"finish\": \"refused\"}\n"
                "{\"text\": \"last\"}",
                SCRIPT_IN_ORDER);
    expect("any", "one");
    assert_int_equal(answer.finish, CHAT_FINISH_LENGTH);
    assert_true(answer.counted && answer.prompt_tokens == 7 && answer.completion_tokens == 2);
    assert_true(answer.seconds >= 1.5 && answer.seconds <= 1.5);
    assert_int_equal(answer.retries, 1);
    assert_int_equal(ask("any"), ST_LIMIT);
    assert_int_equal(answer.finish, CHAT_FINISH_DEADLINE);
    expect_words("it was too late");
    assert_int_equal(ask("any"), ST_PEER);
    assert_int_equal(answer.finish, CHAT_FINISH_FAILED);
    assert_int_equal(ask("any"), ST_ARG);
    assert_int_equal(answer.finish, CHAT_FINISH_REFUSED);
    expect("any", "last");
    assert_int_equal(answer.finish, CHAT_FINISH_STOP);
    assert_false(answer.counted);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask("any"), ST_LIMIT);
        expect_words("has run out: all its 5 answers");
    }
    close_script();
}

/* Added up over a run they would run over. */
static void numbers_that_no_call_has_are_none(void **state)
{
    (void)state;
    open_script("{\"text\": \"a\", \"prompt_tokens\": 9223372036854775807, \"completion_tokens\": 1}\n"
                "{\"text\": \"b\", \"prompt_tokens\": 1, \"completion_tokens\": -5, \"retries\": -1}\n"
                "{\"text\": \"c\", \"prompt_tokens\": 1, \"completion_tokens\": 1000000, \"retries\": 3}\n",
                SCRIPT_IN_ORDER);
    for (int i = 0; i < 2; i++) {
        expect("any", i ? "b" : "a");
        assert_false(answer.counted || answer.prompt_tokens || answer.completion_tokens || answer.retries);
    }
    expect("any", "c");
    assert_true(answer.counted && answer.completion_tokens == 1000000 && answer.retries == 3);
    close_script();
}

static void another_prompt_is_told(void **state)
{
    (void)state;
    open_script("{\"messages\": [{\"role\": \"user\", \"content\": \"What is 2 + 2?\"}], \"text\": \"4\"}\n"
                "{\"messages\": [{\"role\": \"user\", \"content\": \"What is 2 + 2?\"}], \"text\": \"4\"}\n"
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", "
                "\"content\": \"y\"}], \"text\": \"4\"}\n"
                "{\"messages_hash\": \"0123456789abcdef\", \"text\": \"4\"}\n",
                SCRIPT_IN_ORDER);
    expect("What is 2 + 2?", "4");
    assert_int_equal(ask("What is 2 + 3?"), ST_ARG);
    expect_words(
        "line 2: message 1 from byte 12 on: asked is user \"What is 2 + 3?\", recorded user \"What is");
    assert_int_equal(ask("x"), ST_ARG);
    expect_words("1 messages are asked, 2 were recorded, the first 1 are the same");
    assert_int_equal(ask("x"), ST_ARG);
    expect_words("recorded 0123456789abcdef");
    close_script();
}

static void answers_are_found_by_their_messages(void **state)
{
    (void)state;
    Str script = {0};
    Conversation c = {0};
    conversation_add(&c, CHAT_USER, span("b"));
    str_addf(&script,
             "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"text\": \"a1\"}\n"
             "{\"messages_hash\": \"%016llx\", \"text\": \"b1\"}\n"
             "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"text\": \"a2\"}\n",
             (unsigned long long)chatmodel_hash(&c));
    open_script(str_c(&script), SCRIPT_BY_HASH);
    expect("b", "b1");
    expect("a", "a1");
    expect("a", "a2");
    assert_int_equal(ask("a"), ST_LIMIT);
    expect_words("run out of answers to these messages");
    assert_int_equal(ask("c"), ST_ARG);
    expect_words("differs from every recorded one");
    close_script();
    str_drop(&script);
    conversation_drop(&c);
}

static void expect_broken(const char *text, ScriptOrder order, const char *words)
{
    scratch_text("broken.jsonl", text);
    assert_int_equal(chatmodel_script_open(&model, in_scratch("broken.jsonl"), order), ST_FORMAT);
    expect_words(words);
}

static void broken_scripts_name_the_line(void **state)
{
    (void)state;
    expect_broken("{\"text\": \"\"}\n{\"text\": ", SCRIPT_IN_ORDER, "broken.jsonl line 2: it is no JSON");
    expect_broken("[]", SCRIPT_IN_ORDER, "no object");
    expect_broken("\n{}", SCRIPT_IN_ORDER, "line 2: it has neither");
    expect_broken("{\"text\": 3}", SCRIPT_IN_ORDER, "no text there");
    expect_broken("{\"text\": \"\", \"error\": \"\"}", SCRIPT_IN_ORDER, "or both");
    expect_broken("{\"text\": \"\", \"messages\": [{}]}", SCRIPT_IN_ORDER, "line 1: ");
    expect_broken("{\"text\": \"\", \"messages_hash\": \"12\"}", SCRIPT_IN_ORDER, "16 hexadecimal digits");
    expect_broken("{\"text\": \"\", \"messages\": [], \"messages_hash\": \"0000000000000001\"}",
                  SCRIPT_IN_ORDER, "that of its messages");
    expect_broken("{\"text\": \"\"}", SCRIPT_BY_HASH, "to be found by");
    assert_int_equal(chatmodel_script_open(&model, "/nonexistent", SCRIPT_IN_ORDER), ST_IO);
}

static void what_was_written_is_replayed(void **state)
{
    (void)state;
    Str script = {0};
    Conversation c = {0};
    ChatAnswer a = {.finish = CHAT_FINISH_LENGTH,
                    .counted = true,
                    .prompt_tokens = 5,
                    .completion_tokens = 6,
                    .seconds = 0.25,
                    .retries = 2};
    str_adds(&a.text, "caf\xC3\xA9 \n\"x\"");
    conversation_add(&c, CHAT_SYSTEM, span("be \xC3 brief")); /* half a letter, as models write */
    conversation_add(&c, CHAT_USER, span("caf\xC3\xA9?"));
    ChatCall call = chatmodel_call(&c);
    chatmodel_script_line(&script, &call, &a, ST_OK);
    a.finish = CHAT_FINISH_CONTEXT;
    Status st = (fail)(ST_LIMIT, "no room");
    chatmodel_script_line(&script, &call, &a, st);
    open_script(str_c(&script), SCRIPT_BY_HASH);
    assert_int_equal(chatmodel_ask(model, &call, &answer), ST_OK);
    assert_string_equal(str_c(&answer.text), str_c(&a.text));
    assert_int_equal(answer.finish, CHAT_FINISH_LENGTH);
    assert_true(answer.counted && answer.prompt_tokens == 5 && answer.completion_tokens == 6);
    assert_true(answer.retries == 2 && answer.seconds >= 0.25 && answer.seconds <= 0.25);
    assert_int_equal(chatmodel_ask(model, &call, &answer), ST_LIMIT);
    assert_int_equal(answer.finish, CHAT_FINISH_CONTEXT);
    expect_words("no room");
    close_script();
    chatmodel_answer_drop(&a);
    str_drop(&script);
    conversation_drop(&c);
}

enum { EPISODES = 200, THREADS = 8 };

static void ask_one(void *context, int64_t task, int thread)
{
    Conversation c = {0};
    ChatAnswer a = {0};
    char text[32];
    _Atomic int *right = context;
    (void)thread;
    snprintf(text, sizeof text, "%d", (int)task / 2);
    conversation_add(&c, CHAT_USER, span(text));
    ChatCall call = chatmodel_call(&c);
    *right += chatmodel_ask(model, &call, &a) == ST_OK && strcmp(str_c(&a.text), text) == 0;
    chatmodel_answer_drop(&a);
    conversation_drop(&c);
}

static void many_ask_at_once(void **state)
{
    (void)state;
    Str script = {0};
    _Atomic int right = 0;
    for (int i = 0; i < EPISODES; i++)
        str_addf(&script, "{\"messages\": [{\"role\": \"user\", \"content\": \"%d\"}], \"text\": \"%d\"}\n",
                 i / 2, i / 2);
    open_script(str_c(&script), SCRIPT_BY_HASH);
    thread_each(EPISODES, THREADS, ask_one, &right);
    assert_int_equal(right, EPISODES);
    close_script();
    str_drop(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_given_in_order_until_there_are_none),
        cmocka_unit_test(numbers_that_no_call_has_are_none),
        cmocka_unit_test(another_prompt_is_told),
        cmocka_unit_test(answers_are_found_by_their_messages),
        cmocka_unit_test(broken_scripts_name_the_line),
        cmocka_unit_test(what_was_written_is_replayed),
        cmocka_unit_test(many_ask_at_once),
    };
    return cmocka_run_group_tests(tests, scratch_make, drop_talk);
}
