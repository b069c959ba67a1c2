/* lemur study feedback: what observations and a second model's words are worth. */
#ifndef CLI_STUDY_FEEDBACK_H
#define CLI_STUDY_FEEDBACK_H

int study_feedback(int argc, char **argv);

#endif
