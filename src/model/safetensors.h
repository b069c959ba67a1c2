/* The safetensors format, read by mapping and written atomically, one file or sharded with an index.
 *
 *   u64 little-endian header length n | n bytes of JSON | tensor data
 *   JSON: {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, "__metadata__": {..}}
 *
 * A hostile file (header longer than the file or 100 MB, offsets outside or overlapping or that leave
 * holes, sizes that disagree with the shape, duplicate names) is ST_FORMAT.
 * https://github.com/huggingface/safetensors, format section. */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include <stdint.h>

#include "base/status.h"
#include "tensor/dtype.h"

typedef struct Safetensors Safetensors;

typedef struct {
    const char *name;
    DType dtype;            /* DTYPE_COUNT where the file's type, dtype_text, is none of ours */
    const char *dtype_text; /* as in the file: "BF16", "I64", ... */
    int ndim;
    int64_t shape[4];
    const void *data; /* mapped, read-only, maybe unaligned */
    int64_t count;    /* elements */
} SafetensorsEntry;

/* One .safetensors file. */
MUST_CHECK Status safetensors_open(Safetensors **out, const char *path);
/* A model folder: model.safetensors, or all files of model.safetensors.index.json. */
MUST_CHECK Status safetensors_open_folder(Safetensors **out, const char *folder);
void safetensors_close(Safetensors *s);
int64_t safetensors_count(const Safetensors *s);
const SafetensorsEntry *safetensors_at(const Safetensors *s, int64_t i);
const SafetensorsEntry *safetensors_find(const Safetensors *s, const char *name); /* NULL when absent */
const char *safetensors_metadata(const Safetensors *s, const char *key);          /* NULL when absent */

/* out[n] = elements first, first + 1, ... of an item whose source is no array.  A failure ends it. */
typedef Status SafetensorsRead(void *context, int64_t first, int64_t n, float *out);

/* What to write: shapes are given first, data comes when each is written, converted from `source` to
 * `dtype`. */
typedef struct {
    const char *name;
    DType dtype; /* in the file */
    int ndim;
    int64_t shape[4];
    DType source_dtype;
    const void *source; /* contiguous, host memory, borrowed until the write is done */
    SafetensorsRead *read; /* instead of it, where set: asked in order of `first` */
    void *context;
} SafetensorsItem;

/* Writes one file: temporary name, sync, rename.  `metadata` pairs are key, value, ..., NULL; NULL:
 * {"format":"pt"} alone.  ST_IO (disk full, ...): the old file, if any, stays as it was. */
MUST_CHECK Status safetensors_write(const char *path, const SafetensorsItem *items, int64_t n,
                                    const char *const *metadata);
/* Writes model.safetensors, or shards of at most `shard_bytes` (0: 5 GB) and their index, into a folder. */
MUST_CHECK Status safetensors_write_folder(const char *folder, const SafetensorsItem *items, int64_t n,
                                           int64_t shard_bytes);

#endif
