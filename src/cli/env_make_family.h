/* `lemur env make FAMILY`: tasks and an expert of one of the families (env/family.h). */
#ifndef CLI_ENV_MAKE_FAMILY_H
#define CLI_ENV_MAKE_FAMILY_H

int env_make_family(int argc, char **argv);

#endif
