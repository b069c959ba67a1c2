/* log.jsonl: one object per line, the numbers of one training step or one event, units in the keys.  Written
 * straight to the file, so that a killed run keeps all but its last line; a resumed run cuts off what came
 * after its checkpoint.
 *
 *     runlog_begin(&log, 120);  runlog_real(&log, "loss_nats", loss);  TRY(runlog_end(&log));
 *     {"step":120,"loss_nats":3.412}
 *
 * What has no JSON form (NaN, infinity) is written as null.  Keys are the caller's literals; text is escaped.
 */
#ifndef TRAIN_RUNLOG_H
#define TRAIN_RUNLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

typedef struct {
    FILE *f;
    char *path;
    Str line; /* kept between records */
} RunLog;

/* Opens for appending.  keep_through >= 0: first drops every line from the first one that is of a later step
 * or is no JSON object (a line cut by a kill).  keep_through -1: starts empty.  ST_IO. */
MUST_CHECK Status runlog_open(RunLog *l, const char *path, int64_t keep_through);
void runlog_close(RunLog *l);

void runlog_begin(RunLog *l, int64_t step);
void runlog_int(RunLog *l, const char *key, int64_t v);
void runlog_real(RunLog *l, const char *key, double v);
void runlog_text(RunLog *l, const char *key, const char *v); /* not UTF-8: bytes become U+FFFD */
void runlog_push(RunLog *l, const char *key); /* opens an object inside; the key may be any text */
void runlog_pop(RunLog *l);
MUST_CHECK Status runlog_end(RunLog *l); /* ST_IO: disk full, ...; the next record starts afresh */

MUST_CHECK Status runlog_sync(RunLog *l); /* to the disk */

#endif
