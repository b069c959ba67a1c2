#include "corpus/read_formats.h"

#include "corpus/scratch_test.h"

static Document first(const char *name, size_t limit, Member *m)
{
    char *path = scratch_path(name);
    const char *member;
    Document d = {0};
    *m = (Member){.limit = limit};
    assert_int_equal(stream_open(&m->stream, path), ST_OK);
    assert_int_equal(stream_next(m->stream, &member), ST_OK);
    assert_int_equal(read_tree_next(m, &d), ST_OK);
    mem_free(path);
    return d;
}

static void drop(Member *m)
{
    Document d = {0};
    assert_int_equal(read_tree_next(m, &d), ST_OK);
    assert_null(d.text.at); /* there is one document, no second */
    stream_close(m->stream);
    str_drop(&m->buf);
}

static void a_member_is_a_document(void **state)
{
    (void)state;
    Member m;
    scratch_text("a", "0123456789");
    Document d = first("a", 10, &m);
    assert_true(span_is(d.text, "0123456789"));
    assert_int_equal(d.bytes, 10);
    drop(&m);
    scratch_text("e", "");
    d = first("e", 10, &m);
    assert_non_null(d.text.at);
    assert_int_equal(d.text.n, 0);
    drop(&m);
}

/* What is too long is counted whole and not held. */
static void long_members_take_no_memory(void **state)
{
    (void)state;
    Member m;
    scratch_run("head -c 20000000 /dev/zero | tr '\\0' x > big");
    Document d = first("big", 1000, &m);
    assert_int_equal(d.reason, READ_TOO_LONG);
    assert_int_equal(d.bytes, 20000000);
    assert_int_equal(d.text.n, 0);
    assert_true(m.buf.cap < 2000000);
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_a_document),
        cmocka_unit_test(long_members_take_no_memory),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
