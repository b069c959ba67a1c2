/* The table of rotations that the operation `rope` reads: one home for training and inference. */
#ifndef MODEL_ROTATIONS_H
#define MODEL_ROTATIONS_H

#include "model/hparams.h"

/* table[positions, D]: D/2 cosines, then D/2 sines of each position's angles.  Frequencies are rope_theta's,
 * stretched as h->rope_scaling says. */
void rotations_fill(float *table, const HParams *h, int64_t positions);

/* Radians a position by which pair i of a head's D/2 turns. */
double rotations_frequency(const HParams *h, int64_t i);

#endif
