#include "infer/chatmodel.h"

#include "base/clock.h"
#include "base/scratch_test.h"

static ChatModel *model;
static Conversation talk;
static ChatAnswer answer;

static void open_script(const char *text)
{
    scratch_text("turns.jsonl", text);
    if (chatmodel_script_open(&model, in_scratch("turns.jsonl"), SCRIPT_BY_HASH) != ST_OK)
        fail_msg("%s", error_text());
}

static int drop_all(void **state)
{
    conversation_drop(&talk);
    chatmodel_answer_drop(&answer);
    return scratch_remove(state);
}

static Status ask(void)
{
    ChatCall call = chatmodel_call(&talk);
    return chatmodel_ask(model, &call, &answer);
}

static void begin(const char *text)
{
    conversation_clear(&talk);
    conversation_add(&talk, CHAT_SYSTEM, span("Tables of a zoo, and of a new zoo."));
    conversation_add(&talk, CHAT_USER, span(text));
}

static void expect(const char *says, bool mute)
{
    if (ask() != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&answer.text), says);
    assert_int_equal(answer.mute, mute);
    conversation_add(&talk, CHAT_ASSISTANT, str_span(&answer.text));
    conversation_add(&talk, CHAT_USER, span("Output: zoo"));
}

static const char zoos[] =
    "{\"contains\": \"zoo\", \"turns\": [\"short\"]}\n"
    "{\"contains\": \"new zoo\", \"turns\": [{\"text\": \"one\", \"learn\": false}, "
    "{\"text\": \"two\", \"learn\": true}, \"three\"]}\n"
    "{\"messages\": [{\"role\": \"user\", \"content\": \"new zoo\"}], \"text\": \"hashed\"}\n";

/* The longest text, in the first user message and in no other, as often as one likes. */
static void a_task_is_answered_turn_by_turn(void **state)
{
    (void)state;
    open_script(zoos);
    for (int i = 0; i < 2; i++) {
        begin("Rules.\nWhere is the new zoo?\n");
        expect("one", true);
        expect("two", false);
        expect("three", false);
        assert_int_equal(ask(), ST_LIMIT);
        expect_words("no answer after the 3");
    }
    begin("zoo");
    expect("short", false);
    begin("the new zo");
    assert_int_equal(ask(), ST_ARG);
    expect_words("differs from every recorded one");
    begin("");
    assert_int_equal(ask(), ST_ARG);
    conversation_clear(&talk);
    conversation_add(&talk, CHAT_USER, span("new zoo"));
    expect("hashed", false);
    conversation_clear(&talk);
    conversation_add(&talk, CHAT_SYSTEM, span("new zoo"));
    assert_int_equal(ask(), ST_ARG);
    chatmodel_close(model);
}

static void expect_broken(const char *line, const char *words)
{
    scratch_text("broken.jsonl", line);
    assert_int_equal(chatmodel_script_open(&model, in_scratch("broken.jsonl"), SCRIPT_BY_HASH), ST_FORMAT);
    expect_words(words);
}

static void broken_lines_are_named(void **state)
{
    (void)state;
    expect_broken("{\"contains\": 3, \"turns\": [\"a\"]}", "line 1: \"contains\" is no text");
    expect_broken("{\"contains\": \"\", \"turns\": [\"a\"]}", "or an empty one");
    expect_broken("{\"contains\": \"a\"}", "no array \"turns\"");
    expect_broken("{\"contains\": \"a\", \"turns\": []}", "with an answer or more");
    expect_broken("{\"contains\": \"a\", \"turns\": [\"b\", 3]}", "turn 2 is neither");
    expect_broken("{\"contains\": \"a\", \"turns\": [{\"text\": \"b\", \"learn\": 0}]}", "turn 1 is neither");
    expect_broken("{\"contains\": \"a\", \"turns\": [{\"learn\": false}]}", "turn 1 is neither");
    expect_broken("{\"contains\": \"a\", \"turns\": [\"b\"]}\n{\"contains\": \"a\", \"turns\": [\"c\"]}",
                  "line 2: an earlier line");
    scratch_text("broken.jsonl", zoos);
    assert_int_equal(chatmodel_script_open(&model, in_scratch("broken.jsonl"), SCRIPT_IN_ORDER), ST_FORMAT);
    expect_words("given in order");
}

/* Texts that begin and end alike, of many lengths. */
static void thousands_are_told_apart(void **state)
{
    (void)state;
    enum { TASKS = 5000 };
    Str script = {0};
    for (int i = 0; i < TASKS; i++)
        str_addf(
            &script,
            "{\"contains\": \"How many %.*s pens does Anna, who had %d, have now?\", \"turns\": [\"%d\"]}\n",
            i % 60, "blue and green and red and white and black and yellow and grey", i, i);
    open_script(str_c(&script));
    double start = clock_now();
    for (int i = 0; i < TASKS; i++) {
        Str text = {0};
        char says[16];
        str_addf(&text, "%0600d\nHow many %.*s pens does Anna, who had %d, have now?\nAnswer.", 0, i % 60,
                 "blue and green and red and white and black and yellow and grey", i);
        begin(str_c(&text));
        snprintf(says, sizeof says, "%d", i);
        expect(says, false);
        str_drop(&text);
    }
    printf("%.0f answers/s among %d tasks\n", TASKS / (clock_now() - start), TASKS);
    chatmodel_close(model);
    str_drop(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_answered_turn_by_turn),
        cmocka_unit_test(broken_lines_are_named),
        cmocka_unit_test(thousands_are_told_apart),
    };
    return cmocka_run_group_tests(tests, scratch_make, drop_all);
}
