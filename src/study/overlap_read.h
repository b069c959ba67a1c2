/* Tasks out of runs of `lemur eval`, and texts out of what models learn from, for overlap.h. */
#ifndef STUDY_OVERLAP_READ_H
#define STUDY_OVERLAP_READ_H

#include <jansson.h>

#include "study/overlap.h"

/* All tasks of samples_BENCHMARK.jsonl in a run's folder, as the set `name`.  The question is what the data
 * call so (query, question, prompt, ...); where they do not, the first message without the lines with which
 * all of them begin and end.
 *   ST_IO, ST_FORMAT  the file is not there, or damaged */
MUST_CHECK Status overlap_read_tasks(Overlap *o, const char *name, const char *folder, const char *benchmark);

/* What was read to search in. */
typedef struct {
    int64_t unread; /* files and records that could not be: nobody knows what stands there */
    bool cut;       /* there was more than `most` bytes */
} OverlapReading;

/* Searches the texts for training at `path`: the train part of a corpus; the rows of packed shards or of a
 * tuning run (RUN/data), as text again; else a file, a folder of files, or a pattern (base/glob.h), of which
 * every text in JSON is searched by itself.  No more than `most` bytes in all (0: no bound).  *reading is
 * added to.
 *   ST_ARG  no such file     ST_IO, ST_FORMAT  a corpus or shards that are damaged */
MUST_CHECK Status overlap_read_texts(Overlap *o, OverlapReading *reading, const char *path, int64_t most);

/* {"overlap": 1, "texts", "bytes", "unread", "cut", "sets": [{"name", "tasks", "short", "questions",
 *  "answers", "ngrams"}], "found": [{"set", "task", "question", "place"}]}; new reference. */
json_t *overlap_to_json(const Overlap *o, const OverlapReading *reading);
/* Tasks of a report's JSON whose question was found, over all sets. */
int64_t overlap_found(const json_t *overlap);

#endif
