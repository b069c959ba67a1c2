/* Searches of an index.  Each search has a connection of its own, kept for the next. */
#include "env/wikipedia_index.h"

#include <ctype.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/array.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "env/wikipedia_source.h"

enum { WORDS_MOST = 48 };
static const double search_seconds = 20; /* below a cell's 30 */

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *by_title, *by_words, *article;
    double until;
} Connection;

typedef struct {
    char *file;
    pthread_mutex_t lock; /* of `idle` */
    Array(Connection *) idle;
} Index;

static void close_connection(Connection *c)
{
    if (!c)
        return;
    sqlite3_finalize(c->by_title);
    sqlite3_finalize(c->by_words);
    sqlite3_finalize(c->article);
    sqlite3_close(c->db);
    mem_free(c);
}

static int is_late(void *context)
{
    const Connection *c = context;
    return clock_now() > c->until;
}

static int64_t pragma(Connection *c, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static Status open_connection(Connection **out, const char *file)
{
    Status st = ST_OK;
    Connection *c = mem_new(Connection);
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (!path_exists(file))
        st = fail(ST_IO, "there is no %s", file);
    else if (sqlite3_open_v2(file, &c->db, flags, NULL) != SQLITE_OK)
        st = fail(ST_IO, "opening %s: %s", file, sqlite3_errmsg(c->db));
    else if (pragma(c, "PRAGMA application_id") != WIKIPEDIA_INDEX_ID)
        st = fail(ST_FORMAT,
                  "%s is no index of an encyclopaedia; build one: lemur eval --index DUMP.jsonl -o FILE",
                  file);
    else if (pragma(c, "PRAGMA user_version") != WIKIPEDIA_INDEX_VERSION)
        st = fail(ST_FORMAT, "%s is an index of another version; build it again", file);
    else if (sqlite3_prepare_v2(
                 c->db,
                 "SELECT id FROM article WHERE title = ?1 COLLATE NOCASE ORDER BY title = ?1 DESC, id"
                 " LIMIT 1",
                 -1, &c->by_title, NULL) ||
             sqlite3_prepare_v2(c->db, "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rank LIMIT ?2",
                                -1, &c->by_words, NULL) ||
             sqlite3_prepare_v2(c->db, "SELECT title, lead FROM article WHERE id = ?1", -1, &c->article,
                                NULL))
        st = fail(ST_FORMAT, "%s: %s", file, sqlite3_errmsg(c->db));
    if (st != ST_OK) {
        close_connection(c);
        return st;
    }
    sqlite3_progress_handler(c->db, 10000, is_late, c);
    *out = c;
    return ST_OK;
}

static Status take_connection(Index *x, Connection **out)
{
    *out = NULL;
    pthread_mutex_lock(&x->lock);
    if (x->idle.n)
        *out = x->idle.at[--x->idle.n];
    pthread_mutex_unlock(&x->lock);
    return *out ? ST_OK : open_connection(out, x->file);
}

static void give_connection(Index *x, Connection *c)
{
    pthread_mutex_lock(&x->lock);
    array_push(&x->idle, c);
    pthread_mutex_unlock(&x->lock);
}

/* Words -------------------------------------------------------------------------------------------------- */

/* Nearly every article has them, so they find nothing and cost much. */
static bool is_common(Span word)
{
    static const char *const common[] = {
        "a",    "an",   "and",  "are",   "as",    "at",  "be",   "by",    "did",  "do",  "does",
        "for",  "from", "had",  "has",   "have",  "he",  "her",  "his",   "how",  "in",  "is",
        "it",   "its",  "of",   "on",    "or",    "she", "that", "the",   "this", "to",  "was",
        "were", "what", "when", "where", "which", "who", "whom", "whose", "why",  "with"};
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (strlen(common[i]) == word.n && strncasecmp(common[i], word.at, word.n) == 0)
            return true;
    return false;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The query's words, quoted for FTS5, joined; false: there are none.  FTS5 splits and stems what is quoted.
 */
static bool match(Str *out, Span query, const char *join, bool with_common)
{
    size_t n = 0;
    str_clear(out);
    for (size_t i = 0; i < query.n && n < WORDS_MOST;) {
        size_t from = i;
        while (i < query.n && in_word(query.at[i]))
            i++;
        Span word = {query.at + from, i - from};
        if (word.n && (with_common || !is_common(word))) {
            str_addf(out, "%s\"", n++ ? join : "");
            str_add(out, word.at, word.n);
            str_addc(out, '"');
        }
        i += word.n == 0;
    }
    return n > 0;
}

/* Searching ---------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t ids[WIKIPEDIA_PAGES];
    int n;
} Found;

static Status collect(Connection *c, sqlite3_stmt *s, Found *found)
{
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW && found->n < WIKIPEDIA_PAGES) {
        int64_t id = sqlite3_column_int64(s, 0);
        bool known = false;
        for (int i = 0; i < found->n; i++)
            known = known || found->ids[i] == id;
        if (!known)
            found->ids[found->n++] = id;
    }
    Status st = ST_OK;
    if (code == SQLITE_INTERRUPT)
        st = fail(ST_LIMIT, "the index was searched for %.0f s without an end; ask with rarer words",
                  search_seconds);
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        st = fail(ST_IO, "searching the index: %s", sqlite3_errmsg(c->db));
    sqlite3_reset(s);
    return st;
}

static Status find_words(Connection *c, Found *found, const Str *words)
{
    sqlite3_bind_text(c->by_words, 1, words->at, (int)words->n, SQLITE_STATIC);
    sqlite3_bind_int(c->by_words, 2, 2 * WIKIPEDIA_PAGES);
    return collect(c, c->by_words, found);
}

static Status find(Connection *c, Found *found, Span query, Str *words)
{
    Span name = span_trim(query);
    sqlite3_bind_text(c->by_title, 1, name.at, (int)name.n, SQLITE_STATIC);
    TRY(collect(c, c->by_title, found));
    bool rare = match(words, query, " ", false);
    if (!rare && !match(words, query, " ", true))
        return ST_OK;
    TRY(find_words(c, found, words));
    if (found->n == WIKIPEDIA_PAGES || !match(words, query, " OR ", !rare))
        return ST_OK;
    return find_words(c, found, words);
}

static Status add_found(Connection *c, const Found *found, Str *answer)
{
    size_t from = answer->n;
    for (int i = 0; i < found->n; i++) {
        sqlite3_bind_int64(c->article, 1, found->ids[i]);
        if (sqlite3_step(c->article) == SQLITE_ROW) {
            const char *title = (const char *)sqlite3_column_text(c->article, 0);
            const char *lead = (const char *)sqlite3_column_text(c->article, 1);
            wikipedia_add_page(answer, from, title ? title : "", span(lead ? lead : ""));
        }
        int code = sqlite3_reset(c->article);
        if (code != SQLITE_OK)
            return fail(ST_IO, "reading the index: %s", sqlite3_errmsg(c->db));
    }
    wikipedia_end(answer, from);
    return ST_OK;
}

static Status search(void *self, Span query, Str *answer)
{
    Index *x = self;
    Connection *c;
    Str words = {0};
    Found found = {0};
    query = wikipedia_cut(query, WIKIPEDIA_QUERY_CHARS);
    if (span_trim(query).n == 0)
        return fail(ST_ARG, "wikipedia_search: the query is empty");
    TRY(take_connection(x, &c));
    c->until = clock_now() + search_seconds;
    Status st = find(c, &found, query, &words);
    if (st == ST_OK)
        st = add_found(c, &found, answer);
    str_drop(&words);
    give_connection(x, c);
    return st == ST_OK ? ST_OK : fail_in(st, "wikipedia_search");
}

static void close_index(void *self)
{
    Index *x = self;
    for (size_t i = 0; i < x->idle.n; i++)
        close_connection(x->idle.at[i]);
    array_drop(&x->idle);
    pthread_mutex_destroy(&x->lock);
    mem_free(x->file);
    mem_free(x);
}

Status wikipedia_open_index(Wikipedia **out, const char *file)
{
    static const WikipediaSource source = {search, close_index};
    Connection *first;
    TRY(open_connection(&first, file));
    Index *x = mem_new(Index);
    x->file = mem_str(file);
    check(pthread_mutex_init(&x->lock, NULL) == 0);
    give_connection(x, first);
    *out = wikipedia_of(&source, x);
    return ST_OK;
}
