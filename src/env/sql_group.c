#include "env/sql_group.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SOURCES_MAX = 32 };

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

/* A part of the query's words: [from, to). */
typedef struct {
    size_t from, to;
} Part;

/* A table in FROM.  `table` is NULL of a subquery, and of one that is not in the schema. */
typedef struct {
    Span alias;
    const SqlTable *table;
    bool whole; /* all its columns are determined */
} Source;

typedef struct {
    int source; /* -1: its place is not known */
    Span name;
} Column;

typedef struct {
    Column a, b; /* b.name.n is 0: a constant */
} Equality;

/* One SELECT with its clauses; those that it has not are empty. */
typedef struct {
    const SqlTokens *t;
    Part list, from, where, group, having, order;
    size_t end;
    Source sources[SOURCES_MAX];
    int sources_n;
    bool passes; /* something is in it of which nothing is said */
    Array(Column) determined;
    Array(Equality) equalities;
    Array(Part) grouped; /* the expressions of GROUP BY */
} Block;

/* Words. --------------------------------------------------------------------------------------------------
 */

static bool is_same(Span a, Span b)
{
    return a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0;
}

static bool is_at(const Block *b, size_t i, const char *word)
{
    return i < b->t->n && sql_token_is(&b->t->at[i], word);
}

static bool is_any_at(const Block *b, size_t i, const char *const *words)
{
    return i < b->t->n && sql_token_is_any(&b->t->at[i], words);
}

static size_t behind_bracket(const Block *b, size_t i)
{
    return sql_tokens_behind_bracket(b->t, i);
}

static size_t find_word(const Block *b, size_t i, size_t end, const char *const *words)
{
    return sql_tokens_find(b->t, i, end, words);
}

static const char *const comma[] = {",", NULL};

/* A name at i, without its quotes; n is 0: no name. */
static Span name_at(const Block *b, size_t i)
{
    static const char *const none[] = {
        "distinct",  "as",   "and",      "or",    "not",    "null",   "is",     "in",      "like",
        "case",      "when", "then",     "else",  "end",    "true",   "false",  "between", "div",
        "mod",       "all",  "interval", "asc",   "desc",   "exists", "select", "from",    "on",
        "where",     "xor",  "regexp",   "rlike", "escape", "binary", "any",    "some",    "using",
        "separator", "join", "inner",    "left",  "right",  "cross",  "outer",  NULL};
    if (i >= b->t->n)
        return (Span){0};
    const SqlToken *w = &b->t->at[i];
    if (w->kind == SQL_TOKEN_NAME)
        return (Span){w->text.at + 1, w->text.n - 2};
    return w->kind == SQL_TOKEN_WORD && !sql_token_is_any(w, none) ? w->text : (Span){0};
}

static const SqlColumn *find_column(const SqlTable *t, Span name)
{
    for (size_t i = 0; t && i < t->columns.n; i++)
        if (is_same(span(t->columns.at[i].name), name))
            return &t->columns.at[i];
    return NULL;
}

static Column resolve(const Block *b, Span alias, Span name)
{
    Column c = {-1, name};
    for (int i = 0; i < b->sources_n; i++) {
        const Source *s = &b->sources[i];
        if (alias.n ? !is_same(s->alias, alias) : s->table && !find_column(s->table, name))
            continue;
        if (!s->table || !find_column(s->table, name) || c.source >= 0)
            return (Column){-1, name}; /* it may be a subquery's, or any of two */
        c.source = i;
    }
    return c;
}

/* A column at i and how many words it takes: "name", "alias.name"; 0: something else is there. */
static size_t column_at(const Block *b, size_t i, Column *out)
{
    Span first = name_at(b, i);
    if (!first.n || (i > 0 && is_at(b, i - 1, ".")))
        return 0;
    if (!is_at(b, i + 1, ".")) {
        *out = resolve(b, (Span){0}, first);
        return is_at(b, i + 1, "(") ? 0 : 1;
    }
    Span second = name_at(b, i + 2);
    if (is_at(b, i + 3, ".")) { /* database.table.column */
        first = second;
        second = name_at(b, i + 4);
        *out = resolve(b, first, second);
        return second.n ? 5 : 0;
    }
    *out = resolve(b, first, second);
    return second.n ? 3 : 0;
}

/* What is where. ------------------------------------------------------------------------------------------
 */

/* Behind `word` in [at, end), up to the next clause; `by`: the word is of two. */
static Part clause(const Block *b, size_t at, size_t end, const char *word, bool by)
{
    static const char *const next[] = {"where", "group", "having", "order", "limit", "window", "for", NULL};
    at = find_word(b, at, end, (const char *const[]){word, NULL});
    size_t from = at + 1 + by;
    if (from > end || (by && !is_at(b, at + 1, "by")))
        return (Part){end, end};
    return (Part){from, find_word(b, from, end, next)};
}

static void find_clauses(Block *b, size_t select)
{
    static const char *const from[] = {"from", NULL}, *const stop[] = {"union", "intersect", "except", ";",
                                                                       NULL};
    size_t end = find_word(b, select + 1, b->t->n, stop);
    b->list = (Part){select + 1, find_word(b, select + 1, end, from)};
    if (is_at(b, b->list.from, "distinct") || is_at(b, b->list.from, "all"))
        b->list.from++;
    b->from = clause(b, b->list.to, end, "from", false);
    b->where = clause(b, b->from.to, end, "where", false);
    b->group = clause(b, b->from.to, end, "group", true);
    b->having = clause(b, b->from.to, end, "having", false);
    b->order = clause(b, b->from.to, end, "order", true);
    b->end = end;
}

static const SqlTable *find_table(const SqlSchema *s, Span name)
{
    for (size_t i = 0; i < s->tables.n; i++)
        if (is_same(span(s->tables.at[i].name), name))
            return &s->tables.at[i];
    return NULL;
}

/* "table [AS] alias", "database.table", "(SELECT ...) alias" at i; returns what is behind. */
static size_t take_source(Block *b, const SqlSchema *schema, size_t i)
{
    Source s = {0};
    if (is_at(b, i, "(")) {
        i = behind_bracket(b, i);
    } else {
        i += is_at(b, i + 1, ".") ? 2 : 0;
        s.alias = name_at(b, i);
        s.table = find_table(schema, s.alias);
        i++;
    }
    i += is_at(b, i, "as");
    if (i < b->from.to && name_at(b, i).n) {
        s.alias = name_at(b, i);
        i++;
    }
    if (b->sources_n == SOURCES_MAX)
        b->passes = true;
    else
        b->sources[b->sources_n++] = s;
    return i;
}

static void take_sources(Block *b, const SqlSchema *schema)
{
    static const char *const before[] = {"join", ",", "straight_join", NULL};
    static const char *const unknown[] = {"using", "natural", NULL};
    b->passes = b->passes || find_word(b, b->from.from, b->from.to, unknown) < b->from.to;
    for (size_t i = b->from.from; i < b->from.to;) {
        i = take_source(b, schema, i);
        i = find_word(b, i, b->from.to, before);
        if (i < b->from.to && is_at(b, i, ")"))
            b->passes = true;
        i += i < b->from.to;
    }
}

/* "a.x = b.y" and "a.x = 1" behind ON, WHERE or AND; what an OR behind them makes of it is not asked, so that
 * more passes than should. */
static void take_equalities(Block *b, Part p)
{
    static const char *const before[] = {"and", "on", "where", "&&", "between", NULL};
    for (size_t i = p.from; i < p.to; i++) {
        Equality e = {0};
        if (is_at(b, i, "(")) {
            i = behind_bracket(b, i) - 1;
            continue;
        }
        size_t n = column_at(b, i, &e.a), at = i + n;
        bool begins = i == p.from || is_any_at(b, i - 1, before);
        if (!n || !begins || at + 1 >= p.to || !is_at(b, at, "="))
            continue;
        const SqlToken *w = &b->t->at[at + 1];
        size_t more = column_at(b, at + 1, &e.b);
        bool constant = !more && (w->kind == SQL_TOKEN_TEXT || w->kind == SQL_TOKEN_NUMBER);
        if (constant)
            e.b = (Column){0};
        if (more || constant)
            array_push(&b->equalities, e);
    }
}

/* An expression of the list without the alias behind it. */
static Part without_alias(const Block *b, Part p)
{
    size_t n = p.to - p.from;
    if (n > 2 && is_at(b, p.to - 2, "as"))
        return (Part){p.from, p.to - 2};
    bool behind_mark = n > 1 && b->t->at[p.to - 2].kind == SQL_TOKEN_MARK && !is_at(b, p.to - 2, ")");
    return n > 1 && name_at(b, p.to - 1).n && !behind_mark ? (Part){p.from, p.to - 1} : p;
}

/* The expression in the list whose alias is `name`; to is 0: none. */
static Part aliased(const Block *b, Span name)
{
    for (size_t i = b->list.from; i < b->list.to;) {
        Part p = {i, find_word(b, i, b->list.to, comma)}, bare = without_alias(b, p);
        if (bare.to < p.to && is_same(name_at(b, p.to - 1), name))
            return bare;
        i = p.to + 1;
    }
    return (Part){0};
}

/* The k-th expression of the list. */
static Part listed(const Block *b, long k)
{
    for (size_t i = b->list.from; i < b->list.to;) {
        Part p = {i, find_word(b, i, b->list.to, comma)};
        if (--k == 0)
            return without_alias(b, p);
        i = p.to + 1;
    }
    return (Part){0};
}

/* All columns of an expression are taken for determined, so that what is made of it passes too. */
static void take_group(Block *b, Part p)
{
    for (size_t i = p.from; i < p.to;) {
        Column c = {-1, {0}};
        size_t n = column_at(b, i, &c);
        if (n && c.source >= 0)
            array_push(&b->determined, c);
        i += n ? n : 1;
    }
    array_push(&b->grouped, p);
}

/* A column, the number of an expression in the list, its alias, or an expression. */
static void take_groups(Block *b)
{
    for (size_t i = b->group.from; i < b->group.to;) {
        size_t end = find_word(b, i, b->group.to, comma);
        Part p = {i, end};
        Column c = {-1, {0}};
        if (end == i + 1 && b->t->at[i].kind == SQL_TOKEN_NUMBER)
            p = listed(b, strtol(b->t->at[i].text.at, NULL, 10));
        else if (end == i + 1 && column_at(b, i, &c) && c.source < 0 && aliased(b, name_at(b, i)).to)
            p = aliased(b, name_at(b, i));
        b->passes = b->passes || is_at(b, end - 1, "rollup");
        take_group(b, p);
        i = end + 1;
    }
}

/* What is determined. -------------------------------------------------------------------------------------
 */

static bool is_determined(const Block *b, Column c)
{
    if (c.source < 0 || b->sources[c.source].whole)
        return true;
    for (size_t i = 0; i < b->determined.n; i++)
        if (b->determined.at[i].source == c.source && is_same(b->determined.at[i].name, c.name))
            return true;
    return false;
}

static bool has_whole_key(const Block *b, int source)
{
    const SqlTable *t = b->sources[source].table;
    bool any = false;
    for (size_t i = 0; t && i < t->columns.n; i++) {
        if (!t->columns.at[i].key)
            continue;
        any = true;
        if (!is_determined(b, (Column){source, span(t->columns.at[i].name)}))
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
        for (int i = 0; i < b->sources_n; i++)
            if (!b->sources[i].whole && has_whole_key(b, i))
                b->sources[i].whole = more = true;
    }
}

/* What is asked for. --------------------------------------------------------------------------------------
 */

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

static bool has_aggregate(const Block *b, Part p)
{
    for (size_t i = p.from; i < p.to; i++) {
        if (is_at(b, i, "(") && is_at(b, i + 1, "select"))
            i = behind_bracket(b, i) - 1;
        else if (is_aggregate_at(b, i))
            return true;
    }
    return false;
}

static bool is_same_part(const Block *b, Part p, Part q)
{
    if (p.to - p.from != q.to - q.from)
        return false;
    for (size_t i = 0; i < p.to - p.from; i++)
        if (!is_same(b->t->at[p.from + i].text, b->t->at[q.from + i].text))
            return false;
    return true;
}

static bool is_grouped(const Block *b, Part p)
{
    for (size_t i = 0; i < b->grouped.n; i++)
        if (is_same_part(b, p, b->grouped.at[i]))
            return true;
    return false;
}

/* The first column of an expression that nothing determines; source is -1: none. */
static Column loose_column(const Block *b, Part p)
{
    Column c;
    for (size_t i = p.from; i < p.to;) {
        if (is_aggregate_at(b, i)) {
            i = behind_bracket(b, i + 1);
        } else if (is_at(b, i, "(") && is_at(b, i + 1, "select")) {
            i = behind_bracket(b, i);
        } else {
            size_t n = column_at(b, i, &c);
            if (n && !is_determined(b, c))
                return c;
            i += n ? n : 1;
        }
    }
    return (Column){-1, {0}};
}

/* The same of "*" and "t.*", whose columns count as an expression each. */
static Column loose_of_all(const Block *b, Span alias, int *place)
{
    for (int s = 0; s < b->sources_n; s++) {
        const Source *source = &b->sources[s];
        if (alias.n && !is_same(alias, source->alias))
            continue;
        if (!source->table)
            break; /* how many columns it has is not known */
        for (size_t i = 0; i < source->table->columns.n; i++, ++*place) {
            Column c = {s, span(source->table->columns.at[i].name)};
            if (!is_determined(b, c))
                return c;
        }
    }
    return (Column){-1, {0}};
}

static Column loose_in_list(const Block *b, int *place)
{
    Column c = {-1, {0}};
    *place = 1;
    for (size_t i = b->list.from; i < b->list.to && c.source < 0;) {
        size_t end = find_word(b, i, b->list.to, comma);
        Part p = without_alias(b, (Part){i, end});
        if (is_at(b, end - 1, "*") && (end == i + 1 || is_at(b, end - 2, "."))) {
            c = loose_of_all(b, end == i + 1 ? (Span){0} : name_at(b, i), place);
        } else {
            if (!is_grouped(b, p))
                c = loose_column(b, p);
            *place += c.source < 0;
        }
        i = end + 1;
    }
    return c;
}

/* An alias of the list is what it names. */
static Column loose_in_order(const Block *b, int *place)
{
    Column c = {-1, {0}};
    *place = 1;
    for (size_t i = b->order.from; i < b->order.to; ++*place) {
        size_t end = find_word(b, i, b->order.to, comma), stop = end;
        if (is_at(b, stop - 1, "asc") || is_at(b, stop - 1, "desc"))
            stop--;
        bool alias = stop == i + 1 && aliased(b, name_at(b, i)).to;
        if (!alias && !is_grouped(b, (Part){i, stop}))
            c = loose_column(b, (Part){i, stop});
        if (c.source >= 0)
            break;
        i = end + 1;
    }
    return c;
}

static void add_name(Str *out, const Block *b, const char *database, Column c)
{
    const Source *s = &b->sources[c.source];
    const SqlColumn *column = find_column(s->table, c.name);
    str_adds(out, "nonaggregated column '");
    for (const char *d = database; *d; d++)
        str_addc(out, *d >= 'A' && *d <= 'Z' ? (char)(*d | 32) : *d); /* lower_case_table_names=1 */
    str_addf(out, ".%.*s.%s'", (int)s->alias.n, s->alias.at, column->name);
}

static bool judge(Str *error, const Block *b, const char *database)
{
    int place;
    bool grouped = b->group.to > b->group.from;
    const char *clause = "SELECT list";
    Column c = loose_in_list(b, &place);
    if (c.source < 0 && grouped) {
        clause = "ORDER BY clause";
        c = loose_in_order(b, &place);
    }
    if (c.source < 0)
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

static bool block_is_refused(Str *error, const SqlSchema *schema, const char *database, const SqlTokens *t,
                             size_t select)
{
    static const char *const windows[] = {"over", "window", NULL};
    Block b = {.t = t};
    bool refused = false;
    find_clauses(&b, select);
    bool grouped = b.group.to > b.group.from || has_aggregate(&b, b.list) || has_aggregate(&b, b.having) ||
                   has_aggregate(&b, b.order);
    b.passes = find_word(&b, b.list.from, b.end, windows) < b.end;
    if (grouped && !b.passes) {
        take_sources(&b, schema);
        take_equalities(&b, b.from);
        take_equalities(&b, b.where);
        take_groups(&b);
        determine(&b);
        refused = !b.passes && judge(error, &b, database);
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
            refused = sql_token_is(&t.at[i], "select") && block_is_refused(error, schema, database, &t, i);
    array_drop(&t);
    return refused;
}
