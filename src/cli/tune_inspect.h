/* What somebody looks at before they train: examples of a prepared set, with the tokens that are learned
 * marked. */
#ifndef CLI_TUNE_INSPECT_H
#define CLI_TUNE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* Writes the first n of them.  Learned text is green on a terminal, which no example then governs, else between
 * U+27E6 and U+27E7.  Failures of instruct_look. */
MUST_CHECK Status tune_inspect(FILE *out, const char *folder, int64_t n, bool terminal);

#endif
