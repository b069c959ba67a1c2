/* Spider: a question about a database to be answered by a query.  Yu et al. 2018, arXiv:1809.08887.
 *
 * Metrics: `exec`, the query gives what the gold query gives (sql_match.h), on each database of the test
 * suite where that is there; `exact_set`, it has the same parts, values apart (spider_sql.h);
 * `exact_set_values`, values among them.  Parts are the four degrees of hardness.  As published, "value" in
 * an answer counts as 1 (evaluation.py of taoyds/test-suite-sql-eval, commit e97acc5, evaluate), and a query
 * has no line ends.
 *
 * The prompt is the words of spider/prompt.txt with the holes {schema} and {question}, each once, where the
 * data has that; else the database's CREATE TABLE statements and the question behind "--".  Prompts that end
 * in SELECT, as ours for models that continue texts does, are continued by the answer. */
#ifndef EVAL_STATIC_SPIDER_H
#define EVAL_STATIC_SPIDER_H

#include "eval/benchmark.h"

extern const Benchmark spider; /* the published data */
/* InterCode's questions and its copy of the databases, converted from MySQL (spider_data.h).  One of the
 * twenty is empty there and others are cut short, so that `exec` is kinder than Spider's own. */
extern const Benchmark spider_intercode;

/* Appends the query of an answer: the first block between fences that is marked sql, or else the first block;
 * without one, what begins with the first SELECT, or WITH ... AS, up to an empty line; of these the first
 * statement, without its ";", comments and line ends.  `continues`: the prompt ended in SELECT, so an answer
 * that does not begin so goes on from there.  False: no query. */
bool spider_answer_query(Str *out, Span answer, bool continues);

#endif
