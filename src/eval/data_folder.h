/* Files of benchmarks below the folder that --data names. */
#ifndef EVAL_DATA_FOLDER_H
#define EVAL_DATA_FOLDER_H

#include "base/str.h"

/* The path of a file below the data folder; caller frees.  ST_IO: not there, and the sentence says how it is
 * got; *out is NULL. */
MUST_CHECK Status data_find(char **out, const char *data, const char *file);
/* Appends a whole text file below the data folder; UTF-8, at most 16 MB.
 *   ST_IO      as of data_find, or not to be read
 *   ST_FORMAT  no UTF-8, or empty      ST_LIMIT  too large */
MUST_CHECK Status data_text(Str *out, const char *data, const char *file);

#endif
