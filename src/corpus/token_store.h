/* The tokens of one source between the two passes of packing: a file of ids and one of where documents lie
 * in it, both in a folder that is removed afterwards.  Written in order, then read anywhere.
 *
 * Reading sees a stream: the documents in an order of their own for every repetition, one behind the other
 * without end as far as token_store_order was asked to go.  A row is a stretch of the stream.
 *
 * Disk: 2 or 4 bytes a token, 16 bytes a document, 16 more per document and repetition.  Memory: at most
 * 64 kB. */
#ifndef CORPUS_TOKEN_STORE_H
#define CORPUS_TOKEN_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct TokenStore TokenStore;

/* path is the stem of its files.  id_bytes: 2 or 4. */
MUST_CHECK Status token_store_create(TokenStore **out, const char *path, int id_bytes);
void token_store_close(TokenStore *s); /* the files stay */

/* Adds a document of n > 0 ids.  `extra` is a number kept with it. */
MUST_CHECK Status token_store_add(TokenStore *s, const int32_t *ids, int64_t n, int32_t extra);
int64_t token_store_tokens(const TokenStore *s);
int64_t token_store_documents(const TokenStore *s);

MUST_CHECK Status token_store_end(TokenStore *s); /* of writing.  ST_IO */

/* Lays the stream out, `tokens` long: documents shuffled anew by (seed, stream + repetition) each time
 * round, or in their own order where `shuffled` is false.  Once.  ST_IO. */
MUST_CHECK Status token_store_order(TokenStore *s, int64_t tokens, bool shuffled, uint64_t seed,
                                    uint64_t stream);

/* Where a document begins in a row, and its number. */
typedef struct {
    uint32_t start;
    int32_t extra;
} TokenStart;

/* Reads ids[n] from `at` of the stream.  starts[n] receives where documents begin among them, *starts_n
 * how many: a document that began before `at` is none.  Any number of threads may read at once.  ST_IO. */
MUST_CHECK Status token_store_read(const TokenStore *s, int64_t at, int32_t *ids, int64_t n,
                                   TokenStart *starts, int64_t *starts_n);

#endif
