/* `lemur eval --index DUMP -o FILE`: a command of its own behind a flag of `lemur eval`. */
#ifndef CLI_EVAL_INDEX_H
#define CLI_EVAL_INDEX_H

/* Takes the whole command line, --index among it; returns the exit code.  Interrupted, it leaves nothing. */
int eval_index(int argc, char **argv);

#endif
