/* The order in which rows of data are seen: a permutation of [0, n) for every (seed, epoch), computed for one
 * index at a time.  Nothing is stored, so a run that goes on after a kill needs only its step number, and
 * ranks need no exchange.
 *
 * A Feistel network over the next even power of two, stepped until it lands inside [0, n) (cycle walking): on
 * average fewer than four times.  Luby & Rackoff 1988, doi:10.1137/0217022; Black & Rogaway 2002,
 * doi:10.1007/3-540-45760-7_9, method 2.  The round function is a 64-bit mixer: enough for shuffling, none
 * for secrets. */
#ifndef TRAIN_ORDER_H
#define TRAIN_ORDER_H

#include <stdint.h>

/* Where index i of the epoch goes; 0 <= i < n. */
int64_t order_at(uint64_t seed, int64_t epoch, int64_t n, int64_t i);

#endif
