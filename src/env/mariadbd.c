#include "env/mariadbd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "env/mysql_script.h"

#define PREFIX "lemur-mariadbd-"

enum { START_SECONDS = 60, LOAD_SECONDS = 600, FILE_BYTES = 1 << 30, SOCKET_PATH_MAX = 107 };
#define MEMORY_BYTES ((int64_t)4 << 30)

struct Mariadbd {
    char *folder;
    int lock; /* held while we live: the next start leaves the folder alone; -1: none */
    pid_t pid;
    SqlAddress root, loader, reader;
    SqlLimits limits;
};

const SqlAddress *mariadbd_reader(const Mariadbd *m)
{
    return &m->reader;
}

/* Its folder. -------------------------------------------------------------------------------------------- */

/* TMPDIR; else memory where there is plenty of it, as making a hundred tables on a busy disk takes seconds.
 */
static const char *temporary(void)
{
    static const char memory[] = "/dev/shm";
    const char *tmp = getenv("TMPDIR");
    if (tmp && *tmp)
        return tmp;
    return access(memory, W_OK) == 0 && disk_free(memory) >= MEMORY_BYTES ? memory : "/tmp";
}

/* Removes folders whose maker was killed: nobody holds their lock.  One without a lock is being made; where
 * the file system has no locks all stay. */
static void sweep(void)
{
    FolderList all;
    if (folder_list(&all, temporary()) != ST_OK)
        return;
    for (size_t i = 0; i < all.n; i++) {
        if (strncmp(all.at[i], PREFIX, sizeof PREFIX - 1) != 0)
            continue;
        char *folder = path_join(temporary(), all.at[i]), *lock = path_join(folder, "lock");
        int fd = open(lock, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && folder_remove(folder) != ST_OK)
            (void)error_text(); /* another user's, perhaps */
        if (fd >= 0)
            close(fd);
        mem_free(lock);
        mem_free(folder);
    }
    folder_list_drop(&all);
}

static Status make_folder(Mariadbd *m)
{
    sweep();
    m->folder = mem_format("%s/" PREFIX "XXXXXX", temporary());
    if (!mkdtemp(m->folder)) {
        Status st = fail_errno(ST_IO, "%s: no folder for a server of databases", m->folder);
        mem_free(m->folder);
        m->folder = NULL;
        return st;
    }
    static const char *const parts[] = {"data", "tmp", "files", "plugins"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *part = path_join(m->folder, parts[i]);
        Status st = folder_make(part);
        mem_free(part);
        TRY(st);
    }
    char *lock = path_join(m->folder, "lock");
    Status st = file_lock(&m->lock, lock);
    mem_free(lock);
    TRY(st);
    m->root.socket = path_join(m->folder, "socket");
    m->loader.socket = mem_str(m->root.socket);
    m->reader.socket = mem_str(m->root.socket);
    m->root.user = mem_str("root");
    m->loader.user = mem_str("loader");
    m->reader.user = mem_str("reader");
    if (strlen(m->root.socket) > SOCKET_PATH_MAX)
        return fail(ST_IO, "%s: longer than the path of a socket may be; set TMPDIR to a shorter one",
                    m->root.socket);
    return ST_OK;
}

/* Its program. ------------------------------------------------------------------------------------------- */

static char *in_path(const char *path, const char *name)
{
    while (path && *path) {
        size_t n = strcspn(path, ":");
        char *file = mem_format("%.*s/%s", (int)n, path, name);
        if (n && access(file, X_OK) == 0)
            return file;
        mem_free(file);
        path += n + (path[n] == ':');
    }
    return NULL;
}

static Status find_program(char **out, const char *given)
{
    char *found = given ? mem_str(given) : in_path(getenv("PATH"), "mariadbd");
    if (!found)
        found = in_path("/usr/sbin:/usr/local/sbin:/usr/libexec:/usr/bin", "mariadbd");
    if (!found || access(found, X_OK) != 0) {
        mem_free(found);
        return fail(ST_UNSUPPORTED,
                    "no MariaDB server here: ./setup.sh mariadb installs Debian's mariadb-server-core, "
                    "or name a server that runs by --sql-server mysql://USER@HOST/");
    }
    *out = found;
    return ST_OK;
}

/* The statements that make the server's own tables, which stand beside the program. */
static Status find_tables(char **out, const char *program)
{
    static const char *const places[] = {"mysql/mysql_system_tables.sql", "mariadb/mariadb_system_tables.sql",
                                         "mariadb/mysql_system_tables.sql",
                                         "mysql/mariadb_system_tables.sql"};
    char *real = realpath(program, NULL);
    for (int up = 0; real && up < 2; up++) {
        char *slash = strrchr(real, '/');
        if (slash)
            *slash = 0;
    }
    for (size_t i = 0; real && i < sizeof places / sizeof *places; i++) {
        char *file = mem_format("%s/share/%s", real, places[i]);
        if (path_exists(file)) {
            free(real);
            *out = file;
            return ST_OK;
        }
        mem_free(file);
    }
    free(real);
    return fail(ST_UNSUPPORTED,
                "%s: its share folder has no mysql_system_tables.sql; install mariadb-server-core whole",
                program);
}

typedef Array(char *) Words;

static void drop_words(Words *w)
{
    for (size_t i = 0; i < w->n; i++)
        mem_free(w->at[i]);
    array_drop(w);
}

/* Nothing here is lasting, so nothing is synced; memory is that of small databases. */
static void add_options(Words *w, const char *program, const char *folder)
{
    static const char *const fixed[] = {
        "--skip-networking",
        "--skip-grant-tables", /* until there are tables of rights */
        "--skip-log-bin",
        "--skip-symbolic-links",
        "--lower-case-table-names=1",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        ("--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
         "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"),
        "--default-time-zone=+00:00",
        "--performance-schema=OFF",
        "--local-infile=OFF",
        "--tmp-memory-table-size=0", /* a table in memory is sorted by its rows' addresses where they are equal */
        "--max-connections=1100",
        "--max-session-mem-used=536870912",
        "--innodb-log-file-size=4M",
        "--innodb-buffer-pool-size=64M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--skip-sync-frm",
        "--loose-debug-no-sync",
        "--skip-innodb-doublewrite",
        "--innodb-stats-persistent=ON", /* by `analyze`, and never again: one dump, one plan for a query */
        "--innodb-stats-auto-recalc=OFF",
        "--innodb-stats-persistent-sample-pages=1000",
        "--innodb-use-native-aio=OFF",
    };
    static const char *const placed[] = {
        "--datadir=%s/data",  "--tmpdir=%s/tmp",   "--secure-file-priv=%s/files", "--plugin-dir=%s/plugins",
        "--socket=%s/socket", "--pid-file=%s/pid", "--log-error=%s/log"};
    array_push(w, mem_str(program));
    array_push(w, mem_str("--no-defaults")); /* the first, or it counts for nothing */
    if (geteuid() == 0)
        array_push(w, mem_str("--user=root"));
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        array_push(w, mem_str(fixed[i]));
    for (size_t i = 0; i < sizeof placed / sizeof *placed; i++) {
        const char *hole = strstr(placed[i], "%s");
        array_push(w, mem_format("%.*s%s%s", (int)(hole - placed[i]), placed[i], folder, hole + 2));
    }
    array_push(w, NULL);
}

/* In the child: system calls only. */
static void become(char **words, pid_t parent, int null)
{
    struct rlimit file = {FILE_BYTES, FILE_BYTES};
    setpgid(0, 0); /* a terminal's Ctrl-C is the caller's */
    setrlimit(RLIMIT_FSIZE, &file);
    signal(SIGXFSZ, SIG_IGN); /* a write beyond it fails, and with it the query */
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && dup2(null, 0) == 0 &&
        dup2(null, 1) == 1 && dup2(null, 2) == 2 && close_range(3, ~0u, 0) == 0)
        execv(words[0], words);
    _exit(127);
}

static Status launch(Mariadbd *m, const char *program)
{
    Words words = {0};
    add_options(&words, program, m->folder);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t self = getpid(), pid = null < 0 ? -1 : fork();
    if (pid == 0)
        become(words.at, self, null);
    Status st = pid < 0 ? fail_errno(ST_IO, "%s cannot be started", program) : ST_OK;
    m->pid = pid;
    if (null >= 0)
        close(null);
    drop_words(&words);
    return st;
}

/* Its beginning. ----------------------------------------------------------------------------------------- */

/* The last line of its log that tells of an error, or the last. */
static Status tell_log(const Mariadbd *m, const char *what)
{
    Str log = {0};
    char *path = path_join(m->folder, "log");
    Span last = {"", 0};
    if (file_read(&log, path, 0) == ST_OK) {
        bool error = false;
        for (size_t at = 0; at < log.n;) {
            Span line = {log.at + at, strcspn(log.at + at, "\n")};
            bool is = line.n && memmem(line.at, line.n, "[ERROR]", 7);
            if (line.n && (is || !error))
                last = line;
            error = error || is;
            at += line.n + 1;
        }
    }
    Status st =
        fail(ST_IO, "the server of databases %s: %.*s", what, (int)(last.n < 400 ? last.n : 400), last.at);
    str_drop(&log);
    mem_free(path);
    return st;
}

static bool is_stopped(const Mariadbd *m)
{
    return m->limits.stopped && m->limits.stopped(m->limits.stopped_context);
}

static Status connect_first(Mariadbd *m, SqlClient **out)
{
    const struct timespec nap = {0, 10000000};
    double end = clock_now() + START_SECONDS;
    for (;;) {
        int status;
        if (path_exists(m->root.socket)) {
            Status st = sql_client_open(out, &m->root, NULL);
            if (st != ST_PEER) /* it is not listening yet */
                return st;
        }
        if (waitpid(m->pid, &status, WNOHANG) == m->pid) {
            m->pid = 0;
            return tell_log(m, "ended as it began");
        }
        if (is_stopped(m))
            return fail(ST_CANCELLED, "stopped");
        if (clock_now() > end)
            return tell_log(m, "does not answer");
        nanosleep(&nap, NULL);
    }
}

static Status say(SqlClient *c, SqlAnswer *a, const char *statement, const SqlLimits *limits)
{
    TRY(sql_client_ask(c, a, span(statement), limits));
    if (a->outcome == SQL_RAN)
        return ST_OK;
    return fail(a->outcome == SQL_STOPPED ? ST_CANCELLED : ST_IO, "%s: %s", statement, str_c(&a->error));
}

static Status say_all(SqlClient *c, const char *const *statements, size_t n, const SqlLimits *limits)
{
    SqlAnswer a = {0};
    Status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++)
        st = say(c, &a, statements[i], limits);
    sql_answer_drop(&a);
    return st;
}

/* From here on there are rights, which whoever connects afterwards has and no others. */
static Status make_users(const Mariadbd *m, SqlClient *root, const char *program)
{
    static const char *const before[] = {"CREATE DATABASE mysql", "USE mysql"};
    static const char *const after[] = {
        "FLUSH PRIVILEGES", "CREATE USER loader@localhost", "CREATE USER reader@localhost",
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, "
        "REFERENCES, LOCK TABLES, CREATE VIEW, "
        "SHOW VIEW ON *.* TO loader@localhost",
        "GRANT SELECT, EXECUTE, SHOW DATABASES, SHOW VIEW ON *.* TO reader@localhost"};
    char *tables = NULL;
    TRY(find_tables(&tables, program));
    Status st = say_all(root, before, sizeof before / sizeof *before, &m->limits);
    if (st == ST_OK)
        st = mysql_script_run(root, tables, &m->limits);
    if (st == ST_OK)
        st = say_all(root, after, sizeof after / sizeof *after, &m->limits);
    mem_free(tables);
    return st;
}

static Status load(const Mariadbd *m, const char *dump)
{
    SqlClient *loader;
    TRY(sql_client_open(&loader, &m->loader, NULL));
    Status st = mysql_script_run(loader, dump, &m->limits);
    sql_client_close(loader);
    return st;
}

/* Counts the tables' keys, from which the server plans queries: uncounted it guesses, each time otherwise,
 * and which of equal rows LIMIT keeps is another in each run. */
static Status analyze(const Mariadbd *m, SqlClient *root)
{
    static const char tables[] =
        "SELECT CONCAT('ANALYZE TABLE `', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(TABLE_NAME, '`', "
        "'``'), '`') "
        "FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN "
        "('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY TABLE_SCHEMA, TABLE_NAME";
    SqlAnswer all = {0}, one = {0};
    Status st = say(root, &all, tables, &m->limits);
    for (int64_t i = 0; i < all.rows && st == ST_OK; i++)
        st = say(root, &one, all.cells.at[i].text.at, &m->limits); /* the arena's copies end in NUL */
    sql_answer_drop(&all);
    sql_answer_drop(&one);
    return st;
}

static Status prepare(Mariadbd *m, const MariadbdSpec *spec, const char *program)
{
    static const char *const last[] = {"DROP USER loader@localhost"};
    SqlClient *root;
    TRY(make_folder(m));
    TRY(launch(m, program));
    TRY(connect_first(m, &root));
    Status st = make_users(m, root, program);
    if (st == ST_OK && spec->dump)
        st = load(m, spec->dump);
    if (st == ST_OK)
        st = analyze(m, root);
    if (st == ST_OK)
        st = say_all(root, last, 1, &m->limits);
    sql_client_close(root);
    return st;
}

Status mariadbd_start(Mariadbd **out, const MariadbdSpec *spec)
{
    char *program = NULL;
    TRY(sql_client_built());
    TRY(find_program(&program, spec->program));
    Mariadbd *m = mem_new(Mariadbd);
    m->lock = -1;
    m->limits = sql_limits();
    m->limits.seconds = LOAD_SECONDS;
    m->limits.stopped = spec->stopped;
    m->limits.stopped_context = spec->stopped_context;
    Status st = prepare(m, spec, program);
    mem_free(program);
    if (st == ST_OK)
        *out = m;
    else
        mariadbd_stop(m);
    return st;
}

/* Nothing of it is to last, so it is killed. */
void mariadbd_stop(Mariadbd *m)
{
    if (!m)
        return;
    if (m->pid > 0) {
        kill(m->pid, SIGKILL);
        while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (m->folder && folder_remove(m->folder) != ST_OK)
        (void)error_text(); /* the next start tries again */
    if (m->lock >= 0)
        close(m->lock);
    sql_address_drop(&m->root);
    sql_address_drop(&m->loader);
    sql_address_drop(&m->reader);
    mem_free(m->folder);
    mem_free(m);
}
