#include "env/sql_group.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    SqlColumnAt a, b; /* b.name.n is 0: a constant */
} Equality;

typedef struct {
    SqlSelect s;
    bool whole[SQL_USED_MAX]; /* all columns of the table are determined */
    Array(SqlColumnAt) determined;
    Array(Equality) equalities;
    Array(SqlPart) grouped; /* the expressions of GROUP BY */
} Block;

static bool is_same(Span a, Span b)
{
    return a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0;
}

static bool is_at(const Block *b, size_t i, const char *word)
{
    return i < b->s.t->n && sql_token_is(&b->s.t->at[i], word);
}

static bool is_any_at(const Block *b, size_t i, const char *const *words)
{
    return i < b->s.t->n && sql_token_is_any(&b->s.t->at[i], words);
}

static size_t behind_bracket(const Block *b, size_t i)
{
    return sql_tokens_behind_bracket(b->s.t, i);
}

static size_t find_word(const Block *b, size_t i, size_t end, const char *const *words)
{
    return sql_tokens_find(b->s.t, i, end, words);
}

static const char *const comma[] = {",", NULL};

/* "a.x = b.y" and "a.x = 1" behind ON, WHERE or AND; what an OR behind them makes of it is not asked, so that
 * more passes than should. */
static void take_equalities(Block *b, SqlPart p)
{
    static const char *const before[] = {"and", "on", "where", "&&", "between", NULL};
    for (size_t i = p.from; i < p.to; i++) {
        Equality e = {0};
        if (is_at(b, i, "(")) {
            i = behind_bracket(b, i) - 1;
            continue;
        }
        size_t n = sql_select_column(&b->s, i, &e.a), at = i + n;
        bool begins = i == p.from || is_any_at(b, i - 1, before);
        if (!n || !begins || at + 1 >= p.to || !is_at(b, at, "="))
            continue;
        const SqlToken *w = &b->s.t->at[at + 1];
        size_t more = sql_select_column(&b->s, at + 1, &e.b);
        bool constant = !more && (w->kind == SQL_TOKEN_TEXT || w->kind == SQL_TOKEN_NUMBER);
        if (constant)
            e.b = (SqlColumnAt){0};
        if (more || constant)
            array_push(&b->equalities, e);
    }
}

/* An expression of the list without the alias behind it. */
static SqlPart without_alias(const Block *b, SqlPart p)
{
    size_t n = p.to - p.from;
    if (n > 2 && is_at(b, p.to - 2, "as"))
        return (SqlPart){p.from, p.to - 2};
    bool behind_mark = n > 1 && b->s.t->at[p.to - 2].kind == SQL_TOKEN_MARK && !is_at(b, p.to - 2, ")");
    return n > 1 && sql_select_name(&b->s, p.to - 1).n && !behind_mark ? (SqlPart){p.from, p.to - 1} : p;
}

/* The expression in the list whose alias is `name`; to is 0: none. */
static SqlPart aliased(const Block *b, Span name)
{
    for (size_t i = b->s.list.from; i < b->s.list.to;) {
        SqlPart p = {i, find_word(b, i, b->s.list.to, comma)}, bare = without_alias(b, p);
        if (bare.to < p.to && is_same(sql_select_name(&b->s, p.to - 1), name))
            return bare;
        i = p.to + 1;
    }
    return (SqlPart){0};
}

/* The k-th expression of the list. */
static SqlPart listed(const Block *b, long k)
{
    for (size_t i = b->s.list.from; i < b->s.list.to;) {
        SqlPart p = {i, find_word(b, i, b->s.list.to, comma)};
        if (--k == 0)
            return without_alias(b, p);
        i = p.to + 1;
    }
    return (SqlPart){0};
}

/* All columns of an expression are taken for determined, so that what is made of it passes too. */
static void take_group(Block *b, SqlPart p)
{
    for (size_t i = p.from; i < p.to;) {
        SqlColumnAt c = {-1, {0}};
        size_t n = sql_select_column(&b->s, i, &c);
        if (n && c.used >= 0)
            array_push(&b->determined, c);
        i += n ? n : 1;
    }
    array_push(&b->grouped, p);
}

/* A column, the number of an expression in the list, its alias, or an expression. */
static void take_groups(Block *b)
{
    for (size_t i = b->s.group.from; i < b->s.group.to;) {
        size_t end = find_word(b, i, b->s.group.to, comma);
        SqlPart p = {i, end};
        SqlColumnAt c = {-1, {0}};
        if (end == i + 1 && b->s.t->at[i].kind == SQL_TOKEN_NUMBER)
            p = listed(b, strtol(b->s.t->at[i].text.at, NULL, 10));
        else if (end == i + 1 && sql_select_column(&b->s, i, &c) && c.used < 0 &&
                 aliased(b, sql_select_name(&b->s, i)).to)
            p = aliased(b, sql_select_name(&b->s, i));
        b->s.unclear = b->s.unclear || is_at(b, end - 1, "rollup");
        take_group(b, p);
        i = end + 1;
    }
}

/* What is determined. ------------------------------------------------------------------------------------ */

static bool is_determined(const Block *b, SqlColumnAt c)
{
    if (c.used < 0 || b->whole[c.used])
        return true;
    for (size_t i = 0; i < b->determined.n; i++)
        if (b->determined.at[i].used == c.used && is_same(b->determined.at[i].name, c.name))
            return true;
    return false;
}

static bool has_whole_key(const Block *b, int source)
{
    const SqlTable *t = b->s.used[source].table;
    bool any = false;
    for (size_t i = 0; t && i < t->columns.n; i++) {
        if (!t->columns.at[i].key)
            continue;
        any = true;
        if (!is_determined(b, (SqlColumnAt){source, span(t->columns.at[i].name)}))
            return false;
    }
    return any;
}

static void determine(Block *b)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < b->equalities.n; i++) {
            const Equality *e = &b->equalities.at[i];
            bool a = is_determined(b, e->a), constant = e->b.name.n == 0,
                 other = constant || is_determined(b, e->b);
            if (a != other) {
                array_push(&b->determined, a ? e->b : e->a);
                more = true;
            }
        }
        for (int i = 0; i < b->s.used_n; i++)
            if (!b->whole[i] && has_whole_key(b, i))
                b->whole[i] = more = true;
    }
}

/* What is asked for. ------------------------------------------------------------------------------------- */

static const char *const aggregates[] = {"avg",
                                         "bit_and",
                                         "bit_or",
                                         "bit_xor",
                                         "count",
                                         "group_concat",
                                         "max",
                                         "min",
                                         "std",
                                         "stddev",
                                         "stddev_pop",
                                         "stddev_samp",
                                         "sum",
                                         "var_pop",
                                         "var_samp",
                                         "variance",
                                         "any_value",
                                         "json_arrayagg",
                                         "json_objectagg",
                                         NULL};

static bool is_aggregate_at(const Block *b, size_t i)
{
    return is_any_at(b, i, aggregates) && is_at(b, i + 1, "(");
}

static bool has_aggregate(const Block *b, SqlPart p)
{
    for (size_t i = p.from; i < p.to; i++) {
        if (is_at(b, i, "(") && is_at(b, i + 1, "select"))
            i = behind_bracket(b, i) - 1;
        else if (is_aggregate_at(b, i))
            return true;
    }
    return false;
}

static bool is_same_part(const Block *b, SqlPart p, SqlPart q)
{
    if (p.to - p.from != q.to - q.from)
        return false;
    for (size_t i = 0; i < p.to - p.from; i++)
        if (!is_same(b->s.t->at[p.from + i].text, b->s.t->at[q.from + i].text))
            return false;
    return true;
}

static bool is_grouped(const Block *b, SqlPart p)
{
    for (size_t i = 0; i < b->grouped.n; i++)
        if (is_same_part(b, p, b->grouped.at[i]))
            return true;
    return false;
}

/* The first column of an expression that nothing determines; source is -1: none. */
static SqlColumnAt loose_column(const Block *b, SqlPart p)
{
    SqlColumnAt c;
    for (size_t i = p.from; i < p.to;) {
        if (is_aggregate_at(b, i)) {
            i = behind_bracket(b, i + 1);
        } else if (is_at(b, i, "(") && is_at(b, i + 1, "select")) {
            i = behind_bracket(b, i);
        } else {
            size_t n = sql_select_column(&b->s, i, &c);
            if (n && !is_determined(b, c))
                return c;
            i += n ? n : 1;
        }
    }
    return (SqlColumnAt){-1, {0}};
}

/* The same of "*" and "t.*", whose columns count as an expression each. */
static SqlColumnAt loose_of_all(const Block *b, Span alias, int *place)
{
    for (int s = 0; s < b->s.used_n; s++) {
        const SqlUsed *source = &b->s.used[s];
        if (alias.n && !is_same(alias, source->alias))
            continue;
        if (!source->table)
            break; /* how many columns it has is not known */
        for (size_t i = 0; i < source->table->columns.n; i++, ++*place) {
            SqlColumnAt c = {s, span(source->table->columns.at[i].name)};
            if (!is_determined(b, c))
                return c;
        }
    }
    return (SqlColumnAt){-1, {0}};
}

static SqlColumnAt loose_in_list(const Block *b, int *place)
{
    SqlColumnAt c = {-1, {0}};
    *place = 1;
    for (size_t i = b->s.list.from; i < b->s.list.to && c.used < 0;) {
        size_t end = find_word(b, i, b->s.list.to, comma);
        SqlPart p = without_alias(b, (SqlPart){i, end});
        if (is_at(b, end - 1, "*") && (end == i + 1 || is_at(b, end - 2, "."))) {
            c = loose_of_all(b, end == i + 1 ? (Span){0} : sql_select_name(&b->s, i), place);
        } else {
            if (!is_grouped(b, p))
                c = loose_column(b, p);
            *place += c.used < 0;
        }
        i = end + 1;
    }
    return c;
}

/* An alias of the list is what it names. */
static SqlColumnAt loose_in_order(const Block *b, int *place)
{
    SqlColumnAt c = {-1, {0}};
    *place = 1;
    for (size_t i = b->s.order.from; i < b->s.order.to; ++*place) {
        size_t end = find_word(b, i, b->s.order.to, comma), stop = end;
        if (is_at(b, stop - 1, "asc") || is_at(b, stop - 1, "desc"))
            stop--;
        bool alias = stop == i + 1 && aliased(b, sql_select_name(&b->s, i)).to;
        if (!alias && !is_grouped(b, (SqlPart){i, stop}))
            c = loose_column(b, (SqlPart){i, stop});
        if (c.used >= 0)
            break;
        i = end + 1;
    }
    return c;
}

static void add_name(Str *out, const Block *b, const char *database, SqlColumnAt c)
{
    const SqlUsed *s = &b->s.used[c.used];
    const SqlColumn *column = sql_table_column(s->table, c.name);
    str_adds(out, "nonaggregated column '");
    for (const char *d = database; *d; d++)
        str_addc(out, *d >= 'A' && *d <= 'Z' ? (char)(*d | 32) : *d); /* lower_case_table_names=1 */
    str_addf(out, ".%.*s.%s'", (int)s->alias.n, s->alias.at, column->name);
}

static bool judge(Str *error, const Block *b, const char *database)
{
    int place;
    bool grouped = b->s.group.to > b->s.group.from;
    const char *clause = "SELECT list";
    SqlColumnAt c = loose_in_list(b, &place);
    if (c.used < 0 && grouped) {
        clause = "ORDER BY clause";
        c = loose_in_order(b, &place);
    }
    if (c.used < 0)
        return false;
    if (grouped)
        str_addf(error, "Expression #%d of %s is not in GROUP BY clause and contains ", place, clause);
    else
        str_addf(error, "In aggregated query without GROUP BY, expression #%d of %s contains ", place,
                 clause);
    add_name(error, b, database, c);
    str_addf(error, "%s; this is incompatible with sql_mode=only_full_group_by",
             grouped ? " which is not functionally dependent on columns in GROUP BY clause" : "");
    return true;
}

static bool is_refused(Str *error, const SqlSchema *schema, const char *database, const SqlTokens *t,
                       size_t select)
{
    static const char *const windows[] = {"over", "window", NULL};
    Block b = {0};
    sql_select_read(&b.s, t, schema, select);
    bool clear = !b.s.unclear && find_word(&b, b.s.list.from, b.s.end, windows) == b.s.end, refused = false;
    bool grouped = b.s.group.to > b.s.group.from || has_aggregate(&b, b.s.list) ||
                   has_aggregate(&b, b.s.having) || has_aggregate(&b, b.s.order);
    if (grouped && clear) {
        take_equalities(&b, b.s.from);
        take_equalities(&b, b.s.where);
        take_groups(&b);
        determine(&b);
        refused = !b.s.unclear && judge(error, &b, database);
    }
    array_drop(&b.determined);
    array_drop(&b.equalities);
    array_drop(&b.grouped);
    return refused;
}

bool sql_group_refuses(Str *error, const SqlSchema *schema, const char *database, Span query)
{
    SqlTokens t = {0};
    bool refused = false;
    if (!sql_tokens_split(&t, query))
        for (size_t i = 0; i < t.n && !refused; i++)
            refused = sql_token_is(&t.at[i], "select") && is_refused(error, schema, database, &t, i);
    array_drop(&t);
    return refused;
}
