/* A recursive descent that takes and refuses what taoyds/test-suite-sql-eval, commit e97acc5, process_sql.py
 * takes and refuses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "eval/spider_tokens.h"
#include "eval/spider_tree.h"

enum { DEPTH_MAX = 150 };

typedef struct {
    Arena *arena;
    const SpiderSchema *schema;
    const Map *aliases; /* word -> place of the word it stands for, in `whole` */
    const Span *whole;  /* all words of the text */
    const Span *words;  /* [n] those that may be read; a value's are a part */
    size_t n, at;
    int depth;
} Parser;

typedef struct {
    Arena *arena;
    Span *at;
    size_t n, cap;
} Tables; /* of a FROM, as columns without a table are looked for in them */

static const char *const aggregates[] = {"none", "max", "min", "count", "sum", "avg", NULL};
static const char *const operators[] = {"none", "-", "+", "*", "/", NULL};
static const char *const comparisons[] = {
    "not", "between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists", NULL};
static const char *const clauses[] = {"select", "from",      "where", "group",  "order",
                                      "limit",  "intersect", "union", "except", NULL};
static const char *const joins[] = {"join", "on", "as", NULL};
static const char *const ends[] = {")", ";", NULL};

/* Lists grow by copying within the arena. */
#define list_push(arena, list, value)                                      \
    do {                                                                   \
        if ((list)->n == (list)->cap) {                                    \
            size_t cap_ = (list)->cap ? (list)->cap * 2 : 4;               \
            void *more_ = arena_alloc(arena, cap_ * sizeof *(list)->at);   \
            if ((list)->n)                                                 \
                memcpy(more_, (list)->at, (list)->n * sizeof *(list)->at); \
            (list)->at = more_;                                            \
            (list)->cap = cap_;                                            \
        }                                                                  \
        (list)->at[(list)->n++] = (value);                                 \
    } while (0)

/* Words. ------------------------------------------------------------------------------------------------- */

static int place_in(const char *const *names, Span word)
{
    for (int i = 0; names[i]; i++)
        if (span_is(word, names[i]))
            return i;
    return -1;
}

static bool more(const Parser *p)
{
    return p->at < p->n;
}

static bool at_word(const Parser *p, const char *word)
{
    return more(p) && span_is(p->words[p->at], word);
}

static bool at_one_of(const Parser *p, const char *const *names)
{
    return more(p) && place_in(names, p->words[p->at]) >= 0;
}

static bool take(Parser *p, const char *word)
{
    bool there = at_word(p, word);
    p->at += there;
    return there;
}

static Status refuse(const Parser *p, const char *what)
{
    if (!more(p))
        return fail(ST_FORMAT, "%s: the end of the query", what);
    return fail(ST_FORMAT, "%s: \"%.*s\"", what, (int)(p->words[p->at].n < 60 ? p->words[p->at].n : 60),
                p->words[p->at].at);
}

static Status expect(Parser *p, const char *word)
{
    return take(p, word) ? ST_OK : refuse(p, word);
}

/* The table that a word stands for: an alias's, or its own name; n is 0: neither. */
static Span table_of(const Parser *p, Span word)
{
    const int64_t *place = map_find(p->aliases, word.at, word.n);
    if (place)
        return p->whole[*place];
    return spider_schema_has_table(p->schema, word) ? word : (Span){NULL, 0};
}

/* Columns. ----------------------------------------------------------------------------------------------- */

static Status dotted_column(Parser *p, Span word, const char *dot, Span *out)
{
    Span table = table_of(p, (Span){word.at, (size_t)(dot - word.at)});
    Span column = {dot + 1, (size_t)(word.at + word.n - dot) - 1};
    size_t n = table.n + 1 + column.n;
    if (!table.n || memchr(column.at, '.', column.n))
        return refuse(p, "no column");
    char *id = arena_alloc(p->arena, n);
    memcpy(id, table.at, table.n);
    id[table.n] = '.';
    memcpy(id + table.n + 1, column.at, column.n);
    *out = (Span){id, n};
    if (!spider_schema_has(p->schema, *out))
        return refuse(p, "no such column");
    p->at++;
    return ST_OK;
}

static Status read_column(Parser *p, const Tables *tables, Span *out)
{
    if (!more(p))
        return refuse(p, "a column should stand here");
    Span word = p->words[p->at];
    const char *dot = memchr(word.at, '.', word.n);
    if (span_is(word, "*")) {
        *out = span("*");
        p->at++;
        return ST_OK;
    }
    if (dot)
        return dotted_column(p, word, dot, out);
    for (size_t i = 0; i < tables->n; i++) {
        Span table = table_of(p, tables->at[i]);
        if (!spider_schema_has_table(p->schema, table))
            break;
        if (!spider_schema_has_column(p->schema, table, word))
            continue;
        char *id = arena_alloc(p->arena, table.n + 1 + word.n);
        memcpy(id, table.at, table.n);
        id[table.n] = '.';
        memcpy(id + table.n + 1, word.at, word.n);
        *out = (Span){id, table.n + 1 + word.n};
        p->at++;
        return ST_OK;
    }
    return refuse(p, "no column of the tables in FROM");
}

/* "( max ( distinct c )" leaves the bracket that it opened: the published parser returns there. */
static Status read_column_unit(Parser *p, const Tables *tables, SpiderColumn *out)
{
    *out = (SpiderColumn){0};
    bool block = take(p, "(");
    if (!more(p))
        return refuse(p, "a column should stand here");
    int aggregate = place_in(aggregates, p->words[p->at]);
    if (aggregate >= 0) {
        out->aggregate = aggregate;
        p->at++;
        TRY(expect(p, "("));
        out->distinct = take(p, "distinct") ? SPIDER_DISTINCT : SPIDER_PLAIN;
        TRY(read_column(p, tables, &out->column));
        return expect(p, ")");
    }
    out->distinct = take(p, "distinct") ? SPIDER_DISTINCT : SPIDER_PLAIN;
    TRY(read_column(p, tables, &out->column));
    return block ? expect(p, ")") : ST_OK;
}

static Status read_unit(Parser *p, const Tables *tables, SpiderUnit *out)
{
    *out = (SpiderUnit){0};
    bool block = take(p, "(");
    TRY(read_column_unit(p, tables, &out->a));
    if (at_one_of(p, operators)) {
        out->op = place_in(operators, p->words[p->at++]);
        out->two = true;
        TRY(read_column_unit(p, tables, &out->b));
    }
    return block ? expect(p, ")") : ST_OK;
}

/* Values and conditions. --------------------------------------------------------------------------------- */

static Status read_query(Parser *p, SpiderQuery **out);

/* As Python's float() does: a sign, digits with single underscores between them, an exponent; inf and nan. */
static bool read_number(Span word, double *out)
{
    static const char *const names[] = {"inf", "infinity", "nan", NULL};
    char text[400];
    size_t n = 0;
    if (word.n == 0 || word.n >= sizeof text)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        char c = word.at[i];
        bool inner = i > 0 && i + 1 < word.n && word.at[i - 1] >= '0' && word.at[i - 1] <= '9' &&
                     word.at[i + 1] >= '0' && word.at[i + 1] <= '9';
        if (c == '_' && inner)
            continue;
        text[n++] = c;
    }
    text[n] = '\0';
    const char *body = text + (text[0] == '-' || text[0] == '+');
    if (place_in(names, span(body)) < 0 && body[strspn(body, "0123456789.e+-")])
        return false;
    char *end;
    *out = strtod(text, &end);
    return *end == '\0' && end != text;
}

/* Up to where a column that is a value may reach; what is behind it up to there is passed over. */
static Status read_column_value(Parser *p, const Tables *tables, size_t start, SpiderValue *out)
{
    size_t end = p->at;
    while (end < p->n && !span_is(p->words[end], ",") && !span_is(p->words[end], ")") &&
           !span_is(p->words[end], "and") && place_in(clauses, p->words[end]) < 0 &&
           place_in(joins, p->words[end]) < 0)
        end++;
    Parser part = *p;
    part.words = p->words + start;
    part.n = end - start;
    part.at = 0;
    out->kind = SPIDER_COLUMN;
    TRY(read_column_unit(&part, tables, &out->column));
    p->at = end;
    return ST_OK;
}

static Status read_value(Parser *p, const Tables *tables, SpiderValue *out)
{
    size_t start = p->at;
    *out = (SpiderValue){0};
    bool block = take(p, "(");
    if (!more(p))
        return refuse(p, "a value should stand here");
    Span word = p->words[p->at];
    if (span_is(word, "select")) {
        out->kind = SPIDER_QUERY;
        TRY(read_query(p, &out->query));
    } else if (memchr(word.at, '"', word.n)) {
        *out = (SpiderValue){.kind = SPIDER_STRING, .string = word};
        p->at++;
    } else if (read_number(word, &out->number)) {
        out->kind = SPIDER_NUMBER;
        p->at++;
    } else {
        TRY(read_column_value(p, tables, start, out));
    }
    return block ? expect(p, ")") : ST_OK;
}

static Status read_condition(Parser *p, const Tables *tables, SpiderCondition *c)
{
    *c = (SpiderCondition){0};
    TRY(read_unit(p, tables, &c->unit));
    c->negated = take(p, "not");
    if (!at_one_of(p, comparisons))
        return refuse(p, "a comparison should stand here");
    c->op = place_in(comparisons, p->words[p->at++]);
    TRY(read_value(p, tables, &c->values[0]));
    if (c->op != SPIDER_BETWEEN)
        return ST_OK;
    TRY(expect(p, "and"));
    return read_value(p, tables, &c->values[1]);
}

static Status read_conditions(Parser *p, const Tables *tables, SpiderConditions *out)
{
    while (more(p)) {
        SpiderCondition c;
        TRY(read_condition(p, tables, &c));
        list_push(p->arena, out, c);
        if (at_one_of(p, clauses) || at_one_of(p, ends) || at_one_of(p, joins))
            break;
        if (at_word(p, "and") || at_word(p, "or"))
            list_push(p->arena, out,
                      ((SpiderCondition){.is_link = true, .is_or = span_is(p->words[p->at++], "or")}));
    }
    return ST_OK;
}

/* Clauses. ----------------------------------------------------------------------------------------------- */

static Status read_select(Parser *p, const Tables *tables, SpiderQuery *q)
{
    TRY(expect(p, "select"));
    q->distinct = take(p, "distinct") ? SPIDER_DISTINCT : SPIDER_PLAIN;
    while (more(p) && !at_one_of(p, clauses)) {
        SpiderSelected s = {0};
        int aggregate = place_in(aggregates, p->words[p->at]);
        if (aggregate >= 0) {
            s.aggregate = aggregate;
            p->at++;
        }
        TRY(read_unit(p, tables, &s.unit));
        list_push(p->arena, &q->select, s);
        take(p, ",");
    }
    return ST_OK;
}

/* The first FROM at or behind this place, which may be another query's. */
static Status find_from(Parser *p)
{
    while (more(p) && !at_word(p, "from"))
        p->at++;
    return expect(p, "from");
}

static Status read_joined(Parser *p, Tables *tables, SpiderQuery *q)
{
    SpiderTable t = {0};
    bool block = take(p, "(");
    if (at_word(p, "select")) {
        TRY(read_query(p, &t.query));
    } else {
        take(p, "join");
        t.table = more(p) ? table_of(p, p->words[p->at]) : (Span){NULL, 0};
        if (!t.table.n || !spider_schema_has(p->schema, t.table))
            return refuse(p, "no such table");
        p->at += p->at + 1 < p->n && span_is(p->words[p->at + 1], "as") ? 3 : 1;
        list_push(p->arena, tables, t.table);
    }
    list_push(p->arena, &q->from, t);
    if (take(p, "on")) {
        SpiderConditions on = {0};
        TRY(read_conditions(p, tables, &on));
        if (q->on.n)
            list_push(p->arena, &q->on, ((SpiderCondition){.is_link = true}));
        for (size_t i = 0; i < on.n; i++)
            list_push(p->arena, &q->on, on.at[i]);
    }
    return block ? expect(p, ")") : ST_OK;
}

static Status read_from(Parser *p, Tables *tables, SpiderQuery *q)
{
    TRY(find_from(p));
    while (more(p)) {
        TRY(read_joined(p, tables, q));
        if (at_one_of(p, clauses) || at_one_of(p, ends))
            break;
    }
    return ST_OK;
}

static Status read_group(Parser *p, const Tables *tables, SpiderQuery *q)
{
    if (!take(p, "group"))
        return ST_OK;
    TRY(expect(p, "by"));
    while (more(p) && !at_one_of(p, clauses) && !at_one_of(p, ends)) {
        SpiderColumn c;
        TRY(read_column_unit(p, tables, &c));
        list_push(p->arena, &q->group, c);
        if (!take(p, ","))
            break;
    }
    return ST_OK;
}

static Status read_order(Parser *p, const Tables *tables, SpiderQuery *q)
{
    if (!take(p, "order"))
        return ST_OK;
    TRY(expect(p, "by"));
    q->ordered = true;
    while (more(p) && !at_one_of(p, clauses) && !at_one_of(p, ends)) {
        SpiderUnit u;
        TRY(read_unit(p, tables, &u));
        list_push(p->arena, &q->order, u);
        if (at_word(p, "desc") || at_word(p, "asc"))
            q->descending = span_is(p->words[p->at++], "desc");
        if (!take(p, ","))
            break;
    }
    return ST_OK;
}

static Status read_limit(Parser *p, SpiderQuery *q)
{
    q->limited = take(p, "limit");
    if (q->limited && !more(p))
        return refuse(p, "a number should stand here");
    p->at += q->limited;
    return ST_OK;
}

static void pass_marks(Parser *p)
{
    while (take(p, ";"))
        ;
}

static Status read_clauses(Parser *p, SpiderQuery *q)
{
    Tables tables = {0};
    bool block = at_word(p, "(");
    Parser from = *p;
    TRY(read_from(&from, &tables, q));
    p->at += block;
    TRY(read_select(p, &tables, q));
    p->at = from.at;
    if (take(p, "where"))
        TRY(read_conditions(p, &tables, &q->where));
    TRY(read_group(p, &tables, q));
    if (take(p, "having"))
        TRY(read_conditions(p, &tables, &q->having));
    TRY(read_order(p, &tables, q));
    TRY(read_limit(p, q));
    pass_marks(p);
    if (block)
        TRY(expect(p, ")"));
    pass_marks(p);
    return ST_OK;
}

static Status read_query(Parser *p, SpiderQuery **out)
{
    SpiderQuery *q = arena_alloc(p->arena, sizeof *q);
    *q = (SpiderQuery){0};
    *out = q;
    if (++p->depth > DEPTH_MAX)
        return fail(ST_FORMAT, "queries in queries, more than %d deep", DEPTH_MAX);
    TRY(read_clauses(p, q));
    SpiderQuery **other = at_word(p, "intersect") ? &q->intersect
                          : at_word(p, "union")   ? &q->unite
                          : at_word(p, "except")  ? &q->except
                                                  : NULL;
    if (other) {
        p->at++;
        TRY(read_query(p, other));
    }
    p->depth--;
    return ST_OK;
}

/* The word behind each AS stands for the one before it, wherever that is. */
static Status find_aliases(Map *aliases, const SpiderSchema *schema, const SpiderTokens *words)
{
    for (size_t i = 0; i < words->n; i++) {
        if (!span_is(words->at[i], "as"))
            continue;
        if (i == 0 || i + 1 == words->n)
            return fail(ST_FORMAT, "AS at an end of the query");
        *map_put(aliases, words->at[i + 1].at, words->at[i + 1].n) = (int64_t)i - 1;
    }
    for (int64_t i = 0; i < spider_schema_tables(schema); i++) {
        Span table = spider_schema_table_at(schema, i);
        if (map_find(aliases, table.at, table.n))
            return fail(ST_FORMAT, "an alias that is a table's name: %.*s", (int)table.n, table.at);
    }
    return ST_OK;
}

Status spider_parse(SpiderQuery **out, Arena *arena, const SpiderSchema *schema, Span text)
{
    SpiderTokens words = {0};
    Map *aliases = map_new();
    Status st = spider_tokens_read(&words, arena, text);
    if (st == ST_OK)
        st = find_aliases(aliases, schema, &words);
    if (st == ST_OK) {
        Parser p = {arena, schema, aliases, words.at, words.at, words.n, 0, 0};
        st = read_query(&p, out);
        /* what it holds of the words is in the arena */
    }
    array_drop(&words);
    map_free(aliases);
    return st;
}
