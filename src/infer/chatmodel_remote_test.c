#include "base/http_server_test.h"
#include "base/log.h"
#include "base/thread.h"
#include "infer/chatmodel.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define KEY "sk-secret-0123456789"
#define GOOD                                                                                            \
    "{\"id\": \"x\", \"choices\": [{\"index\": 0, \"message\": {\"role\": \"assistant\", \"content\": " \
    "\"four\"}, "                                                                                       \
    "\"finish_reason\": \"stop\"}], \"usage\": {\"prompt_tokens\": 12, \"completion_tokens\": 3}}"

typedef struct {
    TestServer server;
    ChatRemoteSetup setup;
    ChatModel *m;
    Conversation c;
    ChatCall call;
    ChatAnswer a;
} Fixture;

static void begin(Fixture *f)
{
    memset(f, 0, sizeof *f);
    server_start(&f->server);
    f->setup = (ChatRemoteSetup){.base_url = f->server.url,
                                 .model = "tiny",
                                 .key_variable = "CHATMODEL_TEST_KEY",
                                 .idle_s = 20,
                                 .retries = 2,
                                 .retry_wait_s = 0.002};
    setenv("CHATMODEL_TEST_KEY", KEY, 1);
    conversation_add(&f->c, CHAT_SYSTEM, span("Be brief."));
    conversation_add(&f->c, CHAT_USER, span("2 + 2?"));
    f->call = chatmodel_call(&f->c);
}

static void open_model(Fixture *f)
{
    chatmodel_close(f->m);
    if (chatmodel_remote_open(&f->m, &f->setup) != ST_OK)
        fail_msg("%s", error_text());
}

static void end(Fixture *f)
{
    chatmodel_close(f->m);
    chatmodel_answer_drop(&f->a);
    conversation_drop(&f->c);
    server_stop(&f->server);
}

static Status ask(Fixture *f)
{
    if (!f->m)
        open_model(f);
    Status st = chatmodel_ask(f->m, &f->call, &f->a);
    if (st != ST_OK) {
        assert_null(strstr(error_text(), KEY));
        assert_null(strchr(error_text(), '\n'));
        assert_non_null(strstr(error_text(), "/chat/completions"));
        assert_int_equal(f->a.text.n, 0);
    }
    return st;
}

static void expect_good(Fixture *f, int64_t retries)
{
    if (ask(f) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&f->a.text), "four");
    assert_int_equal(f->a.finish, CHAT_FINISH_STOP);
    assert_true(f->a.counted && f->a.prompt_tokens == 12 && f->a.completion_tokens == 3);
    assert_int_equal(f->a.retries, retries);
    assert_true(f->a.seconds > 0);
}

static void expect(Fixture *f, Status st, int64_t retries, const char *words)
{
    int before = f->server.requests;
    assert_int_equal(ask(f), st);
    assert_int_equal(f->a.retries, retries);
    if (!strstr(error_text(), words))
        fail_msg("\"%s\" does not say \"%s\"", error_text(), words);
    assert_true(f->server.requests - before <= retries + 1); /* fewer: it was not read in time */
}

static void says(const Fixture *f, const char *words)
{
    if (!strstr(str_c(&f->server.last), words))
        fail_msg("the request\n%s\ndoes not say \"%s\"", str_c(&f->server.last), words);
}

static void asks_as_openai_wants_it(void **state)
{
    (void)state;
    static const char *const stops[] = {"</execute>"};
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", GOOD);
    expect_good(&f, 0);
    says(&f, "POST /v1/chat/completions HTTP/1.1\r\n");
    says(&f, "Authorization: Bearer " KEY "\r\n");
    says(&f, "Content-Type: application/json\r\n");
    says(&f, "\r\n\r\n{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
             "{\"role\":\"user\",\"content\":\"2 + 2?\"}],\"temperature\":0.0}");
    f.call.max_tokens = 77;
    f.call.stops = stops;
    f.call.stops_n = 1;
    f.call.sampler.temperature = 0.5;
    f.call.sampler.top_p = 0.75;
    f.call.sampler.top_k = 20;
    f.call.sampler.seed = 9;
    expect_good(&f, 0);
    says(&f, "\"max_tokens\":77,\"stop\":[\"</"
             "execute>\"],\"temperature\":0.5,\"seed\":9,\"top_p\":0.75,\"top_k\":20}");
    assert_int_equal(f.server.connections_n, 1);
    char base[80];
    snprintf(base, sizeof base, "%s/openai/v1/", f.server.url);
    f.setup.base_url = base;
    f.setup.key_variable = NULL;
    f.setup.max_tokens_key = "max_completion_tokens";
    open_model(&f);
    expect_good(&f, 0);
    says(&f, "POST /openai/v1/chat/completions HTTP/1.1\r\n");
    says(&f, "\"max_completion_tokens\":77");
    assert_null(strstr(str_c(&f.server.last), "Authorization"));
    end(&f);
}

static void answers_may_be_short_of_things(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(
        &f.server, "200 OK", "",
        "{\"error\": null, \"choices\": [{\"message\": {\"content\": \"half\"}, \"finish_reason\": "
        "\"length\"}]}");
    server_answers(
        &f.server, "200 OK", "",
        "{\"choices\": [{\"message\": {\"content\": null}, \"finish_reason\": \"content_filter\"}]}");
    assert_int_equal(ask(&f), ST_OK);
    assert_string_equal(str_c(&f.a.text), "half");
    assert_int_equal(f.a.finish, CHAT_FINISH_LENGTH);
    assert_false(f.a.counted);
    assert_int_equal(ask(&f), ST_OK);
    assert_int_equal(f.a.finish, CHAT_FINISH_FILTER);
    assert_int_equal(f.a.text.n, 0);
    end(&f);
}

static void what_may_pass_is_tried_again(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    f.setup.retries = 9;
    f.setup.retry_wait_s = 0.0001;
    f.setup.idle_s = 0.3;
    server_answers(&f.server, "500 Oh", "", "{\"error\": {\"message\": \"oh\"}}");
    server_answers(&f.server, "503 Busy", "", "<html>busy</html>");
    server_answers(&f.server, "429 Slow", "", "{\"error\": {\"code\": \"rate_limit_exceeded\"}}");
    server_answers(&f.server, "200 OK", "", "{\"error\": {\"message\": \"upstream\", \"code\": 502}}");
    server_answers(&f.server, "200 OK", "", "");
    server_answers(&f.server, "200 OK", "", "{\"choices\": [{\"message\": {\"conte");
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"choices\"", THEN_CLOSE);
    server_reply(&f.server, "", THEN_CLOSE);
    server_reply(&f.server, "", THEN_STALL);
    server_answers(&f.server, "200 OK", "", GOOD);
    expect_good(&f, 9);
    end(&f);
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "429 Slow", "Retry-After: 1\r\n", "");
    server_answers(&f.server, "200 OK", "", GOOD);
    expect_good(&f, 1);
    assert_true(f.a.seconds >= 1);
    end(&f);
    begin(&f);
    server_answers(&f.server, "429 Slow", "Retry-After: 3600\r\n", "{\"message\": \"slow\\ndown\"}");
    expect(&f, ST_PEER, 0, "wants 3600 s of rest and the most is 60");
    assert_non_null(strstr(error_text(), "status 429: \"slow down\""));
    f.call.deadline_s = 20;
    f.setup.retry_wait_max_s = 4000;
    open_model(&f);
    expect(&f, ST_LIMIT, 0, "the deadline of 20 s leaves no time for another try");
    assert_int_equal(f.a.finish, CHAT_FINISH_DEADLINE);
    end(&f);
}

/* The last reply is given again and again. */
static void expect_once(const char *reply, Then then, Status st, int64_t retries, const char *words)
{
    Fixture f;
    begin(&f);
    f.setup.idle_s = then == THEN_STALL ? 0.06 : 20;
    f.setup.max_answer_bytes = 5000;
    server_reply(&f.server, reply, then);
    expect(&f, st, retries, words);
    assert_int_equal(f.a.finish, strstr(words, "context")      ? CHAT_FINISH_CONTEXT
                                 : strstr(words, "status 400") ? CHAT_FINISH_REFUSED
                                                               : CHAT_FINISH_FAILED);
    end(&f);
}

static void expect_status(const char *status, const char *headers, const char *body, Status st,
                          int64_t retries, const char *words)
{
    Str text = {0};
    str_addf(&text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);
    expect_once(str_c(&text), THEN_KEEP, st, retries, words);
    str_drop(&text);
}

static void what_does_not_pass_is_told(void **state)
{
    (void)state;
    expect_status(
        "401 No", "", "{\"error\": {\"message\": \"Incorrect API key: " KEY ".\"}}", ST_ARG, 0,
        "model tiny: status 401: \"Incorrect API key: ********************.\"; is the key right, and may it "
        "use this model?  It is that in CHATMODEL_TEST_KEY");
    expect_status("403 No", "", "", ST_ARG, 0, "status 403; is the key right");
    expect_status("404 No", "", "{\"detail\": \"Not Found\"}", ST_ARG, 0,
                  "status 404: \"Not Found\"; are the address and the model's name right?");
    expect_status("400 No", "", "{\"error\": \"top_k is\\tunknown\"}", ST_ARG, 0,
                  "status 400: \"top_k is unknown\"");
    expect_status("400 No", "",
                  "{\"error\": {\"code\": \"context_length_exceeded\", \"message\": \"too long\"}}", ST_LIMIT,
                  0, "longer than the context of tiny: \"too long\"");
    expect_status("429 No", "", "{\"error\": {\"code\": \"insufficient_quota\"}}", ST_PEER, 0,
                  "nothing left");
    expect_status("302 Go", "Location: /elsewhere\r\n", "", ST_ARG, 0, "/elsewhere\"; the server has moved");
    expect_status("500 Oh", "", "{\"message\": \"oh\"}", ST_PEER, 2,
                  "given up after 2 retries: http://127.0.0.1:");
    expect_status("200 OK", "", "<html>hello</html>", ST_FORMAT, 0, "no JSON from line 1, column 1 on");
    expect_status("200 OK", "", "{\"choices\": []}", ST_FORMAT, 0, "no choices");
    expect_status("200 OK", "", "{\"choices\": [{\"text\": \"x\"}]}", ST_FORMAT, 0, "no message with text");
    expect_status("200 OK", "", "{\"choices\": [{\"message\": {\"content\": 3}}]}", ST_FORMAT, 0,
                  "no message with");
    expect_status("200 OK", "", "[1, 2]", ST_FORMAT, 0, "no choices");
    expect_once("lorem ipsum\r\n\r\n", THEN_CLOSE, ST_FORMAT, 0, "does not speak HTTP");
    expect_once("HTTP/1.1 200 OK\r\n\r\n", THEN_FLOOD, ST_LIMIT, 0, "larger than");
    expect_once("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", THEN_CLOSE, ST_PEER, 2,
                "cut before the answer");
    expect_once("HTTP/1.1 200 OK\r\n\r\n{", THEN_STALL, ST_PEER, 2, "given up after 2 retries");
    expect_status("200 OK", "", "{", ST_PEER, 2, "the answer is cut off after 1 bytes");
}

static void errors_stay_on_one_short_line(void **state)
{
    (void)state;
    Fixture f;
    Str body = {0};
    begin(&f);
    str_adds(&body, "\x1B[31m<html>\r\n\r\n");
    for (int i = 0; i < 2000; i++)
        str_adds(&body, "\xC3\xA9");
    str_adds(&body, KEY);
    server_answers(&f.server, "400 No", "", str_c(&body));
    expect(&f, ST_ARG, 0, "status 400: \"[31m<html> \xC3\xA9");
    assert_true(strlen(error_text()) < 500);
    assert_non_null(strstr(error_text(), "\xC3\xA9...\""));
    str_drop(&body);
    end(&f);
}

static bool at_once(void *context)
{
    return --*(int *)context < 0;
}

/* A few looks after the request has come. */
static bool after_request(void *context)
{
    Fixture *f = context;
    static int looks;
    pthread_mutex_lock(&f->server.lock);
    looks = f->server.requests ? looks + 1 : 0;
    pthread_mutex_unlock(&f->server.lock);
    return looks > 10;
}

static void deadlines_and_callers_end_calls(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, "", THEN_STALL);
    f.call.deadline_s = 0.1;
    expect(&f, ST_LIMIT, 0, "no whole answer within the deadline of 0.1 s");
    assert_int_equal(f.a.finish, CHAT_FINISH_DEADLINE);
    assert_true(f.a.seconds >= 0.1 && f.a.seconds < 5);
    f.call.deadline_s = 0;
    int looks = 2;
    f.call.stopped = at_once;
    f.call.stopped_context = &looks;
    assert_int_equal(ask(&f), ST_CANCELLED);
    assert_int_equal(f.a.finish, CHAT_FINISH_CANCELLED);
    end(&f);
    begin(&f);
    server_answers(&f.server, "500 Oh", "Retry-After: 30\r\n", "");
    f.call.stopped = after_request; /* while it waits for the next one */
    f.call.stopped_context = &f;
    assert_int_equal(ask(&f), ST_CANCELLED);
    assert_non_null(strstr(error_text(), "waiting for another try"));
    end(&f);
}

static void an_absent_server_is_told(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    f.setup.base_url = "http://127.0.0.1:1";
    assert_int_equal(ask(&f), ST_PEER);
    assert_int_equal(f.a.retries, 2);
    assert_non_null(
        strstr(error_text(), "given up after 2 retries: http://127.0.0.1:1/v1/chat/completions: cannot"));
    f.setup.retries = -1;
    open_model(&f);
    assert_int_equal(ask(&f), ST_PEER);
    assert_int_equal(f.a.retries, 0);
    assert_non_null(strstr(error_text(), "is the address right and the server running?"));
    end(&f);
}

static void expect_no_opening(const ChatRemoteSetup *setup, const char *words)
{
    ChatModel *m = NULL;
    assert_int_equal(chatmodel_remote_open(&m, setup), ST_ARG);
    assert_null(m);
    if (!strstr(error_text(), words))
        fail_msg("\"%s\" does not say \"%s\"", error_text(), words);
    assert_null(strstr(error_text(), "sk-"));
}

static void wrong_setups_are_refused(void **state)
{
    (void)state;
    ChatRemoteSetup s = {.model = "tiny", .key_variable = "CHATMODEL_TEST_KEY"};
    expect_no_opening(&s, "address is missing");
    s.base_url = "api.example.com";
    expect_no_opening(&s, "neither http");
    s.base_url = "https://sk-1@api.example.com";
    expect_no_opening(&s, "name or password");
    s.base_url = "https://api.example.com/v1?key=sk-1";
    expect_no_opening(&s, "'?' or '#'");
    s.base_url = "https://api.example.com";
    setenv("CHATMODEL_TEST_KEY", "sk-1\nX-Evil: 1", 1);
    expect_no_opening(&s, "a line end");
    setenv("CHATMODEL_TEST_KEY", "", 1);
    expect_no_opening(&s, "CHATMODEL_TEST_KEY, which is to hold the server's key, is empty");
    unsetenv("CHATMODEL_TEST_KEY");
    expect_no_opening(&s, "is not set");
    s.model = "";
    expect_no_opening(&s, "model's name is missing");
}

enum { CALLS = 64, THREADS = 8 };

static void ask_one(void *context, int64_t task, int thread)
{
    Fixture *f = context;
    ChatAnswer a = {0};
    (void)task;
    (void)thread;
    if (chatmodel_ask(f->m, &f->call, &a) != ST_OK || strcmp(str_c(&a.text), "four") != 0)
        f->server.stop = true; /* others fail, too */
    chatmodel_answer_drop(&a);
}

static void many_ask_at_once(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", GOOD);
    open_model(&f);
    thread_each(CALLS, THREADS, ask_one, &f);
    assert_false(f.server.stop);
    assert_int_equal(f.server.requests, CALLS);
    assert_true(f.server.connections_n <= THREADS);
    end(&f);
}

int main(void)
{
    log_level_set(LOG_ERROR); /* tries are warned of */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_as_openai_wants_it),         cmocka_unit_test(answers_may_be_short_of_things),
        cmocka_unit_test(what_may_pass_is_tried_again),    cmocka_unit_test(retry_after_is_honoured),
        cmocka_unit_test(what_does_not_pass_is_told),      cmocka_unit_test(errors_stay_on_one_short_line),
        cmocka_unit_test(deadlines_and_callers_end_calls), cmocka_unit_test(an_absent_server_is_told),
        cmocka_unit_test(wrong_setups_are_refused),        cmocka_unit_test(many_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
