/* Finds the steps whose loss or gradient norm stands out from the last ones: z = (x - mean) / deviation over
 * a window of earlier values.  The idea is llm.c's outlier detector.  Everything is computed anew from the
 * window, which is saved with a checkpoint, so that a resumed run judges as an undisturbed one does. */
#ifndef TRAIN_SPIKE_H
#define TRAIN_SPIKE_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

enum { SPIKE_WINDOW_MAX = 1024, SPIKE_LEAST = 16 }; /* LEAST: values before anything stands out */

typedef struct {
    double values[SPIKE_WINDOW_MAX];
    int64_t window, n, next; /* length; values held; where the next one goes */
} Spike;

void spike_init(Spike *s, int64_t window); /* 1 <= window <= SPIKE_WINDOW_MAX */
/* z of x, which is finite, against the values before it, which x then joins; 0 while they are few, or all
 * equal. */
double spike_add(Spike *s, double x);

json_t *spike_to_json(const Spike *s); /* new reference: values, the oldest first */
MUST_CHECK Status spike_from_json(Spike *s, const json_t *values); /* into an initialised one; ST_FORMAT */

#endif
