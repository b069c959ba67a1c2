/* Examples of a prepared set as text, with the tokens that are learned marked. */
#ifndef CORPUS_INSTRUCT_INSPECT_H
#define CORPUS_INSTRUCT_INSPECT_H

#include <stdbool.h>

#include "base/array.h"
#include "base/str.h"

/* Text of one example, all of which is learned, or nothing. */
typedef struct {
    size_t at, n; /* bytes of `text` */
    bool learned;
} InstructStretch;
typedef struct {
    int64_t number; /* in the order in which they are trained on, from 1 */
    const char *source;
    bool code; /* the source's kind */
    int64_t tokens, learned;
    Str text;
    Array(InstructStretch) stretches; /* in order, all of the text */
} InstructSeen;

/* Gives `see` the examples of the split to train on, in the order in which they are trained on, until it
 * returns false; of each source no more than `each` (0: all), and none of a source that first appears behind
 * a million rows.  What is seen is valid during the call.  Failures of shards_open and tokenizer_open. */
MUST_CHECK Status instruct_look(const char *folder, int64_t each,
                                bool (*see)(void *context, const InstructSeen *example), void *context);

#endif
