#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#undef fail /* cmocka has a macro of that name */

static Status inner(int depth)
{
    if (depth > 0)
        TRY(inner(depth - 1));
    return depth == 0 ? fail(ST_FORMAT, "record %d is cut", 7) : ST_OK;
}

static Status outer(int *cleaned)
{
    Status st;
    TRY_TO(undo, inner(2));
    return ST_OK;
undo:
    ++*cleaned;
    return fail_in(st, "opening %s", "x.bin");
}

static void sentences_grow_in_front(void **state)
{
    (void)state;
    int cleaned = 0;
    assert_int_equal(outer(&cleaned), ST_FORMAT);
    assert_int_equal(cleaned, 1);
    assert_string_equal(error_text(), "opening x.bin: record 7 is cut");
    errno = ENOSPC;
    assert_int_equal(fail_errno(ST_IO, "cannot write %s", "a"), ST_IO);
    assert_string_equal(error_text(), "cannot write a: No space left on device");
}

/* Front words are kept; what does not fit is cut; there is always an end. */
static void long_sentences_are_cut(void **state)
{
    (void)state;
    char word[ERROR_TEXT_MAX + 100];
    memset(word, 'w', sizeof word);
    word[sizeof word - 1] = 0;
    for (size_t n = ERROR_TEXT_MAX - 5; n < sizeof word; n += 7) {
        fail(ST_IO, "%.*s", (int)n, word);
        assert_int_equal(strlen(error_text()), n < ERROR_TEXT_MAX ? n : ERROR_TEXT_MAX - 1);
        fail_in(ST_IO, "front");
        assert_memory_equal(error_text(), "front: ww", 9);
        assert_true(strlen(error_text()) < ERROR_TEXT_MAX);
        fail_in(ST_IO, "%s", word);
        assert_true(strlen(error_text()) < ERROR_TEXT_MAX);
    }
    errno = EIO;
    fail_errno(ST_IO, "%s", word);
    assert_true(strlen(error_text()) < ERROR_TEXT_MAX);
}

static void *fail_elsewhere(void *taken)
{
    fail(ST_LIMIT, "of the other thread");
    *(Error *)taken = error_take();
    return error_text()[0] ? taken : NULL;
}

static void threads_do_not_share_records(void **state)
{
    (void)state;
    pthread_t thread;
    Error taken;
    void *left;
    fail(ST_ARG, "mine");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &taken), 0);
    pthread_join(thread, &left);
    assert_null(left);
    assert_string_equal(error_text(), "mine");
    assert_int_equal(error_put(&taken), ST_LIMIT);
    assert_string_equal(error_text(), "of the other thread");
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int st = ST_OK; st < ST_COUNT; st++)
        assert_non_null(status_name((Status)st));
    assert_string_equal(status_name(ST_CANCELLED), "cancelled");
    assert_string_equal(status_name(ST_COUNT), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_grow_in_front),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(threads_do_not_share_records),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
