#include "env/wikipedia.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/scratch_test.h"
#include "env/wikipedia_source.h"

static void expect(Wikipedia *w, const char *query, const char *text)
{
    Str answer = {0};
    if (wikipedia_search(w, span(query), &answer) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&answer), text);
    str_drop(&answer);
}

static void expect_failure(Wikipedia *w, const char *query, Status st, const char *words)
{
    Str answer = {0};
    assert_int_equal(wikipedia_search(w, span(query), &answer), st);
    assert_int_equal(answer.n, 0);
    expect_words(words);
    str_drop(&answer);
}

static Wikipedia *open_text(const char *text)
{
    Wikipedia *w;
    scratch_text("r.jsonl", text);
    if (wikipedia_open_recording(&w, in_scratch("r.jsonl")) != ST_OK)
        fail_msg("%s", error_text());
    return w;
}

static void answers_come_in_order(void **state)
{
    (void)state;
    Wikipedia *w =
        open_text("{\"query\":\"a\",\"text\":\"1\"}\n{\"query\":\"b\",\"error\":\"no server\",\"x\":0}\r\n\n"
                  "{\"query\":\"a\",\"text\":\"2\"}\n{\"query\":\"\",\"text\":\"\"}");
    expect(w, "a", "1");
    expect(w, "a", "2");
    expect(w, "a", "2");
    expect(w, "A", "[This query was not recorded: A]");
    expect(w, "", "");
    expect_failure(w, "b", ST_PEER, "no server");
    expect_failure(w, "\xff", ST_ARG, "UTF-8");
    wikipedia_close(w);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    Wikipedia *w;
    static const char *const bad[] = {"x",
                                      "[]\n",
                                      "{\"query\":\"a\"}\n",
                                      "{\"query\":1,\"text\":\"\"}\n",
                                      "{\"query\":\"a\",\"text\":\"t\",\"error\":\"e\"}\n",
                                      "{\"query\":\"a\",\"te"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"query\":\"a\",\"text\":\"t\"}\n%s", bad[i]);
        scratch_text("r.jsonl", text);
        assert_int_equal(wikipedia_open_recording(&w, in_scratch("r.jsonl")), ST_FORMAT);
        expect_words("line 2: ");
    }
    assert_int_equal(wikipedia_open_recording(&w, in_scratch("none")), ST_IO);
}

/* A source that counts, and fails on request. */
static Status count(void *self, Span query, Str *answer)
{
    if (span_is(query, "fail"))
        return (fail)(ST_PEER, "down");
    if (span_is(query, "stop"))
        return (fail)(ST_CANCELLED, "stopped");
    str_addf(answer, "\"%d\"\n\xc3\xa4", __atomic_add_fetch((int *)self, 1, __ATOMIC_SEQ_CST));
    return ST_OK;
}

static void nothing(void *self)
{
    (void)self;
}

static const WikipediaSource counting = {count, nothing};

static void what_is_recorded_is_replayed(void **state)
{
    (void)state;
    int n = 0;
    Wikipedia *w;
    const char *file = in_scratch("live.jsonl");
    assert_int_equal(wikipedia_open_recorder(&w, wikipedia_of(&counting, &n), file), ST_OK);
    expect(w, "a", "\"1\"\n\xc3\xa4");
    expect_failure(w, "fail", ST_PEER, "down");
    expect_failure(w, "stop", ST_CANCELLED, "stopped");
    expect(w, "a", "\"2\"\n\xc3\xa4");
    wikipedia_close(w);
    /* A run was killed in the middle of a line, and goes on. */
    Str bytes = scratch_read("live.jsonl");
    str_adds(&bytes, "{\"query\":\"a\",\"te");
    scratch_write("live.jsonl", bytes.at, bytes.n);
    str_drop(&bytes);
    assert_int_equal(wikipedia_open_recorder(&w, wikipedia_of(&counting, &n), file), ST_OK);
    expect(w, "a", "\"3\"\n\xc3\xa4");
    wikipedia_close(w);
    assert_int_equal(wikipedia_open_recording(&w, file), ST_OK);
    expect(w, "a", "\"1\"\n\xc3\xa4");
    expect(w, "a", "\"2\"\n\xc3\xa4");
    expect(w, "a", "\"3\"\n\xc3\xa4");
    expect_failure(w, "fail", ST_PEER, "down");
    expect(w, "stop", "[This query was not recorded: stop]");
    wikipedia_close(w);
}

static void nothing_else_is_added_to(void **state)
{
    (void)state;
    int n = 0;
    Wikipedia *w, *inner = wikipedia_of(&counting, &n);
    static const char *const other[] = {"notes\n", "notes", "{\"a\":1}\n",
                                        "{\"query\":\"a\",\"text\":\"\"}\nnotes"};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        scratch_text("other", other[i]);
        assert_int_equal(wikipedia_open_recorder(&w, inner, in_scratch("other")), ST_ARG);
        expect_words("is no recording of searches");
        Str after = scratch_read("other");
        assert_string_equal(str_c(&after), other[i]);
        str_drop(&after);
    }
    assert_int_equal(wikipedia_open_recorder(&w, inner, in_scratch("no/folder")), ST_IO);
    assert_int_equal(wikipedia_open_recorder(&w, inner, "/dev/zero"), ST_ARG);
    /* A full disk fails the search, as an answer that is not recorded cannot be replayed; half a line goes.
     */
    struct rlimit unlimited, little = {.rlim_cur = 30};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    little.rlim_max = unlimited.rlim_max;
    assert_int_equal(wikipedia_open_recorder(&w, inner, in_scratch("full.jsonl")), ST_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    expect_failure(w, "quite a long query", ST_IO, "writing ");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_int_equal(file_size(in_scratch("full.jsonl")), 0);
    wikipedia_close(w);
}

static void *ask_often(void *context)
{
    Str answer = {0};
    for (int i = 0; i < 50; i++)
        assert_int_equal(wikipedia_search(context, span("a"), &answer), ST_OK);
    str_drop(&answer);
    return NULL;
}

static void many_record_at_once(void **state)
{
    (void)state;
    int n = 0;
    Wikipedia *w;
    assert_int_equal(wikipedia_open_recorder(&w, wikipedia_of(&counting, &n), in_scratch("many.jsonl")),
                     ST_OK);
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, w), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    wikipedia_close(w);
    Str bytes = scratch_read("many.jsonl");
    int lines = 0;
    for (size_t i = 0; i < bytes.n; i++)
        lines += bytes.at[i] == '\n';
    assert_int_equal(lines, 400);
    str_drop(&bytes);
    assert_int_equal(wikipedia_open_recording(&w, in_scratch("many.jsonl")), ST_OK);
    wikipedia_close(w);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(answers_come_in_order),        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(what_is_recorded_is_replayed), cmocka_unit_test(nothing_else_is_added_to),
        cmocka_unit_test(many_record_at_once),
    };
    return cmocka_run_group_tests(all, scratch_make, scratch_remove);
}
