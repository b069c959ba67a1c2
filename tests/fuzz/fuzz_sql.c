/* Any bytes as a model's answer and as an action in the world of a small dump: rows or a sentence, in UTF-8,
 * and the database is as it was. */
#include <string.h>

#include "env/sql.h"
#include "fuzz_folder.h"

static const char dump[] =
    "CREATE DATABASE `zoo`;\nUSE `zoo`;\n"
    "CREATE TABLE `animal` (`id` int NOT NULL, `name` varchar(20) COLLATE utf8mb4_general_ci DEFAULT NULL,"
    " `born` date DEFAULT NULL, `seen` datetime DEFAULT NULL, `kg` double DEFAULT NULL,"
    " `price` decimal(6,2) DEFAULT NULL, `raw` varbinary(9) DEFAULT NULL, PRIMARY KEY (`id`));\n"
    "INSERT INTO `animal` VALUES (1,'O\\'Hara','2001-02-03','2020-01-02 03:04:05',2.5,10.50,0x00ff),"
    "(2,'na\xC3\xAFve \"\\\\\\n','x','2020-01-02',1e16,3,NULL),(3,NULL,NULL,NULL,NULL,NULL,'a');\n"
    "CREATE TABLE `Show` (`id` int, `n` int, CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `animal` (`id`));\n"
    "INSERT INTO `Show` VALUES (1,7),(1,8);\n";

static SqlWorld *world;

static void act(SqlTurn *t, Span action)
{
    static const char prefix[] = "Error executing query: ";
    check(sql_world_act(world, t, action) == ST_OK);
    check(utf8_valid(str_c(&t->text), t->text.n));
    check(t->failed == span_starts(str_span(&t->text), prefix) && t->failed == (t->outcome != SQL_RAN));
    check(t->failed || (span_starts(str_span(&t->text), "[") && span_ends(str_span(&t->text), "]")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static SqlTurn t;
    static Str action;
    Span answer = {(const char *)bytes, n};
    if (!world) {
        static SqlWorlds *all; /* for good */
        SqlLimits limits = {.seconds = 0.2, .rows = 1000, .bytes = 1 << 20, .memory_bytes = 1 << 28};
        char *path = fuzz_file("zoo.sql", dump, sizeof dump - 1);
        check(sql_worlds_open(&all, path, NULL, NULL) == ST_OK);
        check(sql_world_open(&world, all, "zoo", &limits) == ST_OK);
        mem_free(path);
    }
    if (!sql_action_read(&action, answer))
        check(span_is(answer, str_c(&action)) || memchr(bytes, 0, n) || n == 0 || action.n < n);
    act(&t, str_span(&action));
    act(&t, answer);
    act(&t, span("SELECT (SELECT count(*) FROM animal), (SELECT count(*) FROM `Show`)"));
    check(span_is(str_span(&t.text), "[(3, 2)]"));
    return 0;
}
