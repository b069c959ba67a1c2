#include "cli/stop_signal.h"

#include <unistd.h>

#include "cli/cmd.h"

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    if (stop_asked && number == SIGINT)
        _exit(EXIT_INTERRUPTED);
    stop_asked = 1;
}

const volatile sig_atomic_t *stop_signal_watch(void)
{
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
        struct sigaction old, mine = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigemptyset(&mine.sa_mask);
        if (sigaction(watched[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(watched[i], &mine, NULL);
    }
    return &stop_asked;
}
