/* How the files of this folder make a Tokenizer from bytes in memory.  Not for other folders. */
#ifndef TOKENIZER_OPEN_H
#define TOKENIZER_OPEN_H

#include "tokenizer/tokenizer.h"

/* From the bytes of a tokenizer.json or tokenizer.model and, where not NULL, of a tokenizer_config.json (else
 * the one in `folder`, else none).  Keeps *bytes and *config: they are empty afterwards, also where it fails
 * half-way. */
MUST_CHECK Status tokenizer_open_bytes(Tokenizer **out, Str *bytes, const char *folder, Str *config);

#endif
