#include "corpus/corpus_reader.h"

#include "corpus/small_corpus_test.h"

static Status opened(CorpusReader **r, CorpusQuery q)
{
    char *folder = scratch_path("corpus");
    Status st = corpus_reader_open(r, folder, &q);
    mem_free(folder);
    return st;
}

static int count(CorpusQuery q, const char *source)
{
    CorpusReader *r;
    Document d;
    int n = 0;
    assert_int_equal(opened(&r, q), ST_OK);
    for (;; n++) {
        assert_int_equal(corpus_reader_next(r, &d), ST_OK);
        if (!d.id.at)
            break;
        assert_true(d.text.n > 0);
        if (source)
            assert_string_equal(corpus_reader_source(r), source);
    }
    corpus_reader_close(r);
    return n;
}

static void queries_choose(void **state)
{
    (void)state;
    int train = count((CorpusQuery){0}, NULL), held = count((CorpusQuery){.split = "held_out"}, NULL);
    assert_int_equal(train + held, 120);
    assert_in_range(held, 8, 45);
    int code = count((CorpusQuery){.kind = "code"}, "c"),
        text = count((CorpusQuery){.kind = "text"}, "notes");
    assert_int_equal(code + text, train);
    assert_int_equal(count((CorpusQuery){.source = "notes"}, "notes"), text);
    assert_int_equal(count((CorpusQuery){.source = "notes", .kind = "code"}, NULL), 0);
}

static void wrong_queries_are_explained(void **state)
{
    (void)state;
    CorpusReader *r;
    assert_int_equal(opened(&r, (CorpusQuery){.source = "rust"}), ST_ARG);
    assert_non_null(strstr(error_text(), "c notes"));
    assert_int_equal(opened(&r, (CorpusQuery){.kind = "prose"}), ST_ARG);
    assert_int_equal(opened(&r, (CorpusQuery){.split = "test"}), ST_ARG);
    assert_int_equal(corpus_reader_open(&r, "/tmp/lemur-no-such-folder", &(CorpusQuery){0}), ST_IO);
    corpus_reader_close(NULL);
}

static Status read_whole(CorpusQuery q)
{
    CorpusReader *r;
    Document d;
    TRY(opened(&r, q));
    Status st;
    do
        st = corpus_reader_next(r, &d);
    while (st == ST_OK && d.id.at);
    corpus_reader_close(r);
    return st;
}

static void damage_is_an_error_here(void **state)
{
    (void)state;
    assert_int_equal(read_whole((CorpusQuery){.split = "rejected"}), ST_IO); /* built without keep_rejected */
    scratch_run("truncate -s -20 corpus/train/notes.jsonl.zst");
    assert_int_equal(read_whole((CorpusQuery){.kind = "code"}), ST_OK);
    assert_int_equal(read_whole((CorpusQuery){.kind = "text"}), ST_FORMAT);
    scratch_run("rm corpus/train/c.jsonl.zst");
    assert_int_equal(read_whole((CorpusQuery){.kind = "code"}), ST_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_choose),
        cmocka_unit_test(wrong_queries_are_explained),
        cmocka_unit_test(damage_is_an_error_here),
    };
    return cmocka_run_group_tests(tests, small_corpus, scratch_remove);
}
