/* Starts real servers, half a second each; skips where none is installed. */
#include "env/mariadbd.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/scratch_test.h"
#include "env/needs_mariadbd_test.h"

static const char dump[] =
    "-- a comment; with a mark\n"
    "CREATE USER 'admin'@'%' IDENTIFIED BY 'a;b';\n"
    "GRANT ALL PRIVILEGES ON *.* TO 'admin'@'%';\nFLUSH PRIVILEGES;\n"
    "CREATE DATABASE IF NOT EXISTS `Zoo` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\nUSE `Zoo`;\n"
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n"
    "CREATE TABLE `Animal` (`id` int NOT NULL, `name` text, PRIMARY KEY (`id`)) ENGINE=InnoDB;\n"
    "INSERT INTO `Animal` VALUES (2,'b;'),(1,'a\\'');\n"
    "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n";

static int make(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/dev/shm/lemur-test-XXXXXX");
    int made = access("/dev/shm", W_OK) == 0 && mkdtemp(scratch) ? 0 : scratch_make(state);
    setenv("TMPDIR", scratch, 1);
    return made;
}

static SqlLimits limits_of(double seconds)
{
    SqlLimits l = sql_limits();
    l.seconds = seconds;
    return l;
}

static int folders(void)
{
    int n = 0;
    DIR *d = opendir(scratch);
    for (struct dirent *e; (e = readdir(d));)
        n += strncmp(e->d_name, "lemur-mariadbd-", 15) == 0;
    closedir(d);
    return n;
}

static Mariadbd *start(const char *text)
{
    Mariadbd *m = NULL;
    scratch_text("a.sql", text);
    char *path = scratch_path("a.sql");
    MariadbdSpec spec = {.dump = path};
    Status st = mariadbd_start(&m, &spec);
    mem_free(path);
    needs_mariadbd(st);
    return m;
}

static SqlClient *connect_to(const Mariadbd *m, const char *database)
{
    SqlClient *c = NULL;
    if (sql_client_open(&c, mariadbd_reader(m), database) != ST_OK)
        fail_msg("%s", error_text());
    return c;
}

static void a_dump_is_read_by_a_reader(void **state)
{
    (void)state;
    Mariadbd *m = start(dump);
    SqlClient *c = connect_to(m, "zoo");
    SqlAnswer a = {0};
    SqlLimits l = limits_of(5);
    assert_int_equal(sql_client_ask(c, &a, span("SELECT name, id FROM ANIMAL"), &l), ST_OK);
    assert_int_equal(a.outcome, SQL_RAN);
    assert_true(a.listed && a.rows == 2 && a.columns.n == 2);
    assert_true(span_is(a.cells.at[0].text, "a'") && span_is(a.cells.at[2].text, "b;")); /* by its key */
    assert_true(a.columns.at[0] == SQL_CELL_TEXT && a.columns.at[1] == SQL_CELL_INT);
    static const char *const refused[] = {"DELETE FROM animal",
                                          "INSERT INTO animal VALUES (3, 'c')",
                                          "CREATE TABLE b (c int)",
                                          "DROP DATABASE zoo",
                                          "SELECT 1 INTO OUTFILE '/tmp/lemur-outfile'",
                                          "CREATE USER x",
                                          "GRANT ALL ON *.* TO reader@localhost",
                                          "SET GLOBAL max_connections = 1",
                                          "INSTALL SONAME 'ha_example'",
                                          "SHUTDOWN",
                                          "LOAD DATA INFILE '/etc/passwd' INTO TABLE animal"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(sql_client_ask(c, &a, span(refused[i]), &l), ST_OK);
        if (a.outcome != SQL_ERROR)
            fail_msg("%s is allowed", refused[i]);
    }
    assert_int_equal(sql_client_ask(c, &a, span("SELECT load_file('/etc/passwd')"), &l), ST_OK);
    assert_null(a.cells.at[0].text.at);
    assert_int_equal(
        sql_client_ask(c, &a, span("SELECT count(*) FROM mysql.global_priv WHERE User = 'loader'"), &l),
        ST_OK);
    assert_true(span_is(a.cells.at[0].text, "0"));
    sql_answer_drop(&a);
    sql_client_close(c);
    mariadbd_stop(m);
    assert_int_equal(folders(), 0);
}

static bool now(void *context)
{
    (void)context;
    return true;
}

/* What is too long or too large ends with its connection; another goes on. */
static void limits_hold(void **state)
{
    (void)state;
    Mariadbd *m = start(dump);
    SqlAnswer a = {0};
    const struct {
        const char *query;
        SqlLimits limits;
        SqlOutcome outcome;
    } cases[] = {
        {"SELECT sleep(60)", {.seconds = -4.5, .rows = 10, .bytes = 1000}, SQL_TIME},
        {"SELECT seq FROM seq_1_to_100000", {.seconds = 9, .rows = 10, .bytes = 100000}, SQL_LARGE},
        {"SELECT repeat('x', 5000)", {.seconds = 9, .rows = 10, .bytes = 1000}, SQL_LARGE},
        {"SELECT sleep(60)", {.seconds = 9, .rows = 10, .bytes = 100000, .stopped = now}, SQL_STOPPED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SqlClient *c = connect_to(m, "zoo");
        double before = clock_now();
        assert_int_equal(sql_client_ask(c, &a, span(cases[i].query), &cases[i].limits), ST_OK);
        if (a.outcome != cases[i].outcome)
            fail_msg("%s: %d %s", cases[i].query, a.outcome, str_c(&a.error));
        assert_true(clock_now() - before < 30 && !sql_client_is_open(c));
        assert_int_equal(sql_client_ask(c, &a, span("SELECT 1"), &cases[i].limits), ST_PEER);
        sql_client_close(c);
    }
    SqlLimits l = limits_of(5);
    SqlClient *c = connect_to(m, "zoo");
    assert_int_equal(sql_client_ask(c, &a, span("SELECT count(*) FROM animal"), &l), ST_OK);
    assert_int_equal(a.rows, 1);
    sql_client_close(c);
    sql_answer_drop(&a);
    mariadbd_stop(m);
}

/* Killed without a chance to clean up, the maker takes its server with it, and the next start its folder. */
static void none_is_left_over(void **state)
{
    (void)state;
    int told[2];
    Status st = mariadbd_start(&(Mariadbd *){NULL}, &(MariadbdSpec){.stopped = now});
    if (st != ST_CANCELLED)
        needs_mariadbd(st);
    assert_int_equal(folders(), 0); /* that one was stopped as it began */
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        Mariadbd *m;
        bool good = mariadbd_start(&m, &(MariadbdSpec){0}) == ST_OK;
        char word = good ? 'y' : 'n';
        if (write(told[1], &word, 1) == 1 && good)
            pause();
        _exit(1);
    }
    char word = 0;
    assert_int_equal(read(told[0], &word, 1), 1);
    assert_int_equal(word, 'y');
    assert_int_equal(folders(), 1);
    char *list[1] = {0};
    DIR *d = opendir(scratch);
    for (struct dirent *e; (e = readdir(d));)
        if (strncmp(e->d_name, "lemur-mariadbd-", 15) == 0)
            list[0] = mem_format("%s/pid", e->d_name);
    closedir(d);
    Str pid = scratch_read(list[0]);
    pid_t server = (pid_t)strtol(str_c(&pid), NULL, 10);
    assert_int_equal(kill(server, 0), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 500 && kill(server, 0) == 0; i++) {
        waitpid(server, NULL, WNOHANG); /* where we are the one that inherits it */
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    bool gone = kill(server, 0) != 0 && errno == ESRCH;
    char *stat = mem_format("/proc/%d/stat", (int)server);
    Str line = {0};
    if (!gone && file_read(&line, stat, 0) == ST_OK) /* a zombie that nobody waits for is gone as well */
        gone = strstr(str_c(&line), ") Z ") != NULL;
    assert_true(gone);
    str_drop(&line);
    mem_free(stat);
    assert_int_equal(folders(), 1);
    Mariadbd *m = start(dump);
    assert_int_equal(folders(), 1); /* its own */
    mariadbd_stop(m);
    assert_int_equal(folders(), 0);
    str_drop(&pid);
    mem_free(list[0]);
    close(told[0]);
    close(told[1]);
}

/* Two at once do not take each other's folder for a dead one's. */
static void two_live_side_by_side(void **state)
{
    (void)state;
    Mariadbd *a = start(dump), *b = start(dump);
    assert_int_equal(folders(), 2);
    sql_client_close(connect_to(a, "zoo"));
    sql_client_close(connect_to(b, "zoo"));
    mariadbd_stop(a);
    sql_client_close(connect_to(b, "zoo"));
    mariadbd_stop(b);
}

static void what_cannot_be_is_told(void **state)
{
    (void)state;
    Mariadbd *m;
    static const struct {
        const char *dump, *says;
        Status status;
    } cases[] = {{"CREATE DATABASE a;\nUSE a;\nCREATE TABLE t (x nonsense);", "a.sql:3: ", ST_FORMAT},
                 {"CREATE DATABASE a;\nSELECT 'open", "a.sql:2: ", ST_FORMAT},
                 {"CREATE DATABASE a", "does not end", ST_FORMAT},
                 {"SET GLOBAL max_connections = 1;", "a.sql:1: ", ST_FORMAT},
                 {"SELECT 1 INTO OUTFILE '/tmp/lemur-outfile';", "a.sql:1: ", ST_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_text("a.sql", cases[i].dump);
        Status st = mariadbd_start(&m, &(MariadbdSpec){.dump = in_scratch("a.sql")});
        if (st == ST_UNSUPPORTED)
            needs_mariadbd(st);
        assert_int_equal(st, cases[i].status);
        expect_words(cases[i].says);
    }
    assert_int_equal(mariadbd_start(&m, &(MariadbdSpec){.dump = in_scratch("none.sql")}), ST_IO);
    assert_int_equal(mariadbd_start(&m, &(MariadbdSpec){.program = "/nowhere/mariadbd"}), ST_UNSUPPORTED);
    expect_words("./setup.sh mariadb");
    assert_int_equal(mariadbd_start(&m, &(MariadbdSpec){.program = "/bin/false"}), ST_IO);
    expect_words("ended as it began");
    assert_int_equal(folders(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_dump_is_read_by_a_reader),
                                       cmocka_unit_test(limits_hold), cmocka_unit_test(none_is_left_over),
                                       cmocka_unit_test(two_live_side_by_side),
                                       cmocka_unit_test(what_cannot_be_is_told)};
    return cmocka_run_group_tests(tests, make, scratch_remove);
}
