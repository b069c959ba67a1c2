#include "agent/workbench.h"

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

static Workbench *bench;
static WorkbenchResult result;

static int begin(void **state)
{
    Str says = {0};
    if (scratch_make(state) != 0 || chmod(scratch, 0755) != 0)
        return -1;
    if (sandbox_probe(&says) != ST_OK)
        snprintf(no_sandbox, sizeof no_sandbox, "%s", error_text());
    str_drop(&says);
    scratch_text("mine/data.txt", "six lines\n");
    return 0;
}

static int end(void **state)
{
    workbench_result_drop(&result);
    return scratch_remove(state);
}

static void open_bench(WorkbenchSetup setup)
{
    if (workbench_open(&bench, &setup) != ST_OK)
        fail_msg("%s", error_text());
}

static void expect(Tool tool, const char *code, bool good, const char *text)
{
    if (workbench_run(bench, &result, tool, span(code)) != ST_OK)
        fail_msg("%s", error_text());
    if (good != result.good || !strstr(str_c(&result.text), text))
        fail_msg("%s: %s, not '%s': %s", code, result.good ? "good" : "bad", text, str_c(&result.text));
}

static void python_and_bash_share_a_folder(void **state)
{
    NEEDS_SANDBOX
    open_bench((WorkbenchSetup){0});
    assert_null(workbench_folder(bench));
    assert_false(workbench_holds_files(bench));
    expect(TOOL_PYTHON, "open('x.txt', 'w').write('from Python')\nn = 6", true, "");
    expect(TOOL_BASH, "cat x.txt; echo; mkdir d; cd d; echo from bash > y.txt", true, "from Python\n");
    expect(TOOL_PYTHON, "print(n * 7, open('d/y.txt').read())", true, "42 from bash");
    expect(TOOL_BASH, "basename \"$PWD\"; exit 4", false, "d\n[exit status 4]");
    expect(TOOL_BASH, "kill -11 $$", false, "[ended by signal 11]");
    expect(TOOL_PYTHON, "1/0", false, "ZeroDivisionError");
    assert_true(workbench_holds_files(bench));
    expect(TOOL_BASH, "chmod 000 .", true, ""); /* the next command begins all the same */
    expect(TOOL_BASH, "cat x.txt; chmod 600 .", true, "from Python");
    workbench_reset(bench);
    expect(TOOL_PYTHON, "n", false, "NameError");
    expect(TOOL_BASH, "pwd; cat x.txt", true, "/work\nfrom Python");
    expect(TOOL_PYTHON, "import os; os._exit(3)", false, "Python has ended (exited 3)");
    expect(TOOL_PYTHON, "1 + 1", true, "2"); /* a new one */
    workbench_close(bench);
    workbench_close(NULL);
}

static void a_folder_is_shown_and_not_touched(void **state)
{
    NEEDS_SANDBOX
    open_bench((WorkbenchSetup){.folder = in_scratch("mine/../mine")});
    assert_string_equal(workbench_folder(bench), in_scratch("mine"));
    expect(TOOL_BASH, "cat \"$FOLDER/data.txt\"", true, "six lines");
    expect(TOOL_BASH, "echo x > \"$FOLDER/new\"", false, "Read-only file system");
    char *code = mem_format("import os\nos.remove('%s')", in_scratch("mine/data.txt"));
    expect(TOOL_PYTHON, code, false, "Read-only file system");
    mem_free(code);
    workbench_close(bench);
    assert_false(path_exists(in_scratch("mine/new")));
}

static void a_folder_that_may_be_written_to_is_work(void **state)
{
    NEEDS_SANDBOX
    WorkbenchSetup setup = {.folder = in_scratch("own"), .write = true};
    scratch_text("own/a", "1\n");
    if (geteuid() == 0) { /* nobody may be root inside */
        assert_int_equal(workbench_open(&bench, &setup), ST_ARG);
        assert_non_null(strstr(error_text(), "chown"));
        assert_int_equal(chown(in_scratch("own"), 65534, 65534), 0);
        assert_int_equal(chown(in_scratch("own/a"), 65534, 65534), 0);
    }
    open_bench(setup);
    assert_string_equal(workbench_folder(bench), "/work");
    expect(TOOL_BASH, "echo 2 >> a; echo new > b", true, "");
    expect(TOOL_PYTHON, "open('a').read()", true, "1\\n2\\n");
    assert_false(workbench_holds_files(bench)); /* in a private one */
    workbench_close(bench);
    Str b = scratch_read("own/b");
    assert_string_equal(str_c(&b), "new\n");
    str_drop(&b);
}

static void what_cannot_be_is_refused(void **state)
{
    NEEDS_SANDBOX
    const char *const system[] = {"/", "/usr", "/etc/../etc", "/proc"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(workbench_open(&bench, &(WorkbenchSetup){.folder = system[i]}), ST_ARG);
        assert_non_null(strstr(error_text(), "is the system's"));
    }
    assert_int_equal(workbench_open(&bench, &(WorkbenchSetup){.folder = in_scratch("absent")}), ST_ARG);
    assert_int_equal(workbench_open(&bench, &(WorkbenchSetup){.folder = in_scratch("mine/data.txt")}),
                     ST_ARG);
    assert_int_equal(workbench_open(&bench, &(WorkbenchSetup){.write = true}), ST_ARG);
    if (geteuid() == 0) {
        scratch_text("closed/x", "x");
        assert_int_equal(chmod(in_scratch("closed"), 0700), 0);
        assert_int_not_equal(workbench_open(&bench, &(WorkbenchSetup){.folder = in_scratch("closed")}),
                             ST_OK);
        assert_non_null(strstr(error_text(), "closed"));
    }
}

static bool after_a_while(void *context)
{
    return clock_now() > *(double *)context;
}

static void a_stop_reaches_either(void **state)
{
    NEEDS_SANDBOX
    double when = clock_now() + 3600;
    open_bench((WorkbenchSetup){.stopped = after_a_while, .stopped_context = &when});
    expect(TOOL_PYTHON, "import time; x = 1", true, "");
    when = clock_now() + 0.2;
    expect(TOOL_PYTHON, "time.sleep(30)", false, "[The user interrupted this block");
    assert_true(result.stopped);
    when = clock_now() + 0.2;
    expect(TOOL_BASH, "sleep 30", false, "[The user interrupted this command]");
    assert_true(result.stopped);
    when = clock_now() + 3600;
    expect(TOOL_PYTHON, "x", true, "1"); /* its state is there */
    workbench_close(bench);
}

static void limits_are_told(void **state)
{
    NEEDS_SANDBOX
    open_bench((WorkbenchSetup){.seconds = 0.5, .output_bytes = 400});
    expect(TOOL_BASH, "sleep 30", false, "[ended after 0.5 seconds");
    expect(TOOL_PYTHON, "import time; time.sleep(30)", false, "TimeoutError");
    expect(TOOL_BASH, "seq 10000", true, "bytes are left out");
    assert_true(result.truncated);
    expect(TOOL_PYTHON, "print('x' * 10000)", true, "[Output Truncated]");
    assert_true(result.truncated && result.text.n < 500);
    workbench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_and_bash_share_a_folder),
        cmocka_unit_test(a_folder_is_shown_and_not_touched),
        cmocka_unit_test(a_folder_that_may_be_written_to_is_work),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_stop_reaches_either),
        cmocka_unit_test(limits_are_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
