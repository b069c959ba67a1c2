/* Ranks: processes that train one model together.  This build has one rank, itself; an MPI or NCCL build
 * brings another comm_*.c with the same functions.  All ranks call the same functions in the same order. */
#ifndef TENSOR_COMM_H
#define TENSOR_COMM_H

#include "base/status.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

typedef struct Comm Comm;

/* `dev` outlives it.  ST_PEER: the other ranks cannot be reached. */
MUST_CHECK Status comm_open(Comm **out, Device *dev);
void comm_close(Comm *c);
int comm_rank(const Comm *c); /* in [0, size) */
int comm_size(const Comm *c);
/* t, f32 and contiguous, becomes the sum of every rank's, the same bits on each; a failure fails dev. */
void comm_sum(Comm *c, Tensor *t);
/* The same for n numbers in host memory.  ST_PEER. */
MUST_CHECK Status comm_sum_host(Comm *c, double *values, int n);
MUST_CHECK Status comm_barrier(Comm *c); /* returns when all ranks have called it; ST_PEER */

#endif
