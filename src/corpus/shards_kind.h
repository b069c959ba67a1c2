/* What the manifest of a folder of shards is: shards_write.c says it, shards.c and pack.c read by it. */
#ifndef CORPUS_SHARDS_KIND_H
#define CORPUS_SHARDS_KIND_H

#include "corpus/manifest.h"

extern const ManifestKind shards_kind;

#endif
