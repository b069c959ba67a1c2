#include "env/sql_mysql.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "env/sql_token.h"

/* Reserved words. ---------------------------------------------------------------------------------------- */

/* Those of MySQL that SQLite takes for names, and that mean nothing inside a SELECT. */
static const char *const reserved[] = {
    "accessible", "analyze",  "asensitive", "before",   "call",     "change",   "condition", "cursor",
    "databases",  "declare",  "delayed",    "describe", "each",     "enclosed", "escaped",   "explain",
    "fulltext",   "function", "grant",      "groups",   "iterate",  "keys",     "kill",      "leave",
    "linear",     "lines",    "load",       "lock",     "loop",     "option",   "outfile",   "infile",
    "procedure",  "purge",    "read",       "release",  "resignal", "revoke",   "schema",    "schemas",
    "sensitive",  "show",     "signal",     "specific", "sql",      "starting", "system",    "terminated",
    "trigger",    "undo",     "unlock",     "usage",    "varying",  "while",    "write",     "zerofill",
    NULL};
/* Functions over windows, and names otherwise. */
static const char *const windows[] = {"cume_dist", "dense_rank", "first_value",  "lag",  "last_value", "lead",
                                      "nth_value", "ntile",      "percent_rank", "rank", "row_number", NULL};

static bool is_refused(const SqlTokens *t, size_t i)
{
    const SqlToken *w = &t->at[i];
    if (w->kind != SQL_TOKEN_WORD || i == 0 || sql_token_is(&t->at[i - 1], "."))
        return false;
    bool called = i + 1 < t->n && sql_token_is(&t->at[i + 1], "(");
    return sql_token_is_any(w, reserved) || (!called && sql_token_is_any(w, windows));
}

/* A query in brackets at i. */
static bool is_subquery(const SqlTokens *t, size_t i)
{
    return i + 1 < t->n && sql_token_is(&t->at[i], "(") && sql_token_is(&t->at[i + 1], "select");
}

/* FROM (SELECT ...) without a name behind it. */
static bool has_nameless_table(const SqlTokens *t)
{
    static const char *const from[] = {"from", "join", NULL};
    static const char *const behind[] = {"where",  "group", "having", "order", "limit", "union", "intersect",
                                         "except", "on",    "join",   "inner", "left",  "cross", NULL};
    for (size_t i = 0; i < t->n; i++) {
        if (!sql_token_is_any(&t->at[i], from) || !is_subquery(t, i + 1))
            continue;
        size_t end = sql_tokens_behind_bracket(t, i + 1);
        const SqlToken *next = end < t->n ? &t->at[end] : NULL;
        bool named = next && (next->kind == SQL_TOKEN_NAME || next->kind == SQL_TOKEN_WORD);
        if (!named || sql_token_is_any(next, behind))
            return sql_token_is(&t->at[end - 1], ")");
    }
    return false;
}

/* IN (SELECT ... LIMIT ...). */
static bool has_limit_in(const SqlTokens *t)
{
    static const char *const before[] = {"in", "all", "any", "some", NULL}, *const limit[] = {"limit", NULL};
    for (size_t i = 0; i < t->n; i++) {
        if (!sql_token_is_any(&t->at[i], before) || !is_subquery(t, i + 1))
            continue;
        size_t at = sql_tokens_find(t, i + 2, t->n, limit);
        if (at < t->n && sql_token_is(&t->at[at], "limit"))
            return true;
    }
    return false;
}

/* The query. --------------------------------------------------------------------------------------------- */

void sql_mysql_syntax_error(Str *error, Span query, const char *at)
{
    size_t rest = (size_t)(query.at + query.n - at), line = 1, shown = rest < 80 ? rest : 80;
    while (shown && shown < rest && ((unsigned char)at[shown] & 0xC0) == 0x80) /* no part of a character */
        shown--;
    for (const char *c = query.at; c < at; c++)
        line += *c == '\n';
    str_addf(error,
             "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server "
             "version for the right syntax to use near '%.*s' at line %zu",
             (int)shown, at, line);
}

/* Texts in a row are one: 'a' "b" is 'ab'. */
static void add_text(Str *out, Span quoted, bool goes_on)
{
    static const char from[] = "nrtbZ", to[] = "\n\r\t\b\x1a";
    char quote = quoted.at[0];
    if (goes_on)
        out->n--; /* the quote that closed the one before */
    else
        str_addc(out, '\'');
    for (size_t i = 1; i + 1 < quoted.n; i++) {
        char c = quoted.at[i];
        if (c == quote) { /* doubled */
            i++;
        } else if (c == '\\' && i + 2 < quoted.n) {
            c = quoted.at[++i];
            if (c == '%' || c == '_')
                str_addc(out, '\\');
            else if (c && strchr(from, c))
                c = to[strchr(from, c) - from];
        }
        str_adds(out, c == '\'' ? "''" : "");
        if (c != '\'')
            str_addc(out, c);
    }
    str_addc(out, '\'');
}

/* Behind another token or, NULL, none. */
static void add_token(Str *out, const SqlToken *t, const SqlToken *before)
{
    bool goes_on = before && before->kind == SQL_TOKEN_TEXT && t->kind == SQL_TOKEN_TEXT;
    bool glued = before && before->text.at + before->text.n == t->text.at;
    bool comment =
        before && sql_token_is(before, "-") && sql_token_is(t, "-"); /* of SQLite, but for a blank */
    if (before && !goes_on && (!glued || comment))
        str_addc(out, ' ');
    if (t->kind == SQL_TOKEN_TEXT)
        add_text(out, t->text, goes_on);
    else if (sql_token_is(t, "/"))
        str_adds(out, "* 1.0 /");
    else if (sql_token_is(t, "||") || sql_token_is(t, "&&"))
        str_adds(out, sql_token_is(t, "||") ? " OR " : " AND ");
    else if (sql_token_is(t, "<=>"))
        str_adds(out, " IS ");
    else
        str_add(out, t->text.at, t->text.n);
}

/* A function's name that is none is found out one word later. */
static bool has_reserved(Str *error, const SqlTokens *t, Span query)
{
    for (size_t i = 0; i < t->n; i++)
        if (is_refused(t, i)) {
            bool function = sql_token_is_any(&t->at[i], windows);
            const char *end = query.at + query.n;
            sql_mysql_syntax_error(error, query,
                                   !function      ? t->at[i].text.at
                                   : i + 1 < t->n ? t->at[i + 1].text.at
                                                  : end);
            return true;
        }
    return false;
}

/* COUNT (*): a blank behind one of these makes a name of it, which calls a function of the user's. */
static bool has_blank_before_bracket(Str *error, const SqlTokens *t, const char *database, Span query)
{
    static const char *const names[] = {"count", "max",  "min", "sum", "group_concat", "substr", "substring",
                                        "trim",  "cast", "now", "std", "curdate",      NULL};
    for (size_t i = 0; i + 2 < t->n; i++) {
        Span word = t->at[i].text, next = t->at[i + 2].text;
        if (!sql_token_is_any(&t->at[i], names) || !sql_token_is(&t->at[i + 1], "(") ||
            word.at + word.n == t->at[i + 1].text.at)
            continue;
        if (sql_token_is(&t->at[i + 2], "*") || sql_token_is(&t->at[i + 2], "distinct"))
            sql_mysql_syntax_error(error, query, next.at);
        else
            str_addf(error,
                     "FUNCTION %s.%.*s does not exist. Check the 'Function Name Parsing and Resolution' "
                     "section in the Reference Manual",
                     database, (int)word.n, word.at);
        return true;
    }
    return false;
}

static bool refuses(Str *error, const SqlTokens *t, const char *database, Span query)
{
    if (has_reserved(error, t, query) || has_blank_before_bracket(error, t, database, query))
        return true;
    if (has_nameless_table(t))
        str_adds(error, "Every derived table must have its own alias");
    else if (has_limit_in(t))
        str_adds(error, "This version of MySQL doesn't yet support 'LIMIT & IN/ALL/ANY/SOME subquery'");
    else
        return false;
    return true;
}

bool sql_mysql_refuses(Str *error, const char *database, Span query)
{
    SqlTokens t = {0};
    str_clear(error);
    bool refused = !sql_tokens_split(&t, query) && refuses(error, &t, database, query);
    array_drop(&t);
    return refused;
}

bool sql_mysql_query(Str *out, Str *error, const char *database, Span query)
{
    SqlTokens t = {0};
    str_clear(out);
    str_clear(error);
    const char *open = sql_tokens_split(&t, query);
    bool good = !open && !refuses(error, &t, database, query);
    if (open)
        sql_mysql_syntax_error(error, query, open);
    for (size_t i = 0; good && i < t.n; i++)
        add_token(out, &t.at[i], i ? &t.at[i - 1] : NULL);
    array_drop(&t);
    return good;
}

/* Errors. ------------------------------------------------------------------------------------------------ */

static bool is_same(Span a, Span b)
{
    return a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0;
}

/* What MySQL calls the part of the query in which a name stands. */
static const char *clause_of(Span query, Span name)
{
    SqlTokens t = {0};
    const char *clause = "field list";
    Span last = name;
    for (size_t i = name.n; i > 0; i--)
        if (name.at[i - 1] == '.') {
            last = (Span){name.at + i, name.n - i};
            break;
        }
    (void)sql_tokens_split(&t, query);
    for (size_t i = 0; i < t.n; i++) {
        const SqlToken *w = &t.at[i];
        bool here = w->kind == SQL_TOKEN_NAME ? is_same((Span){w->text.at + 1, w->text.n - 2}, last)
                                              : w->kind == SQL_TOKEN_WORD && is_same(w->text, last);
        bool before_dot = i + 1 < t.n && sql_token_is(&t.at[i + 1], ".");
        if (here && !before_dot)
            break;
        clause = sql_token_is(w, "select")   ? "field list"
                 : sql_token_is(w, "where")  ? "where clause"
                 : sql_token_is(w, "on")     ? "on clause"
                 : sql_token_is(w, "group")  ? "group statement"
                 : sql_token_is(w, "having") ? "having clause"
                 : sql_token_is(w, "order")  ? "order clause"
                                             : clause;
    }
    array_drop(&t);
    return clause;
}

static bool behind(Span *out, const char *says, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(says, prefix, n) != 0)
        return false;
    *out = span(says + n);
    return true;
}

void sql_mysql_error(Str *out, const char *says, const char *database, Span query)
{
    Span name;
    str_clear(out);
    if (behind(&name, says, "no such table: ")) {
        bool whole = memchr(name.at, '.', name.n);
        str_addf(out, "Table '%s%s%s' doesn't exist", whole ? "" : database, whole ? "" : ".", name.at);
    } else if (behind(&name, says, "no such column: ")) {
        str_addf(out, "Unknown column '%s' in '%s'", name.at, clause_of(query, name));
    } else if (behind(&name, says, "ambiguous column name: ")) {
        str_addf(out, "Column '%s' in %s is ambiguous", name.at, clause_of(query, name));
    } else if (behind(&name, says, "no such function: ")) {
        str_addf(out, "FUNCTION %s.%s does not exist", database, name.at);
    } else if (strncmp(says, "misuse of aggregate", 19) == 0) {
        str_adds(out, "Invalid use of group function");
    } else if (behind(&name, says, "near \"") && memchr(name.at, '"', name.n)) {
        size_t n = (size_t)((const char *)memchr(name.at, '"', name.n) - name.at);
        const char *at = n ? memmem(query.at, query.n, name.at, n) : NULL;
        sql_mysql_syntax_error(out, query, at ? at : query.at + query.n);
    } else if (strcmp(says, "incomplete input") == 0) {
        sql_mysql_syntax_error(out, query, query.at + query.n);
    } else {
        str_adds(out, says);
    }
}

/* Functions. --------------------------------------------------------------------------------------------- */

static void concat(sqlite3_context *c, int n, sqlite3_value **v)
{
    Str all = {0};
    for (int i = 0; i < n; i++) {
        const char *text = (const char *)sqlite3_value_text(v[i]);
        if (!text) { /* NULL makes all NULL */
            str_drop(&all);
            return;
        }
        str_add(&all, text, (size_t)sqlite3_value_bytes(v[i]));
    }
    sqlite3_result_text64(c, str_c(&all), all.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    str_drop(&all);
}

/* year, month, day: the part's number among those of "2020-01-31". */
static void date_part(sqlite3_context *c, int n, sqlite3_value **v)
{
    const int *part = sqlite3_user_data(c);
    const char *text = (const char *)sqlite3_value_text(v[0]);
    int d[3];
    (void)n;
    if (text && sscanf(text, "%4d-%2d-%2d", &d[0], &d[1], &d[2]) == 3)
        sqlite3_result_int(c, d[*part]);
}

static void choose(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    sqlite3_result_value(c, sqlite3_value_double(v[0]) != 0 ? v[1] : v[2]);
}

/* utf8mb4_general_ci of ASCII, under the name that mysql_dump.h gives to a *_ci collation: no case, and
 * blanks at the end do not count (PAD SPACE).  Indexes made by SQLite's own NOCASE stay in order but for text
 * that differs in control characters. */
static int compare(void *context, int an, const void *a, int bn, const void *b)
{
    const unsigned char *s = a, *t = b;
    (void)context;
    while (an > 0 && s[an - 1] == ' ')
        an--;
    while (bn > 0 && t[bn - 1] == ' ')
        bn--;
    for (int i = 0; i < an && i < bn; i++) {
        int c = s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 32 : s[i],
            d = t[i] >= 'A' && t[i] <= 'Z' ? t[i] | 32 : t[i];
        if (c != d)
            return c - d;
    }
    return an - bn;
}

void sql_mysql_functions(sqlite3 *db)
{
    static int parts[] = {0, 1, 2};
    static const char *const names[] = {"year", "month", "day"};
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    sqlite3_create_collation(db, "NOCASE", SQLITE_UTF8, NULL, compare);
    sqlite3_create_function(db, "concat", -1, flags, NULL, concat, NULL, NULL);
    sqlite3_create_function(db, "if", 3, flags, NULL, choose, NULL, NULL);
    for (int i = 0; i < 3; i++)
        sqlite3_create_function(db, names[i], 1, flags, &parts[i], date_part, NULL, NULL);
}
