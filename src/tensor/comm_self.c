/* One rank: nothing to exchange. */
#include "base/mem.h"
#include "tensor/comm.h"

struct Comm {
    Device *dev;
};

Status comm_open(Comm **out, Device *dev)
{
    *out = mem_new(Comm);
    (*out)->dev = dev;
    return ST_OK;
}

void comm_close(Comm *c)
{
    mem_free(c);
}

int comm_rank(const Comm *c)
{
    (void)c;
    return 0;
}

int comm_size(const Comm *c)
{
    (void)c;
    return 1;
}

void comm_sum(Comm *c, Tensor *t)
{
    (void)c;
    (void)t;
}

Status comm_sum_host(Comm *c, double *values, int n)
{
    (void)c;
    (void)values;
    (void)n;
    return ST_OK;
}

Status comm_barrier(Comm *c)
{
    (void)c;
    return ST_OK;
}
