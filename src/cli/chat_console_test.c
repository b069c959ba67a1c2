/* Lines to messages, and messages from a pipe.  What a terminal does: tests/chat_test.sh. */
#include "cli/chat_console.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/scratch_test.h"

/* Feeds lines; what becomes of them, messages joined by '|'. */
static void assert_messages(const char *const *lines, size_t n, const char *wanted)
{
    ChatLines l = {0};
    Str all = {0};
    for (size_t i = 0; i <= n; i++)
        if (i < n ? chat_lines_take(&l, span(lines[i])) : chat_lines_end(&l)) {
            str_add(&all, l.text.at, l.text.n);
            str_addc(&all, '|');
        }
    assert_string_equal(str_c(&all), wanted);
    str_drop(&all);
    str_drop(&l.text);
}

#define MESSAGES(wanted, ...)                                           \
    do {                                                                \
        const char *lines[] = {__VA_ARGS__};                            \
        assert_messages(lines, sizeof lines / sizeof lines[0], wanted); \
    } while (0)

static void test_lines(void **state)
{
    (void)state;
    MESSAGES("a|b||", "a", "b", "");
    MESSAGES("a\nb\nc|d|", "a\\", "b\\", "c", "d");
    MESSAGES("a\\|b|", "a\\\\", "b");
    MESSAGES("a\n\n  b\\|c|", "\"\"\"a", "", "  b\\\"\"\"", "c");
    MESSAGES("a|b|", "\"\"\"", "a", "\"\"\"", "b");
    MESSAGES("\na\nb\n|", "\"\"\"", "", "a", "b", "", "\"\"\""); /* one line end at each side */
    MESSAGES("|a|", "\"\"\"", "\"\"\"", "a");
    MESSAGES("a\nb|", "\"\"\"\na\nb\n\"\"\""); /* pasted */
    MESSAGES("one|", "\"\"\"one\"\"\"");
    MESSAGES("a \"\"\" b|", "a \"\"\" b");
    MESSAGES("a|", "a\\");             /* the input ends where a line was to come */
    MESSAGES("a\nb|", "\"\"\"a", "b"); /* ... or the end of a block */
    MESSAGES("a\n\"\"\"b|", "a\\", "\"\"\"b");
}

static void test_pipe(void **state)
{
    (void)state;
    static const char input[] = "one\r\n\\\ntwo\n\nthree \xE2\x90\xA4\n\"\"\"four";
    static const char *const wanted[] = {"one", "\ntwo", "", "three \xE2\x90\xA4", "four"};
    char path[120];
    snprintf(path, sizeof path, "%s/in", scratch);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), kept = dup(0);
    assert_true(fd >= 0 && write(fd, input, sizeof input - 1) == sizeof input - 1 &&
                lseek(fd, 0, SEEK_SET) == 0);
    assert_true(dup2(fd, 0) == 0);
    close(fd);
    ChatConsole *c;
    Span message;
    ChatConsoleSetup setup = {0};
    assert_int_equal(chat_console_open(&c, &setup), ST_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_int_equal(chat_console_next(c, &message), ST_OK);
        assert_true(message.at && span_is(message, wanted[i]));
    }
    assert_int_equal(chat_console_next(c, &message), ST_OK);
    assert_null(message.at);
    chat_console_close(c);
    dup2(kept, 0);
    close(kept);
}

static void test_history_path(void **state)
{
    (void)state;
    setenv("HOME", "/home/x", 1);
    setenv("XDG_STATE_HOME", "/state", 1);
    char *path = chat_console_history_path();
    assert_string_equal(path, "/state/lemur/chat_history");
    mem_free(path);
    setenv("XDG_STATE_HOME", "not/absolute", 1); /* which the specification wants ignored */
    path = chat_console_history_path();
    assert_string_equal(path, "/home/x/.local/state/lemur/chat_history");
    mem_free(path);
    unsetenv("HOME");
    unsetenv("XDG_STATE_HOME");
    assert_null(chat_console_history_path());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_history_path),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
