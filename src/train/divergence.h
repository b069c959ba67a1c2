/* Tells a run that has come to grief from one that had a bad step: its loss rose far above what it had
 * reached, and stays there.  (One bad step: spike.h.  A loss that is no number ends the run at once.)
 *
 * "Far above": the moving mean of the loss is more than a nat, and more than a quarter of all that was
 * learned, above its lowest; or more than a nat above ln V, which guessing reaches.  "Stays": for
 * DIVERGENCE_HOLD steps without a break.  Everything is saved with a checkpoint. */
#ifndef TRAIN_DIVERGENCE_H
#define TRAIN_DIVERGENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { DIVERGENCE_LEAST = 8, DIVERGENCE_HOLD = 16 }; /* LEAST: losses before anything is judged */

typedef struct {
    int64_t seen;        /* losses so far */
    double mean;         /* their moving mean, about the last ten steps */
    double start;        /* that mean after DIVERGENCE_LEAST losses */
    double best;         /* its lowest since then ... */
    int64_t best_step;   /* ... and when */
    int64_t since;       /* the step that began the present stretch far above it; 0: the loss is not there */
    int64_t since_steps; /* how long that stretch is */
} Divergence;

/* Takes the finite loss of a step (counted from 1) of a model with `vocab` ids. */
void divergence_add(Divergence *d, int64_t step, double loss, int64_t vocab);
bool divergence_is(const Divergence *d); /* far above, for long enough */

json_t *divergence_to_json(const Divergence *d); /* new reference */
/* NULL, of a checkpoint that knows nothing of this: begins anew.  ST_FORMAT. */
MUST_CHECK Status divergence_from_json(Divergence *d, const json_t *json);

#endif
