/* What `wikipedia_search` asks, from the words of --wikipedia. */
#ifndef CLI_EVAL_WIKIPEDIA_H
#define CLI_EVAL_WIKIPEDIA_H

#include "env/wikipedia.h"

/* "live", "none" (*out is NULL), "recording:FILE", "record:FILE", else the file of an index.  `stopped` ends
 * searches.  Errors as of wikipedia_open_*. */
MUST_CHECK Status eval_wikipedia_open(Wikipedia **out, const char *words, bool (*stopped)(void *), void *context);

#endif
