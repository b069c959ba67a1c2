/* What lemur tune is asked for.  Settings come from four places, the last one winning: defaults, the
 * run that is resumed, the recipe, the command line.  So the command line is read twice: to find the files,
 * then over what they hold.
 *
 *     ArgsTable tables[TUNE_TABLES];
 *     tune_settings_init(&t);
 *     Command c = tune_settings_command(tables, &t);
 *     cmd_parse(&c, &args, argc, argv, &code);     the caller sets output and recipe_path
 *     tune_settings_gather(&t, &c, argc, argv);
 *     tune_settings_drop(&t);
 */
#ifndef CLI_TUNE_SETTINGS_H
#define CLI_TUNE_SETTINGS_H

#include <jansson.h>

#include "cli/cmd.h"
#include "corpus/instruct_set.h"
#include "train/trainer.h"

typedef struct {
    char *base, *sample;
    int64_t inspect;
    bool resume, overwrite, accept_changes, dry_run, json;
} TuneWords;

typedef struct {
    TuneWords words;
    TrainConfig config;
    InstructRecipe recipe;
    FieldTable table;        /* of `config`, with lemur tune's defaults */
    char *output;            /* NULL: none is named */
    const char *recipe_path; /* borrowed; NULL: none */
    json_t *resumed;         /* config.json of the run that is resumed; NULL: one begins */
    const json_t *given;     /* the recipe's content, where it is read already; borrowed */
} TuneSettings;

void tune_settings_init(TuneSettings *t);
void tune_settings_drop(TuneSettings *t);

/* Its flags and help; sets the tables, to which it points. */
enum { TUNE_TABLES = 3 };
Command tune_settings_command(ArgsTable tables[TUNE_TABLES], TuneSettings *t);

/* All four.  A run is resumed where --resume was given and t->output holds one.  ST_ARG, ST_IO, ST_FORMAT. */
MUST_CHECK Status tune_settings_gather(TuneSettings *t, const Command *c, int argc, char **argv);

#endif
