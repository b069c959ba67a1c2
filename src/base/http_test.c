#include "base/http.h"

#include "base/clock.h"
#include "base/http_server_test.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

typedef struct {
    TestServer server;
    HttpClient *client;
    HttpCall call;
    HttpReply reply;
} Fixture;

static Fixture *begin(Fixture *f)
{
    memset(f, 0, sizeof *f);
    server_start(&f->server);
    assert_int_equal(http_open(&f->client), ST_OK);
    f->call = (HttpCall){.url = f->server.url, .connect_s = 5, .idle_s = 20, .limit = 1000};
    return f;
}

static void end(Fixture *f)
{
    http_reply_drop(&f->reply);
    http_close(f->client);
    server_stop(&f->server);
}

static void expect(Fixture *f, Status st, const char *words)
{
    assert_int_equal(http_exchange(f->client, &f->call, &f->reply), st);
    if (st != ST_OK && !strstr(error_text(), words))
        fail_msg("\"%s\" does not say \"%s\"", error_text(), words);
    if (st != ST_OK)
        assert_non_null(strstr(error_text(), f->call.url));
}

static void asks_and_is_answered(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    static const char *const headers[] = {"X-One: 1", "X-Two: 2"};
    server_answers(&f.server, "200 OK", "", "first");
    server_answers(&f.server, "503 Busy", "Retry-After: 7\r\n", "");
    server_answers(&f.server, "301 Moved", "Location: http://elsewhere/\r\n", "gone");
    f.call.headers = headers;
    f.call.headers_n = 2;
    expect(&f, ST_OK, "");
    assert_int_equal(f.reply.status, 200);
    assert_string_equal(str_c(&f.reply.body), "first");
    assert_non_null(strstr(str_c(&f.server.last), "GET / HTTP/1.1\r\n"));
    assert_non_null(strstr(str_c(&f.server.last), "X-One: 1\r\nX-Two: 2\r\n"));
    f.call.post = "question";
    f.call.post_n = 8;
    expect(&f, ST_OK, "");
    assert_int_equal(f.reply.status, 503);
    assert_true(f.reply.retry_after_s == 7);
    assert_int_equal(f.reply.body.n, 0);
    assert_non_null(strstr(str_c(&f.server.last), "POST / HTTP/1.1\r\n"));
    assert_non_null(strstr(str_c(&f.server.last), "\r\n\r\nquestion"));
    expect(&f, ST_OK, "");
    assert_int_equal(f.reply.status, 301);
    assert_string_equal(str_c(&f.reply.location), "http://elsewhere/");
    assert_string_equal(str_c(&f.reply.body), "gone");
    assert_int_equal(f.server.connections_n, 1); /* kept */
    end(&f);
}

static void what_a_server_does_wrong_is_told_apart(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", THEN_CLOSE);
    server_reply(&f.server, "", THEN_CLOSE);
    server_reply(&f.server, "lorem ipsum\r\n\r\ndolor sit amet", THEN_CLOSE);
    server_reply(&f.server, "HTTP/1.1 200 OK\r\n\r\n", THEN_FLOOD);
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", THEN_STALL);
    server_reply(&f.server, "", THEN_STALL);
    expect(&f, ST_PEER, "cut before the answer");
    assert_true(f.reply.passing);
    expect(&f, ST_PEER, "cut before the answer");
    assert_true(f.reply.passing);
    expect(&f, ST_FORMAT, "does not speak HTTP");
    assert_false(f.reply.passing);
    expect(&f, ST_LIMIT, "larger than 1");
    assert_true(f.reply.body.n <= f.call.limit);
    assert_false(f.reply.late);
    f.call.idle_s = 0.1;
    expect(&f, ST_PEER, "nothing came for 0.1 s");
    assert_true(f.reply.passing);
    expect(&f, ST_PEER, "nothing came for 0.1 s");
    end(&f);
}

static bool soon(void *context)
{
    return --*(int *)context < 0;
}

static void deadline_and_caller_end_it(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, "", THEN_STALL);
    f.call.until = clock_now() + 0.1;
    expect(&f, ST_LIMIT, "deadline");
    assert_true(f.reply.late && !f.reply.passing);
    f.call.until = 0;
    int asked = 2;
    f.call.stopped = soon;
    f.call.context = &asked;
    expect(&f, ST_CANCELLED, "stopped");
    end(&f);
}

static void absent_servers_and_wrong_addresses(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", "");
    char secure[80];
    snprintf(secure, sizeof secure, "https%s", strchr(f.server.url, ':'));
    f.call.url = secure;
    server_reply(&f.server, "no handshake", THEN_CLOSE);
    f.call.connect_s = 0.2; /* this server waits for the end of a head that never comes */
    assert_int_equal(http_exchange(f.client, &f.call, &f.reply), ST_PEER);
    f.call.url = "http://127.0.0.1:1/x";
    expect(&f, ST_PEER, "cannot be reached");
    assert_true(f.reply.passing);
    f.call.url = "ftp://127.0.0.1/x";
    assert_int_not_equal(http_exchange(f.client, &f.call, &f.reply), ST_OK);
    assert_int_equal(http_check_url("https://api.example.com/v1"), ST_OK);
    assert_int_equal(http_check_url("http://[::1]:80"), ST_OK);
    assert_int_equal(http_check_url("api.example.com"), ST_ARG);
    assert_int_equal(http_check_url("http://"), ST_ARG);
    assert_int_equal(http_check_url("http://a b/"), ST_ARG);
    assert_int_equal(http_check_url("https://me:secret@host/"), ST_ARG);
    assert_null(strstr(error_text(), "secret"));
    assert_true(http_is_local("http://localhost:3/v1") && http_is_local("http://[::1]/"));
    assert_false(http_is_local("http://127.example.com/") || http_is_local("https://example.com"));
    end(&f);
}

typedef struct {
    Str bytes;
    Status st;
    int64_t length, first, total;
} Taken;

static Status take(void *context, const HttpReply *reply, const char *bytes, size_t n)
{
    Taken *t = context;
    str_add(&t->bytes, bytes, n);
    t->length = reply->length;
    t->first = reply->first;
    t->total = reply->total;
    return t->st == ST_OK ? ST_OK : (fail)(t->st, "the disk is full");
}

static void bodies_go_elsewhere_as_they_come(void **state)
{
    (void)state;
    Fixture f;
    Taken t = {0};
    begin(&f);
    f.call.take = take;
    f.call.take_context = &t;
    f.call.limit = 3;
    server_answers(&f.server, "200 OK", "ETag: \"a1\"\r\nLast-Modified: then\r\n", "0123456789");
    server_answers(&f.server, "206 Partial Content",
                   "ETag: W/\"a1\"\r\nLast-Modified: then\r\nContent-Range: bytes 5-9/10\r\n", "56789");
    server_answers(&f.server, "416 Beyond", "Content-Range: bytes */10\r\n", "no");
    server_answers(&f.server, "200 OK", "", "full");
    expect(&f, ST_OK, "");
    assert_string_equal(str_c(&t.bytes), "0123456789");
    assert_int_equal(f.reply.body.n, 0);
    assert_string_equal(str_c(&f.reply.validator), "\"a1\"");
    assert_int_equal(t.length, 10);
    assert_int_equal(t.first, -1);
    expect(&f, ST_OK, "");
    assert_string_equal(str_c(&t.bytes), "012345678956789");
    assert_string_equal(str_c(&f.reply.validator), "then"); /* a weak tag does not count */
    assert_int_equal(t.first, 5);
    assert_int_equal(t.total, 10);
    expect(&f, ST_OK, ""); /* no such body is taken */
    assert_int_equal(f.reply.status, 416);
    assert_string_equal(str_c(&f.reply.body), "no");
    assert_int_equal(f.reply.total, 10);
    assert_int_equal(f.reply.first, -1);
    t.st = ST_IO;
    assert_int_equal(http_exchange(f.client, &f.call, &f.reply), ST_IO);
    assert_non_null(strstr(error_text(), "the disk is full"));
    str_drop(&t.bytes);
    assert_true(http_same_host("http://a.example/x", "https://A.example:8/y"));
    assert_false(http_same_host("http://a.example/x", "http://b.example/x") || http_same_host("", ""));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_is_answered),
        cmocka_unit_test(what_a_server_does_wrong_is_told_apart),
        cmocka_unit_test(deadline_and_caller_end_it),
        cmocka_unit_test(absent_servers_and_wrong_addresses),
        cmocka_unit_test(bodies_go_elsewhere_as_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
