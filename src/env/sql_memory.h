/* What SQLite holds for the work of one thread, so that a limit is of one query and not of all that run at
 * once: sqlite3_memory_used is the whole process's, and what a connection can tell of itself lacks its
 * sorters. */
#ifndef ENV_SQL_MEMORY_H
#define ENV_SQL_MEMORY_H

#include <stdint.h>

/* Before a connection is opened.  Any thread, any number of times; where SQLite is in use already, it is too
 * late and sql_memory_used tells of the process. */
void sql_memory_count(void);
/* Bytes that this thread has taken and not given back.  Differences count: another may give back its own. */
int64_t sql_memory_used(void);

#endif
