/* lemur chat as somebody uses it: by a pipe, and on a terminal that this test plays (a pty).  The model goes
 * on from a letter with the next ones, without an end. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/json_file.h"
#include "base/scratch_test.h"
#include "cli/cmd.h"
#include "cli/terminal_test.h"
#include "infer/cycle_test.h"

static void edit_config(const char *folder)
{
    char *path = path_join(folder, "config.json");
    json_t *config = NULL;
    assert_int_equal(json_file_read(&config, path), ST_OK);
    json_object_set_new(config, "max_position_embeddings", json_integer(100000));
    assert_int_equal(json_file_write(path, config), ST_OK);
    json_decref(config);
    mem_free(path);
}

static int make_model(void **state)
{
    Device *dev;
    if (scratch_make(state) != 0)
        return -1;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    Model *m = cycle_model(dev, CYCLE_V, 8);
    cycle_weight(m, PARAM_HEAD, -1)[cycle_next(CYCLE_T) * CYCLE_V + CYCLE_T] = 0;
    cycle_weight(m, PARAM_HEAD, -1)[CYCLE_A * CYCLE_V + CYCLE_T] = 20; /* behind t comes a */
    char *folder = scratch_path("model");
    assert_int_equal(model_save(m, folder, DTYPE_F32), ST_OK);
    cycle_write_tokenizer(folder);
    edit_config(folder);
    mem_free(folder);
    model_close(m);
    device_close(dev);
    return 0;
}

/* The command's exit code in a process of its own, with `more` flags. */
static void run_child(const char *const *more)
{
    char *model = scratch_path("model"), *argv[24] = {NULL};
    const char *words[] = {"chat", "-m", model, "--threads=1", "--temp=0", "--template=plain"};
    int argc = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        argv[argc++] = mem_str(words[i]);
    for (; *more; more++)
        argv[argc++] = mem_str(*more);
    setenv("XDG_STATE_HOME", scratch, 1);
    setenv("HOME", scratch, 1);
    setenv("TERM", "xterm", 1);
    int code = cmd_chat(argc, argv);
    fflush(stdout);
    _exit(code);
}

/* By a pipe ---------------------------------------------------------------------------------------------- */

static int piped(const char *input, Str *out, const char *const *more)
{
    char *in_path = scratch_path("in"), *out_path = scratch_path("out");
    int status = 0;
    assert_int_equal(file_replace(in_path, input, strlen(input)), ST_OK);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int in = open(in_path, O_RDONLY), to = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(in, 0);
        dup2(to, 1);
        dup2(to, 2);
        run_child(more);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    str_clear(out);
    assert_int_equal(file_read(out, out_path, 0), ST_OK);
    mem_free(in_path);
    mem_free(out_path);
    return WEXITSTATUS(status);
}

static void test_a_signal_ends_the_wait_for_a_line(void **state)
{
    (void)state;
    const char *const few[] = {"-n", "3", NULL};
    char *out_path = scratch_path("out");
    int ends[2], status = 0;
    bool answered = false;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int to = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(ends[0], 0);
        dup2(to, 1);
        dup2(to, 2);
        run_child(few);
    }
    assert_true(pid > 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "a\n", 2), 2);
    for (int i = 0; i < 1000 && !answered; i++) {
        Str out = {0};
        usleep(10000);
        answered = path_exists(out_path) && file_read(&out, out_path, 0) == ST_OK && strstr(str_c(&out), "/continue");
        str_drop(&out);
    }
    assert_true(answered);
    usleep(100000);
    kill(pid, SIGINT);
    usleep(100000);
    close(ends[1]); /* a signal just before the wait does not end it */
    assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_INTERRUPTED);
    mem_free(out_path);
}

static size_t count(const char *text, const char *words)
{
    size_t n = 0;
    while ((text = strstr(text, words))) {
        text += strlen(words);
        n++;
    }
    return n;
}

static void test_pipe(void **state)
{
    (void)state;
    Str out = {0};
    const char *const few[] = {"-n", "3", NULL};
    assert_int_equal(piped("a\nx \\\nq\n\n", &out, few), EXIT_DONE);
    const char *cut = "(cut after 3 tokens, as max_tokens says; /continue goes on)\n";
    char *wanted = mem_format("bcd\n%srst\n%s", cut, cut);
    assert_string_equal(str_c(&out), wanted);
    mem_free(wanted);
    assert_int_equal(piped("a\n/save /absent/folder/x\na\n", &out, few), EXIT_FAILED);
    assert_non_null(strstr(str_c(&out), "/absent/folder")); /* and the line behind it was answered */
    assert_string_equal(strstr(str_c(&out) + 10, "bcd\n") ? "answered" : str_c(&out), "answered");
    assert_int_equal(count(str_c(&out), "/absent/folder"), 1);
    assert_int_equal(piped("/frob\na\n", &out, few), EXIT_USAGE);
    assert_int_equal(count(str_c(&out), "there is no command /frob"), 1);
    assert_null(strstr(str_c(&out), "error:"));
    const char *const stop[] = {"--stop=ef", "--system=hello ", NULL};
    assert_int_equal(piped("a", &out, stop), EXIT_DONE);
    assert_string_equal(str_c(&out), "bcd\n");
    const char *const bounds[] = {"--max-tokens=-1", NULL};
    assert_int_equal(piped("", &out, bounds), EXIT_USAGE);
    const char *const wrong[] = {"--template=chatmel", NULL};
    assert_int_equal(piped("", &out, wrong), EXIT_USAGE);
    assert_non_null(strstr(str_c(&out), "there is no chat template 'chatmel'"));
    char *history = scratch_path("lemur/chat_history"); /* typed lines only */
    assert_false(path_exists(history));
    mem_free(history);
    str_drop(&out);
}

static void test_loaded(void **state)
{
    (void)state;
    Str out = {0};
    scratch_text("said",
                 "{\"messages\":[{\"role\":\"system\",\"content\":\"old\"},"
                 "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"bcd\"}]}");
    char *load = mem_format("--load=%s/said", scratch);
    const char *const own[] = {load, NULL}, *const given[] = {load, "--system=fresh", NULL};
    assert_int_equal(piped("/system\n", &out, own), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "\nold\n"));
    assert_int_equal(piped("/system\n", &out, given), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "\nfresh\n"));
    mem_free(load);
    str_drop(&out);
}

static void test_refused(void **state)
{
    (void)state;
    Str out = {0};
    const char *const none[] = {"--template=", NULL};
    assert_int_equal(piped("", &out, none), EXIT_USAGE);
    const char *const tulu[] = {"--template=tulu", "--load=absent", NULL};
    assert_int_equal(piped("", &out, tulu), EXIT_FAILED);
    assert_non_null(strstr(str_c(&out), "<|user|>")); /* a warning: the vocabulary has no such token */
    assert_int_equal(count(str_c(&out), "absent"), 1);
    str_drop(&out);
}

/* On a terminal ------------------------------------------------------------------------------------------ */

#define ANSWERS "\033[?2004l" /* the line is sent, an answer follows */
#define ANSWER "(cut after 5 tokens"

static void test_editing(void **state)
{
    (void)state;
    const char *const few[] = {"--max-tokens=5", NULL};
    Terminal t = terminal_open(run_child, few);
    expect(&t, "/help lists the commands");
    type(&t, "ac\033[D\b\r"); /* left, backspace */
    expect(&t, ANSWERS "defgh");
    expect(&t, ANSWER);
    type(&t, "zzz\001\013a\r"); /* to the beginning, cut the line */
    expect(&t, ANSWERS "bcdef");
    expect(&t, ANSWER);
    type(&t, "junk\003"); /* Ctrl-C leaves the line ... */
    expect(&t, "^C\r\n");
    type(&t, "one\\\r");
    type(&t, "\003"); /* ... and the message it was to be a part of */
    expect(&t, "^C");
    type(&t, "junk"); /* a signal from elsewhere does the same */
    expect(&t, "junk");
    interrupt(&t);
    type(&t, "two\\\r");
    expect(&t, "\033[?2004h... ");
    interrupt(&t);
    type(&t, "/tok\t\r");
    expect(&t, "4 messages");
    type(&t, "\303\251\177b\r"); /* é goes with one backspace */
    expect(&t, ANSWERS "cdefg");
    expect(&t, ANSWER);
    type(&t, "\033[A\r"); /* up: the last one again */
    expect(&t, ANSWERS "cdefg");
    expect(&t, ANSWER);
    type(&t, "/undo\r");
    expect(&t, "(taken back: b)");
    type(&t, "/retry\r");
    expect(&t, "temperature 0 gives the same answer");
    expect(&t, "\r\ncdefg");
    expect(&t, ANSWER);
    type(&t, "/clear\r");
    expect(&t, "a new conversation");
    type(&t, "\033[200~ab\rcd\r\033[201~"); /* pasted */
    expect(&t, "cd");
    press(&t, "\r");
    expect(&t, ANSWERS "efghi");
    expect(&t, ANSWER);
    char *path = scratch_path("talk.jsonl"), *save = mem_format("/save %s\r", path);
    type(&t, save);
    expect(&t, "2 messages written");
    type(&t, "\004");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
    Str saved = {0};
    assert_int_equal(file_read(&saved, path, 0), ST_OK);
    assert_string_equal(str_c(&saved), "{\"messages\":[{\"role\":\"user\",\"content\":\"ab\\ncd\"},"
                                       "{\"role\":\"assistant\",\"content\":\"efghi\"}]}\n");
    str_drop(&saved);
    mem_free(path);
    mem_free(save);
}

static void test_history(void **state)
{
    (void)state;
    const char *const few[] = {"--max-tokens=5", NULL}, *const secret[] = {"--max-tokens=5", "--private",
                                                                           NULL};
    struct stat info;
    char *path = scratch_path("lemur/chat_history");
    Terminal t = terminal_open(run_child, few);
    type(&t, "k\r");
    expect(&t, ANSWER);
    type(&t, "/quit\r");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    off_t size = info.st_size;
    t = terminal_open(run_child, few); /* a later chat remembers */
    type(&t, "\033[A\033[A\r");
    expect(&t, ANSWERS "lmnop");
    expect(&t, ANSWER);
    type(&t, "\004");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
    assert_int_equal(stat(path, &info), 0);
    size = info.st_size;
    t = terminal_open(run_child, secret);
    type(&t, "something else d\r");
    expect(&t, ANSWERS "efghi");
    type(&t, "/exit\r");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, size);
    mem_free(path);
}

static void test_interrupt(void **state)
{
    (void)state;
    const char *const none[] = {NULL};
    Terminal t = terminal_open(run_child, none);
    type(&t, "a\r");
    expect(&t, "rstabcdef");
    press(&t, "\003");
    expect(&t, "(stopped; /continue goes on)");
    type(&t, "/tokens\r");
    expect(&t, "2 messages");
    type(&t, "/retry\r");
    expect(&t, "rstabcdef");
    press(&t, "\003");
    expect(&t, "(stopped");
    type(&t, "/set max_tokens 4\r");
    type(&t, "/undo\r");
    expect(&t, "(taken back: a)");
    type(&t, "p\r");
    expect(&t, ANSWERS "qrst");
    type(&t, "/continue\r");
    expect(&t, ANSWERS "abcd");
    type(&t, "\004");
    assert_int_equal(terminal_close(&t), EXIT_DONE);
}

/* At the prompt, where the terminal marks what is pasted and no longer does, and in an answer. */
static void test_a_sigterm_leaves_in_good_order(void **state)
{
    (void)state;
    const char *const none[] = {NULL};
    for (int answers = 0; answers < 2; answers++) {
        Terminal t = terminal_open(run_child, none);
        expect(&t, "\033[?2004h");
        if (answers) {
            press(&t, "a\r");
            expect(&t, "rstabcdef");
        }
        kill(t.pid, SIGTERM);
        if (!answers)
            expect(&t, "\033[?2004l");
        expect(&t, "ended by a signal");
        assert_int_equal(terminal_close(&t), EXIT_INTERRUPTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipe),    cmocka_unit_test(test_refused),   cmocka_unit_test(test_editing),
        cmocka_unit_test(test_history), cmocka_unit_test(test_interrupt), cmocka_unit_test(test_loaded),
        cmocka_unit_test(test_a_sigterm_leaves_in_good_order),
        cmocka_unit_test(test_a_signal_ends_the_wait_for_a_line),
    };
    return cmocka_run_group_tests(tests, make_model, scratch_remove);
}
