/* Spider's exact-set match: do two queries have the same parts, whatever the order of those without one?
 *
 * Verdicts are those of taoyds/test-suite-sql-eval (Yu et al. 2018, arXiv:1809.08887; Zhong, Yu and Klein
 * 2020, arXiv:2010.02840), commit e97acc5, evaluation.py (Evaluator, rebuild_sql_val, rebuild_sql_col) over
 * process_sql.py: values are left out unless asked for, DISTINCT is left out, columns that foreign keys make
 * one are one in what stands at the top and in set operations, queries in conditions are compared whole.
 * Where the published code raises on a prediction it parsed (two different queries in one FROM, conditions
 * without "and" between), the verdict here is no.  tests/golden/spider holds verdicts of the published code.
 */
#ifndef EVAL_SPIDER_SQL_H
#define EVAL_SPIDER_SQL_H

#include "eval/spider_schema.h"

typedef enum { SPIDER_EASY, SPIDER_MEDIUM, SPIDER_HARD, SPIDER_EXTRA, SPIDER_HARDNESSES } SpiderHardness;
extern const char *const spider_hardness_names[SPIDER_HARDNESSES]; /* "easy" "medium" "hard" "extra" */

/* How hard a gold query is (evaluation.py, eval_hardness).
 *   ST_FORMAT  the query is outside the subset: the sentence names the word */
MUST_CHECK Status spider_sql_hardness(SpiderHardness *out, const SpiderSchema *schema, Span gold);

/* *same: the queries match; false where `answer` is outside the subset.  `values`: those in conditions count.
 *   ST_FORMAT  gold is outside the subset */
MUST_CHECK Status spider_sql_match(bool *same, const SpiderSchema *schema, Span gold, Span answer,
                                   bool values);

#endif
