/* Counts of a query's parts, as eval_hardness of evaluation.py makes them (spider_sql.h). */
#include "eval/spider_sql.h"
#include "eval/spider_tree.h"

const char *const spider_hardness_names[SPIDER_HARDNESSES] = {"easy", "medium", "hard", "extra"};

static int count_likes_and_ors(const SpiderConditions *c)
{
    int count = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->at[i].is_link)
            count += i % 2 == 1 && c->at[i].is_or;
        else
            count += i % 2 == 0 && c->at[i].op == SPIDER_LIKE;
    return count;
}

static int count_queries_in(const SpiderConditions *c)
{
    int count = 0;
    for (size_t i = 0; i < c->n; i += 2)
        for (int v = 0; v < 2; v++)
            count += c->at[i].values[v].kind == SPIDER_QUERY;
    return count;
}

static int count_clauses(const SpiderQuery *q)
{
    return (q->where.n > 0) + (q->group.n > 0) + q->ordered + q->limited +
           (q->from.n ? (int)q->from.n - 1 : 0) + count_likes_and_ors(&q->on) +
           count_likes_and_ors(&q->where) + count_likes_and_ors(&q->having);
}

static int count_queries(const SpiderQuery *q)
{
    return count_queries_in(&q->on) + count_queries_in(&q->where) + count_queries_in(&q->having) +
           (q->intersect != NULL) + (q->except != NULL) + (q->unite != NULL);
}

/* The published count takes a condition's first field for an aggregate: it is whether "not" stands there; and
 * of HAVING it takes every second item, "and" and "or", for one as well. */
static int count_aggregates(const SpiderQuery *q)
{
    int count = 0;
    for (size_t i = 0; i < q->select.n; i++)
        count += q->select.at[i].aggregate != SPIDER_NO_AGGREGATE;
    for (size_t i = 0; i < q->where.n; i += 2)
        count += q->where.at[i].is_link || q->where.at[i].negated;
    for (size_t i = 0; i < q->group.n; i++)
        count += q->group.at[i].aggregate != SPIDER_NO_AGGREGATE;
    for (size_t i = 0; i < q->order.n; i++) {
        count += q->order.at[i].a.aggregate != SPIDER_NO_AGGREGATE;
        count += q->order.at[i].two && q->order.at[i].b.aggregate != SPIDER_NO_AGGREGATE;
    }
    for (size_t i = 0; i < q->having.n; i++)
        count += q->having.at[i].is_link || q->having.at[i].negated;
    return count;
}

static SpiderHardness hardness(const SpiderQuery *q)
{
    int clauses = count_clauses(q), queries = count_queries(q);
    int others = (count_aggregates(q) > 1) + (q->select.n > 1) + (q->where.n > 1) + (q->group.n > 1);
    if (clauses <= 1 && others == 0 && queries == 0)
        return SPIDER_EASY;
    if ((others <= 2 && clauses <= 1 && queries == 0) || (clauses <= 2 && others < 2 && queries == 0))
        return SPIDER_MEDIUM;
    if ((others > 2 && clauses <= 2 && queries == 0) || (clauses == 3 && others <= 2 && queries == 0) ||
        (clauses <= 1 && others == 0 && queries <= 1))
        return SPIDER_HARD;
    return SPIDER_EXTRA;
}

static bool alternates(const SpiderConditions *c)
{
    for (size_t i = 0; i < c->n; i += 2)
        if (c->at[i].is_link)
            return false;
    return true;
}

Status spider_sql_hardness(SpiderHardness *out, const SpiderSchema *schema, Span gold)
{
    Arena arena = {0};
    SpiderQuery *q;
    Status st = spider_parse(&q, &arena, schema, gold);
    if (st == ST_OK && !(alternates(&q->on) && alternates(&q->where) && alternates(&q->having)))
        st = fail(ST_FORMAT, "conditions that \"and\" or \"or\" does not join");
    if (st == ST_OK)
        *out = hardness(q);
    arena_drop(&arena);
    return st;
}
