/* lemur eval --list [NAME...]: which benchmarks there are, and what each needs.  (eval/inventory.h) */
#ifndef CLI_EVAL_LIST_H
#define CLI_EVAL_LIST_H

/* argv as of a command; "--list" may stand in it. */
int eval_list(int argc, char **argv);

#endif
