/* lemur env make: houses and tasks without end, and episodes to learn from. */
#ifndef CLI_ENV_MAKE_H
#define CLI_ENV_MAKE_H

int env_make(int argc, char **argv);

#endif
