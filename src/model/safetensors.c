/* Reading.  Everything in the header is checked before an entry exists, so that later code may trust an
 * entry's data, shape and count. */
#include "model/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"

enum { HEADER_LIMIT = 100 * 1000 * 1000, INDEX_LIMIT = 64 << 20, NDIM_LIMIT = 4 };

struct Safetensors {
    Array(FileMap) files;
    Array(SafetensorsEntry) entries;
    Map *by_name;     /* name -> index into entries */
    json_t *metadata; /* of the first file that has one */
};

typedef struct {
    const char *text;
    size_t size;
    DType dtype;
} FileType;

/* safetensors/src/tensor.rs, enum Dtype; the types of less than a byte are left out. */
static const FileType file_types[] = {
    {"F32", 4, DTYPE_F32},       {"BF16", 2, DTYPE_BF16},     {"F16", 2, DTYPE_F16},   {"F64", 8, DTYPE_F64},
    {"I32", 4, DTYPE_I32},       {"I64", 8, DTYPE_COUNT},     {"I16", 2, DTYPE_COUNT}, {"I8", 1, DTYPE_COUNT},
    {"U64", 8, DTYPE_COUNT},     {"U32", 4, DTYPE_COUNT},     {"U16", 2, DTYPE_COUNT}, {"U8", 1, DTYPE_COUNT},
    {"F8_E4M3", 1, DTYPE_COUNT}, {"F8_E5M2", 1, DTYPE_COUNT}, {"F8_E8M0", 1, DTYPE_COUNT},
    {"BOOL", 1, DTYPE_COUNT},    {"C64", 8, DTYPE_COUNT},
};

static const FileType *find_type(const char *text)
{
    for (size_t i = 0; i < sizeof file_types / sizeof file_types[0]; i++)
        if (strcmp(file_types[i].text, text) == 0)
            return &file_types[i];
    return NULL;
}

/* A tensor's place in the data part, for the check that the tensors cover it exactly. */
typedef struct {
    uint64_t begin, end;
    const char *name;
} Extent;
typedef Array(Extent) Extents;

static int by_place(const void *a, const void *b)
{
    const Extent *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static Status check_cover(Extents *extents, uint64_t data_bytes)
{
    uint64_t at = 0;
    if (extents->n)
        qsort(extents->at, extents->n, sizeof *extents->at, by_place);
    for (size_t i = 0; i < extents->n; i++) {
        const Extent *e = &extents->at[i];
        if (e->begin != at)
            return fail(ST_FORMAT, "tensor %.200s starts at byte %llu, %s", e->name,
                        (unsigned long long)e->begin,
                        e->begin < at ? "inside another" : "with a hole before it");
        at = e->end;
    }
    if (at != data_bytes)
        return fail(ST_FORMAT, "the tensors take %llu bytes and the file holds %llu; it is %s",
                    (unsigned long long)at, (unsigned long long)data_bytes,
                    at > data_bytes ? "cut short" : "longer than it should be");
    return ST_OK;
}

static Status read_shape(SafetensorsEntry *e, const json_t *shape)
{
    if (!json_is_array(shape))
        return fail(ST_FORMAT, "it has no \"shape\"");
    if (json_array_size(shape) > NDIM_LIMIT)
        return fail(ST_UNSUPPORTED, "it has %zu dimensions, more than the %d read here",
                    json_array_size(shape), NDIM_LIMIT);
    e->ndim = (int)json_array_size(shape);
    e->count = 1;
    for (int i = 0; i < e->ndim; i++) {
        const json_t *v = json_array_get(shape, (size_t)i);
        e->shape[i] = json_integer_value(v);
        if (!json_is_integer(v) || e->shape[i] < 0)
            return fail(ST_FORMAT, "a dimension of its shape is not a count");
        if (__builtin_mul_overflow(e->count, e->shape[i], &e->count))
            return fail(ST_FORMAT, "the product of its shape overflows");
    }
    return ST_OK;
}

static Status read_offsets(Extent *x, const json_t *offsets)
{
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !json_is_integer(begin) ||
        !json_is_integer(end))
        return fail(ST_FORMAT, "its \"data_offsets\" are not two whole numbers");
    if (json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return fail(ST_FORMAT, "its \"data_offsets\" are negative or end before they begin");
    x->begin = (uint64_t)json_integer_value(begin);
    x->end = (uint64_t)json_integer_value(end);
    return ST_OK;
}

static Status read_entry(SafetensorsEntry *e, Extent *x, const json_t *info, const unsigned char *data,
                         uint64_t data_bytes)
{
    const char *text = json_string_value(json_object_get(info, "dtype"));
    if (!text)
        return fail(ST_FORMAT, "it has no \"dtype\"");
    const FileType *type = find_type(text);
    if (!type)
        return fail(ST_UNSUPPORTED, "its element type \"%.40s\" is not known here", text);
    e->dtype = type->dtype;
    e->dtype_text = type->text;
    TRY(read_shape(e, json_object_get(info, "shape")));
    TRY(read_offsets(x, json_object_get(info, "data_offsets")));
    if (x->end > data_bytes)
        return fail(ST_FORMAT,
                    "it ends at byte %llu of %llu: the file is cut short or damaged; fetch it again",
                    (unsigned long long)x->end, (unsigned long long)data_bytes);
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)e->count, type->size, &bytes) || bytes != x->end - x->begin)
        return fail(ST_FORMAT, "its shape asks for %lld elements of %zu bytes and it takes %llu bytes",
                    (long long)e->count, type->size, (unsigned long long)(x->end - x->begin));
    e->data = data ? data + x->begin : NULL;
    return ST_OK;
}

static Status add_entry(Safetensors *s, SafetensorsEntry e, const char *name, Extents *extents, Extent x)
{
    size_t n = strlen(name);
    if (map_find(s->by_name, name, n))
        return fail(ST_FORMAT, "tensor %.200s is in more than one file", name);
    *map_put(s->by_name, name, n) = (int64_t)s->entries.n;
    e.name = mem_str(name);
    array_push(&s->entries, e);
    x.name = e.name;
    array_push(extents, x);
    return ST_OK;
}

static Status read_metadata(Safetensors *s, json_t *metadata)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return fail(ST_FORMAT, "\"__metadata__\" is not an object");
    json_object_foreach(metadata, key, value)
        if (!json_is_string(value))
            return fail(ST_FORMAT, "\"__metadata__\": \"%.80s\" is not text", key);
    if (!s->metadata)
        s->metadata = json_incref(metadata);
    return ST_OK;
}

static Status read_entries(Safetensors *s, json_t *header, Extents *extents, const unsigned char *data,
                           uint64_t bytes)
{
    const char *name;
    json_t *info;
    json_object_foreach(header, name, info)
    {
        if (strcmp(name, "__metadata__") == 0) {
            TRY(read_metadata(s, info));
            continue;
        }
        SafetensorsEntry e = {0};
        Extent x = {0};
        Status st = json_is_object(info) ? read_entry(&e, &x, info, data, bytes)
                                         : fail(ST_FORMAT, "it is not an object");
        if (st != ST_OK)
            return fail_in(st, "tensor %.200s", name);
        TRY(add_entry(s, e, name, extents, x));
    }
    return check_cover(extents, bytes);
}

static Status read_header(Safetensors *s, const FileMap *map)
{
    Cursor c = cursor_over(map->at, map->n);
    uint64_t length = cursor_u64(&c);
    if (c.bad)
        return fail(ST_FORMAT, "it has %zu bytes, too few for a safetensors file", map->n);
    if (length > HEADER_LIMIT || length > cursor_left(&c))
        return fail(ST_FORMAT,
                    "its header claims %llu bytes and %zu follow: it is cut short, or no safetensors file",
                    (unsigned long long)length, cursor_left(&c));
    json_error_t error;
    Span text = cursor_bytes(&c, length);
    json_t *header = json_loadb(text.n ? text.at : "", text.n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(header)) {
        Status st = header ? fail(ST_FORMAT, "its header is not a JSON object")
                           : fail(ST_FORMAT, "its header, character %d: %s", error.position, error.text);
        json_decref(header);
        return st;
    }
    Extents extents = {0};
    Status st = read_entries(s, header, &extents, c.at, cursor_left(&c));
    array_drop(&extents);
    json_decref(header);
    return st;
}

static Status add_file(Safetensors *s, const char *path)
{
    FileMap map;
    TRY(file_map(&map, path));
    array_push(&s->files, map);
    Status st = read_header(s, &map);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

static Safetensors *make_empty(void)
{
    Safetensors *s = mem_new(Safetensors);
    s->by_name = map_new();
    return s;
}

Status safetensors_open(Safetensors **out, const char *path)
{
    Safetensors *s = make_empty();
    Status st = add_file(s, path);
    if (st != ST_OK) {
        safetensors_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

/* Folders. ----------------------------------------------------------------------------------------------- */

/* A shard lies in the index's own folder, whatever the index says. */
static bool is_plain_name(const char *name)
{
    return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < 256;
}

static Status open_shards(Safetensors *s, const char *folder, const json_t *index)
{
    json_t *weight_map = json_object_get(index, "weight_map"), *value;
    const char *name;
    if (!json_is_object(weight_map))
        return fail(ST_FORMAT, "it has no \"weight_map\"");
    Map *opened = map_new();
    Status st = ST_OK;
    json_object_foreach(weight_map, name, value)
    {
        const char *file = json_string_value(value);
        if (!file || !is_plain_name(file))
            st = fail(ST_FORMAT, "tensor %.200s: its file is not named by a plain file name", name);
        else if (!map_find(opened, file, strlen(file))) {
            *map_put(opened, file, strlen(file)) = 1;
            char *path = path_join(folder, file);
            st = add_file(s, path);
            mem_free(path);
        }
        if (st == ST_OK && !map_find(s->by_name, name, strlen(name)))
            st = fail(ST_FORMAT, "tensor %.200s is not in %.200s", name, file);
        if (st != ST_OK)
            break;
    }
    map_free(opened);
    return st;
}

static Status add_index(Safetensors *s, const char *folder, const char *path)
{
    Str text = {0};
    json_t *index = NULL;
    json_error_t error;
    Status st = file_read(&text, path, INDEX_LIMIT);
    if (st == ST_OK && !(index = json_loadb(str_c(&text), text.n, JSON_REJECT_DUPLICATES, &error)))
        st = fail(ST_FORMAT, "line %d: %s", error.line, error.text);
    if (st == ST_OK)
        st = open_shards(s, folder, index);
    json_decref(index);
    str_drop(&text);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

static Status refuse_folder(const char *folder)
{
    char *pickle = path_join(folder, "pytorch_model.bin");
    char *shards = path_join(folder, "pytorch_model.bin.index.json");
    bool old = path_exists(pickle) || path_exists(shards);
    mem_free(pickle);
    mem_free(shards);
    if (old)
        return fail(ST_UNSUPPORTED,
                    "%s holds weights as pytorch_model.bin, which is not read here because loading one runs "
                                    "code from it; save the model as safetensors", folder);
    return fail(ST_IO,
                "%s holds neither model.safetensors nor model.safetensors.index.json; is it a model folder?",
                folder);
}

Status safetensors_open_folder(Safetensors **out, const char *folder)
{
    char *one = path_join(folder, "model.safetensors");
    char *index = path_join(folder, "model.safetensors.index.json");
    Safetensors *s = make_empty();
    Status st;
    if (path_exists(one))
        st = add_file(s, one);
    else if (path_exists(index))
        st = add_index(s, folder, index);
    else
        st = refuse_folder(folder);
    mem_free(one);
    mem_free(index);
    if (st != ST_OK) {
        safetensors_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void safetensors_close(Safetensors *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->entries.n; i++)
        mem_free((char *)(uintptr_t)s->entries.at[i].name);
    for (size_t i = 0; i < s->files.n; i++)
        file_unmap(&s->files.at[i]);
    array_drop(&s->entries);
    array_drop(&s->files);
    map_free(s->by_name);
    json_decref(s->metadata);
    mem_free(s);
}

int64_t safetensors_count(const Safetensors *s)
{
    return (int64_t)s->entries.n;
}

const SafetensorsEntry *safetensors_at(const Safetensors *s, int64_t i)
{
    return &s->entries.at[i];
}

const SafetensorsEntry *safetensors_find(const Safetensors *s, const char *name)
{
    const int64_t *i = map_find(s->by_name, name, strlen(name));
    return i ? &s->entries.at[*i] : NULL;
}

const char *safetensors_metadata(const Safetensors *s, const char *key)
{
    return json_string_value(json_object_get(s->metadata, key));
}
