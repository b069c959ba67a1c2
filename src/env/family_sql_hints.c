/* What an expert who hints says to queries of the family `sql`: read off the query that answers. */
#include <stdio.h>
#include <string.h>

#include "env/family_sql.h"

/* The query's clauses, without the words that begin them; n 0: it has none such. */
typedef struct {
    Span select, from, join, where, group, order, limit;
} Clauses;

/* What stands behind `word`, up to the next of the words of clauses. */
static Span clause(const char *query, const char *word)
{
    static const char *const ends[] = {" FROM ",     " JOIN ",     " ON ",   " WHERE ",
                                       " GROUP BY ", " ORDER BY ", " LIMIT "};
    const char *at = strstr(query, word), *end = query + strlen(query);
    if (!at)
        return (Span){0};
    at += strlen(word);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *to = strstr(at, ends[i]);
        end = to && to < end ? to : end;
    }
    return (Span){at, (size_t)(end - at)};
}

/* The words; where tables' names stand in front of columns, the words without them on another line, too. */
static void add_both(Str *out, const char *before, Span words)
{
    str_addf(out, "%s%.*s", before, (int)words.n, words.at);
    if (!memchr(words.at, '.', words.n))
        return;
    str_addf(out, "\n%s", before);
    for (size_t i = 0; i < words.n;) {
        size_t end = i; /* of a name */
        while (end < words.n && !strchr(" (),.", words.at[end]))
            end++;
        bool table = end < words.n && words.at[end] == '.';
        end += end < words.n;
        if (!table)
            str_add(out, words.at + i, end - i);
        i = end;
    }
}

static void hint_both(FamilyTask *t, const char *before, Span words, const char *hint)
{
    Str lacks = {0};
    add_both(&lacks, before, words);
    family_hint(t, str_c(&lacks), hint);
    str_drop(&lacks);
}

static void hint_at_tables(FamilyTask *t, const Clauses *c)
{
    Str either = {0};
    if (c->join.n)
        family_hint(t, "JOIN", "Two tables are needed.");
    family_hint_on(t, HINT_ANSWER, "Unknown column", NULL, "There is no such column: read the names again.");
    family_hint_on(t, HINT_ANSWER, "doesn't exist", NULL, "There is no such table: read the names again.");
    family_hint_on(t, HINT_ANSWER, "Error", NULL, "The database does not understand it: read what it says.");
    str_addf(&either, "FROM %.*s\nJOIN %.*s", (int)c->from.n, c->from.at, (int)c->from.n, c->from.at);
    family_hint(t, str_c(&either), "Another table is asked.");
    if (!c->join.n)
        family_hint_on(t, HINT_LAST, "JOIN", NULL, "One table is enough.");
    str_drop(&either);
}

static void hint_at_columns(FamilyTask *t, const Clauses *c)
{
    static const char *const figures[] = {"AVG", "MAX", "MIN", "SUM"};
    char lacks[16];
    bool any = false;
    if (c->group.n)
        family_hint(t, "GROUP BY", "One row for each of them is asked.");
    if (hint_count(span("COUNT"), c->select))
        family_hint(t, "COUNT(", "How many there are is asked.");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        snprintf(lacks, sizeof lacks, "%s(", figures[i]);
        if (hint_count(span(figures[i]), c->select))
            family_hint(t, lacks, "A figure over the rows is asked: mind which one.");
        any |= hint_count(span(figures[i]), c->select) > 0;
    }
    if (!any && !hint_count(span("COUNT"), c->select))
        family_hint_on(t, HINT_LAST, "COUNT(\nAVG(\nMAX(\nMIN(\nSUM(", NULL,
                       "The rows themselves are asked.");
    hint_both(t, "SELECT ", c->select, "Look at what is asked of the rows.");
    if (c->group.n)
        hint_both(t, "GROUP BY ", c->group, "Other rows belong together.");
}

static void hint_at_conditions(FamilyTask *t, Span where)
{
    static const char also[] = " AND ";
    if (!where.n) {
        family_hint_on(t, HINT_LAST, "WHERE", NULL, "No condition is needed.");
        return;
    }
    family_hint(t, "WHERE", "A condition is missing.");
    const char *second = strstr(where.at, also);
    if (second && second < where.at + where.n)
        family_hint(t, "AND", "A second condition is missing.");
    else
        second = NULL;
    Span first = {where.at, second ? (size_t)(second - where.at) : where.n};
    hint_both(t, "", first, "Look at the condition once more.");
    if (second)
        hint_both(t, "", (Span){second + strlen(also), where.n - first.n - strlen(also)},
                  "Look at the second condition once more.");
}

static void hint_at_order(FamilyTask *t, const Clauses *c)
{
    Str lacks = {0};
    if (c->order.n) {
        size_t column = (size_t)((const char *)memchr(c->order.at, ' ', c->order.n) - c->order.at);
        bool down = span_ends(c->order, " DESC");
        family_hint(t, "ORDER BY", "Sort the rows.");
        hint_both(t, "ORDER BY ", (Span){c->order.at, column}, "Sort by another column.");
        family_hint_on(t, HINT_LAST, down ? NULL : "DESC", down ? "DESC" : NULL, "Turn the order round.");
    }
    if (c->limit.n) {
        str_addf(&lacks, "LIMIT %.*s", (int)c->limit.n, c->limit.at);
        family_hint(t, "LIMIT", "Not all of the rows are asked.");
        family_hint(t, str_c(&lacks), "Mind how many rows are asked.");
    } else {
        family_hint_on(t, HINT_LAST, "LIMIT", NULL, "All of the rows are asked.");
    }
    str_drop(&lacks);
}

void sql_hints(FamilyTask *t, const SqlAsked *a)
{
    const char *query = str_c(&a->query);
    Clauses c = {.select = clause(query, "SELECT "),
                 .from = clause(query, " FROM "),
                 .join = clause(query, " JOIN "),
                 .where = clause(query, " WHERE "),
                 .group = clause(query, " GROUP BY "),
                 .order = clause(query, " ORDER BY "),
                 .limit = clause(query, " LIMIT ")};
    family_hint(t, "SELECT", "Write a query, marked as you were told.");
    hint_at_tables(t, &c);
    hint_at_columns(t, &c);
    hint_at_conditions(t, c.where);
    hint_at_order(t, &c);
    family_hint_otherwise(t, "Compare the query with the question once more.");
}
