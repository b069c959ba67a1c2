/* What a compressor makes of bytes: what a model's bits per byte stand beside.
 *
 *     Squeeze *s;
 *     TRY(squeeze_open(&s, SQUEEZE_XZ));
 *     TRY(squeeze_add(s, text));                     as often as there are pieces
 *     int64_t size;
 *     TRY(squeeze_close(&size, s));                  the same as `xz -9 | wc -c` of all of them */
#ifndef STUDY_SQUEEZE_H
#define STUDY_SQUEEZE_H

#include "base/str.h"

/* xz -9 (700 MB of memory) and zstd -19. */
typedef enum { SQUEEZE_XZ, SQUEEZE_ZSTD, SQUEEZES } SqueezeKind;
extern const char *const squeeze_names[SQUEEZES];

typedef struct Squeeze Squeeze;

/* ST_UNSUPPORTED: this machine's libarchive has not that compressor.  *out is set on ST_OK only. */
MUST_CHECK Status squeeze_open(Squeeze **out, SqueezeKind kind);
MUST_CHECK Status squeeze_add(Squeeze *s, Span bytes);
/* Frees s in any case; *size NULL: not wanted. */
MUST_CHECK Status squeeze_close(int64_t *size, Squeeze *s);

#endif
