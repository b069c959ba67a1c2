/* The list of all kinds of worlds, in the order in which they are told. */
#include "env/envs.h"

const EnvKind *const env_kinds[] = {&household_env, &sql_env, &ctf_env, &bash_env, &robot_env, NULL};
