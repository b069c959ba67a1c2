/* Ranks: processes that train one model together.  This build has one rank, itself; an MPI or NCCL build brings another
 * comm_*.c with the same functions.  All ranks call the same functions in the same order. */
#ifndef TENSOR_COMM_H
#define TENSOR_COMM_H

#include "base/status.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

typedef struct Comm Comm;

MUST_CHECK Status comm_open(Comm **out, Device *dev);
void comm_close(Comm *c);
int comm_rank(const Comm *c);
int comm_size(const Comm *c);
void comm_sum(Comm *c, Tensor *t);                         /* f32, in place, same result on every rank; errors stay in the device */
MUST_CHECK Status comm_sum_host(Comm *c, double *values, int n); /* sums host numbers over ranks */
MUST_CHECK Status comm_barrier(Comm *c);

#endif
