/* A set of 128-bit sums (XXH3 of whole texts): which texts were seen.
 *
 * The table lies in a file without a name in the given folder, mapped: what memory cannot hold the kernel
 * writes out, so millions of documents cost disk, not memory.  21 to 43 bytes a document: 16 a slot, at
 * most three quarters full. */
#ifndef CORPUS_DEDUP_H
#define CORPUS_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct Dedup Dedup;

MUST_CHECK Status dedup_open(Dedup **out, const char *folder); /* ST_IO */
void dedup_close(Dedup *d);

/* Adds a sum; *seen says whether it was there.  ST_IO: the disk has no room for a larger table. */
MUST_CHECK Status dedup_add(Dedup *d, uint64_t high, uint64_t low, bool *seen);

#endif
