/* What becomes of a study's result. */
#ifndef CLI_STUDY_GIVE_H
#define CLI_STUDY_GIVE_H

#include <stdio.h>

#include "cli/cmd.h"

/* On stdout, as `print` has it or with --json as it is, and in the folder of --output as study.json. */
MUST_CHECK Status study_give(const Args *args, const json_t *study,
                             void (*print)(FILE *out, const json_t *study));

#endif
