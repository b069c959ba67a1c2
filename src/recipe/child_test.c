#include "recipe/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/scratch_test.h"

static Status shell(ChildEnd *end, const char *script, bool (*stopped)(void *context), void *context)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return child_run(end, argv, in_scratch("log"), true, -1, stopped, context);
}

static void log_holds(const char *text)
{
    Str log = scratch_read("log");
    assert_string_equal(str_c(&log), text);
    str_drop(&log);
    unlink(in_scratch("log"));
}

static void its_end_and_its_words_are_kept(void **state)
{
    (void)state;
    ChildEnd end;
    assert_int_equal(shell(&end, "echo one; echo two >&2", NULL, NULL), ST_OK);
    assert_int_equal(end.code, 0);
    assert_true(end.memory > 0 && end.seconds >= 0);
    assert_int_equal(shell(&end, "exit 3", NULL, NULL), ST_OK);
    assert_int_equal(end.code, 3);
    assert_int_equal(shell(&end, "kill -9 $$", NULL, NULL), ST_OK);
    assert_int_equal(end.code, 128 + SIGKILL);
    log_holds("one\ntwo\n");
}

static bool now(void *asked)
{
    ++*(int *)asked;
    return true;
}

static void it_is_asked_to_end_once(void **state)
{
    (void)state;
    ChildEnd end;
    int asked = 0;
    assert_int_equal(shell(&end, "trap '' TERM; for i in 1 2 3 4 5; do sleep 0.1; done", now,
                           &asked),
                     ST_OK);
    assert_int_equal(asked, 1);
    unlink(in_scratch("log"));
}

/* Whoever holds the lock behind a shell that ended would let the next run wait. */
static void its_own_children_are_asked_too(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "sleep 60 | cat", NULL};
    ChildEnd end;
    int asked = 0, fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(child_run(&end, argv, in_scratch("log"), true, fds[1], now, &asked), ST_OK);
    assert_int_equal(end.code, 128 + SIGTERM);
    close(fds[1]);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    close(fds[0]);
    unlink(in_scratch("log"));
}

static void what_cannot_start_fails(void **state)
{
    (void)state;
    static const char *const absent[] = {"/no/such/program", NULL}, *const there[] = {"true", NULL};
    ChildEnd end;
    assert_int_equal(child_run(&end, absent, in_scratch("log"), true, -1, NULL, NULL), ST_OK);
    assert_int_equal(end.code, 127);
    log_holds("cannot run /no/such/program: No such file or directory\n");
    assert_int_equal(child_run(&end, there, in_scratch("none/log"), true, -1, NULL, NULL), ST_IO);
}

/* Who started this program may have ignored SIGCHLD, and then no child's end is told: it is no success. */
static void an_end_that_is_not_told_is_no_success(void **state)
{
    (void)state;
    ChildEnd end;
    signal(SIGCHLD, SIG_IGN);
    Status st = shell(&end, "exit 3", NULL, NULL);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(st, ST_IO);
    assert_non_null(strstr(error_text(), "cannot tell how sh ended"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_and_its_words_are_kept),        cmocka_unit_test(it_is_asked_to_end_once),
        cmocka_unit_test(its_own_children_are_asked_too),        cmocka_unit_test(what_cannot_start_fails),
        cmocka_unit_test(an_end_that_is_not_told_is_no_success),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
