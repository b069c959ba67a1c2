/* lemur eval --fetch TASK...: gets benchmarks' data from where it is published.  (eval/fetch.h) */
#ifndef CLI_EVAL_FETCH_H
#define CLI_EVAL_FETCH_H

/* argv as of a command; "--fetch" may stand in it. */
int eval_fetch(int argc, char **argv);

#endif
