/* How threads of the OpenMP pool wait for each other.  By default libgomp's spin for milliseconds, which
 * keeps a processor that another program wants from the very thread they wait for: with other programs
 * running, a training step took up to eight times as long.  A thousand turns bridge the gaps within a step
 * and cost nothing on a quiet machine (docs/speed.md).
 *
 * libgomp takes this setting from its environment alone, when it is loaded; so a command that computes starts
 * the program once more with it.  What the user has set stays. */
#ifndef CLI_WAIT_POLICY_H
#define CLI_WAIT_POLICY_H

/* Returns at once where the setting is there; else does not return, or, where the program cannot be started
 * again, does: everything works without it. */
void wait_policy_apply(char **argv);

#endif
