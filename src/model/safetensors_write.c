/* Writing.  The header is padded with spaces so that the data starts at a multiple of 64 bytes, and tensors
 * of wider elements come first, so that a reader that maps the file finds every element aligned. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/convert.h"
#include "model/safetensors.h"

enum { DATA_ALIGN = 64, CHUNK = 1 << 18 }; /* CHUNK: elements converted at a time */
static const int64_t SHARD_BYTES = 5000000000; /* what transformers' save_pretrained took for years */

static int64_t item_count(const SafetensorsItem *it)
{
    int64_t count = 1;
    check(it->ndim >= 0 && it->ndim <= 4);
    for (int i = 0; i < it->ndim; i++)
        check(it->shape[i] >= 0 && !__builtin_mul_overflow(count, it->shape[i], &count));
    return count;
}

static int64_t item_bytes(const SafetensorsItem *it)
{
    int64_t bytes;
    check(!__builtin_mul_overflow(item_count(it), (int64_t)dtype_size(it->dtype), &bytes));
    return bytes;
}

static const char *file_type(DType d)
{
    static const char *const names[DTYPE_COUNT] = {
        [DTYPE_F32] = "F32", [DTYPE_BF16] = "BF16", [DTYPE_F16] = "F16",
        [DTYPE_F64] = "F64", [DTYPE_I32] = "I32",
    };
    check(d < DTYPE_COUNT && names[d]);
    return names[d];
}

static json_t *metadata_json(const char *const *pairs)
{
    static const char *const standard[] = {"format", "pt", NULL};
    json_t *o = json_object();
    for (const char *const *p = pairs ? pairs : standard; p[0]; p += 2)
        check(json_object_set_new(o, p[0], json_string(p[1])) == 0); /* fails on text that is not UTF-8 */
    return o;
}

/* order[i]: which item comes i-th. */
static void header_text(Str *out, const SafetensorsItem *items, const int64_t *order, int64_t n,
                        const char *const *metadata)
{
    json_t *header = json_object();
    int64_t at = 0;
    json_object_set_new(header, "__metadata__", metadata_json(metadata));
    for (int64_t i = 0; i < n; i++) {
        const SafetensorsItem *it = &items[order[i]];
        json_t *shape = json_array();
        for (int d = 0; d < it->ndim; d++)
            json_array_append_new(shape, json_integer(it->shape[d]));
        int64_t end = at + item_bytes(it);
        check(!json_object_get(header, it->name));
        json_t *info = json_pack("{s:s, s:o, s:[I,I]}", "dtype", file_type(it->dtype), "shape", shape,
                                 "data_offsets", (json_int_t)at, (json_int_t)end);
        check(info && json_object_set_new(header, it->name, info) == 0);
        at = end;
    }
    char *text = json_dumps(header, JSON_COMPACT);
    str_adds(out, text);
    while ((8 + out->n) % DATA_ALIGN)
        str_addc(out, ' ');
    free(text);
    json_decref(header);
}

static Status write_item(FileWriter *w, const SafetensorsItem *it)
{
    int64_t count = item_count(it), lost = 0;
    DType from = it->read ? DTYPE_F32 : it->source_dtype;
    if (!it->read && it->dtype == from)
        return file_write(w, it->source, (size_t)count * dtype_size(it->dtype));
    size_t from_size = dtype_size(from), to_size = dtype_size(it->dtype);
    void *chunk = mem_array(char, (size_t)CHUNK * to_size);
    float *values = it->read ? mem_array(float, CHUNK) : NULL;
    Status st = ST_OK;
    for (int64_t at = 0; at < count && st == ST_OK; at += CHUNK) {
        int64_t n = count - at < CHUNK ? count - at : CHUNK;
        if (it->read)
            st = it->read(it->context, at, n, values);
        if (st != ST_OK)
            break;
        const void *source =
            it->read ? (const char *)values : (const char *)it->source + (size_t)at * from_size;
        lost += convert_floats(chunk, it->dtype, source, from, n);
        st = file_write(w, chunk, (size_t)n * to_size);
    }
    mem_free(values);
    mem_free(chunk);
    if (st == ST_OK && lost)
        st = fail(ST_LIMIT, "%lld values of tensor %s are too large for %s; write bf16 or f32 instead",
                  (long long)lost, it->name, dtype_name(it->dtype));
    return st;
}

/* The items by falling element size, otherwise as given. */
static int64_t *file_order(const SafetensorsItem *items, int64_t n)
{
    int64_t *order = mem_array(int64_t, n ? n : 1), placed = 0;
    for (size_t size = 8; size; size--)
        for (int64_t i = 0; i < n; i++)
            if (dtype_size(items[i].dtype) == size)
                order[placed++] = i;
    check(placed == n);
    return order;
}

Status safetensors_write(const char *path, const SafetensorsItem *items, int64_t n,
                         const char *const *metadata)
{
    FileWriter w;
    TRY(file_begin(&w, path));
    Str header = {0};
    int64_t *order = file_order(items, n);
    header_text(&header, items, order, n, metadata);
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)header.n >> (8 * i));
    Status st = file_write(&w, length, sizeof length);
    if (st == ST_OK)
        st = file_write(&w, header.at, header.n);
    for (int64_t i = 0; i < n && st == ST_OK; i++)
        st = write_item(&w, &items[order[i]]);
    mem_free(order);
    str_drop(&header);
    if (st == ST_OK)
        return file_commit(&w);
    file_abandon(&w);
    return st;
}

/* Folders. ----------------------------------------------------------------------------------------------- */

static void remove_in(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    unlink(path);
    mem_free(path);
}

/* first[i] .. first[i+1]: the items of shard i.  A tensor larger than a shard has one of its own. */
typedef Array(int64_t) Cuts;

static void cut_shards(Cuts *first, const SafetensorsItem *items, int64_t n, int64_t limit)
{
    int64_t used = 0;
    array_push(first, 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t bytes = item_bytes(&items[i]);
        if (used > 0 && bytes > limit - used) {
            array_push(first, i);
            used = 0;
        }
        used += bytes;
    }
    array_push(first, n);
}

static Status write_shards(const char *folder, const SafetensorsItem *items, const Cuts *first,
                           json_t *weight_map)
{
    size_t shards = first->n - 1;
    for (size_t s = 0; s < shards; s++) {
        int64_t from = first->at[s], count = first->at[s + 1] - from;
        char *name = mem_format("model-%05zu-of-%05zu.safetensors", s + 1, shards),
             *path = path_join(folder, name);
        Status st = safetensors_write(path, items + from, count, NULL);
        for (int64_t i = from; i < from + count; i++)
            json_object_set_new(weight_map, items[i].name, json_string(name));
        mem_free(path);
        mem_free(name);
        TRY(st);
    }
    return ST_OK;
}

/* The index goes away first and comes back last: a folder where this was interrupted is refused as a whole,
 * and never read as a mixture of old shards and new ones. */
static Status write_sharded(const char *folder, const SafetensorsItem *items, int64_t n, const Cuts *first)
{
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++)
        total += item_bytes(&items[i]);
    remove_in(folder, "model.safetensors.index.json");
    json_t *weight_map = json_object();
    Status st = write_shards(folder, items, first, weight_map);
    json_t *index =
        json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)total, "weight_map", weight_map);
    if (st == ST_OK) {
        char *text = json_dumps(index, JSON_INDENT(2) | JSON_SORT_KEYS);
        char *path = path_join(folder, "model.safetensors.index.json");
        st = file_replace(path, text, strlen(text));
        mem_free(path);
        free(text);
    }
    json_decref(index);
    if (st == ST_OK)
        remove_in(folder, "model.safetensors"); /* readers would prefer it */
    return st;
}

Status safetensors_write_folder(const char *folder, const SafetensorsItem *items, int64_t n,
                                int64_t shard_bytes)
{
    Cuts first = {0};
    cut_shards(&first, items, n, shard_bytes > 0 ? shard_bytes : SHARD_BYTES);
    Status st;
    if (first.n == 2) {
        char *path = path_join(folder, "model.safetensors");
        st = safetensors_write(path, items, n, NULL);
        mem_free(path);
        if (st == ST_OK)
            remove_in(folder, "model.safetensors.index.json");
    } else {
        st = write_sharded(folder, items, n, &first);
    }
    array_drop(&first);
    return st;
}
