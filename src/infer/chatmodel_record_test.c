#include "infer/chatmodel_record.h"

#include "base/log.h"
#include "base/scratch_test.h"
#include "base/thread.h"

static ChatModel *inner, *recorder;

static void open_all(const char *script)
{
    log_level_set(LOG_ERROR);
    scratch_text("inner.jsonl", script);
    assert_int_equal(chatmodel_script_open(&inner, in_scratch("inner.jsonl"), SCRIPT_IN_ORDER), ST_OK);
    if (chatmodel_record_open(&recorder, inner, in_scratch("record.jsonl")) != ST_OK)
        fail_msg("%s", error_text());
}

static void close_all(void)
{
    chatmodel_close(recorder);
    chatmodel_close(inner);
}

static Status ask(ChatModel *m, const char *text, ChatAnswer *a)
{
    Conversation c = {0};
    conversation_add(&c, CHAT_USER, span(text));
    ChatCall call = chatmodel_call(&c);
    Status st = chatmodel_ask(m, &call, a);
    conversation_drop(&c);
    return st;
}

static void what_was_recorded_replays(void **state)
{
    (void)state;
    ChatAnswer a = {0};
    scratch_text("record.jsonl", "");
    open_all("{\"text\": \"one\\n\", \"prompt_tokens\": 5, \"completion_tokens\": 1, \"seconds\": 2}\n"
             "{\"error\": \"no more room\", \"finish\": \"context\"}\n{\"text\": \"three\"}\n");
    assert_string_equal(chatmodel_name(recorder), chatmodel_name(inner));
    assert_int_equal(ask(recorder, "a", &a), ST_OK);
    assert_int_equal(ask(recorder, "b", &a), ST_LIMIT);
    assert_string_equal(error_text(), "no more room");
    assert_int_equal(a.finish, CHAT_FINISH_CONTEXT);
    close_all();
    /* A second run goes on in the same file. */
    open_all("{\"text\": \"three\"}\n");
    assert_int_equal(ask(recorder, "c", &a), ST_OK);
    close_all();
    ChatModel *script;
    if (chatmodel_script_open(&script, in_scratch("record.jsonl"), SCRIPT_BY_HASH) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(ask(script, "c", &a), ST_OK);
    assert_string_equal(str_c(&a.text), "three");
    assert_int_equal(ask(script, "b", &a), ST_LIMIT);
    assert_string_equal(error_text(), "no more room");
    assert_int_equal(ask(script, "a", &a), ST_OK);
    assert_string_equal(str_c(&a.text), "one\n");
    assert_true(a.counted && a.prompt_tokens == 5 && a.completion_tokens == 1);
    assert_true(a.seconds >= 2 && a.seconds <= 2);
    chatmodel_close(script);
    chatmodel_answer_drop(&a);
}

/* The recording gives these two answers, and no other. */
static void expect_kept_and_new(void)
{
    ChatAnswer a = {0};
    ChatModel *script;
    assert_int_equal(chatmodel_script_open(&script, in_scratch("record.jsonl"), SCRIPT_IN_ORDER), ST_OK);
    assert_int_equal(ask(script, "x", &a), ST_OK);
    assert_string_equal(str_c(&a.text), "kept");
    assert_int_equal(ask(script, "x", &a), ST_OK);
    assert_string_equal(str_c(&a.text), "new");
    assert_int_equal(ask(script, "x", &a), ST_LIMIT);
    chatmodel_close(script);
    chatmodel_answer_drop(&a);
}

static void half_a_line_is_taken_away(void **state)
{
    (void)state;
    ChatAnswer a = {0};
    scratch_text("record.jsonl", "{\"text\": \"kept\"}\n{\"messages\":[{\"role\":\"user\",\"content\":\"torn");
    open_all("{\"text\": \"new\"}\n");
    assert_int_equal(ask(recorder, "x", &a), ST_OK);
    close_all();
    expect_kept_and_new();
    chatmodel_answer_drop(&a);
}

/* What somebody else has written is never cut. */
static void only_recordings_are_gone_on_with(void **state)
{
    (void)state;
    static const char *const foreign[] = {"a note without a line end",
                                          "a\nb",
                                          "two\nnotes\n",
                                          "{\"text\": \"kept\"}\n{\"text\": \"torn",
                                          "notes\n{\"messages\":[",
                                          "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}",
                                          "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n",
                                          "[1]\n",
                                          "{\"a\": 1,\n \"b\": 2}"};
    open_all("{\"text\": \"x\"}\n");
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        ChatModel *second = NULL;
        scratch_text("notes", foreign[i]);
        assert_int_equal(chatmodel_record_open(&second, inner, in_scratch("notes")), ST_ARG);
        assert_non_null(strstr(error_text(), "is no recording"));
        Str kept = scratch_read("notes");
        assert_string_equal(str_c(&kept), foreign[i]);
        str_drop(&kept);
    }
    close_all();
}

static void a_missing_line_end_is_written(void **state)
{
    (void)state;
    ChatAnswer a = {0};
    static const char *const begun[] = {"{\"text\": \"kept\"}", "{\"text\": \"kept\"}\n\n  "};
    for (size_t i = 0; i < 2; i++) {
        scratch_text("record.jsonl", begun[i]);
        open_all("{\"text\": \"new\"}\n");
        assert_int_equal(ask(recorder, "x", &a), ST_OK);
        close_all();
        expect_kept_and_new();
    }
    chatmodel_answer_drop(&a);
}

static void one_recorder_a_file(void **state)
{
    (void)state;
    ChatModel *second = NULL;
    open_all("{\"text\": \"x\"}\n");
    assert_int_equal(chatmodel_record_open(&second, inner, in_scratch("record.jsonl")), ST_ARG);
    assert_non_null(strstr(error_text(), "another process records"));
    assert_int_equal(chatmodel_record_open(&second, inner, in_scratch("absent/x")), ST_IO);
    assert_null(second);
    close_all();
}

static void a_full_disk_ends_it(void **state)
{
    (void)state;
    ChatAnswer a = {0};
    if (!path_exists("/dev/full")) {
        print_message("SKIP no /dev/full here\n");
        skip();
    }
    scratch_text("inner.jsonl", "{\"text\": \"x\"}\n");
    assert_int_equal(chatmodel_script_open(&inner, in_scratch("inner.jsonl"), SCRIPT_IN_ORDER), ST_OK);
    assert_int_equal(chatmodel_record_open(&recorder, inner, "/dev/full"), ST_OK);
    assert_int_equal(ask(recorder, "x", &a), ST_IO);
    assert_non_null(strstr(error_text(), "cannot be recorded in /dev/full"));
    assert_int_equal(a.text.n, 0);
    close_all();
    chatmodel_answer_drop(&a);
}

enum { CALLS = 200 };

static void ask_one(void *context, int64_t task, int thread)
{
    (void)context;
    (void)thread;
    ChatAnswer a = {0};
    char text[32];
    snprintf(text, sizeof text, "question %lld", (long long)task);
    if (ask(recorder, text, &a) != ST_OK)
        abort();
    chatmodel_answer_drop(&a);
}

static void lines_of_many_threads_are_whole(void **state)
{
    (void)state;
    Str lines = {0};
    ChatAnswer a = {0};
    for (int i = 0; i < CALLS; i++)
        str_addf(&lines, "{\"text\": \"answer %d\"}\n", i);
    scratch_text("record.jsonl", "");
    open_all(str_c(&lines));
    thread_each(CALLS, 8, ask_one, NULL);
    close_all();
    ChatModel *script;
    assert_int_equal(chatmodel_script_open(&script, in_scratch("record.jsonl"), SCRIPT_BY_HASH), ST_OK);
    for (int i = 0; i < CALLS; i++) {
        char text[32];
        snprintf(text, sizeof text, "question %d", i);
        assert_int_equal(ask(script, text, &a), ST_OK);
    }
    chatmodel_close(script);
    chatmodel_answer_drop(&a);
    str_drop(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_replays),
        cmocka_unit_test(half_a_line_is_taken_away),
        cmocka_unit_test(only_recordings_are_gone_on_with),
        cmocka_unit_test(a_missing_line_end_is_written),
        cmocka_unit_test(one_recorder_a_file),
        cmocka_unit_test(a_full_disk_ends_it),
        cmocka_unit_test(lines_of_many_threads_are_whole),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
