#include "corpus/stop.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
    (void)number;
    asked = 1;
}

void stop_on_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void stop_ask(bool stop)
{
    asked = stop;
}

bool stop_asked(void)
{
    return asked != 0;
}

Status stop_check(void)
{
    return asked ? fail(ST_CANCELLED, "stopped; nothing unfinished was kept") : ST_OK;
}
