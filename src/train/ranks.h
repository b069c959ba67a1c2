/* What ranks tell each other in a step.  With one rank all of it is free. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include <stdbool.h>

#include "model/model.h"
#include "tensor/comm.h"

typedef struct {
    double nats, tokens; /* sum of losses; positions that counted */
} RankSums;

/* What somebody asked for, on any rank. */
typedef struct {
    bool stop, save;
} RankWishes;

void ranks_sum_gradients(Comm *comm, Model *m); /* errors stay in the device */
MUST_CHECK Status ranks_sum(Comm *comm, RankSums *s);
MUST_CHECK Status ranks_agree(Comm *comm, RankWishes *w);        /* afterwards all ranks have the same */
MUST_CHECK Status ranks_follow_first(Comm *comm, double *value); /* rank 0's value, on every rank */

#endif
