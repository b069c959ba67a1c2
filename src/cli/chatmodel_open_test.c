#include "cli/chatmodel_open.h"

#include "base/http_server_test.h"
#include "base/log.h"
#include "base/scratch_test.h"
#include "base/thread.h"
#include "infer/cycle_test.h"

#define ONE_MODEL "{\"object\": \"list\", \"data\": [{\"id\": \"tiny-7b\", \"object\": \"model\"}]}"
#define ANSWER                                                                                           \
    "{\"choices\": [{\"message\": {\"role\": \"assistant\", \"content\": \"four\"}, \"finish_reason\": " \
    "\"stop\"}], \"usage\": {\"prompt_tokens\": 12, \"completion_tokens\": 3}}"

static ChatModelConfig config;
static ChatModelOpened opened;

static int make_all(void **state)
{
    Device *dev;
    log_level_set(LOG_ERROR);
    unsetenv("OPENAI_API_KEY");
    if (scratch_make(state) != 0)
        return -1;
    assert_int_equal(ops_open(&dev, NULL, 1), ST_OK);
    Model *m = cycle_model(dev, CYCLE_V, 8);
    assert_int_equal(model_save(m, in_scratch("run/model"), DTYPE_F32), ST_OK);
    cycle_write_tokenizer(in_scratch("run/model"));
    model_close(m);
    device_close(dev);
    return 0;
}

static int set_defaults(void **state)
{
    (void)state;
    config_defaults(&chatmodel_table, &config);
    return 0;
}

static int drop_config(void **state)
{
    (void)state;
    config_drop(&chatmodel_table, &config);
    return 0;
}

static void set(const char *key, const char *value)
{
    if (config_set(&chatmodel_table, &config, key, value) != ST_OK)
        fail_msg("%s", error_text());
}

static void open_named(const char *model, int parallel)
{
    if (chatmodel_open_named(&opened, model, &config, parallel) != ST_OK)
        fail_msg("%s", error_text());
}

static void refused(const char *model, Status st, const char *words)
{
    assert_int_equal(chatmodel_open_named(&opened, model, &config, 1), st);
    if (!strstr(error_text(), words))
        fail_msg("'%s' lacks '%s'", error_text(), words);
    assert_null(opened.chat);
    assert_null(opened.identity);
}

static const char *of_identity(const char *key)
{
    return json_string_value(json_object_get(opened.identity, key));
}

static Status ask(const char *text, Str *answer)
{
    Conversation c = {0};
    ChatAnswer a = {0};
    conversation_add(&c, CHAT_USER, span(text));
    ChatCall call = chatmodel_call(&c);
    call.max_tokens = 2;
    Status st = chatmodel_ask(opened.chat, &call, &a);
    str_clear(answer);
    str_add(answer, str_c(&a.text), a.text.n);
    chatmodel_answer_drop(&a);
    conversation_drop(&c);
    return st;
}

static void expect(const char *text, const char *says)
{
    Str answer = {0};
    if (ask(text, &answer) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&answer), says);
    str_drop(&answer);
}

static void ask_in_thread(void *context, int64_t task, int thread)
{
    (void)context;
    (void)thread;
    Str answer = {0};
    char text[] = {(char)('a' + task), 0}, says[] = {(char)('b' + task), (char)('c' + task), 0};
    if (ask(text, &answer) != ST_OK || strcmp(str_c(&answer), says) != 0)
        abort();
    str_drop(&answer);
}

static void a_model_that_runs_here(void **state)
{
    (void)state;
    set("template", "plain");
    set("threads", "1");
    set("dtype", "f32");
    open_named(in_scratch("run"), 4);
    expect("a", "bc");
    thread_each(12, 4, ask_in_thread, NULL);
    assert_string_equal(of_identity("kind"), "local");
    assert_string_equal(of_identity("name"), "model"); /* of the run, that is */
    assert_string_equal(of_identity("template"), "plain");
    assert_string_equal(of_identity("dtype"), "f32");
    assert_int_equal(strlen(of_identity("hash")), 16);
    assert_non_null(opened.engine);
    assert_non_null(opened.tokenizer);
    int64_t pages = engine_stats(opened.engine).pages;
    char *hash = mem_str(of_identity("hash"));
    chatmodel_close_opened(&opened);
    open_named(in_scratch("run"), 1);
    assert_string_equal(of_identity("hash"), hash);
    assert_int_equal(engine_stats(opened.engine).pages * 4, pages);
    chatmodel_close_opened(&opened);
    mem_free(hash);
}

static void local_settings_are_checked(void **state)
{
    (void)state;
    refused(in_scratch("run"), ST_ARG, "--template"); /* it does not say */
    refused(in_scratch("absent"), ST_IO, "absent");
    refused("", ST_ARG, "which model?");
    set("template", "chatmel");
    refused(in_scratch("absent"), ST_ARG, "chatmel");
    set("template", "plain");
    set("server_model", "gpt-4");
    refused(in_scratch("run"), ST_ARG, "server_model 'gpt-4'");
    set("server_model", "");
    refused("http://127.0.0.1:1", ST_ARG, "template 'plain'");
}

static void a_server_and_its_only_model(void **state)
{
    (void)state;
    TestServer s;
    server_start(&s);
    server_answers(&s, "200 OK", "", ONE_MODEL);
    server_answers(&s, "200 OK", "", ANSWER);
    setenv("OPENAI_API_KEY", "sk-secret", 1); /* not for a server on this machine */
    open_named(s.url, 1);
    assert_non_null(strstr(str_c(&s.last), "GET /v1/models"));
    expect("2 + 2?", "four");
    assert_non_null(strstr(str_c(&s.last), "\"tiny-7b\""));
    assert_null(strstr(str_c(&s.last), "sk-secret"));
    assert_string_equal(of_identity("kind"), "server");
    assert_string_equal(of_identity("url"), s.url);
    assert_string_equal(of_identity("model"), "tiny-7b");
    chatmodel_close_opened(&opened);
    unsetenv("OPENAI_API_KEY");
    server_stop(&s);
}

static void a_named_key_is_sent(void **state)
{
    (void)state;
    TestServer s;
    server_start(&s);
    server_answers(&s, "200 OK", "", ANSWER);
    setenv("CHATMODEL_OPEN_TEST_KEY", "sk-secret", 1);
    set("key_variable", "CHATMODEL_OPEN_TEST_KEY");
    set("server_model", "gpt-4");
    set("max_tokens_key", "max_completion_tokens");
    open_named(s.url, 1);
    expect("2 + 2?", "four");
    assert_non_null(strstr(str_c(&s.last), "Authorization: Bearer sk-secret"));
    assert_non_null(strstr(str_c(&s.last), "\"max_completion_tokens\""));
    chatmodel_close_opened(&opened);
    set("key_variable", "CHATMODEL_OPEN_TEST_ABSENT");
    refused(s.url, ST_ARG, "CHATMODEL_OPEN_TEST_ABSENT");
    server_stop(&s);
}

static void a_server_with_several_models(void **state)
{
    (void)state;
    TestServer s;
    server_start(&s);
    server_answers(&s, "200 OK", "", "{\"data\": [{\"id\": \"big\"}, {\"id\": \"small\"}]}");
    server_answers(&s, "200 OK", "", "{\"data\": []}");
    server_answers(&s, "404 Not Found", "", "nothing here");
    server_answers(&s, "200 OK", "", "<html>");
    server_reply(&s, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", THEN_CLOSE);
    refused(s.url, ST_ARG, "big, small");
    refused(s.url, ST_ARG, "--server-model");
    refused(s.url, ST_ARG, "404");
    refused(s.url, ST_FORMAT, "which models there are");
    refused(s.url, ST_PEER, s.url);
    server_stop(&s);
    refused("http://", ST_ARG, "http://");
    refused("https://user:word@host/v1", ST_ARG, "");
}

static void scripts(void **state)
{
    (void)state;
    scratch_text("plain.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
    char *plain = mem_format("script:%s", in_scratch("plain.jsonl"));
    char *record = mem_format("script:%s", in_scratch("record.jsonl"));
    set("record", in_scratch("record.jsonl"));
    open_named(plain, 1);
    expect("a", "one");
    expect("b", "two");
    assert_string_equal(of_identity("order"), "in_order");
    assert_int_equal(strlen(of_identity("hash")), 16);
    chatmodel_close_opened(&opened);
    set("record", "");
    open_named(record, 1);
    assert_string_equal(of_identity("order"), "by_hash");
    expect("b", "two");
    expect("a", "one");
    chatmodel_close_opened(&opened);
    refused("script:/absent/file", ST_IO, "/absent/file");
    scratch_text("plain.jsonl", "{\"text\": 1}\n");
    refused(plain, ST_FORMAT, "line 1");
    mem_free(plain);
    mem_free(record);
}

static void a_second_table_has_the_same_fields(void **state)
{
    (void)state;
    ChatModelTable second;
    ChatModelConfig other = {0};
    chatmodel_table_prefixed(&second, "feedback");
    config_defaults(&second.table, &other);
    Args args;
    char verb[] = "eval", a[] = "--feedback-server-model", b[] = "gpt-4", c[] = "--server-model=mine",
         d[] = "--feedback-threads=3";
    char *argv[] = {verb, a, b, c, d};
    const ArgsTable tables[] = {{&chatmodel_table, &config}, {&second.table, &other}};
    assert_int_equal(args_parse(&args, 5, argv, NULL, 0, tables, 2), ST_OK);
    assert_string_equal(other.server_model, "gpt-4");
    assert_string_equal(config.server_model, "mine");
    assert_int_equal(other.threads, 3);
    assert_int_equal(config.threads, 0);
    assert_true(other.timeout >= 600 && other.timeout <= 600);
    args_drop(&args);
    config_drop(&second.table, &other);
    chatmodel_table_drop(&second);
    chatmodel_table_drop(&second);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_defaults, drop_config)
    const struct CMUnitTest tests[] = {
        TEST(a_model_that_runs_here),
        TEST(local_settings_are_checked),
        TEST(a_server_and_its_only_model),
        TEST(a_named_key_is_sent),
        TEST(a_server_with_several_models),
        TEST(scripts),
        TEST(a_second_table_has_the_same_fields),
    };
    return cmocka_run_group_tests(tests, make_all, scratch_remove);
}
