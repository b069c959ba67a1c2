/* Spider's execution match: does a query give what the gold query gives?
 *
 * Rules of taoyds/test-suite-sql-eval (Zhong, Yu and Klein 2020, arXiv:2010.02840), commit e97acc5,
 * exec_eval.py (eval_exec_match, result_eq, quick_rej, postprocess, replace_cur_year) and parse.py
 * (remove_distinct); values are equal as Python's are: 1 == 1.0, and "1" is neither. */
#ifndef EVAL_SQL_MATCH_H
#define EVAL_SQL_MATCH_H

#include "env/sql_result.h"

/* Appends the query as it is run: "> =", "< =" and "! =" joined; the first statement only; without the word
 * DISTINCT outside quotes and comments, unless `distinct` keeps it; YEAR(CURDATE()) is 2020. */
void sql_match_prepare(Str *out, Span query, bool distinct);

/* "order by" stands somewhere in the text of the gold query, in any case. */
bool sql_match_is_ordered(Span gold);

/* The rows are the same under some order of columns, the same for all rows: as a sequence where `ordered`,
 * else as a bag.  Two results without rows are the same, whatever their columns.  As published, rows are
 * first compared with each row's values sorted by their Python text, so that in rare rows with 1 here and 1.0
 * there equal values sort apart and the answer is no.  Of results of more than 500 million comparisons: no.
 */
bool sql_match_results(const SqlResult *gold, const SqlResult *answer, bool ordered);

#endif
