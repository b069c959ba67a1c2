/* lemur study overlap: whether tasks for testing were learned. */
#ifndef CLI_STUDY_OVERLAP_H
#define CLI_STUDY_OVERLAP_H

int study_overlap(int argc, char **argv);

#endif
