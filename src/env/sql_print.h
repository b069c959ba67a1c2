/* Values of a database as Python's repr prints what MySQL's connector makes of them; for sql_sqlite.c and
 * sql_server.c. */
#ifndef ENV_SQL_PRINT_H
#define ENV_SQL_PRINT_H

#include <stdbool.h>

#include "base/str.h"

void sql_print_text(Str *out, Span text);   /* 'abc', "it's" */
void sql_print_bytes(Str *out, Span bytes); /* b'abc' */
/* "2001-02-03", "2001-02-03 04:05:06[.000007]", "-12:34:56[.000007]" become datetime.date(2001, 2, 3),
 * datetime.datetime(...), datetime.timedelta(...); false, and nothing added: the text is none of them. */
bool sql_print_date(Str *out, Span text);
bool sql_print_datetime(Str *out, Span text);
bool sql_print_timedelta(Str *out, Span text);

#endif
