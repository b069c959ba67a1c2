/* Asks the long passes of this folder to end early: they return ST_CANCELLED and remove what is
 * unfinished.  One flag for the process, as signals are; set from a signal handler, read by any thread. */
#ifndef CORPUS_STOP_H
#define CORPUS_STOP_H

#include <stdbool.h>

#include "base/status.h"

void stop_on_signals(void); /* SIGINT and SIGTERM ask; a second one ends the process at once */
void stop_ask(bool stop);
bool stop_asked(void);
MUST_CHECK Status stop_check(void); /* ST_CANCELLED once asked */

#endif
