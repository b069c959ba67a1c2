/* The episodes of a run of `lemur eval`: its files transcripts_BENCHMARK.jsonl (docs/formats/eval-run.md). */
#ifndef STUDY_TRANSCRIPTS_H
#define STUDY_TRANSCRIPTS_H

#include <jansson.h>

#include "base/status.h"

/* Gives each line to `take`, file after file by their names; a cut last line is none.
 *   ST_IO      there is no such folder, not one episode in it, or a file that cannot be read
 *   ST_FORMAT  a line in the middle is no object: counting on without it would tell of other episodes */
MUST_CHECK Status transcripts_read(const char *folder,
                                   void (*take)(void *context, const char *benchmark, json_t *line),
                                   void *context);

#endif
