#include "corpus/reader.h"

#include "corpus/scratch_test.h"

/* All documents of the files that match `pattern` in the scratch folder, as "reason:text|" each, ids
 * aside. */
static char *read_all(const char *pattern, ReaderSpec spec)
{
    char *path = scratch_path(pattern);
    Str out = {0};
    Reader *r;
    Document d;
    spec.patterns = (const char *const *)&path;
    spec.patterns_n = 1;
    assert_int_equal(reader_open(&r, &spec), ST_OK);
    for (;;) {
        assert_int_equal(reader_next(r, &d), ST_OK);
        if (!d.id.at)
            break;
        assert_true(d.reason == READ_GOOD || d.text.n == 0);
        if (d.reason != READ_GOOD)
            str_addf(&out, "%s:", read_reason_names[d.reason]);
        str_add(&out, d.text.at, d.text.n);
        str_addc(&out, '|');
    }
    reader_close(r);
    mem_free(path);
    char *result = mem_str(str_c(&out));
    str_drop(&out);
    return result;
}

static void expect(const char *pattern, ReaderSpec spec, const char *wanted)
{
    char *got = read_all(pattern, spec);
    assert_string_equal(got, wanted);
    mem_free(got);
}

static void packed_files_read_as_their_contents(void **state)
{
    (void)state;
    scratch_text("p/a.txt", "one\n");
    scratch_text("p/b.jsonl", "{\"text\":\"two\"}\n{\"text\":\"three\"}\n");
    scratch_run("cd p && gzip -k a.txt && xz -k b.jsonl && tar cf c.tar a.txt b.jsonl && gzip -k c.tar && "
                "zstd -q a.txt -o z.txt.zst");
    expect("p/a.txt.gz", (ReaderSpec){0}, "one\n|");
    expect("p/z.txt.zst", (ReaderSpec){0}, "one\n|");
    scratch_text("p/odd.jsonl", "{\"text\":\"one\",\"simhash\":18446744073709551615}\n{\"score\":NaN,\"text\":\"two\"}\n");
    expect("p/odd.jsonl", (ReaderSpec){0}, "one|two|");
    expect("p/b.jsonl.xz", (ReaderSpec){0}, "two|three|");
    expect("p/c.tar.gz", (ReaderSpec){0}, "one\n|two|three|");
    const char *only[] = {"*.jsonl"};
    expect("p/c.tar", (ReaderSpec){.members = only, .members_n = 1}, "two|three|");
    expect("p/b.jsonl", (ReaderSpec){.format = FORMAT_TREE}, "{\"text\":\"two\"}\n{\"text\":\"three\"}\n|");
}

static void what_is_wrong_has_a_reason(void **state)
{
    (void)state;
    scratch_write("w/1.txt", "", 0);
    scratch_text("w/2.txt", " \n\t\n");
    scratch_write("w/3.txt", "a\0b", 3);
    scratch_text("w/4.txt", "caf\xE9");
    scratch_text("w/5.txt", "0123456789A");
    scratch_text("w/6.txt", "good");
    scratch_text("w/7.txt.gz", "not gzip");
    expect("w", (ReaderSpec){.max_document_bytes = 10},
           "empty:|empty:|binary:|invalid_utf8:|too_long:|good|unreadable:|");
}

static void text_is_normalised(void **state)
{
    (void)state;
    scratch_text("n/a.txt", "\xEF\xBB\xBFone\r\ntwo\rthree\n");
    scratch_text("n/b.jsonl", "\xEF\xBB\xBF{\"text\":\"\\ufeffone\\r\\ntwo\"}\n");
    expect("n", (ReaderSpec){0}, "one\ntwo\nthree\n|one\ntwo|");
}

static void ids_say_where(void **state)
{
    (void)state;
    scratch_text("i/a.jsonl",
                 "{\"text\":\"x\"}\n\n{\"text\":\"y\",\"id\":\"mine\"}\n{\"text\":\"z\",\"id\":7}\n");
    char *path = scratch_path("i/a.jsonl"), *first = mem_format("%s:1", path);
    const char *wanted[] = {first, "mine", "7"};
    ReaderSpec spec = {.patterns = (const char *const *)&path, .patterns_n = 1};
    Reader *r;
    Document d;
    assert_int_equal(reader_open(&r, &spec), ST_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(reader_next(r, &d), ST_OK);
        assert_true(span_is(d.id, wanted[i]));
        assert_int_equal(d.format, FORMAT_JSONL);
    }
    assert_int_equal(reader_next(r, &d), ST_OK);
    assert_null(d.id.at);
    assert_int_equal(reader_next(r, &d), ST_OK); /* the end stays the end */
    assert_null(d.id.at);
    assert_int_equal(reader_files(r), 1);
    reader_close(r);
    int64_t files, bytes;
    reader_measure(&spec, &files, &bytes);
    assert_int_equal(files, 1);
    assert_int_equal(bytes, file_size(path));
    mem_free(path);
    mem_free(first);
}

/* A damaged archive gives what is whole, then one document that says so; the next file is read all the
 * same. */
static void every_truncated_archive_ends_in_a_reason(void **state)
{
    (void)state;
    scratch_text("t/a.txt", "first document");
    scratch_text("t/b.txt", "second document");
    scratch_run("cd t && tar czf ../t.tgz a.txt b.txt");
    Str bytes = scratch_read("t.tgz");
    scratch_text("u/z.txt", "sound");
    for (size_t n = 1; n < bytes.n; n++) {
        scratch_write("u/t.tgz", bytes.at, n);
        char *got = read_all("u", (ReaderSpec){0});
        assert_non_null(strstr(got, "sound|"));
        assert_true(strstr(got, "unreadable:|") || n > bytes.n - 20); /* the trailer holds no document */
        mem_free(got);
    }
    str_drop(&bytes);
}

/* A file that holds no document is counted once, as empty, not passed over in silence. */
static void an_archive_of_nothing_is_empty(void **state)
{
    (void)state;
    scratch_run("mkdir -p e/d && cd e && head -c 20000 /dev/zero | gzip > zeros.gz");
    scratch_run("tar cf e/none.tar -T /dev/null");
    expect("e/zeros.gz", (ReaderSpec){0}, "empty:|");
    expect("e/none.tar", (ReaderSpec){0}, "empty:|");
    scratch_text("e/d/a.txt", "good");
    scratch_run("cd e && tar cf some.tar d/a.txt");
    const char *members[] = {"*.c"};
    /* there is something, unwanted */
    expect("e/some.tar", (ReaderSpec){.members = members, .members_n = 1}, "");
}

static void nothing_to_read_is_refused(void **state)
{
    (void)state;
    Reader *r;
    assert_int_equal(reader_open(&r, &(ReaderSpec){0}), ST_ARG);
    expect("none/**", (ReaderSpec){0}, "");
    reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_files_read_as_their_contents),
        cmocka_unit_test(what_is_wrong_has_a_reason),
        cmocka_unit_test(text_is_normalised),
        cmocka_unit_test(ids_say_where),
        cmocka_unit_test(every_truncated_archive_ends_in_a_reason),
        cmocka_unit_test(an_archive_of_nothing_is_empty),
        cmocka_unit_test(nothing_to_read_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
