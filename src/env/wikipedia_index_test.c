#include "env/wikipedia_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

#include "base/scratch_test.h"
#include "env/wikipedia.h"

static const char dump[] =
    "{\"id\":1,\"title\":\"Ed Wood\",\"text\":\"Edward Davis Wood Jr. was an American filmmaker.\\n\\n"
    "He made Plan 9 from Outer Space.\\n\\nEarly life\\nWood was born in Poughkeepsie.\"}\n"
    "{\"id\":2,\"title\":\"Plan 9 from Outer Space\",\"text\":\"Plan 9 from Outer Space is a film by Ed "
    "Wood.\"}\n"
    "{\"id\":3,\"title\":\"Wood\",\"text\":\"Wood is a structural tissue found in trees.\"}\n"
    "{\"id\":4,\"title\":\"Mercury\",\"text\":\"Mercury most commonly refers to:\\n\\nMercury (planet)\"}\n"
    "{\"id\":5,\"title\":\"Ed. Wood\",\"text\":\"\"}\n\n"
    "{\"id\":6,\"title\":\"Caf\\u00e9\",\"text\":\"Caf\\u00e9\\n\\nA caf\\u00e9 serves coffee. Foxes are "
    "running.\"}\n";

static const WikipediaBuild quiet = {.quiet = true};

static Wikipedia *build(const char *text)
{
    WikipediaBuilt built;
    Wikipedia *w;
    scratch_text("dump.jsonl", text);
    if (wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("index"), &quiet) != ST_OK ||
        wikipedia_open_index(&w, in_scratch("index")) != ST_OK)
        fail_msg("%s", error_text());
    return w;
}

static void expect(Wikipedia *w, const char *query, const char *text)
{
    Str answer = {0};
    if (wikipedia_search(w, span(query), &answer) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&answer), text);
    str_drop(&answer);
}

#define ED                                                                                                 \
    "Page: Ed Wood\nSummary: Edward Davis Wood Jr. was an American filmmaker.\nHe made Plan 9 from Outer " \
    "Space."
#define PLAN "Page: Plan 9 from Outer Space\nSummary: Plan 9 from Outer Space is a film by Ed Wood."
#define WOOD "Page: Wood\nSummary: Wood is a structural tissue found in trees."
#define CAFE "Page: Caf\xc3\xa9\nSummary: A caf\xc3\xa9 serves coffee. Foxes are running."
#define NONE "Wikipedia Search Result was found"

static void the_best_two_are_found(void **state)
{
    (void)state;
    Wikipedia *w = build(dump);
    expect(w, "ed wood", ED "\n\n" PLAN);
    expect(w, "Wood", WOOD "\n\n" ED);                              /* the very name first */
    expect(w, "who made Plan 9?", ED "\n\n" PLAN);                  /* all of the words, then some of them */
    expect(w, "Poughkeepsie", ED);                                  /* from the whole text */
    expect(w, "cafe fox run", CAFE);                                /* no diacritics, stems */
    expect(w, "structural NEAR(coffee) AND \"*", WOOD "\n\n" CAFE); /* no operators */
    expect(w, "Mercury", NONE);
    expect(w, "zebra", NONE);
    expect(w, "?!", NONE);
    Str answer = {0};
    assert_int_equal(wikipedia_search(w, span("\n"), &answer), ST_ARG);
    wikipedia_close(w);
}

static void compressed_dumps_are_read(void **state)
{
    (void)state;
    static int (*const filters[])(struct archive *) = {
        archive_write_add_filter_gzip, archive_write_add_filter_zstd, archive_write_add_filter_xz};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        WikipediaBuilt built;
        struct archive *a = archive_write_new();
        struct archive_entry *e = archive_entry_new();
        archive_write_set_format_raw(a);
        assert_int_equal(filters[i](a), ARCHIVE_OK);
        assert_int_equal(archive_write_open_filename(a, in_scratch("packed")), ARCHIVE_OK);
        archive_entry_set_filetype(e, AE_IFREG);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, dump, strlen(dump)), strlen(dump));
        archive_entry_free(e);
        assert_int_equal(archive_write_close(a), ARCHIVE_OK);
        archive_write_free(a);
        assert_int_equal(wikipedia_index_build(&built, in_scratch("packed"), in_scratch("p"), &quiet), ST_OK);
        assert_true(built.articles == 4 && built.left_out == 2 && built.bad_lines == 0 &&
                    built.file_bytes > 0);
    }
}

static void other_dumps_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"no JSON",
                                      "[1]",
                                      "{\"title\":\"a\"}",
                                      "{\"title\":\"a\",\"text\":3}",
                                      "{\"title\":\"a\",\"text\":\"\\u0000\"}",
                                      "\x1f\x8b",
                                      "{\"title\":\"a\",\"te"};
    WikipediaBuilt built;
    scratch_text("kept", "as it was");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s%s", dump, bad[i]);
        scratch_text("dump.jsonl", text);
        assert_int_equal(wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("kept"), &quiet),
                         ST_FORMAT);
        expect_words("dump.jsonl: line 8: ");
        WikipediaBuild lenient = {.quiet = true, .bad_lines = 1};
        assert_int_equal(
            wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("lenient"), &lenient), ST_OK);
        assert_int_equal(built.bad_lines, 1);
    }
    scratch_text("dump.jsonl", "\n");
    assert_int_equal(wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("kept"), &quiet),
                     ST_ARG);
    assert_int_equal(wikipedia_index_build(&built, in_scratch("none"), in_scratch("kept"), &quiet), ST_IO);
    assert_int_equal(wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("no/kept"), &quiet),
                     ST_IO);
    /* What was there stays, and nothing is left beside it. */
    Str kept = scratch_read("kept");
    assert_string_equal(str_c(&kept), "as it was");
    str_drop(&kept);
    assert_false(path_exists(in_scratch("kept.part")));
}

static bool soon(void *context)
{
    return ++*(int *)context > 3;
}

static void an_interrupted_build_leaves_nothing(void **state)
{
    (void)state;
    int asked = 0;
    WikipediaBuilt built;
    WikipediaBuild build_until = {.quiet = true, .stopped = soon, .context = &asked};
    scratch_text("dump.jsonl", dump);
    assert_int_equal(wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("i"), &build_until),
                     ST_CANCELLED);
    assert_false(path_exists(in_scratch("i")) || path_exists(in_scratch("i.part")));
    /* What a killed one left is used by nobody; another's that runs is not touched. */
    scratch_text("i.part", "rubbish");
    int other = open(in_scratch("i.part"), O_RDWR);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("i"), &quiet),
                     ST_ARG);
    expect_words("another process");
    assert_true(path_exists(in_scratch("i.part")));
    close(other);
    assert_int_equal(wikipedia_index_build(&built, in_scratch("dump.jsonl"), in_scratch("i"), &quiet), ST_OK);
    assert_false(path_exists(in_scratch("i.part")));
}

static void other_files_are_no_index(void **state)
{
    (void)state;
    Wikipedia *w = build(dump);
    wikipedia_close(w);
    Str bytes = scratch_read("index");
    scratch_text("text",
                 "no database at all, but long enough to be looked at as one would be ..............");
    scratch_text("empty", "");
    assert_int_equal(wikipedia_open_index(&w, in_scratch("text")), ST_FORMAT);
    expect_words("lemur eval --index");
    assert_int_equal(wikipedia_open_index(&w, in_scratch("empty")), ST_FORMAT);
    assert_int_equal(wikipedia_open_index(&w, in_scratch("none")), ST_IO);
    /* Every truncation: refused when it is opened, or a failure of a search, or the answer. */
    for (size_t n = 0; n < bytes.n; n += 1500) {
        scratch_write("short", bytes.at, n);
        if (wikipedia_open_index(&w, in_scratch("short")) != ST_OK)
            continue;
        Str answer = {0};
        Status st = wikipedia_search(w, span("ed wood"), &answer);
        assert_true(st == ST_OK || st == ST_IO);
        str_drop(&answer);
        wikipedia_close(w);
    }
    bytes.at[63] ^= 8; /* user_version */
    scratch_write("other", bytes.at, bytes.n);
    assert_int_equal(wikipedia_open_index(&w, in_scratch("other")), ST_FORMAT);
    expect_words("another version");
    str_drop(&bytes);
}

static void *ask_often(void *context)
{
    Str answer = {0};
    intptr_t good = 0;
    for (int i = 0; i < 50; i++) {
        str_clear(&answer);
        good += wikipedia_search(context, span(i % 2 ? "Poughkeepsie" : "coffee"), &answer) == ST_OK &&
                strcmp(str_c(&answer), i % 2 ? ED : CAFE) == 0;
    }
    str_drop(&answer);
    return (void *)good;
}

static void many_ask_at_once(void **state)
{
    (void)state;
    Wikipedia *w = build(dump);
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, w), 0);
    for (int i = 0; i < 8; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((intptr_t)good, 50);
    }
    wikipedia_close(w);
}

static void expect_lead(const char *title, const char *text, const char *lead)
{
    Str out = {0};
    bool article = wikipedia_lead(&out, span(title), span(text));
    if (lead)
        assert_string_equal(str_c(&out), lead);
    assert_true(article == (lead != NULL));
    str_drop(&out);
}

static void leads_end_at_the_first_heading(void **state)
{
    (void)state;
    expect_lead("T", "One.\n\nTwo.\n\n== H ==\nThree.", "One.\nTwo.");
    expect_lead("T", "T\n\nOne.\n\nHistory\nThree.", "One.");
    expect_lead("T", "short and first", "short and first");
    expect_lead("T", "One:\r\n an item;\n  another.\n", "One:\nan item;\nanother.");
    expect_lead("Python", "Python may refer to:\n\nSnakes", NULL);
    expect_lead("Python (disambiguation)", "x", NULL);
    expect_lead("T", "", "");
    Str longest = {0}, cut = {0};
    for (int i = 0; i < 2000; i++)
        str_adds(&longest, "\xc3\xa4");
    str_add(&cut, longest.at, 2000);
    expect_lead("T", str_c(&longest), str_c(&cut));
    str_drop(&longest);
    str_drop(&cut);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(the_best_two_are_found),
        cmocka_unit_test(compressed_dumps_are_read),
        cmocka_unit_test(other_dumps_are_refused),
        cmocka_unit_test(an_interrupted_build_leaves_nothing),
        cmocka_unit_test(other_files_are_no_index),
        cmocka_unit_test(many_ask_at_once),
        cmocka_unit_test(leads_end_at_the_first_heading),
    };
    return cmocka_run_group_tests(all, scratch_make, scratch_remove);
}
