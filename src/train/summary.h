/* What a run came to, for people: its curve, and losses by kind and source. */
#ifndef TRAIN_SUMMARY_H
#define TRAIN_SUMMARY_H

#include "base/str.h"

/* Appends the loss curve and, where the run is complete (results.json), the table of held-out losses.
 *   ST_IO  the folder holds no run   ST_FORMAT  its files are damaged */
MUST_CHECK Status summary_text(Str *out, const char *run_folder);

#endif
