/* `lemur study harmony`: how much code, how much text? */
#ifndef CLI_STUDY_HARMONY_H
#define CLI_STUDY_HARMONY_H

int study_harmony(int argc, char **argv); /* argv[0] is "study harmony" */

#endif
