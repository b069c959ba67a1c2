/* A JSONL file whose last line is the conversation that is under way. */
#ifndef CLI_AGENT_TRANSCRIPT_H
#define CLI_AGENT_TRANSCRIPT_H

#include <jansson.h>

#include "base/str.h"

typedef struct {
    char *path;
    Str before; /* the file's lines in front of this conversation's */
    Str line;
    int64_t size;  /* of the file when it was last read or written; -1: none */
} AgentTranscript; /* {0}: none */

/* What is in the file stays.  ST_IO: cannot be read, or could not be written; ST_LIMIT: over 1 GB. */
MUST_CHECK Status agent_transcript_open(AgentTranscript *t, const char *path);
/* Puts the object in the place of this conversation's line, NULL: takes the line away, and writes the file
 * whole.  ST_IO, also where somebody else has written to the file meanwhile, whose lines would be lost. */
MUST_CHECK Status agent_transcript_write(AgentTranscript *t, const json_t *object);
/* Whether that is the file, by whatever path. */
bool agent_transcript_is(const AgentTranscript *t, const char *path);
/* Another conversation begins: the line stays. */
void agent_transcript_next(AgentTranscript *t);
void agent_transcript_drop(AgentTranscript *t);

#endif
