/* lemur study explore: how agents look before they act. */
#ifndef CLI_STUDY_EXPLORE_H
#define CLI_STUDY_EXPLORE_H

int study_explore(int argc, char **argv);

#endif
