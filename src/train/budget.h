/* A run of so many minutes: how many steps that is, and on how many held-out rows an evaluation may look, so
 * that evaluations take at most a third of the time however short it is. */
#ifndef TRAIN_BUDGET_H
#define TRAIN_BUDGET_H

#include <stdint.h>

typedef struct {
    double seconds;                   /* that are left                                             */
    double step_seconds;              /* of one step                                               */
    double batch_seconds;             /* of one round of an evaluation: a batch on every rank      */
    int64_t round_rows;               /* held-out rows of such a round                             */
    int64_t eval_every, eval_rows;    /* as set; eval_rows > 0, or 0: nothing is held out          */
} BudgetNeeds;

typedef struct {
    int64_t steps;       /* at least 1 */
    int64_t evaluations; /* in all     */
    int64_t eval_rows;   /* of each; at most what was set, at least one round */
} Budget;

/* The same answer for the same needs. */
Budget budget_fit(const BudgetNeeds *n);

/* How often a run of so many steps does what comes every so many, and at its end: evaluations, checkpoints.
 * every 0: at the end alone, below 0: never. */
int64_t budget_times(int64_t steps, int64_t every);

#endif
