/* JSON in files: read with a sentence that names the file and the line, written so that every number comes
 * back. */
#ifndef BASE_JSON_FILE_H
#define BASE_JSON_FILE_H

#include <jansson.h>

#include "base/status.h"
#include "base/str.h"

/* The object or array in a file of at most 16 MB; the caller's reference.  *out stays as it is on failure.
 *   ST_IO  cannot be read   ST_LIMIT  too large   ST_FORMAT  no JSON, or a key given twice */
MUST_CHECK Status json_file_read(json_t **out, const char *path);

/* An object or array, durable and indented; numbers with as few digits as bring them back: 1e-5 and not
 * 1.0000000000000001e-5.  ST_IO, ST_ARG (neither object nor array). */
MUST_CHECK Status json_file_write(const char *path, const json_t *value);

/* json_loadb, but that an integer beyond 64 bits becomes the nearest double; *widened: there was one. */
json_t *json_load_wide(Span text, size_t flags, bool *widened, json_error_t *error);
/* The same for lines as others publish them: NaN and Infinity, which JSON has not and Python writes, are
 * null. */
json_t *json_load_lenient(Span text, size_t flags, json_error_t *error);

/* A string; JSON text is UTF-8, and what is none in `text` becomes U+FFFD.  The caller's reference. */
json_t *json_text(Span text);
/* A hash as a string of sixteen hexadecimal digits: not every reader of JSON has whole numbers of 64 bits. */
json_t *json_hex(uint64_t hash);

#endif
