/* Any bytes as a dump: a sentence, or databases whose tables SQLite finds sound. */
#include <string.h>

#include "base/check.h"
#include "env/mysql_dump.h"

static Status take(void *context, const char *name, sqlite3 *db)
{
    (void)context;
    check(*name && strlen(name) <= 64 && !strchr(name, '/') && *name != '.');
    sqlite3_stmt *s;
    check(sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL) == SQLITE_OK);
    check(sqlite3_step(s) == SQLITE_ROW);
    check(strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0);
    sqlite3_finalize(s);
    check(sqlite3_close(db) == SQLITE_OK);
    return ST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = take, .database = n % 2 ? "own" : NULL, .ignore_case = n % 3 == 0};
    Status st = mysql_dump_read_text(&counts, (Span){(const char *)bytes, n}, "fuzz", &spec);
    check(st == ST_OK || *error_text());
    check(counts.databases >= 0 && counts.tables >= 0 && counts.rows >= 0);
    return 0;
}
