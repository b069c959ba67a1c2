#include "cli/talk_signals.h"

#include <unistd.h>

static const int signals[TALK_SIGNALS] = {SIGINT, SIGHUP, SIGTERM};
static volatile sig_atomic_t interrupted, leaving, reads;

static void on_signal(int number)
{
    interrupted = 1;
    leaving |= number != SIGINT;
    if (leaving && reads)
        alarm(1);
}

void talk_signals_catch(TalkSignals *before, unsigned flags)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)flags};
    for (int i = 0; i < TALK_SIGNALS; i++)
        sigaction(signals[i], &stop, &before->before[i]);
}

void talk_signals_restore(const TalkSignals *before)
{
    for (int i = 0; i < TALK_SIGNALS; i++)
        sigaction(signals[i], &before->before[i], NULL);
}

bool talk_interrupted(void)
{
    return interrupted != 0;
}

void talk_interruption_clear(void)
{
    interrupted = 0;
}

bool talk_leaving(void)
{
    return leaving != 0;
}

void talk_reads(struct sigaction *before)
{
    struct sigaction again = {.sa_handler = on_signal};
    sigaction(SIGALRM, &again, before);
    reads = 1;
}

void talk_reads_end(const struct sigaction *before)
{
    reads = 0;
    alarm(0);
    sigaction(SIGALRM, before, NULL);
}
