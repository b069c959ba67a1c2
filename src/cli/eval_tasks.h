/* Which benchmarks does somebody mean? */
#ifndef CLI_EVAL_TASKS_H
#define CLI_EVAL_TASKS_H

#include "base/array.h"
#include "base/config.h"
#include "eval/benchmark.h"

typedef Array(const Benchmark *) TaskList;

/* Names and groups with commas between, or "all"; each once, in the order of benchmarks[].  ST_ARG: no such
 * benchmark or group; the nearest is named. */
MUST_CHECK Status task_list_read(TaskList *out, const char *names);
/* The same of a command's words; without any: all. */
MUST_CHECK Status task_list_words(TaskList *out, const Args *args);
void task_list_drop(TaskList *l);

/* Whether `word` is among the words of `groups`. */
bool task_in_group(const char *groups, Span word);

#endif
