/* What becomes of a study's result. */
#ifndef CLI_STUDY_GIVE_H
#define CLI_STUDY_GIVE_H

#include <stdio.h>

#include "cli/cmd.h"

/* As the file `name` in the folder of --output, where that is given; says so.  ST_IO. */
MUST_CHECK Status study_save(const Args *args, const json_t *study, const char *name);

/* Saved as study.json, and on stdout as `print` has it, or with --json as it is.  Takes `study`. */
MUST_CHECK Status study_give(const Args *args, json_t *study, void (*print)(FILE *out, const json_t *study));

#endif
