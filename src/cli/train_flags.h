/* What `lemur train` and `lemur tune` share: other trainers' names for the settings, lengths that take each
 * other's place, the result as JSON. */
#ifndef CLI_TRAIN_FLAGS_H
#define CLI_TRAIN_FLAGS_H

#include "train/trainer.h"

/* "--num_epochs=3" -> "--epochs=3"; caller frees.  NULL: stays as it is. */
char *train_flags_our_name(const char *word);
/* argv in our names; dropped as a whole. */
char **train_flags_rename(int argc, char **argv);
void train_flags_rename_drop(char **words, int argc);

/* Each of steps, tokens, epochs and minutes says how long to train, so one that is given takes the place of
 * all. */
bool train_flags_has_length(const TrainConfig *c);
void train_flags_forget_length(TrainConfig *c);
bool train_flags_names_length(const json_t *settings);

void train_flags_print_result(const char *run, const TrainResult *r); /* on stdout */

#endif
