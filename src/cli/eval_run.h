/* `lemur eval -m MODEL --tasks ...`: benchmarks put to a model, into a run's folder. */
#ifndef CLI_EVAL_RUN_H
#define CLI_EVAL_RUN_H

int eval_run(int argc, char **argv); /* argv[0] is the verb; an exit code */

#endif
