#include "train/ranks.h"

void ranks_sum_gradients(Comm *comm, Model *m)
{
    Tensor g = model_gradients(m);
    comm_sum(comm, &g);
}

Status ranks_sum(Comm *comm, RankSums *s)
{
    double values[] = {s->nats, s->tokens};
    TRY(comm_sum_host(comm, values, 2));
    *s = (RankSums){values[0], values[1]};
    return ST_OK;
}

Status ranks_agree(Comm *comm, RankWishes *w)
{
    double values[] = {w->stop, w->save};
    TRY(comm_sum_host(comm, values, 2));
    *w = (RankWishes){values[0] > 0, values[1] > 0};
    return ST_OK;
}

Status ranks_follow_first(Comm *comm, double *value)
{
    if (comm_rank(comm) != 0)
        *value = 0;
    return comm_sum_host(comm, value, 1);
}
