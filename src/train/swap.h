/* Puts a folder in the place of another so that a kill at any moment leaves one of the two whole:
 *
 *     ... write RUN/.tmp-model ...
 *     TRY(swap_in("RUN", ".tmp-model", "model"));
 *
 * The two are exchanged in one act of the file system (renameat2).  Where that is not to be had, the old one
 * is renamed to .old-model first; a kill right then is mended by swap_recover. */
#ifndef TRAIN_SWAP_H
#define TRAIN_SWAP_H

#include "base/status.h"

/* `made` becomes `name`, both in `parent`.  What was there is gone only after the new one is in place.
 *   ST_IO  cannot be renamed or synced; `name` is the old one or the new one */
MUST_CHECK Status swap_in(const char *parent, const char *made, const char *name);

/* The way of file systems that cannot exchange; public for its test. */
MUST_CHECK Status swap_by_renames(const char *parent, const char *made, const char *name);

/* Cleans up behind a killed process, for all names that begin with `prefix`: .old-NAME becomes NAME where
 * that is missing, and what is then left of .old-NAME and .tmp-NAME is removed.  Nobody else may be writing
 * there.  A missing `parent` is fine. */
MUST_CHECK Status swap_recover(const char *parent, const char *prefix);

#endif
