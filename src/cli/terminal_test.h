/* A terminal that a test plays: keys go in, what is shown comes out (a pty). */
#ifndef CLI_TERMINAL_TEST_H
#define CLI_TERMINAL_TEST_H

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>

#include "base/scratch_test.h"

enum { WAIT_MS = 20000 };

typedef struct {
    int fd;
    pid_t pid;
    Str seen;    /* all that came            */
    size_t from; /* behind what was expected */
} Terminal;

/* `child` runs the command with these words, and does not return. */
static inline Terminal terminal_open(void (*child)(const char *const *words), const char *const *words)
{
    Terminal t = {0};
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    fflush(stdout);
    t.pid = forkpty(&t.fd, NULL, NULL, &size);
    if (t.pid == 0)
        child(words);
    assert_true(t.pid > 0);
    return t;
}

static inline void press(const Terminal *t, const char *keys)
{
    assert_true(write(t->fd, keys, strlen(keys)) == (ssize_t)strlen(keys));
}

/* Whether words come behind the last ones, with no pause longer than that before them. */
static inline bool comes(Terminal *t, const char *words, int wait_ms)
{
    const char *at;
    while (!(at = t->seen.n > t->from ? strstr(t->seen.at + t->from, words) : NULL)) {
        char buffer[4096];
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, wait_ms) == 1 ? read(t->fd, buffer, sizeof buffer) : -1;
        if (n <= 0)
            return false;
        for (ssize_t i = 0; i < n; i++)
            str_addc(&t->seen, buffer[i] ? buffer[i] : ' ');
    }
    t->from = (size_t)(at - t->seen.at) + strlen(words);
    return true;
}

static inline void expect(Terminal *t, const char *words)
{
    if (!comes(t, words, WAIT_MS))
        fail_msg("'%s' did not come, but: %s", words, t->seen.n > t->from ? t->seen.at + t->from : "nothing");
}

/* A signal until it is noticed: one that comes just before the program waits for a key is not. */
static inline void interrupt(Terminal *t)
{
    int tries = 0;
    do
        kill(t->pid, SIGINT);
    while (!comes(t, "^C\r\n", 500) && ++tries < 20);
    assert_true(tries < 20);
}

/* Keys for a line: the program says that it reads one by asking for pasted text to be marked. */
static inline void type(Terminal *t, const char *keys)
{
    expect(t, "\033[?2004h");
    press(t, keys);
}

static inline int terminal_close(Terminal *t)
{
    char buffer[4096];
    int status = 0;
    while (read(t->fd, buffer, sizeof buffer) > 0)
        continue;
    assert_true(waitpid(t->pid, &status, 0) == t->pid && WIFEXITED(status));
    close(t->fd);
    str_drop(&t->seen);
    return WEXITSTATUS(status);
}

#endif
