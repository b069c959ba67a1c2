/* Examples of a prepared set as text, with the tokens that are learned marked: what somebody looks at before
 * they train. */
#ifndef CORPUS_INSTRUCT_INSPECT_H
#define CORPUS_INSTRUCT_INSPECT_H

#include "base/str.h"

/* Appends the first n examples of the split to train on, in the order in which they are trained on.  Learned
 * text is green on a terminal (colour), else between U+27E6 and U+27E7.  Failures of shards_open and
 * tokenizer_open. */
MUST_CHECK Status instruct_inspect(Str *out, const char *folder, int64_t n, bool colour);

#endif
