/* What a run came to: for people its curve, and losses by kind and source; for programs an object. */
#ifndef TRAIN_SUMMARY_H
#define TRAIN_SUMMARY_H

#include <jansson.h>

#include "base/str.h"

/* Appends the loss curve and, where the run is complete (results.json), the table of held-out losses.
 *   ST_IO  the folder holds no run   ST_FORMAT  its files are damaged */
MUST_CHECK Status summary_text(Str *out, const char *run_folder);
/* results.json and `run`, its folder; of a run that is not complete `status` "not complete" and the last step
 * that its log has (docs/formats/run-folder.md).  Failures as above. */
MUST_CHECK Status summary_json(json_t **out, const char *run_folder);

#endif
