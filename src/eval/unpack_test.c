#include "eval/unpack.h"

#include "base/log.h"
#include "base/scratch_test.h"
#include "eval/archive_test.h"

static const UnpackSpec plain;

static void write_archive(TestArchive kind, const char *const *members)
{
    Str bytes = archive_of(kind, members);
    scratch_write("in/archive", bytes.at, bytes.n);
    str_drop(&bytes);
}

static void holds(const char *name, const char *text)
{
    Str bytes = scratch_read(name);
    assert_string_equal(str_c(&bytes), text);
    str_drop(&bytes);
}

static void files_come_out(void **state)
{
    (void)state;
    int64_t n = 0;
    for (TestArchive kind = TEST_TAR; kind <= TEST_ZIP; kind++) {
        assert_int_equal(folder_remove(in_scratch("out")), ST_OK);
        write_archive(kind, (const char *const[]){"./a.txt", "one", "deep/er/b.txt", "two", "empty", "",
                                                  "link", "->/etc/passwd", NULL});
        scratch_text("out/mine.txt", "stays");
        scratch_text("out/a.txt", "old");
        assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &plain), ST_OK);
        assert_int_equal(n, 3);
        holds("out/a.txt", "one");
        holds("out/deep/er/b.txt", "two");
        holds("out/empty", "");
        holds("out/mine.txt", "stays");
        assert_false(path_exists(in_scratch("out/link"))); /* links are passed over */
    }
}

static void refused(TestArchive kind, const char *name)
{
    int64_t n = 0;
    assert_int_equal(folder_remove(in_scratch("out")), ST_OK);
    write_archive(kind, (const char *const[]){"good.txt", "fine", name, "bad", NULL});
    assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &plain), ST_FORMAT);
    expect_words("lead out of the folder");
    assert_false(path_exists(in_scratch("out"))); /* not even the good one before it */
    assert_false(path_exists(in_scratch("escaped")));
}

static void names_that_lead_out_are_refused(void **state)
{
    (void)state;
    for (TestArchive kind = TEST_TAR; kind <= TEST_ZIP; kind++) {
        refused(kind, "../escaped");
        refused(kind, "a/../../escaped");
        refused(kind, "a/..");
        refused(kind, "/tmp/lemur-escaped");
        refused(kind, "a//b");
        refused(kind, "..\\escaped");
        refused(kind, "a\nb");
    }
    assert_false(path_exists("/tmp/lemur-escaped"));
}

static void what_is_no_archive_is_told(void **state)
{
    (void)state;
    int64_t n = 0;
    scratch_text("in/archive", "just a text");
    assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &plain), ST_FORMAT);
    expect_words("is no archive");
    assert_int_equal(unpack_archive(&n, in_scratch("in/absent"), in_scratch("out"), &plain), ST_IO);
    Str bytes = archive_of(TEST_TAR, (const char *const[]){"a", "some text that is cut", "b", "x", NULL});
    scratch_write("in/archive", bytes.at, 520);
    str_drop(&bytes);
    assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &plain), ST_FORMAT);
    assert_false(path_exists(in_scratch("out/a"))); /* whole or not there */
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static void limits_hold(void **state)
{
    (void)state;
    int64_t n = 0;
    write_archive(TEST_TAR_GZ, (const char *const[]){"a", "0123456789", "b", "0123456789", NULL});
    assert_int_equal(folder_remove(in_scratch("out")), ST_OK);
    UnpackSpec spec = {.bytes_max = 15};
    assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &spec), ST_LIMIT);
    assert_true(path_exists(in_scratch("out/a")));
    assert_false(path_exists(in_scratch("out/b")));
    spec = (UnpackSpec){.files_max = 1};
    assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &spec), ST_LIMIT);
    spec = (UnpackSpec){.stopped = always};
    assert_int_equal(unpack_archive(&n, in_scratch("in/archive"), in_scratch("out"), &spec), ST_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_out),
        cmocka_unit_test(names_that_lead_out_are_refused),
        cmocka_unit_test(what_is_no_archive_is_told),
        cmocka_unit_test(limits_hold),
    };
    log_level_set(LOG_ERROR);
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
