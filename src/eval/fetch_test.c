/* Downloads from a server on this machine that does what servers do, right and wrong. */
#include "eval/fetch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/http_server_test.h"
#include "base/log.h"
#include "base/scratch_test.h"
#include "eval/archive_test.h"
#include "eval/sample_line.h"

#define DIGITS "0123456789"
#define SUM \
    "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" /* printf 0123456789 | sha256sum */
#define HEAD "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n"
#define REST                                                                                          \
    "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 4-9/10\r\nContent-Length: " \
    "6\r\n\r\n456789"

static const DataFile digits = {"set/digits.txt", "https://data.example/x/digits.txt", SUM};

typedef struct {
    TestServer server;
    HttpClient *http;
    FetchSpec spec;
    FetchEnd end;
} Fixture;

static Fixture *begin(Fixture *f)
{
    memset(f, 0, sizeof *f);
    assert_int_equal(folder_remove(in_scratch("data")), ST_OK);
    server_start(&f->server);
    assert_int_equal(http_open(&f->http), ST_OK);
    f->spec = fetch_spec(in_scratch("data"));
    f->spec.data = mem_str(f->spec.data);
    f->spec.mirror = f->server.url;
    f->spec.wait_s = 0.001;
    return f;
}

static void end(Fixture *f)
{
    http_close(f->http);
    server_stop(&f->server);
    mem_free((char *)f->spec.data);
}

static void expect(Fixture *f, const DataFile *file, Status st, const char *words)
{
    Status got = fetch_file(&f->end, f->http, &f->spec, file);
    if (got != st)
        fail_msg("status %d and not %d: %s", got, st, error_text());
    if (st != ST_OK)
        expect_words(words);
}

static void holds(const char *name, const char *text)
{
    Str bytes = scratch_read(name);
    assert_string_equal(str_c(&bytes), text);
    str_drop(&bytes);
}

static bool there(const char *name)
{
    return path_exists(in_scratch(name));
}

static void whole(void)
{
    holds("data/set/digits.txt", DIGITS);
    assert_false(there("data/set/digits.txt.part") || there("data/set/digits.txt.part.json"));
}

static bool asked(const Fixture *f, const char *words)
{
    return strstr(str_c(&f->server.last), words);
}

static void what_is_right_is_kept_and_not_fetched_again(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    assert_int_equal(f.end, FETCH_GOT);
    assert_true(asked(&f, "GET /x/digits.txt HTTP/1.1\r\n"));
    assert_false(asked(&f, "Range:"));
    whole();
    expect(&f, &digits, ST_OK, "");
    assert_int_equal(f.end, FETCH_HERE);
    assert_int_equal(f.server.requests, 1);
    end(&f);
}

static void what_is_wrong_is_kept_aside(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", "9876543210");
    expect(&f, &digits, ST_FORMAT, "digits.txt.wrong and not used");
    assert_false(there("data/set/digits.txt") || there("data/set/digits.txt.part"));
    holds("data/set/digits.txt.wrong", "9876543210");
    scratch_text("data/set/digits.txt", "mine");
    expect(&f, &digits, ST_ARG, "move it away");
    holds("data/set/digits.txt", "mine");
    assert_int_equal(f.server.requests, 1);
    end(&f);
}

static void a_cut_download_goes_on(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_says(&f.server, REST);
    expect(&f, &digits, ST_OK, "");
    assert_true(asked(&f, "Range: bytes=4-\r\n") && asked(&f, "If-Range: \"v1\"\r\n"));
    whole();
    end(&f);
}

static void a_later_call_goes_on(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_says(&f.server, REST);
    f.spec.tries = 1;
    expect(&f, &digits, ST_PEER, "digits.txt.part, and the same command goes on");
    holds("data/set/digits.txt.part", "0123");
    assert_false(there("data/set/digits.txt"));
    expect(&f, &digits, ST_OK, "");
    assert_true(asked(&f, "If-Range: \"v1\"\r\n"));
    whole();
    end(&f);
}

static void servers_without_ranges_send_all_again(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    assert_true(asked(&f, "Range: bytes=4-"));
    whole();
    end(&f);
    begin(&f); /* and cuts it each time: no progress, so it ends */
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    expect(&f, &digits, ST_PEER, "cut before the answer was whole");
    assert_int_equal(f.server.requests, 5);
    end(&f);
}

static void wrong_ranges_begin_anew(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 2-9/10\r\n", "23456789");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    assert_false(asked(&f, "Range:"));
    whole();
    end(&f);
    begin(&f); /* bytes that do not fit, at the right place */
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 4-9/10\r\n", "xxxxxx");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    whole();
    end(&f);
    begin(&f); /* and never do */
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 4-9/10\r\n", "xxxxxx");
    server_answers(&f.server, "200 OK", "", "xxxx");
    expect(&f, &digits, ST_FORMAT, "SHA-256");
    end(&f);
}

static void parts_from_before(void **state)
{
    (void)state;
    Fixture f;
    begin(&f); /* whole already */
    scratch_text("data/set/digits.txt.part", DIGITS);
    server_answers(&f.server, "416 Range Not Satisfiable", "Content-Range: bytes */10\r\n", "");
    expect(&f, &digits, ST_OK, "");
    assert_true(asked(&f, "Range: bytes=10-\r\n"));
    assert_false(asked(&f, "If-Range")); /* nobody knows of which version it is */
    whole();
    end(&f);
    begin(&f); /* too long */
    scratch_text("data/set/digits.txt.part", DIGITS DIGITS);
    server_answers(&f.server, "416 Range Not Satisfiable", "Content-Range: bytes */10\r\n", "");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    whole();
    end(&f);
    begin(&f); /* without a sum and a validator nothing tells whether it fits */
    DataFile unknown = digits;
    unknown.sha256 = NULL;
    scratch_text("data/set/digits.txt.part", "0123");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &unknown, ST_OK, "");
    assert_false(asked(&f, "Range:"));
    whole();
    expect(&f, &unknown, ST_OK, "");
    assert_int_equal(f.end, FETCH_HERE_UNCHECKED);
    end(&f);
}

static void lies_about_lengths(void **state)
{
    (void)state;
    Fixture f;
    begin(&f); /* shorter than announced */
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 20\r\n\r\n" DIGITS,
                 THEN_CLOSE);
    server_answers(&f.server, "416 Range Not Satisfiable", "Content-Range: bytes */10\r\n", "");
    expect(&f, &digits, ST_OK, "");
    whole();
    end(&f);
    begin(&f); /* longer */
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" DIGITS, THEN_CLOSE);
    expect(&f, &digits, ST_FORMAT, "SHA-256");
    end(&f);
    begin(&f); /* of the whole, and never so long */
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 4-9/50\r\n", "456789");
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 10-10/50\r\n", "");
    expect(&f, &digits, ST_PEER, "ends at byte 10 of 50");
    end(&f);
    begin(&f); /* more than it says there is */
    server_reply(&f.server, HEAD "0123", THEN_CLOSE);
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 4-9/8\r\n", "456789");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    whole();
    end(&f);
    begin(&f); /* more than the disk has room for */
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 900000000000000000\r\n\r\n0", THEN_STALL);
    expect(&f, &digits, ST_IO, "has room for");
    assert_false(there("data/set/digits.txt.part"));
    end(&f);
}

static void refusals(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "404 Not Found", "", "no");
    expect(&f, &digits, ST_PEER, "is not there (404)");
    assert_int_equal(f.server.requests, 1); /* not asked again */
    assert_false(there("data/set/digits.txt.part"));
    end(&f);
    begin(&f);
    server_answers(&f.server, "403 Forbidden", "", "");
    expect(&f, &digits, ST_PEER, "get it by hand");
    end(&f);
    begin(&f);
    server_answers(&f.server, "503 Busy", "", "");
    server_answers(&f.server, "429 Too Many", "Retry-After: 0\r\n", "");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    whole();
    end(&f);
    begin(&f);
    server_answers(&f.server, "500 Broken", "", "");
    expect(&f, &digits, ST_PEER, "the server says 500");
    assert_int_equal(f.server.requests, 5);
    end(&f);
    begin(&f);
    server_answers(&f.server, "429 Too Many", "Retry-After: 7200\r\n", "");
    expect(&f, &digits, ST_PEER, "asks to come back in 2 h");
    assert_int_equal(f.server.requests, 1);
    end(&f);
}

static void retry_after_is_waited_for(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "429 Too Many", "Retry-After: 1\r\n", "");
    server_says(&f.server, HEAD DIGITS);
    double start = clock_now();
    expect(&f, &digits, ST_OK, "");
    assert_true(clock_now() - start >= 1);
    end(&f);
}

static void a_stall_is_a_cut(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    f.spec.idle_s = 0.1;
    server_reply(&f.server, HEAD "0123", THEN_STALL);
    server_says(&f.server, REST);
    expect(&f, &digits, ST_OK, "");
    whole();
    end(&f);
}

static void redirects(void **state)
{
    (void)state;
    Fixture f;
    Str there_ = {0};
    begin(&f);
    str_addf(&there_, "HTTP/1.1 302 Found\r\nLocation: %s/blob/7\r\nContent-Length: 3\r\n\r\nsee",
             f.server.url);
    server_says(&f.server, str_c(&there_));
    server_answers(&f.server, "307 Found", "Location: /raw/7\r\n", "");
    server_says(&f.server, HEAD DIGITS);
    expect(&f, &digits, ST_OK, "");
    assert_true(asked(&f, "GET /raw/7 HTTP/1.1\r\n"));
    whole();
    str_drop(&there_);
    end(&f);
    begin(&f);
    server_answers(&f.server, "302 Found", "Location: http://elsewhere.example/x\r\n", "");
    expect(&f, &digits, ST_PEER, "another host is trusted by https only");
    end(&f);
    begin(&f);
    server_answers(&f.server, "302 Found", "Location: file:///etc/passwd\r\n", "");
    expect(&f, &digits, ST_PEER, "is not followed");
    end(&f);
    begin(&f);
    server_answers(&f.server, "302 Found", "Location: /again\r\n", "");
    expect(&f, &digits, ST_PEER, "leads on and on");
    end(&f);
}

static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    Fixture f;
    struct rlimit old, few;
    char sum[65];
    Str all = {0};
    begin(&f);
    for (int i = 0; i < 40; i++)
        str_adds(&all, DIGITS);
    text_hash(sum, str_span(&all));
    const DataFile file = {"set/digits.txt", "https://data.example/x", sum};
    server_answers(&f.server, "200 OK", "ETag: \"v1\"\r\n", str_c(&all));
    server_answers(&f.server, "206 Partial Content", "Content-Range: bytes 300-399/400\r\n", all.at + 300);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    few = old;
    few.rlim_cur = 300; /* as if the disk were full; what stands beside the part is shorter */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    Status st = fetch_file(&f.end, f.http, &f.spec, &file);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(st, ST_IO);
    expect_words("once there is room");
    assert_int_equal(file_size(in_scratch("data/set/digits.txt.part")), 300);
    expect(&f, &file, ST_OK, "");
    assert_true(asked(&f, "Range: bytes=300-\r\n"));
    holds("data/set/digits.txt", str_c(&all));
    str_drop(&all);
    end(&f);
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

static void it_can_be_stopped(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_says(&f.server, HEAD DIGITS);
    f.spec.stopped = at_once;
    expect(&f, &digits, ST_CANCELLED, "stopped");
    assert_int_equal(f.server.requests, 0);
    end(&f);
}

static void of_two_the_second_waits(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_says(&f.server, HEAD DIGITS);
    scratch_text("data/set/digits.txt.part", "0123");
    int fd = open(in_scratch("data/set/digits.txt.part"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    expect(&f, &digits, ST_IO, "by another process");
    holds("data/set/digits.txt.part", "0123");
    close(fd);
    end(&f);
}

static void wrong_addresses(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    DataFile hand = {"set/private.txt", NULL, NULL};
    expect(&f, &hand, ST_UNSUPPORTED, "by hand");
    f.spec.mirror = "ftp://x";
    expect(&f, &digits, ST_ARG, "neither http");
    f.spec.mirror = "http://127.0.0.1:1";
    f.spec.tries = 2;
    expect(&f, &digits, ST_PEER, "cannot be reached");
    end(&f);
}

static void answers_bytes(Fixture *f, const Str *bytes)
{
    Str head = {0};
    str_addf(&head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", bytes->n);
    server_says(&f->server, str_c(&head));
    str_add(&f->server.replies[f->server.replies_n - 1].bytes, bytes->at, bytes->n);
    str_drop(&head);
}

static void archives_are_unpacked(void **state)
{
    (void)state;
    Fixture f;
    char sum[65];
    Str tar = archive_of(TEST_TAR, (const char *const[]){"data/test/a.csv", "1,2", "data/b.csv", "3", NULL});
    text_hash(sum, str_span(&tar));
    const DataFile one = {"mmlu/data/test/a.csv", "https://data.example/data.tar#into=mmlu", sum},
                   other = {"mmlu/data/b.csv", one.url, sum}, none = {"mmlu/data/c.csv", one.url, sum};
    begin(&f);
    answers_bytes(&f, &tar);
    expect(&f, &one, ST_OK, "");
    holds("data/mmlu/data/test/a.csv", "1,2");
    assert_false(there("data/mmlu/.data.tar") || there("data/mmlu/.data.tar.part"));
    assert_int_equal(fetch_state(f.spec.data, &one, true), FILE_RIGHT);
    expect(&f, &other, ST_OK, "");
    assert_int_equal(f.end, FETCH_HERE);
    assert_int_equal(f.server.requests, 1);
    expect(&f, &none, ST_FORMAT, "there is no mmlu/data/c.csv among its 2 files");
    /* Stopped while unpacking: what is there is not all. */
    scratch_text("data/mmlu/.data.tar.fetched", "unfinished");
    assert_int_equal(fetch_state(f.spec.data, &one, false), FILE_ABSENT);
    scratch_write("data/mmlu/.data.tar", tar.at, tar.n);
    int before = f.server.requests;
    expect(&f, &one, ST_OK, "");
    assert_int_equal(f.server.requests, before);
    end(&f);
    str_drop(&tar);
    tar = archive_of(TEST_ZIP, (const char *const[]){"../../escaped", "x", NULL});
    begin(&f);
    answers_bytes(&f, &tar);
    const DataFile evil = {"mmlu/escaped", "https://data.example/data.zip#into=mmlu", NULL};
    expect(&f, &evil, ST_FORMAT, "lead out of the folder");
    assert_false(there("escaped") || there("data/escaped") || there("data/mmlu/.data.zip"));
    end(&f);
    str_drop(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_kept_and_not_fetched_again),
        cmocka_unit_test(what_is_wrong_is_kept_aside),
        cmocka_unit_test(a_cut_download_goes_on),
        cmocka_unit_test(a_later_call_goes_on),
        cmocka_unit_test(servers_without_ranges_send_all_again),
        cmocka_unit_test(wrong_ranges_begin_anew),
        cmocka_unit_test(parts_from_before),
        cmocka_unit_test(lies_about_lengths),
        cmocka_unit_test(refusals),
        cmocka_unit_test(retry_after_is_waited_for),
        cmocka_unit_test(a_stall_is_a_cut),
        cmocka_unit_test(redirects),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(of_two_the_second_waits),
        cmocka_unit_test(wrong_addresses),
        cmocka_unit_test(archives_are_unpacked),
    };
    log_level_set(LOG_ERROR);
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
