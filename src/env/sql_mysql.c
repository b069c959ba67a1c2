#include "env/sql_mysql.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"

/* Tokens. -------------------------------------------------------------------------------------------------
 */

typedef enum { TOKEN_WORD, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_NAME, TOKEN_MARK } TokenKind;
typedef struct {
    TokenKind kind; /* TEXT: in ' or "; NAME: in backticks */
    Span text;
} Token;
typedef Array(Token) Tokens;

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind the quote that closes; NULL: none does. */
static const char *behind_quoted(const char *at, const char *end)
{
    char quote = *at++;
    for (; at < end; at++) {
        if (*at == '\\' && quote != '`' && at + 1 < end)
            at++;
        else if (*at == quote && (at + 1 == end || at[1] != quote))
            return at + 1;
        else if (*at == quote)
            at++;
    }
    return NULL;
}

static const char *behind_mark(const char *at, const char *end)
{
    static const char *const marks[] = {"<=>", "||", "&&", "<=", ">=", "<>", "!=", ":="};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i]);
        if ((size_t)(end - at) >= n && memcmp(at, marks[i], n) == 0)
            return at + n;
    }
    return at + 1;
}

static const char *behind_comment(const char *at, const char *end)
{
    const char *stop = NULL;
    if (*at == '#' ||
        (end - at > 1 && at[0] == '-' && at[1] == '-' && (end - at == 2 || (unsigned char)at[2] <= ' '))) {
        stop = memchr(at, '\n', (size_t)(end - at));
        return stop ? stop : end;
    }
    if (end - at < 4 || at[0] != '/' || at[1] != '*')
        return at;
    stop = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
    return stop ? stop + 2 : at;
}

/* NULL, or where a quote or comment is opened that nothing closes. */
static const char *split(Tokens *out, Span query)
{
    const char *at = query.at, *end = query.at + query.n;
    while (at < end) {
        const char *begin = at, *behind = behind_comment(at, end);
        Token t = {TOKEN_MARK, {0}};
        if (behind > at || strchr(" \t\r\n\v\f", *at)) {
            at = behind > at ? behind : at + 1;
            continue;
        }
        if (end - at > 1 && at[0] == '/' && at[1] == '*')
            return begin;
        if (*at == '\'' || *at == '"' || *at == '`') {
            t.kind = *at == '`' ? TOKEN_NAME : TOKEN_TEXT;
            at = behind_quoted(at, end);
            if (!at)
                return begin;
        } else if (is_word_char(*at)) {
            t.kind = is_digit(*at) ? TOKEN_NUMBER : TOKEN_WORD;
            while (at < end && (is_word_char(*at) || (t.kind == TOKEN_NUMBER && *at == '.')))
                at++;
        } else {
            at = behind_mark(at, end);
        }
        t.text = (Span){begin, (size_t)(at - begin)};
        array_push(out, t);
    }
    return NULL;
}

static bool is(const Token *t, const char *word)
{
    return (t->kind == TOKEN_WORD || t->kind == TOKEN_MARK) && t->text.n == strlen(word) &&
           strncasecmp(t->text.at, word, t->text.n) == 0;
}

static bool is_any(const Token *t, const char *const *words)
{
    for (; *words; words++)
        if (is(t, *words))
            return true;
    return false;
}

/* Reserved words. -----------------------------------------------------------------------------------------
 */

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

static bool is_refused(const Tokens *t, size_t i)
{
    const Token *w = &t->at[i];
    if (w->kind != TOKEN_WORD || i == 0 || is(&t->at[i - 1], "."))
        return false;
    bool called = i + 1 < t->n && is(&t->at[i + 1], "(");
    return is_any(w, reserved) || (!called && is_any(w, windows));
}

/* ONLY_FULL_GROUP_BY. -------------------------------------------------------------------------------------
 */

static const char *const aggregates[] = {"avg", "count", "max", "min", "sum", "group_concat", NULL};
static const char *const clauses[] = {"where", "group", "having", "order", "limit", "union", ";", NULL};
static const char *const no_columns[] = {
    "distinct", "as",   "and", "or",   "not",   "null",    "is",  "in",  "like", "case",     "when",
    "then",     "else", "end", "true", "false", "between", "div", "mod", "all",  "interval", NULL};

/* A query of one table, by its tokens; false: something else, of which nothing is said. */
typedef struct {
    size_t list, list_end;   /* the select list         */
    size_t group, group_end; /* what stands behind GROUP BY; equal: no such clause */
    Span table;
} Plain;

static size_t to_clause(const Tokens *t, size_t i, const char *const *words)
{
    int depth = 0;
    for (; i < t->n; i++) {
        depth += is(&t->at[i], "(") - is(&t->at[i], ")");
        if (depth < 0 || (depth == 0 && is_any(&t->at[i], words)))
            break;
    }
    return i;
}

static bool find_plain(Plain *p, const Tokens *t)
{
    static const char *const from[] = {"from", ";", NULL};
    if (t->n == 0 || !is(&t->at[0], "select"))
        return false;
    for (size_t i = 1; i < t->n; i++)
        if (is(&t->at[i], "select") || is(&t->at[i], "over"))
            return false;
    p->list = 1;
    p->list_end = to_clause(t, 1, from);
    size_t end = to_clause(t, p->list_end + 1, clauses);
    if (p->list_end + 1 >= t->n)
        return false;
    for (size_t i = p->list_end + 1; i < end; i++)
        if (is(&t->at[i], "join") || is(&t->at[i], ","))
            return false;
    p->table = t->at[p->list_end + 1].text;
    static const char *const group[] = {"group", NULL};
    size_t at = to_clause(t, end, group);
    p->group = p->group_end = at;
    if (at + 2 < t->n) {
        p->group = at + 2;
        p->group_end = to_clause(t, p->group, clauses);
    }
    return true;
}

/* A column's name at i, without quotes and the table in front of it; n is 0 where there is none. */
static Span column_at(const Tokens *t, size_t i)
{
    const Token *w = &t->at[i];
    bool before_dot = i + 1 < t->n && is(&t->at[i + 1], ".");
    bool called = i + 1 < t->n && is(&t->at[i + 1], "(");
    bool alias = i > 0 && is(&t->at[i - 1], "as");
    if (before_dot || alias)
        return (Span){0};
    if (w->kind == TOKEN_NAME)
        return (Span){w->text.at + 1, w->text.n - 2};
    if (w->kind != TOKEN_WORD || called || is_any(w, no_columns))
        return (Span){0};
    return w->text;
}

static bool is_same(Span a, Span b)
{
    return a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0;
}

static bool is_grouped(const Tokens *t, const Plain *p, Span column)
{
    for (size_t i = p->group; i < p->group_end; i++)
        if (is_same(column_at(t, i), column))
            return true;
    return false;
}

/* Whether the table has the column, and whether the columns of GROUP BY hold its whole key. */
static bool table_has(sqlite3 *db, const Tokens *t, const Plain *p, Span column, bool *keyed)
{
    sqlite3_stmt *s = NULL;
    bool has = false, whole = true, any = false;
    Span table = p->table;
    if (table.n > 2 && table.at[0] == '`')
        table = (Span){table.at + 1, table.n - 2};
    if (sqlite3_prepare_v2(db, "SELECT name, pk FROM pragma_table_info(?)", -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, table.at, (int)table.n, SQLITE_STATIC);
        while (sqlite3_step(s) == SQLITE_ROW) {
            Span name = span((const char *)sqlite3_column_text(s, 0));
            has = has || is_same(name, column);
            if (sqlite3_column_int(s, 1)) {
                any = true;
                whole = whole && is_grouped(t, p, name);
            }
        }
    }
    sqlite3_finalize(s);
    *keyed = any && whole;
    return has;
}

/* The first column in the list outside of aggregates, and the place of its expression; n is 0: none. */
static Span bare_column(sqlite3 *db, const Tokens *t, const Plain *p, int *place)
{
    bool keyed;
    int depth = 0;
    *place = 1;
    for (size_t i = p->list; i < p->list_end; i++) {
        if (is_any(&t->at[i], aggregates) && i + 1 < p->list_end && is(&t->at[i + 1], "(")) {
            i = to_clause(t, i + 2, (const char *const[]){NULL});
            continue;
        }
        depth += is(&t->at[i], "(") - is(&t->at[i], ")");
        *place += depth == 0 && is(&t->at[i], ",");
        Span column = column_at(t, i);
        if (column.n && !is_grouped(t, p, column) && table_has(db, t, p, column, &keyed) && !keyed)
            return column;
    }
    return (Span){0};
}

static bool aggregates_in(const Tokens *t, const Plain *p)
{
    for (size_t i = p->list; i + 1 < p->list_end; i++)
        if (is_any(&t->at[i], aggregates) && is(&t->at[i + 1], "("))
            return true;
    return false;
}

static bool is_grouped_wrongly(Str *error, sqlite3 *db, const char *database, const Tokens *t)
{
    Plain p;
    int place;
    if (!find_plain(&p, t) || (p.group == p.group_end && !aggregates_in(t, &p)))
        return false;
    Span column = bare_column(db, t, &p, &place);
    if (column.n == 0)
        return false;
    Span table = p.table;
    if (table.n > 2 && table.at[0] == '`')
        table = (Span){table.at + 1, table.n - 2};
    if (p.group == p.group_end)
        str_addf(error,
                 "In aggregated query without GROUP BY, expression #%d of SELECT list contains nonaggregated "
                 "column '%s.%.*s.%.*s'; this is incompatible with sql_mode=only_full_group_by",
                 place, database, (int)table.n, table.at, (int)column.n, column.at);
    else
        str_addf(error,
                 "Expression #%d of SELECT list is not in GROUP BY clause and contains nonaggregated column "
                 "'%s.%.*s.%.*s' which is not functionally dependent on columns in GROUP BY clause; this is "
                 "incompatible with sql_mode=only_full_group_by",
                 place, database, (int)table.n, table.at, (int)column.n, column.at);
    return true;
}

/* FROM (SELECT ...) without a name behind it. */
static bool has_nameless_table(const Tokens *t)
{
    static const char *const from[] = {"from", "join", NULL}, *const none[] = {NULL};
    static const char *const behind[] = {"where",  "group", "having", "order", "limit", "union", "intersect",
                                         "except", "on",    "join",   "inner", "left",  "cross", NULL};
    for (size_t i = 0; i + 2 < t->n; i++) {
        if (!is_any(&t->at[i], from) || !is(&t->at[i + 1], "(") || !is(&t->at[i + 2], "select"))
            continue;
        size_t end = to_clause(t, i + 2, none) + 1;
        const Token *next = end < t->n ? &t->at[end] : NULL;
        if (!next || (next->kind != TOKEN_NAME && next->kind != TOKEN_WORD) || is_any(next, behind))
            return end <= t->n;
    }
    return false;
}

/* IN (SELECT ... LIMIT ...). */
static bool has_limit_in(const Tokens *t)
{
    static const char *const before[] = {"in", "all", "any", "some", NULL}, *const limit[] = {"limit", NULL};
    for (size_t i = 0; i + 2 < t->n; i++) {
        if (!is_any(&t->at[i], before) || !is(&t->at[i + 1], "(") || !is(&t->at[i + 2], "select"))
            continue;
        size_t at = to_clause(t, i + 2, limit);
        if (at < t->n && is(&t->at[at], "limit"))
            return true;
    }
    return false;
}

/* The query. ----------------------------------------------------------------------------------------------
 */

static void syntax_error(Str *error, Span query, const char *at)
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
static void add_token(Str *out, const Token *t, const Token *before)
{
    bool goes_on = before && before->kind == TOKEN_TEXT && t->kind == TOKEN_TEXT;
    bool glued = before && before->text.at + before->text.n == t->text.at;
    if (before && !goes_on && (!glued || (is(before, "-") && is(t, "-")))) /* "--" is a comment in SQLite */
        str_addc(out, ' ');
    if (t->kind == TOKEN_TEXT)
        add_text(out, t->text, goes_on);
    else if (is(t, "/"))
        str_adds(out, "* 1.0 /");
    else if (is(t, "||") || is(t, "&&"))
        str_adds(out, is(t, "||") ? " OR " : " AND ");
    else if (is(t, "<=>"))
        str_adds(out, " IS ");
    else
        str_add(out, t->text.at, t->text.n);
}

bool sql_mysql_query(Str *out, Str *error, sqlite3 *db, const char *database, Span query)
{
    Tokens t = {0};
    str_clear(out);
    str_clear(error);
    const char *open = split(&t, query);
    bool good = !open;
    if (open)
        syntax_error(error, query, open);
    for (size_t i = 0; good && i < t.n; i++)
        if (is_refused(&t, i)) {
            syntax_error(error, query, t.at[i].text.at);
            good = false;
        }
    if (good && has_nameless_table(&t))
        str_adds(error, "Every derived table must have its own alias");
    else if (good && has_limit_in(&t))
        str_adds(error, "This version of MySQL doesn't yet support 'LIMIT & IN/ALL/ANY/SOME subquery'");
    good = good && error->n == 0;
    if (good && is_grouped_wrongly(error, db, database, &t))
        good = false;
    for (size_t i = 0; good && i < t.n; i++)
        add_token(out, &t.at[i], i ? &t.at[i - 1] : NULL);
    array_drop(&t);
    return good;
}

/* Errors. -------------------------------------------------------------------------------------------------
 */

/* What MySQL calls the part of the query in which a name stands. */
static const char *clause_of(Span query, Span name)
{
    Tokens t = {0};
    const char *clause = "field list";
    Span last = name;
    for (size_t i = name.n; i > 0; i--)
        if (name.at[i - 1] == '.') {
            last = (Span){name.at + i, name.n - i};
            break;
        }
    (void)split(&t, query);
    for (size_t i = 0; i < t.n; i++) {
        const Token *w = &t.at[i];
        bool here = w->kind == TOKEN_NAME ? is_same((Span){w->text.at + 1, w->text.n - 2}, last)
                                          : w->kind == TOKEN_WORD && is_same(w->text, last);
        bool before_dot = i + 1 < t.n && is(&t.at[i + 1], ".");
        if (here && !before_dot)
            break;
        clause = is(w, "select")   ? "field list"
                 : is(w, "where")  ? "where clause"
                 : is(w, "on")     ? "on clause"
                 : is(w, "group")  ? "group statement"
                 : is(w, "having") ? "having clause"
                 : is(w, "order")  ? "order clause"
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
        syntax_error(out, query, at ? at : query.at + query.n);
    } else if (strcmp(says, "incomplete input") == 0) {
        syntax_error(out, query, query.at + query.n);
    } else {
        str_adds(out, says);
    }
}

/* Functions. ----------------------------------------------------------------------------------------------
 */

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
