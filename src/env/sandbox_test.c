#include "env/sandbox.h"

#include "base/clock.h"
#include "base/names_in_test.h"
#include "base/scratch_test.h"
#include "base/thread.h"
#include "env/sandbox_attacks_test.h"

static char self[64];                   /* a copy of this program that anybody may read           */
static bool attacks_run;                /* ... and start inside (not so under AddressSanitizer)   */
static char no_sandbox[ERROR_TEXT_MAX]; /* why this host has none; "" where it has    */

static bool skipped(bool needs_attacks)
{
    if (*no_sandbox)
        print_message("SKIP sandbox: %s\n", no_sandbox);
    else if (needs_attacks && !attacks_run)
        print_message("SKIP sandbox: this program does not start within the limits (a sanitizer's memory)\n");
    return *no_sandbox || (needs_attacks && !attacks_run);
}
#define NEEDS_SANDBOX   \
    (void)state;        \
    if (skipped(false)) \
    skip()
#define NEEDS_ATTACKS  \
    (void)state;       \
    if (skipped(true)) \
    skip()

/* Small and quick. */
static SandboxLimits small(void)
{
    return (SandboxLimits){.memory_bytes = 128 << 20,
                           .disk_bytes = 16 << 20,
                           .file_bytes = 4 << 20,
                           .output_bytes = 100000,
                           .processes = 20,
                           .cpu_seconds = 5,
                           .wall_seconds = 10};
}

/* Processes of this host that were started from `self`, other than this one's own. */
static int left_running(void)
{
    FolderList l;
    int n = 0;
    assert_int_equal(folder_list(&l, "/proc"), ST_OK);
    for (size_t i = 0; i < l.n; i++) {
        char path[300], line[512] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", l.at[i]);
        int fd = open(path, O_RDONLY);
        ssize_t got = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
        if (fd >= 0)
            close(fd);
        for (ssize_t at = 0; at < got; at += (ssize_t)strlen(line + at) + 1)
            n += strcmp(line + at, self) == 0;
    }
    folder_list_drop(&l);
    return n;
}

static SandboxResult run_limited(const char *const *argv, const char *input, SandboxLimits limits)
{
    SandboxSpec spec = {.argv = argv, .read_only = (const char *[]){self, NULL}, .limits = limits};
    SandboxInput in = {.at = input, .n = input ? strlen(input) : 0};
    SandboxResult r;
    if (sandbox_run(&r, &spec, &in) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(left_running(), 0);
    return r;
}

static SandboxResult run_attack(const char *name, const char *argument, SandboxLimits limits)
{
    return run_limited((const char *[]){self, "attack", name, argument, NULL}, NULL, limits);
}

static SandboxResult run_sh(const char *script, const char *input)
{
    return run_limited((const char *[]){"sh", "-c", script, NULL}, input, small());
}

/* Ended so and printed that; drops it. */
static void expect(SandboxResult r, SandboxEnd end, int code, const char *out)
{
    if (r.end != end || r.code != code || (out && strcmp(str_c(&r.out), out) != 0))
        fail_msg("%s %d, \"%.300s\" \"%.300s\"", sandbox_end_name(r.end), r.code, str_c(&r.out),
                 str_c(&r.err));
    sandbox_result_drop(&r);
}

static void programs_run_and_say_how_they_ended(void **state)
{
    NEEDS_SANDBOX;
    expect(run_sh("cat; pwd; echo x >y; cat y; id -u", "in\n"), SANDBOX_EXITED, 0, "in\n/work\nx\n1000\n");
    expect(run_sh("exit 3", NULL), SANDBOX_EXITED, 3, "");
    expect(run_sh("kill -SEGV $$", NULL), SANDBOX_SIGNALLED, SIGSEGV, "");
    expect(run_sh("kill -KILL $$", NULL), SANDBOX_SIGNALLED, SIGKILL, "");
    SandboxResult r = run_sh("echo a >&2; echo b", NULL);
    assert_string_equal(str_c(&r.err), "a\n");
    expect(r, SANDBOX_EXITED, 0, "b\n");
    SandboxSpec absent = {.argv = (const char *[]){"no-such-program", NULL}, .limits = small()};
    assert_int_equal(sandbox_run(&r, &absent, NULL), ST_ARG);
    expect_words("no-such-program");
}

static void limits_end_programs_by_name(void **state)
{
    NEEDS_SANDBOX;
    SandboxLimits l = small();
    l.wall_seconds = 0.2;
    const char *const sleeps[] = {"sleep", "60", NULL},
                      *const loops[] = {"sh", "-c", "while :; do :; done", NULL},
                      *const pair[] = {"sh", "-c", "while :; do :; done & while :; do :; done", NULL};
    SandboxResult r = run_limited(sleeps, NULL, l);
    assert_true(r.wall_seconds >= 0.2);
    expect(r, SANDBOX_WALL_TIME, 0, "");
    l = small();
    l.cpu_seconds = 0.2;
    r = run_limited(loops, NULL, l);
    assert_true(r.cpu_seconds >= 0.2);
    expect(r, SANDBOX_CPU_TIME, 0, "");
    expect(run_limited(pair, NULL, l), SANDBOX_CPU_TIME, 0, "");
    /* As many as allowed do no harm: a shell and 19 others. */
    expect(
        run_sh(
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do sleep 0.1 & done; wait; echo done",
            NULL),
        SANDBOX_EXITED, 0, "done\n");
    expect(
        run_sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; wait", NULL),
        SANDBOX_PROCESSES, 0, "");
}

static void bombs_are_contained(void **state)
{
    NEEDS_ATTACKS;
    SandboxLimits l = small();
    expect(run_attack("forks", NULL, l), SANDBOX_PROCESSES, 0, NULL);
    const char *const kinds[] = {"private", "shared", "spread"};
    for (int i = 0; i < 3; i++) {
        SandboxResult r = run_attack("memory", kinds[i], l);
        assert_true(r.memory_bytes > l.memory_bytes && r.memory_bytes < 8 * l.memory_bytes);
        expect(r, SANDBOX_MEMORY, 0, NULL);
    }
    expect(run_attack("disk", "/work", l), SANDBOX_DISK, 0, NULL);
    expect(run_attack("disk", "/tmp", l), SANDBOX_DISK, 0, NULL);
    expect(run_attack("disk", "/dev/shm", l), SANDBOX_DISK, 0, NULL);
    expect(run_attack("files", NULL, l), SANDBOX_DISK, 0, NULL);
    expect(run_attack("one file", NULL, l), SANDBOX_FILE_SIZE, 0, NULL);
    SandboxResult r = run_attack("output", NULL, l);
    assert_int_equal(r.out.n, l.output_bytes);
    expect(r, SANDBOX_OUTPUT, 0, NULL);
}

static void pipes_closed_and_flooded_do_no_harm(void **state)
{
    NEEDS_SANDBOX;
    expect(run_sh("exec <&- >&- 2>&-; exit 4", "never read"), SANDBOX_EXITED, 4, "");
    expect(run_sh("exec <&-; sleep 0.1; echo done", "x"), SANDBOX_EXITED, 0, "done\n");
    size_t n = 8 << 20;
    char *flood = mem_array(char, n + 1);
    memset(flood, 'x', n);
    expect(run_sh("exit 0", flood), SANDBOX_EXITED, 0, "");
    expect(run_sh("wc -c", flood), SANDBOX_EXITED, 0, "8388608\n");
    SandboxLimits l = small();
    l.output_bytes = 32 << 20;
    SandboxResult r = run_limited((const char *[]){"cat", NULL}, flood, l); /* both ways at once */
    assert_true(r.out.n == n && memcmp(r.out.at, flood, n) == 0);
    expect(r, SANDBOX_EXITED, 0, NULL);
    mem_free(flood);
    expect(run_sh("yes >&2", NULL), SANDBOX_OUTPUT, 0, "");
}

static void stdin_may_be_a_stream(void **state)
{
    NEEDS_SANDBOX;
    scratch_text("stream", "from a file\n");
    int fd = open(in_scratch("stream"), O_RDONLY | O_CLOEXEC);
    SandboxSpec spec = {.argv = (const char *[]){"cat", NULL}, .limits = small()};
    SandboxResult r;
    assert_int_equal(sandbox_run(&r, &spec, &(SandboxInput){.at = "bytes, ", .n = 7, .fd = fd}), ST_OK);
    close(fd);
    expect(r, SANDBOX_EXITED, 0, "bytes, from a file\n");
}

static void what_is_left_behind_ends(void **state)
{
    NEEDS_ATTACKS;
    double before = clock_now();
    expect(run_attack("daemon", NULL, small()), SANDBOX_EXITED, 5, "left\n");
    assert_true(clock_now() - before < 5);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    expect(run_attack("signals", pid, small()), SANDBOX_EXITED, 0, "");
}

static void walls_hold(void **state)
{
    NEEDS_ATTACKS;
    scratch_text("secret", "of the host");
    char *secret = scratch_path("secret");
    assert_int_equal(chmod(secret, 0644), 0);
    expect(run_attack("host files", secret, small()), SANDBOX_EXITED, 0, "");
    mem_free(secret);
    expect(run_attack("runtime", NULL, small()), SANDBOX_EXITED, 0, "");
    expect(run_attack("privileges", NULL, small()), SANDBOX_EXITED, 0, "");
    int leak = dup(0);
    setenv("LEMUR_TEST_SECRET", "x", 1);
    expect(run_attack("belongings", NULL, small()), SANDBOX_EXITED, 0, "");
    unsetenv("LEMUR_TEST_SECRET");
    close(leak);
    char name[32];
    snprintf(name, sizeof name, "lemur-test-%d", (int)getpid());
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path + 1, name, strlen(name));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    assert_true(bind(s, (struct sockaddr *)&a, size) == 0 && listen(s, 1) == 0);
    expect(run_attack("network", name, small()), SANDBOX_EXITED, 0, "");
    close(s);
}

static void a_work_folder_of_the_callers_keeps_what_is_written(void **state)
{
    NEEDS_SANDBOX;
    char *work = scratch_path("work");
    assert_int_equal(folder_make(work), ST_OK);
    SandboxSpec spec = {.argv = (const char *[]){"sh", "-c", "echo $GREETING >hello", NULL},
                        .env = (const char *[]){"GREETING=hi there", NULL},
                        .work = work,
                        .limits = small()};
    SandboxResult r;
    if (geteuid() == 0) {
        assert_int_equal(sandbox_run(&r, &spec, NULL), ST_ARG);
        expect_words("belongs to root");
        assert_int_equal(chown(work, 65534, 65534), 0);
    }
    assert_int_equal(sandbox_run(&r, &spec, NULL), ST_OK);
    expect(r, SANDBOX_EXITED, 0, "");
    Str said = scratch_read("work/hello");
    assert_string_equal(str_c(&said), "hi there\n");
    str_drop(&said);
    mem_free(work);
}

/* Reads until `words` have come from stdout. */
static void await(Sandbox *s, const char *words)
{
    Str got = {0};
    char buf[256];
    while (!strstr(str_c(&got), words)) {
        size_t n;
        int from;
        assert_int_equal(sandbox_read(s, buf, sizeof buf, clock_now() + 5, &n, &from), ST_OK);
        if (n == 0)
            fail_msg("it ended after \"%s\"", str_c(&got));
        str_add(&got, buf, n);
    }
    str_drop(&got);
}

static Sandbox *start_sh(const char *script)
{
    Sandbox *s;
    SandboxSpec spec = {.argv = (const char *[]){"sh", "-c", script, NULL}, .limits = small()};
    if (sandbox_start(&s, &spec) != ST_OK)
        fail_msg("%s", error_text());
    return s;
}

static void sessions_are_spoken_to(void **state)
{
    NEEDS_SANDBOX;
    char buf[256];
    size_t n;
    int from;
    SandboxResult r;
    Sandbox *s = start_sh("echo ready; while read x; do echo \"got $x\"; done; exit 6");
    await(s, "ready\n");
    assert_int_equal(sandbox_read(s, buf, sizeof buf, clock_now() + 0.05, &n, &from), ST_LIMIT);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sandbox_write(s, "1\n", 2, clock_now() + 1), ST_OK);
        await(s, "got 1\n");
    }
    assert_true(sandbox_running(s));
    sandbox_close_input(s);
    assert_int_equal(sandbox_read(s, buf, sizeof buf, clock_now() + 5, &n, &from), ST_OK);
    assert_int_equal(n, 0);
    assert_int_equal(sandbox_end(s, &r), ST_OK);
    sandbox_close(s);
    expect(r, SANDBOX_EXITED, 6, NULL);

    /* An interrupt ends the sleep too, as Ctrl-C would, or the shell would wait for it.  One that comes while
     * the shell starts the sleep may reach neither, so it is repeated. */
    s = start_sh("trap 'echo caught; exit 7' INT; echo ready; sleep 60; sleep 60");
    await(s, "ready\n");
    Status st = ST_LIMIT;
    for (int tries = 0; st == ST_LIMIT && tries < 20; tries++) {
        sandbox_interrupt(s);
        st = sandbox_read(s, buf, sizeof buf, clock_now() + 0.2, &n, &from);
    }
    assert_true(st == ST_OK && n == 7 && memcmp(buf, "caught\n", 7) == 0);
    assert_int_equal(sandbox_read(s, buf, sizeof buf, clock_now() + 5, &n, &from), ST_OK);
    assert_int_equal(sandbox_end(s, &r), ST_OK);
    sandbox_close(s);
    expect(r, SANDBOX_EXITED, 7, NULL);

    s = start_sh("echo ready; sleep 60");
    await(s, "ready\n");
    static char flood[1 << 20];
    assert_int_equal(sandbox_write(s, flood, sizeof flood, clock_now() + 0.05), ST_LIMIT);
    sandbox_kill(s);
    assert_int_equal(sandbox_end(s, &r), ST_OK);
    assert_false(sandbox_running(s));
    sandbox_close(s);
    expect(r, SANDBOX_KILLED, 0, NULL);

    s = start_sh("exit 0");
    while (sandbox_running(s))
        usleep(1000);
    assert_int_equal(sandbox_write(s, flood, sizeof flood, clock_now() + 5), ST_PEER);
    sandbox_close(s);
    sandbox_close(NULL);
}

/* Limits are kept while nobody reads. */
static void sessions_are_watched(void **state)
{
    NEEDS_SANDBOX;
    SandboxLimits l = small();
    l.cpu_seconds = 0.2;
    SandboxResult r;
    Sandbox *s;
    SandboxSpec spec = {.argv = (const char *[]){"sh", "-c", "while :; do :; done", NULL}, .limits = l};
    assert_int_equal(sandbox_start(&s, &spec), ST_OK);
    for (double until = clock_now() + 5; sandbox_running(s) && clock_now() < until;)
        usleep(10000);
    assert_int_equal(sandbox_end(s, &r), ST_OK);
    sandbox_close(s);
    expect(r, SANDBOX_CPU_TIME, 0, NULL);
}

static void it_dies_with_its_caller(void **state)
{
    NEEDS_ATTACKS;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t caller = fork();
    if (caller == 0) {
        Sandbox *s;
        SandboxSpec spec = {.argv = (const char *[]){self, "attack", "daemon", NULL},
                            .read_only = (const char *[]){self, NULL},
                            .limits = small()};
        bool started = sandbox_start(&s, &spec) == ST_OK;
        char buf[16];
        size_t n;
        int from;
        bool said = started && sandbox_read(s, buf, sizeof buf, clock_now() + 5, &n, &from) == ST_OK;
        (void)!write(ends[1], said ? "y" : "n", 1);
        for (;;)
            pause();
    }
    char said = 0;
    assert_int_equal(read(ends[0], &said, 1), 1);
    assert_int_equal(said, 'y');
    kill(caller, SIGKILL);
    waitpid(caller, NULL, 0);
    for (double until = clock_now() + 2; left_running() && clock_now() < until;)
        usleep(10000);
    assert_int_equal(left_running(), 0);
    close(ends[0]);
    close(ends[1]);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run_true(void *context, int64_t task, int thread)
{
    (void)thread;
    double *took = context;
    SandboxSpec spec = {.argv = (const char *[]){"/bin/true", NULL}, .limits = small()};
    SandboxResult r;
    double before = clock_now();
    bool ran = sandbox_run(&r, &spec, NULL) == ST_OK && r.end == SANDBOX_EXITED && r.code == 0;
    took[task] = ran ? clock_now() - before : -1;
    if (ran)
        sandbox_result_drop(&r);
}

/* The figures are printed, not asserted. */
static void many_leave_nothing(void **state)
{
    NEEDS_SANDBOX;
    enum { N = 200, AT_ONCE = 8 };
    double took[N];
    const char *const tmp = "/tmp";
    size_t fds = names_in("/proc/self/fd"), files = names_in(tmp);
    for (int at_once = 1; at_once <= AT_ONCE; at_once += AT_ONCE - 1) {
        double before = clock_now();
        thread_each(at_once == 1 ? N : N / 2, at_once, run_true, took);
        double all = clock_now() - before;
        int n = at_once == 1 ? N : N / 2;
        for (int i = 0; i < n; i++)
            assert_true(took[i] > 0);
        qsort(took, (size_t)n, sizeof *took, by_value);
        print_message("%d runs of /bin/true, %d at once: p50 %.1f ms, p95 %.1f ms, %.0f a second\n", n,
                      at_once, 1e3 * took[n / 2], 1e3 * took[n * 95 / 100], n / all);
    }
    assert_int_equal(names_in("/proc/self/fd"), fds);
    expect_threads(1);
    assert_true(names_in(tmp) <= files + 3); /* others use it too */
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void what_is_wrong_is_said(void **state)
{
    NEEDS_SANDBOX;
    SandboxResult r;
    SandboxSpec spec = {.argv = (const char *[]){"true", NULL}, .limits = small()};
    SandboxSpec wrong = spec;
    wrong.limits.processes = 0;
    assert_int_equal(sandbox_run(&r, &wrong, NULL), ST_ARG);
    wrong = spec;
    wrong.argv = (const char *[]){NULL};
    assert_int_equal(sandbox_run(&r, &wrong, NULL), ST_ARG);
    wrong = spec;
    wrong.env = (const char *[]){"NAME", NULL};
    assert_int_equal(sandbox_run(&r, &wrong, NULL), ST_ARG);
    wrong = spec;
    wrong.work = "/nowhere";
    assert_int_equal(sandbox_run(&r, &wrong, NULL), ST_ARG);
    expect_words("/nowhere");
    wrong = spec;
    wrong.read_only = (const char *[]){"relative", NULL};
    assert_int_equal(sandbox_run(&r, &wrong, NULL), ST_ARG);
}

/* Nothing runs where a wall is missing, and the sentence says what to do. */
static void hosts_that_have_none_are_refused(void **state)
{
    (void)state;
    SandboxResult r;
    SandboxSpec spec = {.argv = (const char *[]){"true", NULL}, .limits = small()};
    char *path = mem_str(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    assert_int_equal(sandbox_run(&r, &spec, NULL), ST_UNSUPPORTED);
    expect_words("apt-get install bubblewrap");
    setenv("PATH", path, 1);
    mem_free(path);
    if (skipped(false))
        skip();
    /* A user namespace of our own, in which there can be no more. */
    pid_t child = fork();
    if (child == 0) {
        uid_t uid = geteuid();
        if (unshare(CLONE_NEWUSER) < 0)
            _exit(2);
        char map[64];
        int n = snprintf(map, sizeof map, "1000 %d 1", (int)uid), fd = open("/proc/self/uid_map", O_WRONLY);
        if (write(fd, map, (size_t)n) != n)
            _exit(2);
        fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY);
        if (write(fd, "0", 1) != 1)
            _exit(2);
        bool refused = sandbox_run(&r, &spec, NULL) == ST_UNSUPPORTED;
        if (!refused || !strstr(error_text(), "max_user_namespaces"))
            fprintf(stderr, "\"%s\"\n", error_text());
        _exit(refused && strstr(error_text(), "max_user_namespaces") ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
        print_message("SKIP sandbox: no user namespace can be made to forbid more in\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* All of the above once more by a user who is not root. */
static void ordinary_users_have_it_too(void **state)
{
    NEEDS_SANDBOX;
    if (geteuid() != 0) {
        print_message("SKIP sandbox: run by an ordinary user; root's way was not tried\n");
        skip();
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execlp("setpriv", "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", self, NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int prepare(void **state)
{
    if (scratch_make(state) != 0 || chmod(scratch, 0755) != 0)
        return -1;
    snprintf(self, sizeof self, "%s/self", scratch);
    Str me = {0}, says = {0};
    if (file_read(&me, "/proc/self/exe", 0) != ST_OK || file_replace(self, me.at, me.n) != ST_OK ||
        chmod(self, 0755))
        return -1;
    str_drop(&me);
    if (sandbox_probe(&says) == ST_OK) {
        print_message("%s\n", str_c(&says));
        SandboxResult r = run_attack("nothing", NULL, small());
        attacks_run = r.end == SANDBOX_EXITED && r.code == 0;
        sandbox_result_drop(&r);
    } else {
        snprintf(no_sandbox, sizeof no_sandbox, "%s", error_text());
    }
    str_drop(&says);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "attack") == 0)
        return attack(argv[2], argc > 3 ? argv[3] : "");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_run_and_say_how_they_ended),
        cmocka_unit_test(limits_end_programs_by_name),
        cmocka_unit_test(bombs_are_contained),
        cmocka_unit_test(pipes_closed_and_flooded_do_no_harm),
        cmocka_unit_test(stdin_may_be_a_stream),
        cmocka_unit_test(what_is_left_behind_ends),
        cmocka_unit_test(walls_hold),
        cmocka_unit_test(a_work_folder_of_the_callers_keeps_what_is_written),
        cmocka_unit_test(sessions_are_spoken_to),
        cmocka_unit_test(sessions_are_watched),
        cmocka_unit_test(it_dies_with_its_caller),
        cmocka_unit_test(many_leave_nothing),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(hosts_that_have_none_are_refused),
        cmocka_unit_test(ordinary_users_have_it_too),
    };
    return cmocka_run_group_tests(tests, prepare, scratch_remove);
}
