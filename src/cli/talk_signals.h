/* Signals while somebody talks with a model: Ctrl-C is for what is under way, SIGTERM and SIGHUP for the
 * program, which leaves in good order. */
#ifndef CLI_TALK_SIGNALS_H
#define CLI_TALK_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

enum { TALK_SIGNALS = 3 };
typedef struct {
    struct sigaction before[TALK_SIGNALS];
} TalkSignals; /* what they did before */

void talk_signals_catch(TalkSignals *before, unsigned flags); /* sa_flags */
void talk_signals_restore(const TalkSignals *before);

bool talk_interrupted(void);        /* by any of them */
void talk_interruption_clear(void); /* it was for something that has ended */
bool talk_leaving(void);            /* by one that was for the program; stays so */

/* Between these, lines are read.  A signal may come just before a read begins to wait, which would not notice:
 * so an alarm follows one that was for the program, until one ends the wait. */
void talk_reads(struct sigaction *before);
void talk_reads_end(const struct sigaction *before);

#endif
