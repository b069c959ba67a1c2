/* The reward of a turn of InterCode-SQL: how much of the gold query's result a query's result is.
 *
 *     RowTexts agent = {0}, gold = {0};
 *     TRY(row_texts_read(&agent, span("[('a', 1), ('b', None)]")));
 *     TRY(row_texts_read(&gold, span("[('a', 1)]")));
 *     intercode_reward(INTERCODE_IOU, &agent, &gold);                     0.5
 *     row_texts_drop(&agent);  row_texts_drop(&gold);
 *
 * Rows are compared as Python prints them (str of a tuple).  Source: princeton-nlp/intercode,
 * intercode/envs/sql/sql_env.py, get_reward, which has the scaled rule; the recordings of its authors follow
 * the plain one in all files but three. */
#ifndef ENV_SQL_REWARD_H
#define ENV_SQL_REWARD_H

#include "base/array.h"
#include "base/str.h"

typedef Array(Span) RowTexts; /* views of one text */

/* The rows in a list of tuples as Python prints it: numbers, strings, bytes, None, True, False, calls such as
 * Decimal('1.5') and datetime.date(2020, 1, 2), and tuples, lists and sets of these.  Overwrites *out with
 * views of `text`.  ST_FORMAT: something else, with where; *out is then empty. */
MUST_CHECK Status row_texts_read(RowTexts *out, Span text);
void row_texts_drop(RowTexts *r);

typedef enum {
    INTERCODE_IOU, /* rows in common / rows of either, both counted as multisets; 1 where neither has any */
    INTERCODE_SCALED, /* that times Kendall's tau of the common rows' order, rounded to 2 decimals */
    INTERCODE_RULES
} InterCodeRule;

/* Scaled rewards lie in [-1, 1]; where tau is not a number (a single common row, or equal ones only) they are
 * the plain one, unrounded. */
double intercode_reward(InterCodeRule rule, const RowTexts *agent, const RowTexts *gold);

/* Kendall's tau-b of x[0..n) and y[0..n), not a number where either is constant or n < 2; O(n log n).
 * (Knight 1966, J. Amer. Statist. Assoc. 61, 436-439; the last steps in scipy.stats.kendalltau's order, so
 * that the last bit is the same.)  Overwrites x and y. */
double kendall_tau_b(int64_t *x, int64_t *y, size_t n);

#endif
