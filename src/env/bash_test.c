#include "env/bash.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/scratch_test.h"

static char no_sandbox[ERROR_TEXT_MAX]; /* why this host has none; "" where it has */

#define NEEDS_SANDBOX                                    \
    (void)state;                                         \
    if (*no_sandbox) {                                   \
        print_message("SKIP sandbox: %s\n", no_sandbox); \
        skip();                                          \
    }

static Bash *bash;

static int begin(void **state)
{
    Str says = {0};
    if (scratch_make(state) != 0)
        return -1;
    if (sandbox_probe(&says) != ST_OK)
        snprintf(no_sandbox, sizeof no_sandbox, "%s", error_text());
    str_drop(&says);
    return folder_make(in_scratch("work")) == ST_OK &&
                   (geteuid() != 0 ||
                    (chown(in_scratch("work"), 65534, 65534) == 0 && chmod(scratch, 0755) == 0))
               ? 0
               : -1;
}

static void open_bash(BashSpec spec)
{
    static char work[256];
    snprintf(work, sizeof work, "%s", in_scratch("work"));
    spec.work = work;
    bash_open(&bash, &spec);
}

static BashResult run(const char *command)
{
    BashResult r;
    if (bash_run(bash, &r, span(command)) != ST_OK)
        fail_msg("%s", error_text());
    return r;
}

static void expect(const char *command, int code, const char *text)
{
    BashResult r = run(command);
    assert_string_equal(str_c(&r.text), text);
    assert_int_equal(r.end, SANDBOX_EXITED);
    assert_int_equal(r.code, code);
    assert_false(r.truncated);
    bash_result_drop(&r);
}

static void files_and_folder_stay_and_nothing_else(void **state)
{
    NEEDS_SANDBOX
    open_bash((BashSpec){0});
    expect("pwd; mkdir -p 'a b'; cd 'a b'; echo hi > f; X=1", 0, BASH_HOME "\n");
    expect("cat f; pwd; echo \"[$X]\"", 0, "hi\n" BASH_HOME "/a b\n[]\n");
    expect("cd ..; exit 3", 3, "");
    expect("pwd", 0, BASH_HOME "\n");
    expect("cd /nowhere", 1, "bash: line 1: cd: /nowhere: No such file or directory\n");
    expect("cd 'a b' && rm -r ../'a b'", 0, "");
    expect("pwd", 0, BASH_HOME "\n"); /* where it ended is gone */
    expect("cd /tmp; echo x > y", 0, "");
    expect("ls", 0, ""); /* /tmp is new each time */
    bash_home(bash);
    expect("pwd", 0, BASH_HOME "\n");
    bash_close(bash);
}

static void outputs_come_in_their_order(void **state)
{
    NEEDS_SANDBOX
    open_bash((BashSpec){0});
    expect("echo a; echo b >&2; echo c; false", 1, "a\nb\nc\n");
    expect("for i in 1 2\ndo echo $i\ndone\ncat <<X\nhere\nX", 0, "1\n2\nhere\n");
    expect("read x; echo \"[$x]\"", 0, "[]\n");
    expect("printf 'a\\377b'", 0,
           "a\xEF\xBF\xBD"
           "b");
    expect("", 0, "");
    BashResult r = run("if");
    assert_int_not_equal(r.code, 0);
    assert_non_null(strstr(str_c(&r.text), "syntax error"));
    bash_result_drop(&r);
    r = run("kill -9 $$");
    assert_int_equal(r.end, SANDBOX_SIGNALLED);
    assert_int_equal(r.code, 9);
    bash_result_drop(&r);
    bash_close(bash);
}

static void long_output_keeps_both_ends(void **state)
{
    NEEDS_SANDBOX
    open_bash((BashSpec){.output_bytes = 200});
    BashResult r = run("echo first; seq 100000; echo last");
    assert_true(r.truncated);
    assert_true(r.text.n < 300);
    assert_memory_equal(r.text.at, "first\n1\n2\n", 10);
    assert_string_equal(r.text.at + r.text.n - 13, "\n100000\nlast\n");
    assert_non_null(strstr(r.text.at, "bytes are left out ...]\n"));
    bash_result_drop(&r);
    r = run("for i in $(seq 500); do printf '\xE2\x82\xAC'; done"); /* characters stay whole */
    assert_true(r.truncated && utf8_valid(r.text.at, r.text.n));
    assert_null(strstr(r.text.at, "\xEF\xBF\xBD"));
    bash_result_drop(&r);
    bash_close(bash);
}

static void a_long_command_is_taken(void **state)
{
    NEEDS_SANDBOX
    Str text = {0};
    open_bash((BashSpec){0});
    str_adds(&text, "x='");
    for (int i = 0; i < 500000; i++)
        str_addc(&text, 'y');
    str_adds(&text, "'; echo ${#x}");
    expect(str_c(&text), 0, "500000\n");
    str_drop(&text);
    bash_close(bash);
}

static void limits_end_it(void **state)
{
    NEEDS_SANDBOX
    SandboxLimits limits = bash_limits();
    limits.wall_seconds = 0.5;
    open_bash((BashSpec){.limits = limits});
    BashResult r = run("echo before; exec >&- 2>&-; sleep 20");
    assert_int_equal(r.end, SANDBOX_WALL_TIME);
    assert_string_equal(str_c(&r.text), "before\n");
    assert_true(r.seconds < 10);
    bash_result_drop(&r);
    r = run("sleep 20 & echo started"); /* what it leaves behind ends with it */
    assert_int_equal(r.end, SANDBOX_EXITED);
    assert_string_equal(str_c(&r.text), "started\n");
    bash_result_drop(&r);
    bash_close(bash);
    limits = bash_limits();
    limits.output_bytes = 1 << 20;
    open_bash((BashSpec){.limits = limits});
    r = run("yes");
    assert_int_equal(r.end, SANDBOX_OUTPUT);
    assert_true(r.truncated && r.text.n < 17000);
    bash_result_drop(&r);
    bash_close(bash);
}

static bool after_a_while(void *context)
{
    return clock_now() > *(double *)context;
}

static void a_stop_interrupts_and_then_kills(void **state)
{
    NEEDS_SANDBOX
    double when;
    open_bash((BashSpec){.stopped = after_a_while, .stopped_context = &when});
    when = clock_now() + 0.3;
    BashResult r =
        run("mkdir -p s; cd s; trap 'echo caught; exit 7' INT; echo on; while :; do sleep 0.05; done");
    assert_true(r.stopped && r.seconds < 10);
    assert_string_equal(str_c(&r.text), "on\ncaught\n");
    assert_int_equal(r.code, 7);
    bash_result_drop(&r);
    when = clock_now() + 3600;
    expect("pwd", 0, BASH_HOME "/s\n");
    when = clock_now() + 0.3;
    r = run("trap '' INT; cd ..; while :; do sleep 0.1; done");
    assert_true(r.stopped && r.seconds < 10);
    assert_int_equal(r.end, SANDBOX_KILLED);
    bash_result_drop(&r);
    when = clock_now() + 3600;
    expect("pwd", 0, BASH_HOME "/s\n"); /* it came to no end of its own */
    bash_close(bash);
}

static void a_command_cannot_lie_itself_out(void **state)
{
    NEEDS_SANDBOX
    open_bash((BashSpec){0});
    expect("printf 'no path\\0' >&199; trap - EXIT", 0, "");
    expect("pwd", 0, BASH_HOME "\n");
    expect("printf '\\0/etc/..\\0' >&199; trap - EXIT", 0, "");
    expect("pwd; cat /etc/shadow", 1, "/\ncat: /etc/shadow: No such file or directory\n");
    expect("head -c 100000 /dev/zero >&199", 0, "");
    expect("exec true", 0, "");
    bash_home(bash);
    expect("id -u; ls -A /root /home 2>&1 | wc -l", 0, "1000\n2\n");
    bash_close(bash);
}

static void a_wrong_setup_is_said(void **state)
{
    NEEDS_SANDBOX
    BashResult r;
    BashSpec spec = {.work = "/absent/folder"};
    bash_open(&bash, &spec);
    assert_int_equal(bash_run(bash, &r, span("true")), ST_ARG);
    assert_int_equal(r.text.n, 0);
    bash_close(bash);
    bash_open(&bash, &(BashSpec){0}); /* without a folder of the host nothing is left */
    expect("echo x > f; ls", 0, "f\n");
    expect("ls", 0, "");
    bash_close(bash);
    bash_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_folder_stay_and_nothing_else),
        cmocka_unit_test(outputs_come_in_their_order),
        cmocka_unit_test(long_output_keeps_both_ends),
        cmocka_unit_test(a_long_command_is_taken),
        cmocka_unit_test(limits_end_it),
        cmocka_unit_test(a_stop_interrupts_and_then_kills),
        cmocka_unit_test(a_command_cannot_lie_itself_out),
        cmocka_unit_test(a_wrong_setup_is_said),
    };
    return cmocka_run_group_tests(tests, begin, scratch_remove);
}
