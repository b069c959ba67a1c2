/* `lemur study keep`: successes of runs as examples to learn from (study/keep.h). */
#ifndef CLI_STUDY_KEEP_H
#define CLI_STUDY_KEEP_H

int study_keep(int argc, char **argv);

#endif
