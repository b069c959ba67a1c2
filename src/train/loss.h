/* Losses as numbers for people: nats a token and bits a byte, by source and by kind, over held-out rows. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include <signal.h>

#include "tensor/comm.h"
#include "train/loader.h"

typedef struct {
    double nats;
    int64_t tokens, bytes;
    bool has_bytes; /* every row in it said how many it stands for */
} LossSum;

/* NaN where there is nothing to divide by. */
double loss_per_token(const LossSum *s); /* nats */
double loss_bits_per_byte(const LossSum *s);

typedef struct {
    LossSum all, kind[2]; /* by ShardKind */
    LossSum *source;      /* [sources_n], of the split's sources */
    int32_t sources_n;
    double seconds;
} LossReport;

void loss_report_init(LossReport *r, const Loader *held_out);
void loss_report_drop(LossReport *r);

/* Sum over the counted positions of the batch that the model has just run; `buffer` holds batch * T
 * floats. */
MUST_CHECK Status loss_sum(Model *m, const LoaderBatch *b, float *buffer, double *nats);

/* Evaluates `rows` rows of the split (0: all), spread over it, shared among the ranks.  Overwrites r's
 * numbers.
 *   ST_CANCELLED  *stop (NULL: never) became non-zero on some rank; no rank has numbers, nothing is in r */
MUST_CHECK Status loss_evaluate(LossReport *r, Model *m, Loader *held_out, Comm *comm, int64_t rows,
                                const volatile sig_atomic_t *stop, float *buffer);

#endif
