/* The programs in recorded MINT episodes, run by tests/mint_programs.py inside bubblewrap, never without: R5
 * to R7. */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct {
    pid_t pid;
    FILE *to, *back;
    char *line;
    size_t cap;
} Runner;

/* No network, no files but /usr (read-only), an empty /tmp and the script; dies with this test. */
static void become_sandbox(void)
{
    char script[4096];
    if (!realpath("tests/mint_programs.py", script))
        _exit(127);
    execlp("bwrap", "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--ro-bind",
           "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink",
           "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", script,
           "/script.py", "--chdir", "/tmp", "/usr/bin/python3", "-I", "/script.py", (char *)NULL);
    _exit(127);
}

static void runner_open(Runner *r)
{
    int to[2], back[2];
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(back, O_CLOEXEC), 0);
    r->pid = fork();
    if (r->pid == 0) {
        dup2(to[0], 0);
        dup2(back[1], 1);
        become_sandbox();
    }
    close(to[0]);
    close(back[1]);
    r->to = fdopen(to[1], "w");
    r->back = fdopen(back[0], "r");
}

static void runner_close(Runner *r)
{
    fclose(r->to);
    fclose(r->back);
    free(r->line);
    waitpid(r->pid, NULL, 0);
}

/* Takes the request; NULL when the sandbox is gone. */
static json_t *ask(Runner *r, json_t *request)
{
    json_error_t error;
    json_dumpf(request, r->to, JSON_COMPACT);
    json_decref(request);
    fputc('\n', r->to);
    fflush(r->to);
    ssize_t n = getline(&r->line, &r->cap, r->back);
    return n > 0 ? json_loadb(r->line, (size_t)n, JSON_ALLOW_NUL, &error) : NULL;
}

static Mark test_program(void *arg, Span solution, Span tests)
{
    json_t *reply =
        ask(arg, json_pack("{s:s%, s:s%}", "solution", solution.at, solution.n, "tests", tests.at, tests.n));
    const json_t *passes = json_object_get(reply, "passes");
    Mark mark = !passes ? MARK_UNDECIDED : json_is_true(passes) ? MARK_RIGHT : MARK_WRONG;
    json_decref(reply);
    return mark;
}

static void begin_cells(void *arg)
{
    json_decref(ask(arg, json_pack("{s:b}", "begin", 1)));
}

static CellResult run_cell(void *arg, Str *out, Span code)
{
    json_t *reply = ask(arg, json_pack("{s:s%}", "cell", code.at, code.n));
    const json_t *printed = json_object_get(reply, "printed"), *raised = json_object_get(reply, "raised");
    const json_t *text = printed ? printed : raised;
    if (text)
        str_add(out, json_string_value(text), json_string_length(text));
    CellResult result = printed ? CELL_PRINTED : raised ? CELL_RAISED : CELL_UNABLE;
    json_decref(reply);
    return result;
}

static void tell(void *arg, ReplayCheck check, const char *file, int64_t line, const char *what)
{
    int *told = arg;
    if (check >= REPLAY_R5 && (*told)++ < 60)
        printf("  %s disagrees: %s:%lld: %.200s\n", replay_check_names[check], file, (long long)line, what);
}

static const char *data_folder(void)
{
    const char *set = getenv("LEMUR_DATA");
    return set && *set ? set : "../shared/data";
}

static bool programs_run(Runner *r)
{
    ReplayPrograms p = {.arg = r};
    return test_program(p.arg, span("def f():\n    return 1"), span("assert f() == 1")) == MARK_RIGHT &&
           test_program(p.arg, span("def f():\n    return 2"), span("assert f() == 1")) == MARK_WRONG;
}

static void programs_agree(void **state)
{
    (void)state;
    char *folder = path_join(data_folder(), "mint/replay");
    Runner r = {0};
    if (!path_is_folder(folder)) {
        printf("SKIP no recordings in %s (set LEMUR_DATA)\n", folder);
        mem_free(folder);
        skip();
    }
    runner_open(&r);
    if (!programs_run(&r)) {
        printf("SKIP bwrap and /usr/bin/python3 do not run here, so no recorded program is\n");
        runner_close(&r);
        mem_free(folder);
        skip();
    }
    int told = 0;
    ReplayReport report = {0};
    ReplayPrograms programs = {&r, test_program, begin_cells, run_cell};
    ReplaySpec spec = {.data = data_folder(), .programs = &programs, .tell = tell, .arg = &told};
    Status st = replay_mint(&report, &spec, folder);
    runner_close(&r);
    mem_free(folder);
    if (st != ST_OK)
        fail_msg("%s", error_text());
    for (int i = REPLAY_R5; i < REPLAY_CHECKS; i++)
        printf("%-11s %lld of %lld agree, %lld undecided\n", replay_check_names[i],
               (long long)report.counts[i].agreed, (long long)report.counts[i].compared,
               (long long)report.counts[i].undecided);
    assert_int_equal(report.counts[REPLAY_R5].agreed, report.counts[REPLAY_R5].compared);
    assert_int_equal(report.counts[REPLAY_R5].undecided, 0);
    assert_int_equal(report.counts[REPLAY_R6].agreed, report.counts[REPLAY_R6].compared);
    /* The recordings' older Python words some errors otherwise. */
    assert_true(report.counts[REPLAY_R7].agreed * 100 >= report.counts[REPLAY_R7].compared * 95);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
