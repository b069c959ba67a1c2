#include "env/sql_select.h"

#include <string.h>
#include <strings.h>

void sql_schema_add(SqlSchema *s, const char *table, const char *column, bool key)
{
    SqlTable *last = s->tables.n ? &s->tables.at[s->tables.n - 1] : NULL;
    if (!last || strcmp(last->name, table) != 0) {
        SqlTable new = {.name = mem_str(table)};
        array_push(&s->tables, new);
        last = &s->tables.at[s->tables.n - 1];
    }
    SqlColumn c = {mem_str(column), key};
    array_push(&last->columns, c);
}

void sql_schema_drop(SqlSchema *s)
{
    for (size_t i = 0; i < s->tables.n; i++) {
        SqlTable *t = &s->tables.at[i];
        for (size_t k = 0; k < t->columns.n; k++)
            mem_free(t->columns.at[k].name);
        array_drop(&t->columns);
        mem_free(t->name);
    }
    array_drop(&s->tables);
}

static bool is_same(Span a, Span b)
{
    return a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0;
}

static bool is_at(const SqlSelect *s, size_t i, const char *word)
{
    return i < s->t->n && sql_token_is(&s->t->at[i], word);
}

static size_t behind_bracket(const SqlSelect *s, size_t i)
{
    return sql_tokens_behind_bracket(s->t, i);
}

static size_t find_word(const SqlSelect *s, size_t i, size_t end, const char *const *words)
{
    return sql_tokens_find(s->t, i, end, words);
}

Span sql_select_name(const SqlSelect *s, size_t i)
{
    static const char *const none[] = {
        "distinct",  "as",   "and",      "or",    "not",    "null",   "is",     "in",      "like",
        "case",      "when", "then",     "else",  "end",    "true",   "false",  "between", "div",
        "mod",       "all",  "interval", "asc",   "desc",   "exists", "select", "from",    "on",
        "where",     "xor",  "regexp",   "rlike", "escape", "binary", "any",    "some",    "using",
        "separator", "join", "inner",    "left",  "right",  "cross",  "outer",  NULL};
    if (i >= s->t->n)
        return (Span){0};
    const SqlToken *w = &s->t->at[i];
    if (w->kind == SQL_TOKEN_NAME)
        return (Span){w->text.at + 1, w->text.n - 2};
    return w->kind == SQL_TOKEN_WORD && !sql_token_is_any(w, none) ? w->text : (Span){0};
}

const SqlColumn *sql_table_column(const SqlTable *t, Span name)
{
    for (size_t i = 0; t && i < t->columns.n; i++)
        if (is_same(span(t->columns.at[i].name), name))
            return &t->columns.at[i];
    return NULL;
}

static SqlColumnAt resolve(const SqlSelect *s, Span alias, Span name)
{
    SqlColumnAt c = {-1, name};
    for (int i = 0; i < s->used_n; i++) {
        const SqlUsed *u = &s->used[i];
        if (alias.n ? !is_same(u->alias, alias) : u->table && !sql_table_column(u->table, name))
            continue;
        if (!u->table || !sql_table_column(u->table, name) || c.used >= 0)
            return (SqlColumnAt){-1, name}; /* it may be a subquery's, or any of two */
        c.used = i;
    }
    return c;
}

size_t sql_select_column(const SqlSelect *s, size_t i, SqlColumnAt *out)
{
    Span first = sql_select_name(s, i);
    if (!first.n || (i > 0 && is_at(s, i - 1, ".")))
        return 0;
    if (!is_at(s, i + 1, ".")) {
        *out = resolve(s, (Span){0}, first);
        return is_at(s, i + 1, "(") ? 0 : 1;
    }
    Span second = sql_select_name(s, i + 2);
    if (is_at(s, i + 3, ".")) { /* database.table.column */
        first = second;
        second = sql_select_name(s, i + 4);
        *out = resolve(s, first, second);
        return second.n ? 5 : 0;
    }
    *out = resolve(s, first, second);
    return second.n ? 3 : 0;
}

/* Behind `word` in [at, end), up to the next clause; `by`: the word is of two. */
static SqlPart clause(const SqlSelect *s, size_t at, size_t end, const char *word, bool by)
{
    static const char *const next[] = {"where", "group", "having", "order", "limit", "window", "for", NULL};
    at = find_word(s, at, end, (const char *const[]){word, NULL});
    size_t from = at + 1 + by;
    if (from > end || (by && !is_at(s, at + 1, "by")))
        return (SqlPart){end, end};
    return (SqlPart){from, find_word(s, from, end, next)};
}

static void find_clauses(SqlSelect *s, size_t select)
{
    static const char *const from[] = {"from", NULL}, *const stop[] = {"union", "intersect", "except", ";",
                                                                       NULL};
    size_t end = find_word(s, select + 1, s->t->n, stop);
    s->list = (SqlPart){select + 1, find_word(s, select + 1, end, from)};
    if (is_at(s, s->list.from, "distinct") || is_at(s, s->list.from, "all"))
        s->list.from++;
    s->from = clause(s, s->list.to, end, "from", false);
    s->where = clause(s, s->from.to, end, "where", false);
    s->group = clause(s, s->from.to, end, "group", true);
    s->having = clause(s, s->from.to, end, "having", false);
    s->order = clause(s, s->from.to, end, "order", true);
    s->end = end;
}

static const SqlTable *find_table(const SqlSchema *schema, Span name)
{
    for (size_t i = 0; i < schema->tables.n; i++)
        if (is_same(span(schema->tables.at[i].name), name))
            return &schema->tables.at[i];
    return NULL;
}

/* "table [AS] alias", "database.table", "(SELECT ...) alias" at i; returns what is behind. */
static size_t take_source(SqlSelect *s, const SqlSchema *schema, size_t i)
{
    SqlUsed u = {0};
    if (is_at(s, i, "(")) {
        i = behind_bracket(s, i);
    } else {
        i += is_at(s, i + 1, ".") ? 2 : 0;
        u.alias = sql_select_name(s, i);
        u.table = find_table(schema, u.alias);
        i++;
    }
    i += is_at(s, i, "as");
    if (i < s->from.to && sql_select_name(s, i).n) {
        u.alias = sql_select_name(s, i);
        i++;
    }
    if (s->used_n == SQL_USED_MAX)
        s->unclear = true;
    else
        s->used[s->used_n++] = u;
    return i;
}

static void take_sources(SqlSelect *s, const SqlSchema *schema)
{
    static const char *const before[] = {"join", ",", "straight_join", NULL};
    static const char *const unknown[] = {"using", "natural", NULL};
    s->unclear = s->unclear || find_word(s, s->from.from, s->from.to, unknown) < s->from.to;
    for (size_t i = s->from.from; i < s->from.to;) {
        i = take_source(s, schema, i);
        i = find_word(s, i, s->from.to, before);
        if (i < s->from.to && is_at(s, i, ")"))
            s->unclear = true;
        i += i < s->from.to;
    }
}

void sql_select_read(SqlSelect *out, const SqlTokens *t, const SqlSchema *schema, size_t select)
{
    *out = (SqlSelect){.t = t};
    find_clauses(out, select);
    take_sources(out, schema);
}
