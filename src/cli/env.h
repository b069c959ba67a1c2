/* The parts of `lemur env`, one file each; argv[0] is "env NAME". */
#ifndef CLI_ENV_H
#define CLI_ENV_H

#include "cli/cmd.h"
#include "env/env.h"

int env_list(int argc, char **argv);
int env_play(int argc, char **argv);
int env_score(int argc, char **argv);

/* --data, --games and --seconds, which all of them take. */
typedef struct {
    char *data, *games;
    double seconds;
} EnvPlace;
extern const FieldTable env_place_table;
/* What they say, as env_open wants it; Ctrl-C and SIGTERM are asked for by `stopped`. */
EnvOptions env_place_options(const EnvPlace *place);

/* ST_ARG: no world of that name; the sentence has the nearest. */
MUST_CHECK Status env_kind_named(const EnvKind **out, Span name);

#endif
