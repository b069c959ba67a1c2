/* lemur study errors: why episodes failed. */
#ifndef CLI_STUDY_ERRORS_H
#define CLI_STUDY_ERRORS_H

int study_errors(int argc, char **argv);

#endif
