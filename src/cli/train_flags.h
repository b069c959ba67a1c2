/* What `lemur train` and `lemur tune` share: other trainers' names for the settings, lengths that take each
 * other's place, the result as JSON. */
#ifndef CLI_TRAIN_FLAGS_H
#define CLI_TRAIN_FLAGS_H

#include "cli/cmd.h"
#include "recipe/stages.h"
#include "train/trainer.h"

/* "--num_epochs=3" -> "--epochs=3"; caller frees.  NULL: stays as it is. */
char *train_flags_our_name(const char *word);
/* argv in our names; dropped as a whole. */
char **train_flags_rename(int argc, char **argv);
void train_flags_rename_drop(char **words, int argc);

/* The words of a recipe's stage, read into the command's tables as the verb itself reads them. */
typedef struct {
    int n;
    char **words; /* in our names */
    Args args;
} TrainWords;
/* *out is the caller's to drop in any case.  ST_ARG: as args_parse. */
MUST_CHECK Status train_words_read(TrainWords *out, const Command *c, const RecipeAsk *ask);
void train_words_drop(TrainWords *w);

/* Each of steps, tokens, epochs and minutes says how long to train, so one that is given takes the place of
 * all. */
bool train_flags_has_length(const TrainConfig *c);
void train_flags_forget_length(TrainConfig *c);
bool train_flags_names_length(const json_t *settings);

void train_flags_print_result(const char *run, const TrainResult *r); /* on stdout */

#endif
