/* The kinds of worlds there are; each stands in <name>_env.c. */
#ifndef ENV_ENVS_H
#define ENV_ENVS_H

#include "env/env.h"

extern const EnvKind household_env, sql_env, ctf_env, bash_env, robot_env;

#endif
