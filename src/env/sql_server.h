/* sql.h on a server that speaks MySQL's protocol: MySQL itself, which the originals ran on, or Debian's
 * MariaDB.
 *
 * A world is a connection of its own whose session may only read (SET SESSION TRANSACTION READ ONLY), and
 * which is given statements that read and no others (SELECT, SHOW, DESCRIBE, DESC, EXPLAIN, WITH, VALUES,
 * TABLE); on a server of somebody else give a user who has SELECT and no more.  Time is kept by the server
 * (max_statement_time or max_execution_time) and by us; rows and bytes by us.
 *
 * Where MariaDB (10.11) is not MySQL 8, and what is done:
 *   ONLY_FULL_GROUP_BY   it knows nothing of keys, and refuses much that MySQL takes: off, and judged by
 * sql_group.h reserved words, FROM (SELECT ...) without a name, LIMIT in IN (SELECT ...)     refused here:
 * sql_mysql_refuses "Unknown column 'x' in 'SELECT'", "your MariaDB server version"               put into
 * MySQL's words int(11), current_timestamp() in DESCRIBE                                      int: MySQL 8
 * has no widths a syntax error shows 77 bytes of the rest                                     80 What stays:
 * the order of rows that nothing orders, and which of equals LIMIT keeps; the last digits of sums and
 * averages of floating numbers; what stands behind `near` in syntax errors.
 * The types of DESCRIBE are b'...', as the connector of the recorded runs gave them. */
#ifndef ENV_SQL_SERVER_H
#define ENV_SQL_SERVER_H

#include <stdbool.h>

#include "base/str.h"

/* Appends MySQL's wording of what MariaDB says of a statement. */
void sql_server_wording(Str *out, Span says, Span statement);
/* A type without the width that MySQL 8 leaves out: "int(11)" is "int", "tinyint(1)" and "varchar(20)" stay.
 */
Span sql_server_type(Str *room, Span type);

#endif
