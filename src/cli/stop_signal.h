/* Ctrl-C, SIGTERM and SIGHUP ask long work to end in good order. */
#ifndef CLI_STOP_SIGNAL_H
#define CLI_STOP_SIGNAL_H

#include <signal.h>

/* From now on a signal asks for the end: the first lets the work save and stop, Ctrl-C once more quits at
 * once.  Returns what becomes non-zero. */
const volatile sig_atomic_t *stop_signal_watch(void);

#endif
