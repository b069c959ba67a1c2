#include "recipe/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/scratch_test.h"

/* With `stop` it is asked to end, again and again, as soon as it has said something. */
static Status run(ChildEnd *end, const ChildSpec *spec, bool stop)
{
    Child *c;
    TRY(child_start(&c, spec));
    while (!child_ended(c)) {
        if (stop && file_size(spec->log) > 0)
            child_ask_to_end(c);
        children_listen(&c, 1);
    }
    return child_end(end, c);
}

static Status shell(ChildEnd *end, const char *script, bool stop)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return run(end, &(ChildSpec){.argv = argv, .log = in_scratch("log"), .quiet = true}, stop);
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
    assert_int_equal(shell(&end, "echo one; echo two >&2", false), ST_OK);
    assert_int_equal(end.code, 0);
    assert_true(end.memory > 0 && end.seconds >= 0);
    assert_int_equal(shell(&end, "exit 3", false), ST_OK);
    assert_int_equal(end.code, 3);
    assert_int_equal(shell(&end, "kill -9 $$", false), ST_OK);
    assert_int_equal(end.code, 128 + SIGKILL);
    log_holds("one\ntwo\n");
}

static void it_is_asked_to_end_once(void **state)
{
    (void)state;
    ChildEnd end;
    const char *script = "exec perl -e '$SIG{TERM} = sub { print \"asked\\n\" }; $| = 1; print \"up\\n\"; "
                         "select(undef, undef, undef, 0.1) for 1 .. 8'";
    assert_int_equal(shell(&end, script, true), ST_OK);
    assert_int_equal(end.code, 0);
    log_holds("up\nasked\n");
}

/* Whoever holds the lock behind a shell that ended would let the next run wait. */
static void its_own_children_are_asked_too(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "echo up; sleep 60 | cat", NULL};
    ChildEnd end;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(run(&end, &(ChildSpec){.argv = argv, .log = in_scratch("log"), .quiet = true, .keep = &fds[1], .keep_n = 1},
                         true),
                     ST_OK);
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
    ChildSpec spec = {.argv = absent, .log = in_scratch("log"), .quiet = true};
    assert_int_equal(run(&end, &spec, false), ST_OK);
    assert_int_equal(end.code, 127);
    log_holds("cannot run /no/such/program: No such file or directory\n");
    spec.argv = there;
    spec.log = in_scratch("none/log");
    assert_int_equal(run(&end, &spec, false), ST_IO);
    assert_non_null(strstr(error_text(), "none/log"));
}

/* Two at a time, each on its processor, their lines whole and named. */
static void several_say_whose_words_are_whose(void **state)
{
    (void)state;
    static const char *const argv[] = {"sh", "-c",
                                       "printf one; sleep 0.2; echo , two; nproc; printf '10%%\\r'; "
                                       "printf '\\r20%%\\r'; printf 'e\\0nd'",
                                       NULL};
    Child *c[2];
    ChildEnd end;
    cpu_set_t one;
    cpu_share(&one, 0, 1 << 10);
    fflush(stderr);
    int was = dup(STDERR_FILENO), file = open(in_scratch("said"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    for (int i = 0; i < 2; i++)
        assert_int_equal(child_start(&c[i], &(ChildSpec){.argv = argv,
                                                         .log = in_scratch(i ? "log1" : "log0"),
                                                         .name = i ? "b" : "a",
                                                         .cpus = &one}),
                         ST_OK);
    for (int left = 2; left;) {
        children_listen(c, (size_t)left);
        for (int i = 0; i < left; i++)
            if (child_ended(c[i])) {
                assert_int_equal(child_end(&end, c[i]), ST_OK);
                assert_int_equal(end.code, 0);
                c[i] = c[--left];
            }
    }
    fflush(stderr);
    dup2(was, STDERR_FILENO);
    close(was);
    close(file);
    Str said = scratch_read("said"), log = scratch_read("log1");
    for (int i = 0; i < 2; i++) {
        static const char *const lines[2][4] = {{"a: one, two\n", "a: 1\n", "a: 10%\n", "a: 20%\n"},
                                                {"b: one, two\n", "b: 1\n", "b: 10%\n", "b: 20%\n"}};
        for (int k = 0; k < 4; k++)
            assert_non_null(memmem(said.at, said.n, lines[i][k], strlen(lines[i][k])));
    }
    assert_non_null(memmem(said.at, said.n, "a: e\0nd\n", 8)); /* whatever bytes they are */
    assert_int_equal(said.n, 2 * strlen("a: one, two\na: 1\na: 10%\na: 20%\na: e.nd\n"));
    assert_int_equal(log.n, strlen("one, two\n1\n10%.20%.e.nd") + 1);
    str_drop(&said);
    str_drop(&log);
}

/* Who started this program may have ignored SIGCHLD, and then no child's end is told: it is no success. */
static void an_end_that_is_not_told_is_no_success(void **state)
{
    (void)state;
    ChildEnd end;
    signal(SIGCHLD, SIG_IGN);
    Status st = shell(&end, "exit 3", false);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(st, ST_IO);
    assert_non_null(strstr(error_text(), "cannot tell how sh ended"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_and_its_words_are_kept),        cmocka_unit_test(it_is_asked_to_end_once),
        cmocka_unit_test(its_own_children_are_asked_too),        cmocka_unit_test(what_cannot_start_fails),
        cmocka_unit_test(several_say_whose_words_are_whose),
        cmocka_unit_test(an_end_that_is_not_told_is_no_success),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
