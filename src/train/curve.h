/* The loss curve of a run as text, for terminals and logs.
 *
 *   5.2 |*
 *       | *
 *   3.9 |  **o
 *       |     ***o****
 *   2.6 |____________o____
 *        0             400 steps
 */
#ifndef TRAIN_CURVE_H
#define TRAIN_CURVE_H

#include "base/str.h"

/* Reads RUN/log.jsonl and appends the plot to `out`: '*' the mean training loss of each column's steps, 'o'
 * held-out losses, both in nats a token.  ST_IO no log   ST_FORMAT a log without a step */
MUST_CHECK Status curve_plot(Str *out, const char *run_folder, int width, int height);

#endif
