/* The live API, against a server on this machine. */
#include "env/wikipedia.h"

#include "base/clock.h"
#include "base/http_server_test.h"
#include "base/scratch_test.h"

#define FOUND \
    "{\"query\":{\"search\":[{\"title\":\"Ed Wood\"},{\"title\":\"Ed Wood (film)\"},{\"title\":\"Bela\"}]}}"
#define NOBODY "{\"query\":{\"search\":[]}}"

typedef struct {
    TestServer server;
    WikipediaLive live;
    Wikipedia *w;
    Str answer;
} Fixture;

static void begin(Fixture *f)
{
    memset(f, 0, sizeof *f);
    server_start(&f->server);
    f->live = (WikipediaLive){.url = f->server.url, .seconds = 10, .pause_s = 0.01};
    assert_int_equal(wikipedia_open_live(&f->w, &f->live), ST_OK);
}

static void end(Fixture *f)
{
    str_drop(&f->answer);
    wikipedia_close(f->w);
    server_stop(&f->server);
}

static void expect(Fixture *f, const char *query, const char *text)
{
    str_clear(&f->answer);
    if (wikipedia_search(f->w, span(query), &f->answer) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&f->answer), text);
}

static void expect_failure(Fixture *f, const char *query, Status st, const char *words)
{
    str_clear(&f->answer);
    assert_int_equal(wikipedia_search(f->w, span(query), &f->answer), st);
    assert_int_equal(f->answer.n, 0);
    expect_words(words);
}

static void answers_are_mints(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", FOUND);
    server_answers(&f.server, "200 OK", "",
                   "{\"query\":{\"pages\":[{\"title\":\"Ed Wood (film)\",\"extract\":\"A film.\\nOf 1994.\"},"
                   "{\"title\":\"Ed Wood\",\"extract\":\"A director.\"}]}}");
    expect(&f, "Ed Wood & co/\xc3\xa4",
           "Page: Ed Wood\nSummary: A director.\n\nPage: Ed Wood (film)\nSummary: A film.\nOf 1994.");
    assert_int_equal(f.server.requests, 2);
    assert_non_null(strstr(str_c(&f.server.last), "titles=Ed%20Wood%7CEd%20Wood%20%28film%29 "));
    assert_non_null(strstr(str_c(&f.server.last), "User-Agent: lemur/"));
    end(&f);

    begin(&f);
    server_answers(&f.server, "200 OK", "", NOBODY);
    expect(&f, "Ed Wood & co/\xc3\xa4", "Wikipedia Search Result was found");
    assert_non_null(strstr(str_c(&f.server.last), "srsearch=Ed%20Wood%20%26%20co%2F%C3%A4 "));
    char longest[1000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    expect(&f, longest, "Wikipedia Search Result was found");
    const char *asked = strstr(str_c(&f.server.last), "srsearch=") + 9;
    assert_int_equal(strcspn(asked, " "), 300);
    expect_failure(&f, " ", ST_ARG, "empty");
    end(&f);
}

static void only_articles_are_summed_up(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", FOUND);
    server_answers(&f.server, "200 OK", "",
                   "{\"query\":{\"normalized\":[{\"from\":\"Ed Wood\",\"to\":\"Edward\"}],"
                   "\"redirects\":[{\"from\":\"Edward\",\"to\":\"Edward D. Wood\"}],"
                   "\"pages\":[{\"title\":\"Ed Wood (film)\",\"missing\":true},"
                   "{\"title\":\"Edward D. Wood\",\"extract\":\"He.\"}]}}");
    expect(&f, "x", "Page: Ed Wood\nSummary: He.");
    end(&f);
    begin(&f);
    server_answers(&f.server, "200 OK", "", FOUND);
    server_answers(&f.server, "200 OK", "",
                   "{\"query\":{\"pages\":[{\"title\":\"Ed Wood\",\"extract\":\"may refer to\","
                   "\"pageprops\":{\"disambiguation\":\"\"}}]}}");
    expect(&f, "x", "Wikipedia Search Result was found");
    end(&f);
    /* Cut at 1000 characters, not bytes. */
    begin(&f);
    Str page = {0}, text = {0};
    str_adds(&page, "{\"query\":{\"pages\":[{\"title\":\"Ed Wood\",\"extract\":\"");
    str_adds(&text, "Page: Ed Wood\nSummary: ");
    for (int i = 0; i < 1500; i++)
        str_adds(&page, "\xe2\x82\xac");
    for (int i = 0; i < 1000 - 23; i++)
        str_adds(&text, "\xe2\x82\xac");
    str_adds(&page, "\"}]}}");
    server_answers(&f.server, "200 OK", "", FOUND);
    server_answers(&f.server, "200 OK", "", str_c(&page));
    expect(&f, "x", str_c(&text));
    str_drop(&page);
    str_drop(&text);
    end(&f);
}

static void what_passes_is_tried_again(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "503 Busy", "", "");
    server_reply(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"qu", THEN_CLOSE);
    server_answers(&f.server, "429 Slow down", "Retry-After: 1\r\n", "");
    server_answers(&f.server, "200 OK", "", NOBODY);
    double start = clock_now();
    expect(&f, "x", "Wikipedia Search Result was found");
    assert_int_equal(f.server.requests, 4);
    assert_true(clock_now() - start >= 1);
    end(&f);
    begin(&f);
    server_answers(&f.server, "500 Broken", "", "");
    expect_failure(&f, "x", ST_PEER, "answers 500");
    assert_int_equal(f.server.requests, 5);
    end(&f);
    begin(&f);
    server_answers(&f.server, "503 Busy", "Retry-After: 600\r\n", ""); /* longer than there is time */
    start = clock_now();
    expect_failure(&f, "x", ST_PEER, "answers 503");
    expect_failure(&f, "x", ST_LIMIT, "asks for a pause of");
    assert_true(clock_now() - start < 5);
    assert_int_equal(f.server.requests, 1);
    end(&f);
}

static void what_a_server_does_wrong_is_named(void **state)
{
    (void)state;
    Fixture f;
    static const struct {
        const char *status, *headers, *body, *words;
        Status st;
    } wrong[] = {
        {"404 No", "", "", "answers 404", ST_PEER},
        {"301 Gone", "Location: https://elsewhere/\r\n", "", "redirects to https://elsewhere/", ST_PEER},
        {"200 OK", "", "<html>", "does not answer as MediaWiki's API", ST_FORMAT},
        {"200 OK", "", "[1]", "does not answer as MediaWiki's API", ST_FORMAT},
        {"200 OK", "", "{\"error\":{\"code\":\"x\",\"info\":\"Pool queue is full\"}}", "Pool queue is full",
         ST_PEER},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        begin(&f);
        server_answers(&f.server, wrong[i].status, wrong[i].headers, wrong[i].body);
        expect_failure(&f, "x", wrong[i].st, wrong[i].words);
        assert_int_equal(f.server.requests, 1);
        end(&f);
    }
    /* Members of a wrong type are none. */
    begin(&f);
    server_answers(&f.server, "200 OK", "", "{\"query\":{\"search\":[1,{\"title\":2},{\"title\":\"A\"}]}}");
    server_answers(&f.server, "200 OK", "",
                   "{\"query\":{\"pages\":[3,{\"title\":[]},{\"title\":\"A\",\"extract\":4}]}}");
    expect(&f, "x", "Page: A\nSummary: ");
    end(&f);
    Wikipedia *w;
    assert_int_equal(wikipedia_open_live(&w, &(WikipediaLive){.url = "ftp://x"}), ST_ARG);
    assert_int_equal(wikipedia_open_live(&w, &(WikipediaLive){.agent = "a\r\nb: c"}), ST_ARG);
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

static void time_is_limited(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    wikipedia_close(f.w);
    f.live.seconds = 0.3;
    assert_int_equal(wikipedia_open_live(&f.w, &f.live), ST_OK);
    server_reply(&f.server, "", THEN_STALL);
    double start = clock_now();
    expect_failure(&f, "x", ST_LIMIT, "wikipedia_search: ");
    assert_true(clock_now() - start < 3);
    wikipedia_close(f.w);
    f.live = (WikipediaLive){.url = f.server.url, .stopped = at_once};
    assert_int_equal(wikipedia_open_live(&f.w, &f.live), ST_OK);
    expect_failure(&f, "x", ST_CANCELLED, "stopped");
    end(&f);
}

enum { THREADS = 8, EACH = 10 };

static void *ask_often(void *context)
{
    Wikipedia *w = context;
    Str answer = {0};
    intptr_t good = 0;
    for (int i = 0; i < EACH; i++) {
        str_clear(&answer);
        good += wikipedia_search(w, span("x"), &answer) == ST_OK &&
                strcmp(str_c(&answer), "Wikipedia Search Result was found") == 0;
    }
    str_drop(&answer);
    return (void *)good;
}

static void many_ask_at_once(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    server_answers(&f.server, "200 OK", "", NOBODY);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, f.w), 0);
    for (int i = 0; i < THREADS; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((intptr_t)good, EACH);
    }
    assert_int_equal(f.server.requests, THREADS * EACH);
    assert_in_range(f.server.connections_n, 1, 4); /* no more than may run at once */
    end(&f);
}

static void a_session_asks_it(void **state)
{
    (void)state;
    Fixture f;
    Python *p;
    PythonCell cell;
    begin(&f);
    PythonTool tool = wikipedia_tool(f.w);
    PythonSpec spec = {.tools = &tool, .tools_n = 1};
    if (python_start(&p, &spec) != ST_OK) {
        print_message("SKIP sandbox: %s\n", error_text());
        end(&f);
        skip();
    }
    server_answers(&f.server, "200 OK", "", NOBODY);
    assert_int_equal(python_run(p, &cell, span("print(wikipedia_search('Ed \xf0\x9f\x98\x80'))")), ST_OK);
    assert_string_equal(str_c(&cell.text), "Wikipedia Search Result was found");
    python_cell_drop(&cell);
    assert_non_null(strstr(str_c(&f.server.last), "srsearch=Ed%20%F0%9F%98%80 "));
    assert_int_equal(python_run(p, &cell, span("wikipedia_search(3)")), ST_OK);
    assert_non_null(strstr(str_c(&cell.text), "RuntimeError: wikipedia_search: the query is no text"));
    python_cell_drop(&cell);
    python_close(p);
    end(&f);
}

/* Two searches that fail, one that the model made wrong, one that is answered. */
static void failures_are_told_once_and_counted(void **state)
{
    (void)state;
    char file[] = "/tmp/lemur-wikipedia-XXXXXX", text[2048];
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    static const char lines[] = "{\"query\": \"a\", \"error\": \"away\"}\n"
                                "{\"query\": \"b\", \"text\": \"B\"}\n";
    assert_int_equal(write(fd, lines, sizeof lines - 1), sizeof lines - 1);
    close(fd);
    Wikipedia *w;
    Str answer = {0};
    FILE *heard = tmpfile();
    int saved = dup(2);
    assert_true(heard && saved >= 0);
    assert_int_equal(wikipedia_open_recording(&w, file), ST_OK);
    PythonTool tool = wikipedia_tool(w);
    assert_true(dup2(fileno(heard), 2) == 2);
    static const char *const queries[] = {"a", "b", "a"};
    for (size_t i = 0; i < 3; i++) {
        json_t *arguments = json_pack("{s:s}", "query", queries[i]), *wrong = json_pack("{s:i}", "query", 1);
        assert_int_equal(tool.call(tool.context, arguments, &answer) == ST_OK, i == 1);
        assert_int_equal(tool.call(tool.context, wrong, &answer), ST_ARG);
        json_decref(arguments);
        json_decref(wrong);
    }
    wikipedia_close(w);
    assert_true(dup2(saved, 2) == 2);
    close(saved);
    rewind(heard);
    text[fread(text, 1, sizeof text - 1, heard)] = 0;
    fclose(heard);
    const char *first = strstr(text, "away; the model is told so");
    assert_non_null(first);
    assert_null(strstr(first + strlen("away; "), "away"));
    assert_non_null(strstr(first, "2 of 3 searches of Wikipedia failed"));
    str_drop(&answer);
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(failures_are_told_once_and_counted),
        cmocka_unit_test(answers_are_mints),
        cmocka_unit_test(only_articles_are_summed_up),
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(what_a_server_does_wrong_is_named),
        cmocka_unit_test(time_is_limited),
        cmocka_unit_test(many_ask_at_once),
        cmocka_unit_test(a_session_asks_it),
    };
    return cmocka_run_group_tests(all, scratch_make, scratch_remove);
}
