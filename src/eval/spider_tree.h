/* A query of Spider's subset as its parts.  For spider_parse.c, spider_match.c and spider_hardness.c.
 *
 * The shape is that of the published parser (taoyds/test-suite-sql-eval, commit e97acc5, process_sql.py),
 * with its oddities: a query may end before its text does, the last direction of ORDER BY counts for all, a
 * limit's number is not kept, and conditions alternate with their "and" and "or" only where the text does. */
#ifndef EVAL_SPIDER_TREE_H
#define EVAL_SPIDER_TREE_H

#include "base/arena.h"
#include "eval/spider_schema.h"

typedef struct SpiderQuery SpiderQuery;

enum { SPIDER_NO_AGGREGATE = 0, SPIDER_NO_OPERATOR = 0 };
enum { SPIDER_BETWEEN = 1, SPIDER_IN = 8, SPIDER_LIKE = 9 }; /* of WHERE_OPS */
typedef enum { SPIDER_PLAIN, SPIDER_DISTINCT, SPIDER_EITHER /* no longer told apart */ } SpiderDistinct;

typedef struct {
    int aggregate; /* place in none max min count sum avg */
    Span column;   /* "table.column", or "*"              */
    SpiderDistinct distinct;
} SpiderColumn;

typedef struct {
    int op; /* place in none - + * / */
    SpiderColumn a, b;
    bool two; /* b is there */
} SpiderUnit;

typedef enum { SPIDER_NO_VALUE, SPIDER_NUMBER, SPIDER_STRING, SPIDER_COLUMN, SPIDER_QUERY } SpiderValueKind;
typedef struct {
    SpiderValueKind kind;
    double number;
    Span string; /* with its quotes */
    SpiderColumn column;
    SpiderQuery *query;
} SpiderValue;

typedef struct {
    bool is_link; /* "and" or "or": the rest is empty */
    bool is_or;
    bool negated;
    int op; /* place in not between = > < >= <= != in like is exists */
    SpiderUnit unit;
    SpiderValue values[2]; /* the second of BETWEEN */
} SpiderCondition;

#define SpiderList(Type) \
    struct {             \
        Type *at;        \
        size_t n, cap;   \
    }
typedef SpiderList(SpiderCondition) SpiderConditions;

typedef struct {
    int aggregate;
    SpiderUnit unit;
} SpiderSelected;

typedef struct {
    Span table;         /* or */
    SpiderQuery *query; /* not NULL */
} SpiderTable;

struct SpiderQuery {
    SpiderDistinct distinct;
    SpiderList(SpiderSelected) select;
    SpiderList(SpiderTable) from;
    SpiderConditions on, where, having;
    SpiderList(SpiderColumn) group;
    SpiderList(SpiderUnit) order;
    bool ordered, descending;
    bool limited;
    SpiderQuery *intersect, *except, *unite;
};

/* All of it lives in the arena and, where columns are keys, in the schema.
 *   ST_FORMAT  no query of the subset, over these tables; the sentence names the word */
MUST_CHECK Status spider_parse(SpiderQuery **out, Arena *arena, const SpiderSchema *schema, Span text);

#endif
