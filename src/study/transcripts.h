/* The episodes of a run of `lemur eval`: its files transcripts_BENCHMARK.jsonl (docs/formats/eval-run.md). */
#ifndef STUDY_TRANSCRIPTS_H
#define STUDY_TRANSCRIPTS_H

#include <jansson.h>

#include "base/status.h"

/* Gives each line that is an object to `take`, file after file by their names; a cut last line is none.
 * ST_IO: there is no such folder, or not one episode in it. */
MUST_CHECK Status transcripts_read(const char *folder,
                                   void (*take)(void *context, const char *benchmark, json_t *line),
                                   void *context);

#endif
