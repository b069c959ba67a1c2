/* lemur agent as somebody uses it: once, by a pipe, and on a terminal that this test plays.  The model is a
 * script, a server that stalls, or one of a few thousand weights. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/http_server_test.h"
#include "base/json_file.h"
#include "base/names_in_test.h"
#include "cli/cmd.h"
#include "cli/terminal_test.h"
#include "env/sandbox.h"
#include "infer/cycle_test.h"

static char no_sandbox[ERROR_TEXT_MAX]; /* why this host has none; "" where it has */

#define NEEDS_SANDBOX                                    \
    (void)state;                                         \
    if (*no_sandbox) {                                   \
        print_message("SKIP sandbox: %s\n", no_sandbox); \
        skip();                                          \
    }

#define PY(code) "{\"text\": \"```python\\n" code "\\n```\"}\n"
#define SH(code) "{\"text\": \"```bash\\n" code "\\n```\"}\n"
#define SAYS(text) "{\"text\": \"" text "\"}\n"

static void script(const char *lines)
{
    scratch_text("script.jsonl", lines);
}

/* The command's exit code in a process of its own; words[0] NULL-terminated behind "agent". */
static void run_child(const char *const *words)
{
    char *argv[24] = {mem_str("agent")};
    int argc = 1;
    for (; *words; words++)
        argv[argc++] = mem_str(*words);
    setenv("XDG_STATE_HOME", scratch, 1);
    setenv("HOME", in_scratch("home"), 1);
    setenv("TMPDIR", in_scratch("tmp"), 1);
    setenv("TERM", "xterm", 1);
    int code = cmd_agent(argc, argv);
    fflush(stdout);
    _exit(code);
}

/* What goes to stdout and stderr, each a file. */
static pid_t start_with(int in, const char *const *words)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in, 0);
        dup2(open(in_scratch("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
        dup2(open(in_scratch("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
        run_child(words);
    }
    close(in);
    assert_true(pid > 0);
    return pid;
}

static pid_t start(const char *input, const char *const *words)
{
    scratch_text("in", input);
    return start_with(open(in_scratch("in"), O_RDONLY), words);
}

static int wait_for(pid_t pid)
{
    int status = 0;
    assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_run(const char *input, const char *const *words, int code, const char *out,
                       const char *err)
{
    int got = wait_for(start(input, words));
    Str said = scratch_read("out"), told = scratch_read("err");
    if (got != code || strcmp(str_c(&said), out) != 0 || !strstr(str_c(&told), err))
        fail_msg("%d and not %d, '%s', '%s' without '%s'", got, code, str_c(&said), str_c(&told), err);
    str_drop(&said);
    str_drop(&told);
}

#define RUN(input, code, out, err, ...) \
    expect_run(input, (const char *const[]){__VA_ARGS__, NULL}, code, out, err)

static char *model_word(void)
{
    static char word[300];
    snprintf(word, sizeof word, "script:%s", in_scratch("script.jsonl"));
    return word;
}

/* Once, and by a pipe ------------------------------------------------------------------------------------ */

static void one_task_has_an_exit_status(void **state)
{
    NEEDS_SANDBOX
    char *m = model_word(), *transcript = mem_str(in_scratch("t.jsonl"));
    script(SH("cat $FOLDER/x.txt") PY("6 * 7") SAYS("42.") PY("1"));
    scratch_text("mine/x.txt", "of the user\n");
    RUN("", EXIT_DONE, "42.\n", "  | of the user\n", "-m", m, "-p", "6 * 7?", "--folder", in_scratch("mine"),
        "--transcript", transcript);
    RUN("", EXIT_FAILED, "```python\n6 * 7\n```\n", "(all steps are used", "-m", m, "-p", "x", "--steps",
        "1");
    RUN("/go", EXIT_DONE, "42.\n", "Out[1]: 42", "-m", m, "-p", "-", "--bash", "--python");
    RUN("", EXIT_DONE, "42.\n", "there is no bash here", "-m", m, "-p", "x", "--python");
    RUN("", EXIT_DONE, "```bash\ncat $FOLDER/x.txt\n```\n", "", "-m", m, "-p", "x", "--no-tools");
    script("{\"error\": \"it fell over\"}\n");
    RUN("", EXIT_FAILED, "", "it fell over", "-m", m, "-p", "x");
    Str line = scratch_read("t.jsonl");
    json_t *t = json_loads(str_c(&line), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(t, "messages")), 7);
    assert_string_equal(json_string_value(json_object_get(t, "task")), "6 * 7?");
    json_decref(t);
    str_drop(&line);
    mem_free(transcript);
}

static void lines_of_a_pipe_are_tasks(void **state)
{
    NEEDS_SANDBOX
    char *m = model_word();
    script(PY("x = 1") SAYS("a") PY("x + 1") SAYS("b"));
    RUN("first\nsecond\n", EXIT_DONE, "a\nb\n", "Out[2]: 2", "-m", m);
    RUN("first\n/nothing\nsecond\n", EXIT_USAGE, "a\nb\n", "no command /nothing", "-m", m);
    RUN("first\nsecond\nthird\n", EXIT_FAILED, "a\nb\n", "has run out", "-m", m);
    script(PY("1") SAYS("a"));
    int got = wait_for(start(
        "first\n", (const char *const[]){"-m", m, "--json", "--record", in_scratch("rec.jsonl"), NULL}));
    assert_int_equal(got, EXIT_DONE);
    Str out = scratch_read("out");
    json_t *o = json_loads(str_c(&out), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "answer")), "a");
    json_decref(o);
    str_drop(&out);
    char *again = mem_format("script:%s", in_scratch("rec.jsonl")); /* what was recorded replays */
    RUN("first\n", EXIT_DONE, "a\n", "Out[1]: 1", "-m", again);
    RUN("other\n", EXIT_USAGE, "", "has no answer to these messages", "-m", again);
    mem_free(again);
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    char *m = model_word();
    script(SAYS("a"));
    RUN("", EXIT_USAGE, "", "which model?", "-p", "x");
    RUN("", EXIT_USAGE, "", "--write wants --folder", "-m", m, "--write");
    RUN("", EXIT_USAGE, "", "standard input is none", "-m", m, "--approve");
    RUN("", EXIT_USAGE, "", "--no-tools runs nothing", "-m", m, "--no-tools", "--bash");
    RUN("", EXIT_USAGE, "", "the task is empty", "-m", m, "-p", " ");
    RUN("", EXIT_FAILED, "", "absent", "-m", m, "--no-tools", "-p", "x", "--system", in_scratch("absent"));
    /* Without a sandbox nothing runs but talk. */
    char *path = mem_str(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    RUN("", EXIT_FAILED, "", "--no-tools talks", "-m", m, "-p", "x");
    RUN("", EXIT_DONE, "a\n", "", "-m", m, "-p", "x", "--no-tools");
    setenv("PATH", path, 1);
    mem_free(path);
}

static void a_model_of_ours_answers(void **state)
{
    NEEDS_SANDBOX
    RUN("", EXIT_FAILED, "bcde\n", "(the answer is cut off", "-m", in_scratch("model"), "--template=plain",
        "--temp=0", "--threads=1", "--max-tokens=4", "--context=2000", "-p", "a");
}

/* Whether a private /work is left over. */
static bool is_tidy(void)
{
    return names_in(in_scratch("tmp")) == 0;
}

/* It is made when the sandbox is. */
static void expect_work(void)
{
    for (int tries = 0; is_tidy() && tries < 2000; tries++)
        usleep(10000);
    assert_false(is_tidy());
}

/* A block has begun when it has made the n-th file there. */
static void expect_files(size_t n)
{
    size_t files = 0;
    expect_work();
    for (int tries = 0; files < n && tries < 2000; tries++) {
        FolderList work;
        usleep(10000);
        assert_int_equal(folder_list(&work, in_scratch("tmp")), ST_OK);
        char *path = path_join(in_scratch("tmp"), work.at[0]);
        files = names_in(path);
        mem_free(path);
        folder_list_drop(&work);
    }
    assert_int_equal(files, n);
}

static void a_signal_ends_a_block(void **state)
{
    NEEDS_SANDBOX
    script(PY("import time; open('f', 'w').close(); time.sleep(60)") SAYS("a"));
    pid_t pid = start("", (const char *const[]){"-m", model_word(), "-p", "x", NULL});
    expect_files(1);
    kill(pid, SIGINT);
    assert_int_equal(wait_for(pid), EXIT_INTERRUPTED);
    Str told = scratch_read("err");
    assert_non_null(strstr(str_c(&told), "The user interrupted this block"));
    str_drop(&told);
}

static void a_signal_ends_the_wait_for_a_line(void **state)
{
    (void)state;
    int ends[2];
    bool answered = false;
    script(SAYS("a"));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    scratch_text("out", "");
    pid_t pid = start_with(ends[0], (const char *const[]){"-m", model_word(), "--no-tools", NULL});
    assert_int_equal(write(ends[1], "first\n", 6), 6);
    for (int i = 0; i < 1000 && !answered; i++) {
        usleep(10000);
        Str said = scratch_read("out");
        answered = said.n > 0;
        str_drop(&said);
    }
    assert_true(answered);
    usleep(100000);
    kill(pid, SIGINT);
    usleep(100000);
    close(ends[1]); /* a signal just before the wait does not end it */
    assert_int_equal(wait_for(pid), EXIT_INTERRUPTED);
    Str told = scratch_read("err");
    assert_non_null(strstr(str_c(&told), "interrupted"));
    str_drop(&told);
}

/* On a terminal ------------------------------------------------------------------------------------------ */

#define OPEN(...) terminal_open(run_child, (const char *const[]){__VA_ARGS__, NULL})

static void a_user_watches_and_approves(void **state)
{
    NEEDS_SANDBOX
    script(PY("6 * 7") SAYS("42.") SH("echo one") SAYS("one") SH("rm -rf /") SAYS("As you like.") SH("pwd")
               SH("ls") SAYS("done") SH("echo last") SAYS("end"));
    Terminal t = OPEN("-m", model_word(), "--approve");
    expect(&t, "Python and bash in the sandbox");
    type(&t, "6 * 7?\r");
    expect(&t, "```python");
    expect(&t, "step 1 of 20, python:");
    expect(&t, "  > 6 * 7");
    type(&t, "y\r");
    expect(&t, "  | Out[1]: 42");
    expect(&t, "42.");
    expect(&t, "(1 step");
    type(&t, "again\r");
    expect(&t, "  > echo one");
    type(&t, "e\r");
    type(&t, "\177\177\177two\r"); /* what stands there is edited */
    expect(&t, "  | echo two");
    expect(&t, "  | two");
    expect(&t, "(1 step");
    type(&t, "clean up\r");
    expect(&t, "  > rm -rf /");
    type(&t, "n\r");
    type(&t, "keep it\r");
    expect(&t, "[Not run: the user declined: keep it]");
    expect(&t, "As you like.");
    type(&t, "where?\r");
    type(&t, "a\r"); /* always */
    expect(&t, "  | /work");
    expect(&t, "done");
    expect(&t, "(2 steps");
    type(&t, "/approve on\r");
    expect(&t, "you are asked");
    type(&t, "last\r");
    type(&t, "\003"); /* Ctrl-C at the question stops the turn */
    expect(&t, "(stopped)");
    type(&t, "/qu\t\r");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
}

static void ctrl_c_stops_a_block_and_python_lives(void **state)
{
    NEEDS_SANDBOX
    script(PY("x = 5; print('begun', flush=True)\\nimport time; open('f', 'w').close(); time.sleep(60)")
               SH("echo on; echo > g; sleep 60")
               PY("x + 1") SAYS("six"));
    Terminal t = OPEN("-m", model_word());
    type(&t, "wait\r");
    expect(&t, "time.sleep(60)");
    expect_files(1);
    press(&t, "\003");
    expect(&t, "  | begun");
    expect(&t, "The user interrupted this block");
    expect(&t, "(stopped)");
    type(&t, "and in bash\r");
    expect(&t, "sleep 60");
    expect_files(2);
    press(&t, "\003");
    expect(&t, "  | on");
    expect(&t, "(stopped)");
    type(&t, "x?\r");
    expect(&t, "  | Out[2]: 6"); /* the session outlived a terminal's Ctrl-C */
    expect(&t, "six");
    type(&t, "junk\003");
    expect(&t, "^C");
    type(&t, "\003");
    expect(&t, "(Ctrl-C again leaves)");
    type(&t, "\003");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
}

static void ctrl_c_stops_an_answer(void **state)
{
    NEEDS_SANDBOX
    TestServer s;
    server_start(&s);
    server_reply(&s, "", THEN_STALL);
    Terminal t = OPEN("-m", s.url, "--server-model=x", "--retries=0");
    type(&t, "hello\r");
    for (int i = 0; i < 400 && !s.requests; i++)
        usleep(10000);
    assert_int_equal(s.requests, 1);
    press(&t, "\003");
    expect(&t, "(stopped; the message is taken back)");
    type(&t, "/undo\r");
    expect(&t, "nothing to take back");
    type(&t, "\004");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
    server_stop(&s);
}

static void a_streamed_answer_is_shown_once(void **state)
{
    NEEDS_SANDBOX
    Terminal t = OPEN("-m", in_scratch("model"), "--template=plain", "--temp=0", "--threads=1",
                      "--max-tokens=5", "--context=2000");
    type(&t, "a\r");
    expect(&t, "bcdef\r\n");
    expect(&t, "(the answer is cut off");
    type(&t, "\004");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
}

/* At the prompt, while a block runs, and where a block is to be approved. */
static void a_closed_terminal_or_a_sigterm_leaves_nothing(void **state)
{
    NEEDS_SANDBOX
    enum { PROMPT, RUNNING, ASKED, MOMENTS };
    static const char *const at[] = {"is private", "sleep 60", "run it?"};
    int status = 0;
    script(SH("echo x > f; echo there; sleep 60") SAYS("a"));
    for (int i = 0; i < 2 * MOMENTS; i++) {
        int moment = i / 2;
        bool closes = i % 2 == 0;
        Terminal t = OPEN("-m", model_word(), moment == ASKED ? "--approve" : "--private");
        type(&t, moment == PROMPT ? "/where\r" : "go\r");
        expect(&t, at[moment]);
        if (moment == PROMPT)
            expect(&t, "\033[?2004h");
        expect_work();
        if (closes)
            close(t.fd);
        else
            kill(t.pid, SIGTERM);
        if (!closes) {
            expect(&t, "ended by a signal");
            assert_null(strstr(str_c(&t.seen), "again leaves")); /* it was no Ctrl-C */
        }
        assert_true(waitpid(t.pid, &status, 0) == t.pid && WIFEXITED(status));
        if (!closes) {
            assert_int_equal(WEXITSTATUS(status), EXIT_INTERRUPTED);
            close(t.fd);
        }
        str_drop(&t.seen);
        assert_true(is_tidy());
    }
    pid_t pid = start("", (const char *const[]){"-m", model_word(), "-p", "x", NULL});
    expect_work();
    kill(pid, SIGTERM);
    assert_int_equal(wait_for(pid), EXIT_INTERRUPTED);
    assert_true(is_tidy());
}

static void a_whole_home_is_warned_of(void **state)
{
    NEEDS_SANDBOX
    script(SAYS("a"));
    RUN("", EXIT_DONE, "a\n", "keys and passwords too", "-m", model_word(), "-p", "x", "--folder",
        in_scratch("home"));
}

/* A folder with a model that goes on from a letter with the next ones. */
static int begin(void **state)
{
    Str says = {0};
    Device *dev;
    if (scratch_make(state) != 0 || chmod(scratch, 0755) != 0)
        return -1;
    if (sandbox_probe(&says) != ST_OK)
        snprintf(no_sandbox, sizeof no_sandbox, "%s", error_text());
    str_drop(&says);
    assert_int_equal(folder_make(in_scratch("home")), ST_OK);
    assert_int_equal(folder_make(in_scratch("tmp")), ST_OK);
    assert_int_equal(ops_open(&dev, NULL, 1), ST_OK);
    Model *m = cycle_model(dev, CYCLE_V, 8);
    assert_int_equal(model_save(m, in_scratch("model"), DTYPE_F32), ST_OK);
    cycle_write_tokenizer(in_scratch("model"));
    json_t *config = NULL;
    assert_int_equal(json_file_read(&config, in_scratch("model/config.json")), ST_OK);
    json_object_set_new(config, "max_position_embeddings", json_integer(100000));
    assert_int_equal(json_file_write(in_scratch("model/config.json"), config), ST_OK);
    json_decref(config);
    model_close(m);
    device_close(dev);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task_has_an_exit_status),
        cmocka_unit_test(lines_of_a_pipe_are_tasks),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(a_model_of_ours_answers),
        cmocka_unit_test(a_signal_ends_a_block),
        cmocka_unit_test(a_signal_ends_the_wait_for_a_line),
        cmocka_unit_test(a_user_watches_and_approves),
        cmocka_unit_test(ctrl_c_stops_a_block_and_python_lives),
        cmocka_unit_test(ctrl_c_stops_an_answer),
        cmocka_unit_test(a_streamed_answer_is_shown_once),
        cmocka_unit_test(a_closed_terminal_or_a_sigterm_leaves_nothing),
        cmocka_unit_test(a_whole_home_is_warned_of),
    };
    return cmocka_run_group_tests(tests, begin, scratch_remove);
}
