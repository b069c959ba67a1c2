/* The match of spider_sql.h: two trees are first made alike where it does not matter (`forget`), then
 * compared part by part as evaluation.py's eval_partial_match does. */
#include <string.h>

#include "base/mem.h"
#include "eval/spider_sql.h"
#include "eval/spider_tree.h"

/* What does not matter. ---------------------------------------------------------------------------------- */

/* Of the conditions in a query and in the queries within; false: the published code raises. */
static bool forget_values(SpiderQuery *q);

static bool forget_values_in(SpiderConditions *c)
{
    for (size_t i = 0; i < c->n; i += 2) {
        if (c->at[i].is_link)
            return false;
        for (int v = 0; v < 2; v++) {
            SpiderValue *value = &c->at[i].values[v];
            if (value->kind != SPIDER_QUERY)
                *value = (SpiderValue){0};
            else if (!forget_values(value->query))
                return false;
        }
    }
    return true;
}

static bool forget_values(SpiderQuery *q)
{
    return forget_values_in(&q->on) && forget_values_in(&q->having) && forget_values_in(&q->where) &&
           (!q->intersect || forget_values(q->intersect)) && (!q->except || forget_values(q->except)) &&
           (!q->unite || forget_values(q->unite));
}

typedef struct {
    const SpiderSchema *schema;
    const SpiderQuery *top; /* whose FROM says which columns may go by their keys */
} Keys;

static bool is_of_from(const Keys *k, Span column)
{
    const char *dot = memchr(column.at, '.', column.n);
    size_t n = dot ? (size_t)(dot - column.at) : 0;
    for (size_t i = 0; dot && i < k->top->from.n; i++) {
        const SpiderTable *t = &k->top->from.at[i];
        if (!t->query && t->table.n == n && memcmp(t->table.at, column.at, n) == 0)
            return true;
    }
    return false;
}

static void forget_in_column(const Keys *k, SpiderColumn *c)
{
    if (is_of_from(k, c->column))
        c->column = spider_schema_key_of(k->schema, c->column);
    c->distinct = SPIDER_EITHER;
}

static void forget_in_unit(const Keys *k, SpiderUnit *u)
{
    forget_in_column(k, &u->a);
    if (u->two)
        forget_in_column(k, &u->b);
}

/* Not in values: queries there keep their columns and DISTINCT. */
static bool forget_in_conditions(const Keys *k, SpiderConditions *c)
{
    for (size_t i = 0; i < c->n; i += 2) {
        if (c->at[i].is_link)
            return false;
        forget_in_unit(k, &c->at[i].unit);
    }
    return true;
}

static bool forget_columns(const Keys *k, SpiderQuery *q)
{
    if (!q)
        return true;
    q->distinct = SPIDER_EITHER;
    for (size_t i = 0; i < q->select.n; i++)
        forget_in_unit(k, &q->select.at[i].unit);
    for (size_t i = 0; i < q->group.n; i++)
        forget_in_column(k, &q->group.at[i]);
    for (size_t i = 0; i < q->order.n; i++)
        forget_in_unit(k, &q->order.at[i]);
    return forget_in_conditions(k, &q->on) && forget_in_conditions(k, &q->where) &&
           forget_in_conditions(k, &q->having) && forget_columns(k, q->intersect) &&
           forget_columns(k, q->except) && forget_columns(k, q->unite);
}

/* Equality of parts. ------------------------------------------------------------------------------------- */

static bool same_text(Span a, Span b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

static bool same_column(const SpiderColumn *a, const SpiderColumn *b)
{
    return a->aggregate == b->aggregate && a->distinct == b->distinct && same_text(a->column, b->column);
}

static bool same_unit(const SpiderUnit *a, const SpiderUnit *b)
{
    return a->op == b->op && same_column(&a->a, &b->a) && a->two == b->two &&
           (!a->two || same_column(&a->b, &b->b));
}

static bool same_query(const SpiderQuery *a, const SpiderQuery *b);

static bool same_value(const SpiderValue *a, const SpiderValue *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SPIDER_NUMBER: return a->number == b->number;
    case SPIDER_STRING: return same_text(a->string, b->string);
    case SPIDER_COLUMN: return same_column(&a->column, &b->column);
    case SPIDER_QUERY: return same_query(a->query, b->query);
    default: return true;
    }
}

static bool same_condition(const SpiderCondition *a, const SpiderCondition *b)
{
    if (a->is_link || b->is_link)
        return a->is_link && b->is_link && a->is_or == b->is_or;
    return a->negated == b->negated && a->op == b->op && same_unit(&a->unit, &b->unit) &&
           same_value(&a->values[0], &b->values[0]) && same_value(&a->values[1], &b->values[1]);
}

static bool same_table(const SpiderTable *a, const SpiderTable *b)
{
    return !a->query == !b->query &&
           (a->query ? same_query(a->query, b->query) : same_text(a->table, b->table));
}

static bool same_selected(const SpiderSelected *a, const SpiderSelected *b)
{
    return a->aggregate == b->aggregate && same_unit(&a->unit, &b->unit);
}

/* Lists whose order counts. */
#define LIST_EQUALITY(name, Item, same)                                  \
    static bool name(const Item *a, size_t an, const Item *b, size_t bn) \
    {                                                                    \
        for (size_t i = 0; an == bn && i < an; i++)                      \
            if (!same(&a[i], &b[i]))                                     \
                return false;                                            \
        return an == bn;                                                 \
    }
LIST_EQUALITY(same_columns, SpiderColumn, same_column)
LIST_EQUALITY(same_units, SpiderUnit, same_unit)
LIST_EQUALITY(same_condition_items, SpiderCondition, same_condition)
LIST_EQUALITY(same_tables, SpiderTable, same_table)
LIST_EQUALITY(same_selection, SpiderSelected, same_selected)

static bool same_conditions(const SpiderConditions *a, const SpiderConditions *b)
{
    return same_condition_items(a->at, a->n, b->at, b->n);
}

static bool same_order(const SpiderQuery *a, const SpiderQuery *b)
{
    return a->ordered == b->ordered && a->descending == b->descending &&
           same_units(a->order.at, a->order.n, b->order.at, b->order.n);
}

static bool same_query(const SpiderQuery *a, const SpiderQuery *b)
{
    if (!a || !b)
        return !a && !b;
    return a->distinct == b->distinct &&
           same_selection(a->select.at, a->select.n, b->select.at, b->select.n) &&
           same_tables(a->from.at, a->from.n, b->from.at, b->from.n) && same_conditions(&a->on, &b->on) &&
           same_conditions(&a->where, &b->where) && same_conditions(&a->having, &b->having) &&
           same_columns(a->group.at, a->group.n, b->group.at, b->group.n) && same_order(a, b) &&
           a->limited == b->limited && same_query(a->intersect, b->intersect) &&
           same_query(a->except, b->except) && same_query(a->unite, b->unite);
}

/* Parts whose order does not count. ---------------------------------------------------------------------- */

/* Each of a's n items, `step` apart, finds one of b's of its own. */
typedef bool SameAt(const SpiderQuery *a, size_t i, const SpiderQuery *b, size_t j);

static bool same_bag(const SpiderQuery *a, size_t an, const SpiderQuery *b, size_t bn, SameAt *same)
{
    bool *used = mem_array(bool, bn + 1);
    bool all = an == bn;
    for (size_t i = 0; all && i < an; i++) {
        size_t j = 0;
        while (j < bn && (used[j] || !same(a, i, b, j)))
            j++;
        all = j < bn;
        used[j] = true;
    }
    mem_free(used);
    return all;
}

static bool selected_at(const SpiderQuery *a, size_t i, const SpiderQuery *b, size_t j)
{
    return same_selected(&a->select.at[i], &b->select.at[j]);
}

static bool condition_at(const SpiderQuery *a, size_t i, const SpiderQuery *b, size_t j)
{
    return same_condition(&a->where.at[2 * i], &b->where.at[2 * j]);
}

/* What stands behind the dot: grouping by T1.id is grouping by T2.id. */
static Span name_of(Span column)
{
    const char *dot = memchr(column.at, '.', column.n);
    if (!dot)
        return column;
    size_t n = (size_t)(column.at + column.n - dot) - 1;
    const char *second = memchr(dot + 1, '.', n);
    return (Span){dot + 1, second ? (size_t)(second - dot) - 1 : n};
}

static bool group_at(const SpiderQuery *a, size_t i, const SpiderQuery *b, size_t j)
{
    return same_text(name_of(a->group.at[i].column), name_of(b->group.at[j].column));
}

static bool table_at(const SpiderQuery *a, size_t i, const SpiderQuery *b, size_t j)
{
    return same_table(&a->from.at[i], &b->from.at[j]);
}

/* Python cannot sort two different queries. */
static bool has_no_order(const SpiderQuery *q)
{
    const SpiderQuery *first = NULL;
    for (size_t i = 0; i < q->from.n; i++)
        if (first && q->from.at[i].query && !same_query(first, q->from.at[i].query))
            return true;
        else if (q->from.at[i].query)
            first = q->from.at[i].query;
    return false;
}

static bool is_within(const SpiderConditions *a, const SpiderConditions *b)
{
    for (size_t i = 1; i < a->n; i += 2) {
        size_t j = 1;
        while (j < b->n && !same_condition(&a->at[i], &b->at[j]))
            j += 2;
        if (j >= b->n)
            return false;
    }
    return true;
}

/* Keywords. ---------------------------------------------------------------------------------------------- */

enum {
    HAS_WHERE = 1,
    HAS_GROUP = 2,
    HAS_HAVING = 4,
    HAS_ASC = 8,
    HAS_DESC = 16,
    HAS_LIMIT = 32,
    HAS_EXCEPT = 64,
    HAS_UNION = 128,
    HAS_INTERSECT = 256,
    HAS_OR = 512,
    HAS_NOT = 1024,
    HAS_IN = 2048,
    HAS_LIKE = 4096
};

static unsigned keywords_in(const SpiderConditions *c)
{
    unsigned has = 0;
    for (size_t i = 0; i < c->n; i++) {
        const SpiderCondition *it = &c->at[i];
        if (it->is_link)
            has |= i % 2 == 1 && it->is_or ? HAS_OR : 0;
        else if (i % 2 == 0)
            has |= (it->negated ? HAS_NOT : 0) | (it->op == SPIDER_IN ? HAS_IN : 0) |
                   (it->op == SPIDER_LIKE ? HAS_LIKE : 0);
    }
    return has;
}

static unsigned keywords(const SpiderQuery *q)
{
    return (q->where.n ? HAS_WHERE : 0) | (q->group.n ? HAS_GROUP : 0) | (q->having.n ? HAS_HAVING : 0) |
           (q->ordered ? q->descending ? HAS_DESC : HAS_ASC : 0) | (q->limited ? HAS_LIMIT : 0) |
           (q->except ? HAS_EXCEPT : 0) | (q->unite ? HAS_UNION : 0) | (q->intersect ? HAS_INTERSECT : 0) |
           keywords_in(&q->on) | keywords_in(&q->where) | keywords_in(&q->having);
}

/* The match. --------------------------------------------------------------------------------------------- */

static bool matches(const SpiderQuery *a, const SpiderQuery *gold);

static bool set_operations_match(const SpiderQuery *a, const SpiderQuery *gold)
{
    const SpiderQuery *const pairs[3][2] = {
        {a->intersect, gold->intersect}, {a->except, gold->except}, {a->unite, gold->unite}};
    int of_a = 0, of_gold = 0, same = 0;
    for (int i = 0; i < 3; i++) {
        of_a += pairs[i][0] != NULL;
        of_gold += pairs[i][1] != NULL;
        same += pairs[i][0] && pairs[i][1] && matches(pairs[i][0], pairs[i][1]);
    }
    return of_a == of_gold && same == of_a;
}

/* The columns in their order and under their whole names here, and HAVING. */
static bool groups_match(const SpiderQuery *a, const SpiderQuery *gold)
{
    if (a->group.n == 0 || gold->group.n == 0)
        return a->group.n == gold->group.n;
    for (size_t i = 0; i < a->group.n && i < gold->group.n; i++)
        if (!same_text(a->group.at[i].column, gold->group.at[i].column))
            return false;
    return a->group.n == gold->group.n && same_conditions(&a->having, &gold->having);
}

static bool orders_match(const SpiderQuery *a, const SpiderQuery *gold)
{
    if (!a->ordered || !gold->ordered)
        return a->ordered == gold->ordered;
    return same_order(a, gold) && a->limited == gold->limited;
}

static bool matches(const SpiderQuery *a, const SpiderQuery *gold)
{
    return same_bag(a, a->select.n, gold, gold->select.n, selected_at) &&
           same_bag(a, (a->where.n + 1) / 2, gold, (gold->where.n + 1) / 2, condition_at) &&
           same_bag(a, a->group.n, gold, gold->group.n, group_at) && groups_match(a, gold) &&
           orders_match(a, gold) && is_within(&a->where, &gold->where) &&
           is_within(&gold->where, &a->where) && set_operations_match(a, gold) &&
           keywords(a) == keywords(gold) && !has_no_order(a) && !has_no_order(gold) &&
           same_bag(a, a->from.n, gold, gold->from.n, table_at);
}

static bool forget(SpiderQuery *q, const SpiderSchema *schema, bool values)
{
    Keys keys = {schema, q};
    return (values || forget_values(q)) && forget_columns(&keys, q);
}

Status spider_sql_match(bool *same, const SpiderSchema *schema, Span gold, Span answer, bool values)
{
    Arena arena = {0};
    SpiderQuery *g, *a;
    *same = false;
    Status st = spider_parse(&g, &arena, schema, gold);
    if (st == ST_OK && !forget(g, schema, values))
        st = fail(ST_FORMAT, "conditions that \"and\" or \"or\" does not join");
    if (st == ST_OK && spider_parse(&a, &arena, schema, answer) == ST_OK)
        *same = forget(a, schema, values) && matches(a, g);
    arena_drop(&arena);
    return st;
}
