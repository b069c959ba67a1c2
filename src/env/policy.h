/* Who acts in a world when no model does: one who knows the answer, chance, or a file of actions.
 *
 *     Policy *p;
 *     TRY(policy_open(&p, "random", 7));
 *     PolicyScore score;
 *     TRY(policy_play(&score, p, env, task, 0));            score.solved, score.best, score.steps
 *     policy_close(p);
 *
 * A script is JSON Lines, {"task": "12", "actions": ["ls", "submit ..."]} each, or plain lines, which are the
 * actions for every task. */
#ifndef ENV_POLICY_H
#define ENV_POLICY_H

#include "env/env.h"

typedef struct Policy Policy; /* shared by any number of threads */

/* "expert", "random" or "script:FILE"; `seed` is chance's.  ST_ARG: no such policy; ST_IO, ST_FORMAT: of the
 * script, with its line. */
MUST_CHECK Status policy_open(Policy **out, const char *name, uint64_t seed);
void policy_close(Policy *p); /* NULL is fine */

/* What a policy remembers of an episode. */
typedef struct {
    Rng rng;
    size_t next;
} PolicyPlayer;
PolicyPlayer policy_begin(const Policy *p, size_t task);
/* Overwrites *action with the next one; false in *has: the script is at its end.  ST_UNSUPPORTED: this world
 * has no expert, or none that knows this task. */
MUST_CHECK Status policy_next(const Policy *p, PolicyPlayer *player, EnvState *s, Str *action, bool *has);

typedef struct {
    bool solved;
    bool unknown; /* the expert does not know this task */
    double best;  /* the highest reward of an action */
    int steps;
    double seconds;
} PolicyScore;
/* One whole episode.  steps: its limit; 0: the world's own. */
MUST_CHECK Status policy_play(PolicyScore *out, const Policy *p, Env *e, size_t task, int steps);

#endif
