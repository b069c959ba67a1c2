/* What lemur train is asked for.  Settings come from four places, the last one winning: defaults, the run
 * that is resumed, the recipe, the command line.  So the command line is read twice: to find the files, then
 * over what they hold.
 *
 *     ArgsTable tables[TRAIN_TABLES];
 *     train_settings_init(&t);
 *     Command c = train_settings_command(tables, &t);
 *     cmd_parse(&c, &args, argc, argv, &code);
 *     train_settings_take_args(&t, &args);
 *     train_settings_gather(&t, &c, argc, argv);
 *     train_settings_drop(&t);
 */
#ifndef CLI_TRAIN_SETTINGS_H
#define CLI_TRAIN_SETTINGS_H

#include <jansson.h>

#include "cli/cmd.h"
#include "train/trainer.h"

/* What to train on, beside how: not part of a run's settings, so that a moved folder is no change. */
typedef struct {
    char *data, *init, *preset, *config, *tokenizer, *sample;
    bool resume, overwrite, accept_changes, padded_vocab, dry_run, json;
} TrainOptions;

typedef struct {
    TrainOptions words;
    TrainConfig config;
    HParams h;                /* where has_shape */
    bool has_shape;           /* of random weights, or of the run that is resumed */
    bool takes_ids;           /* ... which leaves begin and end of text to the data's vocabulary */
    bool grow_vocab, new_ids; /* of a run of lemur tune that is resumed */
    char *output, *recipe_path;
    json_t *resumed; /* config.json of the run that is resumed; NULL: one begins */
    json_t *recipe;  /* its content; may be set before it is gathered */
} TrainSettings;

void train_settings_init(TrainSettings *t);
void train_settings_drop(TrainSettings *t);

/* Its flags and help; sets the tables, to which it points. */
enum { TRAIN_TABLES = 2 };
Command train_settings_command(ArgsTable tables[TRAIN_TABLES], TrainSettings *t);

/* Where the run goes, and its recipe. */
void train_settings_take_args(TrainSettings *t, const Args *args);

/* All four, and the shape that they give.  ST_ARG, ST_IO, ST_FORMAT. */
MUST_CHECK Status train_settings_gather(TrainSettings *t, const Command *c, int argc, char **argv);

#endif
