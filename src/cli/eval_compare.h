/* lemur eval --compare A B: is one run better than another?  (eval/compare.h) */
#ifndef CLI_EVAL_COMPARE_H
#define CLI_EVAL_COMPARE_H

/* argv as of a command; "--compare" may stand in it. */
int eval_compare(int argc, char **argv);

#endif
