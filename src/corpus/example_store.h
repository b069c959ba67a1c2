/* Rendered examples between the two passes of preparing a tuning set: ids with their mask in a file of 4
 * bytes a token, and in memory 48 bytes an example.  Added in order, then read in any. */
#ifndef CORPUS_EXAMPLE_STORE_H
#define CORPUS_EXAMPLE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    uint64_t at;         /* of its first token in the file         */
    uint64_t draw;       /* decides on which side it falls         */
    uint32_t n, learned; /* tokens; those of them that are learned */
    uint32_t bytes;      /* of text that the learned ones stand for */
    uint32_t source;
    bool held_out, left_out; /* left_out: beyond the source's limit */
} StoredExample;

typedef struct ExampleStore ExampleStore;

MUST_CHECK Status example_store_create(ExampleStore **out, const char *path); /* ST_IO */
void example_store_close(ExampleStore *s);                                    /* the file stays */

/* Adds n ids and their mask; the rest of `about` is kept as it is. */
MUST_CHECK Status example_store_add(ExampleStore *s, const int32_t *ids, const uint8_t *mask, uint32_t n,
                                    const StoredExample *about);
MUST_CHECK Status example_store_end(ExampleStore *s); /* of adding; then reading begins.  ST_IO */

int64_t example_store_count(const ExampleStore *s);
StoredExample *example_store_at(ExampleStore *s, int64_t i); /* valid until the next one is added */
/* Copies an example's tokens; ids and mask have room for its n. */
void example_store_read(const ExampleStore *s, int64_t i, int32_t *ids, uint8_t *mask);

#endif
