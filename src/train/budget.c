#include "train/budget.h"

#include <math.h>
#include <stdbool.h>

static const double evaluation_share = 1.0 / 3;

int64_t budget_times(int64_t steps, int64_t every)
{
    return every < 0 ? 0 : every == 0 ? 1 : (steps + every - 1) / every;
}

/* Steps that fit beside evaluations of `evaluation` seconds: one at the end, and those on the way. */
static int64_t steps_beside(const BudgetNeeds *n, double evaluation)
{
    double on_the_way = n->eval_every > 0 ? evaluation / (double)n->eval_every : 0;
    return (int64_t)fmax(1, floor((n->seconds - evaluation) / (n->step_seconds + on_the_way)));
}

Budget budget_fit(const BudgetNeeds *n)
{
    double share = n->seconds * evaluation_share;
    bool evaluates = n->eval_every >= 0 && n->eval_rows > 0;
    int64_t rounds = (n->eval_rows + n->round_rows - 1) / n->round_rows;
    if (!evaluates)
        return (Budget){.steps = steps_beside(n, 0), .eval_rows = n->eval_rows};

    int64_t steps = steps_beside(n, (double)rounds * n->batch_seconds);
    int64_t evaluations = budget_times(steps, n->eval_every);
    if ((double)(evaluations * rounds) * n->batch_seconds > share) {
        steps = (int64_t)fmax(1, floor((n->seconds - share) / n->step_seconds));
        evaluations = budget_times(steps, n->eval_every);
        double fit = floor(share / ((double)evaluations * n->batch_seconds));
        rounds = fit < 1 ? 1 : fit < (double)rounds ? (int64_t)fit : rounds;
        if (fit < 1) { /* so often that one round each is too much: then that is what it takes */
            steps = steps_beside(n, n->batch_seconds);
            evaluations = budget_times(steps, n->eval_every);
        }
    }
    int64_t rows = rounds * n->round_rows;
    return (Budget){steps, evaluations, rows < n->eval_rows ? rows : n->eval_rows};
}
