/* `lemur study improve`: rounds of playing, keeping, tuning and testing (study/improve.h). */
#ifndef CLI_STUDY_IMPROVE_H
#define CLI_STUDY_IMPROVE_H

int study_improve(int argc, char **argv);

#endif
