#include "env/wikipedia_index.h"

#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stream.h"

enum { LINE_LIMIT = 64 << 20, COMMIT_BYTES = 256 << 20 };

typedef struct {
    const WikipediaBuild *spec;
    WikipediaBuilt *built;
    sqlite3 *db;
    sqlite3_stmt *article, *words;
    char *file, *part; /* the part is renamed to the file */
    int lock;          /* descriptor of the part, locked against other builds */
    int64_t uncommitted;
    Str lead;
} Build;

static Status sql_fail(const Build *b, const char *doing)
{
    int code = sqlite3_errcode(b->db) & 0xff;
    return fail(ST_IO, "%s %s: %s%s", doing, b->part, sqlite3_errmsg(b->db),
                code == SQLITE_FULL ? " (the disk)" : "");
}

static Status run(Build *b, const char *sql)
{
    return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ST_OK : sql_fail(b, "writing");
}

/* The part is a file of this process alone, empty. */
static Status open_part(Build *b)
{
    Status st = file_lock(&b->lock, b->part);
    if (st != ST_OK)
        return st == ST_LIMIT ? fail(ST_ARG, "%s is being written by another process", b->file) : st;
    if (ftruncate(b->lock, 0) != 0)
        return fail_errno(ST_IO, "emptying %s", b->part);
    return ST_OK;
}

static Status open_database(Build *b)
{
    char pragmas[200];
    if (sqlite3_open_v2(b->part, &b->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return sql_fail(b, "opening");
    /* No journal: a build that ends early is thrown away. */
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d;", WIKIPEDIA_INDEX_ID,
             WIKIPEDIA_INDEX_VERSION);
    TRY(run(b, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
               "PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY;"));
    TRY(run(b, pragmas));
    TRY(run(b, "CREATE TABLE about(key TEXT PRIMARY KEY, value);"
               "CREATE TABLE article(id INTEGER PRIMARY KEY, title TEXT NOT NULL, lead TEXT NOT NULL);"
               "CREATE VIRTUAL TABLE words USING fts5(title, text, content='',"
               " tokenize='porter unicode61 remove_diacritics 2');"
               "INSERT INTO words(words, rank) VALUES('rank', 'bm25(10.0, 1.0)');"
               "INSERT INTO words(words, rank) VALUES('hashsize', 67108864);"
               "BEGIN;"));
    if (sqlite3_prepare_v2(b->db, "INSERT INTO article VALUES(?1, ?2, ?3)", -1, &b->article, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(b->db, "INSERT INTO words(rowid, title, text) VALUES(?1, ?2, ?3)", -1, &b->words,
                           NULL))
        return sql_fail(b, "writing");
    return ST_OK;
}

static Status put(Build *b, sqlite3_stmt *row, Span title, Span text)
{
    int64_t id = b->built->articles + 1;
    sqlite3_bind_int64(row, 1, id);
    sqlite3_bind_text64(row, 2, title.at, title.n, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_text64(row, 3, text.at, text.n, SQLITE_STATIC, SQLITE_UTF8);
    bool done = sqlite3_step(row) == SQLITE_DONE;
    return sqlite3_reset(row) == SQLITE_OK && done ? ST_OK : sql_fail(b, "writing");
}

static Status add(Build *b, Span title, Span text)
{
    str_clear(&b->lead);
    b->built->text_bytes += (int64_t)text.n;
    if (span_trim(text).n == 0 || !wikipedia_lead(&b->lead, title, text) || b->lead.n == 0) {
        b->built->left_out++;
        return ST_OK;
    }
    TRY(put(b, b->article, title, str_span(&b->lead)));
    TRY(put(b, b->words, title, text));
    b->built->articles++;
    b->uncommitted += (int64_t)text.n;
    if (b->uncommitted > COMMIT_BYTES) {
        b->uncommitted = 0;
        return run(b, "COMMIT; BEGIN");
    }
    return ST_OK;
}

/* ST_FORMAT: no article. */
static Status add_line(Build *b, Span line, bool cut)
{
    json_error_t error;
    if (cut)
        return fail(ST_FORMAT, "longer than %d MB", LINE_LIMIT >> 20);
    json_t *row = json_loadb(line.at, line.n, JSON_REJECT_DUPLICATES, &error);
    const json_t *title = json_object_get(row, "title"), *text = json_object_get(row, "text");
    Status st;
    if (!row)
        st = fail(ST_FORMAT, "no JSON: %s", error.text);
    else if (!json_is_string(title) || !json_is_string(text))
        st = fail(ST_FORMAT, "no object with the texts \"title\" and \"text\"");
    else
        st = add(b, (Span){json_string_value(title), json_string_length(title)},
                 (Span){json_string_value(text), json_string_length(text)});
    json_decref(row);
    return st;
}

static Status add_lines(Build *b, LineReader *lines, StreamReader *stream, Progress *progress)
{
    for (int64_t number = 1;; number++) {
        Span line;
        bool cut;
        TRY(lines_next(lines, LINE_LIMIT, &line, &cut));
        if (!line.at)
            return ST_OK;
        if (!b->spec->quiet)
            progress_at(progress, (double)stream_consumed(stream) / 1e6);
        if (b->spec->stopped && b->spec->stopped(b->spec->context))
            return fail(ST_CANCELLED, "stopped");
        if (span_trim(line).n == 0)
            continue;
        Status st = add_line(b, line, cut);
        if (st != ST_FORMAT)
            TRY(st);
        else if (++b->built->bad_lines > b->spec->bad_lines)
            return fail_in(st, "line %lld", (long long)number);
        else
            log_warn("line %lld passed over: %s", (long long)number, error_text());
    }
}

static Status add_dump(Build *b, const char *dump)
{
    StreamReader *stream;
    LineReader lines = {0};
    const char *member;
    Status st;
    TRY(stream_open(&stream, dump));
    Progress progress = {0};
    if (!b->spec->quiet)
        progress = progress_start("indexing", (double)file_size(dump) / 1e6, "MB");
    while ((st = stream_next(stream, &member)) == ST_OK && member) {
        lines_start(&lines, stream);
        st = add_lines(b, &lines, stream, &progress);
        if (st != ST_OK)
            break;
    }
    if (!b->spec->quiet)
        progress_end(&progress);
    lines_drop(&lines);
    stream_close(stream);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", dump);
}

/* Asked by SQLite while the parts are joined. */
static int on_progress(void *context)
{
    const Build *b = context;
    return b->spec->stopped && b->spec->stopped(b->spec->context);
}

static Status finish(Build *b, const char *dump)
{
    if (b->built->articles == 0)
        return fail(ST_ARG, "%s has no article", dump);
    char *about =
        sqlite3_mprintf("INSERT INTO about VALUES('dump', %Q), ('articles', %lld), ('text_bytes', %lld)",
                        path_base(dump), (long long)b->built->articles, (long long)b->built->text_bytes);
    check(about);
    Status st = run(b, about);
    sqlite3_free(about);
    TRY(st);
    if (!b->spec->quiet)
        log_info("joining the parts of the index");
    sqlite3_progress_handler(b->db, 10000, on_progress, b);
    st = run(b, "CREATE INDEX article_title ON article(title COLLATE NOCASE);"
                "INSERT INTO words(words) VALUES('optimize'); COMMIT; PRAGMA optimize");
    if (st != ST_OK && on_progress(b))
        return fail(ST_CANCELLED, "stopped");
    return st;
}

static Status commit(Build *b)
{
    if (fsync(b->lock) != 0)
        return fail_errno(ST_IO, "writing %s", b->part);
    if (rename(b->part, b->file) != 0)
        return fail_errno(ST_IO, "renaming %s to %s", b->part, b->file);
    b->built->file_bytes = file_size(b->file);
    const char *slash = strrchr(b->file, '/');
    char *folder = !slash ? mem_str(".") : mem_strn(b->file, slash > b->file ? (size_t)(slash - b->file) : 1);
    Status st = folder_sync(folder);
    mem_free(folder);
    return st;
}

static Status close_database(Build *b)
{
    sqlite3_finalize(b->article);
    sqlite3_finalize(b->words);
    return sqlite3_close(b->db) == SQLITE_OK ? ST_OK : fail(ST_IO, "closing %s", b->part);
}

Status wikipedia_index_build(WikipediaBuilt *built, const char *dump, const char *file,
                             const WikipediaBuild *build)
{
    static const WikipediaBuild plain = {0};
    double start = clock_now();
    *built = (WikipediaBuilt){0};
    Build b = {.spec = build ? build : &plain, .built = built, .file = mem_str(file), .lock = -1};
    b.part = mem_format("%s.part", file);
    Status st = open_part(&b);
    bool mine = st == ST_OK;
    if (st == ST_OK)
        st = open_database(&b);
    if (st == ST_OK)
        st = add_dump(&b, dump);
    if (st == ST_OK)
        st = finish(&b, dump);
    Error why = {0};
    if (st != ST_OK)
        why = error_take();
    Status closed = close_database(&b);
    if (st == ST_OK)
        st = closed;
    else
        error_put(&why);
    if (st == ST_OK)
        st = commit(&b);
    if (st != ST_OK && mine)
        unlink(b.part);
    if (b.lock >= 0)
        close(b.lock);
    str_drop(&b.lead);
    mem_free(b.file);
    mem_free(b.part);
    built->seconds = clock_now() - start;
    return st;
}
