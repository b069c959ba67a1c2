#include "eval/fetch_set.h"

#include "base/clock.h"
#include "base/http_server_test.h"
#include "base/log.h"
#include "base/scratch_test.h"

/* printf 0123456789 | sha256sum */
static const char sum[] = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
static const DataFile one_files[] = {{"a.txt", "https://x.example/a", sum},
                                     {"b.txt", "https://x.example/b", NULL},
                                     {0}},
                      two_files[] = {{"a.txt", "https://x.example/a", sum},
                                     {"c.txt", NULL, NULL},
                                     {"d.txt", "https://x.example/d", sum},
                                     {0}};
static const DataFile many_files[] = {{"1", "https://x.example/1", NULL}, {"2", "https://x.example/2", NULL},
                                      {"3", "https://x.example/3", NULL}, {"4", "https://x.example/4", NULL},
                                      {"5", NULL, NULL},                  {0}};
static const Benchmark one = {.name = "one", .files = one_files},
                       two = {.name = "two", .source = "write to the authors", .files = two_files},
                       none = {.name = "none"};
static const Benchmark *const all[] = {&one, &none, &two};

static void tell(void *arg, const char *path, const char *what)
{
    str_addf(arg, "%s %s\n", path, what);
}

static void each_file_once_and_all_of_them(void **state)
{
    (void)state;
    TestServer server;
    HttpClient *http;
    FetchReport r;
    Str told = {0};
    server_start(&server);
    server_answers(&server, "200 OK", "", "0123456789");
    server_answers(&server, "200 OK", "", "bb");
    server_answers(&server, "404 Not Found", "", "");
    assert_int_equal(http_open(&http), ST_OK);
    FetchSpec spec = fetch_spec(in_scratch("set"));
    spec.mirror = server.url;
    assert_int_equal(fetch_set(&r, http, &spec, all, 3, tell, &told), ST_PEER);
    expect_words("2 of 4 files were not fetched");
    assert_string_equal(str_c(&told), "a.txt fetched, 10 B\nb.txt fetched, 2 B\n"
                                      "c.txt must be got by hand\nd.txt not fetched\n");
    assert_int_equal(r.got, 2);
    assert_int_equal(r.failed, 2);
    str_clear(&told);
    assert_int_equal(fetch_set(&r, http, &spec, all, 1, tell, &told), ST_OK);
    assert_string_equal(str_c(&told), "a.txt is here\nb.txt is here; no checksum to compare it with\n");
    assert_int_equal(r.here, 2);
    assert_int_equal(r.unchecked, 1);
    assert_int_equal(server.requests, 3);
    /* Of a server that is not there each further file is asked once. */
    spec.mirror = "http://127.0.0.1:1";
    spec.wait_s = 0.2;
    spec.tries = 2;
    spec.data = in_scratch("absent");
    str_clear(&told);
    double start = clock_now();
    assert_int_equal(fetch_set(&r, http, &spec, all, 3, tell, &told), ST_PEER);
    assert_true(clock_now() - start < 0.39);
    assert_int_equal(r.failed, 4);
    static const Benchmark many = {.name = "many", .source = "by hand", .files = many_files};
    static const Benchmark *const only[] = {&many};
    str_clear(&told);
    spec.wait_s = 0.01;
    assert_int_equal(fetch_set(&r, http, &spec, only, 1, tell, &told), ST_PEER);
    expect_words("5 of 5 files were not fetched; a server that is not reached");
    assert_string_equal(str_c(&told), "1 not fetched\n2 not fetched\n3 not fetched\n5 must be got by hand\n");
    assert_int_equal(r.failed, 5);
    scratch_text("file", "");
    spec.data = in_scratch("file"); /* no folder can be made there: it ends at once */
    str_clear(&told);
    assert_int_equal(fetch_set(&r, http, &spec, all, 3, tell, &told), ST_IO);
    assert_int_equal(told.n, 0);
    str_drop(&told);
    http_close(http);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_file_once_and_all_of_them)};
    log_level_set(LOG_ERROR);
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
