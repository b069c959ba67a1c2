/* Reading.  Everything is checked here once, so that later code may trust a value's bytes and a tensor's
 * data. */
#include "model/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/check.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/map.h"

enum {
    KEY_MAX = 4096,
    NAME_MAX_BYTES = 1024,
    DIMS_MAX = 4,
    SPLIT_MAX = 1000,
    ALIGNMENT_MAX = 1 << 20,
    KEY_BYTES_LEAST = 8 + 4 + 1,
    TENSOR_BYTES_LEAST = 8 + 4 + 8 + 4 + 8 /* the least that one takes in a file */
};

struct Gguf {
    Array(FileMap) files;
    Array(GgufValue) values;
    Array(GgufTensor) tensors;
    Map *by_key, *by_name; /* -> index */
};

/* Types of tensors: the format's number, numbers a block, bytes a block.  ggml.h, enum ggml_type; sizes of
 * those that tensor/quant.h has are its affair. */
typedef struct {
    uint32_t id;
    const char *name;
    int64_t block;
    size_t bytes;
} FileType;

static const FileType file_types[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
    {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},      {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 40},
    {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},
    {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},   {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},
    {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},   {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
    {40, "NVFP4", 64, 36},    {41, "Q1_0", 128, 18},
};

static const FileType *find_type(uint32_t id)
{
    for (size_t i = 0; i < sizeof file_types / sizeof file_types[0]; i++)
        if (file_types[i].id == id)
            return &file_types[i];
    return NULL;
}

uint32_t gguf_type_id(QuantType t)
{
    for (size_t i = 0; i < sizeof file_types / sizeof file_types[0]; i++)
        if (strcmp(file_types[i].name, quant_name(t)) == 0)
            return file_types[i].id;
    check(0 && "a type with a number");
    return 0;
}

/* Bytes of an element of a key's value; 0 for text and arrays, whose size is their own. */
static const size_t value_bytes[GGUF_TYPES] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,   [GGUF_U16] = 2, [GGUF_I16] = 2, [GGUF_U32] = 4, [GGUF_I32] = 4,
    [GGUF_F32] = 4, [GGUF_BOOL] = 1, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

/* Opening. -------------------------------------------------------------------------------------------- */

static Status cut_short(void)
{
    return fail(ST_FORMAT, "it ends too soon: the file is cut short or damaged; fetch it again");
}

static Span read_text(Cursor *c)
{
    return cursor_bytes(c, cursor_u64(c));
}

/* How much of a name stands in a sentence. */
static int shown(Span s)
{
    return s.n < 80 ? (int)s.n : 80;
}

/* A name that can stand in a sentence and be a C string. */
static bool is_plain(Span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.at[i] < 32 || s.at[i] == 127)
            return false;
    return s.n > 0 && utf8_valid(s.at, s.n);
}

static Status read_elements(GgufValue *v, Cursor *c, uint64_t n)
{
    const unsigned char *start = c->at;
    if (v->type != GGUF_TEXT) {
        if (n > cursor_left(c) / value_bytes[v->type])
            return cut_short();
        cursor_skip(c, n * value_bytes[v->type]);
    } else {
        if (n > cursor_left(c) / 8)
            return cut_short();
        for (uint64_t i = 0; i < n && !c->bad; i++)
            read_text(c);
    }
    if (c->bad)
        return cut_short();
    v->n = (int64_t)n;
    v->at = start;
    v->bytes = (size_t)(c->at - start);
    return ST_OK;
}

static Status read_value(GgufValue *v, Cursor *c)
{
    uint64_t n = 1;
    uint32_t type = cursor_u32(c);
    v->array = type == GGUF_ARRAY;
    if (v->array) {
        type = cursor_u32(c);
        n = cursor_u64(c);
        if (type == GGUF_ARRAY)
            return fail(ST_UNSUPPORTED, "it is an array of arrays, which no model file needs");
    }
    if (c->bad)
        return cut_short();
    if (type >= GGUF_TYPES)
        return fail(ST_FORMAT, "its value has the unknown type %u", type);
    v->type = (GgufType)type;
    return read_elements(v, c, n);
}

static Status read_keys(Gguf *g, Cursor *c, uint64_t n, bool keep)
{
    Map *seen = map_new();
    Status st = ST_OK;
    for (uint64_t i = 0; i < n && st == ST_OK; i++) {
        GgufValue v = {.key = read_text(c)};
        if (c->bad)
            st = cut_short();
        else if (v.key.n > KEY_MAX || !is_plain(v.key))
            st = fail(ST_FORMAT, "key %llu has no name that can be read", (unsigned long long)i);
        else if (map_find(seen, v.key.at, v.key.n))
            st = fail(ST_FORMAT, "key %.*s comes twice", shown(v.key), v.key.at);
        else if ((st = read_value(&v, c)) != ST_OK)
            st = fail_in(st, "key %.*s", shown(v.key), v.key.at);
        else {
            *map_put(seen, v.key.at, v.key.n) = 1;
            if (keep) {
                *map_put(g->by_key, v.key.at, v.key.n) = (int64_t)g->values.n;
                array_push(&g->values, v);
            }
        }
    }
    map_free(seen);
    return st;
}

static Status read_shape(GgufTensor *t, Cursor *c)
{
    uint32_t ndim = cursor_u32(c);
    if (c->bad)
        return cut_short();
    if (ndim < 1 || ndim > DIMS_MAX)
        return fail(ST_FORMAT, "it has %u dimensions and not 1 to %d", ndim, DIMS_MAX);
    t->ndim = (int)ndim;
    t->count = 1;
    for (int i = 0; i < DIMS_MAX; i++) {
        uint64_t size = i < t->ndim ? cursor_u64(c) : 1;
        if (c->bad)
            return cut_short();
        if (size < 1 || size > INT64_MAX || __builtin_mul_overflow(t->count, (int64_t)size, &t->count))
            return fail(ST_FORMAT, "its dimension %d is %llu, which leaves it no possible size", i,
                        (unsigned long long)size);
        t->shape[i] = (int64_t)size;
    }
    return ST_OK;
}

static Status read_type(GgufTensor *t, Cursor *c)
{
    uint32_t id = cursor_u32(c);
    const FileType *type = find_type(id);
    if (c->bad)
        return cut_short();
    if (!type)
        return fail(ST_UNSUPPORTED,
                    "its type has the number %u, which is not known here; make the file anew with `lemur "
                    "convert` from "
                    "the original weights",
                    id);
    t->type_name = type->name;
    t->known = quant_find(&t->type, type->name);
    if (t->shape[0] % type->block != 0)
        return fail(ST_FORMAT, "its rows of %lld numbers are not whole blocks of %s", (long long)t->shape[0],
                    type->name);
    if (__builtin_mul_overflow((size_t)(t->count / type->block), type->bytes, &t->bytes))
        return fail(ST_FORMAT, "its size in bytes overflows");
    return ST_OK;
}

/* Its offset goes to *offset: where the data begin is known only behind the last tensor. */
static Status read_tensor(Gguf *g, Cursor *c, uint64_t i, uint64_t *offset)
{
    GgufTensor t = {0};
    Span name = read_text(c);
    if (c->bad)
        return cut_short();
    if (name.n > NAME_MAX_BYTES || !is_plain(name))
        return fail(ST_FORMAT, "tensor %llu has no name that can be read", (unsigned long long)i);
    if (map_find(g->by_name, name.at, name.n))
        return fail(ST_FORMAT, "tensor %.*s comes twice", shown(name), name.at);
    Status st = read_shape(&t, c);
    if (st == ST_OK)
        st = read_type(&t, c);
    *offset = cursor_u64(c);
    if (st == ST_OK && c->bad)
        st = cut_short();
    if (st != ST_OK)
        return fail_in(st, "tensor %.*s", shown(name), name.at);
    *map_put(g->by_name, name.at, name.n) = (int64_t)g->tensors.n;
    t.name = mem_strn(name.at, name.n);
    array_push(&g->tensors, t);
    return ST_OK;
}

typedef struct {
    uint64_t begin, end;
    const char *name;
} Extent;

static int by_place(const void *a, const void *b)
{
    const Extent *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static Status check_apart(Extent *extents, uint64_t n)
{
    if (n)
        qsort(extents, n, sizeof *extents, by_place);
    for (uint64_t i = 1; i < n; i++)
        if (extents[i].begin < extents[i - 1].end)
            return fail(ST_FORMAT, "tensors %.80s and %.80s overlap", extents[i - 1].name, extents[i].name);
    return ST_OK;
}

/* tensors.at[first ..] belong to this file; their data begin at `data`. */
static Status place_tensors(Gguf *g, size_t first, const uint64_t *offsets, const unsigned char *data,
                            uint64_t bytes, uint64_t alignment)
{
    uint64_t n = g->tensors.n - first;
    Extent *extents = mem_array(Extent, n + 1);
    Status st = ST_OK;
    for (uint64_t i = 0; i < n && st == ST_OK; i++) {
        GgufTensor *t = &g->tensors.at[first + i];
        if (offsets[i] % alignment != 0)
            st = fail(ST_FORMAT,
                      "tensor %.80s begins at byte %llu of the data, no multiple of the alignment %llu",
                      t->name, (unsigned long long)offsets[i], (unsigned long long)alignment);
        else if (offsets[i] > bytes || t->bytes > bytes - offsets[i])
            st = fail(ST_FORMAT,
                      "tensor %.80s takes %zu bytes from byte %llu of the data on, and there are %llu: the "
                      "file is cut "
                      "short or damaged; fetch it again",
                      t->name, t->bytes, (unsigned long long)offsets[i], (unsigned long long)bytes);
        else {
            t->data = data + offsets[i];
            extents[i] = (Extent){offsets[i], offsets[i] + t->bytes, t->name};
        }
    }
    if (st == ST_OK)
        st = check_apart(extents, n);
    mem_free(extents);
    return st;
}

/* Of all pieces: the first one's keys say it. */
static Status find_alignment(const Gguf *g, uint64_t *out)
{
    int64_t alignment;
    TRY(gguf_int(g, "general.alignment", GGUF_ALIGNMENT, &alignment));
    if (alignment < 1 || alignment > ALIGNMENT_MAX || (alignment & (alignment - 1)) != 0)
        return fail(ST_FORMAT, "general.alignment is %lld and must be a power of two up to %d",
                    (long long)alignment, ALIGNMENT_MAX);
    *out = (uint64_t)alignment;
    return ST_OK;
}

static Status read_tensors(Gguf *g, Cursor *c, const FileMap *map, uint64_t n)
{
    size_t first = g->tensors.n;
    uint64_t alignment = 0, *offsets = mem_array(uint64_t, n + 1);
    Status st = ST_OK;
    for (uint64_t i = 0; i < n && st == ST_OK; i++)
        st = read_tensor(g, c, i, &offsets[i]);
    if (st == ST_OK)
        st = find_alignment(g, &alignment);
    if (st == ST_OK && n) {
        uint64_t at = ((uint64_t)(c->at - map->at) + alignment - 1) / alignment * alignment;
        uint64_t begin = at < map->n ? at : map->n;
        st = place_tensors(g, first, offsets, map->at + begin, map->n - begin, alignment);
    }
    mem_free(offsets);
    return st;
}

static Status check_version(uint32_t version)
{
    if (version == 2 || version == 3)
        return ST_OK;
    if (version != 0 && (version & 0xFFFF) == 0)
        return fail(ST_UNSUPPORTED,
                    "it is a GGUF file in big-endian byte order; only little-endian ones are read here");
    if (version == 1)
        return fail(ST_UNSUPPORTED,
                    "it is a GGUF file of version 1, which nobody has written since 2023; only versions 2 "
                    "and 3 are read here: convert the original weights");
    return fail(ST_UNSUPPORTED, "it is a GGUF file of version %u; only versions 2 and 3 are read here",
                version);
}

static Status check_magic(Cursor *c)
{
    Span magic = cursor_bytes(c, 4);
    if (magic.n == 4 && memcmp(magic.at, "GGUF", 4) == 0)
        return ST_OK;
    if (magic.n == 4 && (memcmp(magic.at, "lmgg", 4) == 0 || memcmp(magic.at, "fmgg", 4) == 0 ||
                         memcmp(magic.at, "tjgg", 4) == 0))
        return fail(ST_UNSUPPORTED,
                    "it is a ggml file from before GGUF; convert the original weights instead");
    return fail(ST_FORMAT, "it does not begin with \"GGUF\": it is no GGUF file");
}

static Status read_file(Gguf *g, const FileMap *map)
{
    Cursor c = cursor_over(map->at, map->n);
    TRY(check_magic(&c));
    uint32_t version = cursor_u32(&c);
    if (c.bad)
        return cut_short();
    TRY(check_version(version));
    uint64_t tensors = cursor_u64(&c), keys = cursor_u64(&c);
    if (c.bad)
        return cut_short();
    if (keys > cursor_left(&c) / KEY_BYTES_LEAST || tensors > cursor_left(&c) / TENSOR_BYTES_LEAST)
        return fail(ST_FORMAT, "it claims %llu keys and %llu tensors, and has no room for them",
                    (unsigned long long)keys, (unsigned long long)tensors);
    TRY(read_keys(g, &c, keys, g->files.n == 1));
    return read_tensors(g, &c, map, tensors);
}

static Status add_file(Gguf *g, const char *path)
{
    FileMap map;
    TRY(file_map(&map, path));
    array_push(&g->files, map);
    Status st = read_file(g, &map);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

/* A model in pieces. ---------------------------------------------------------------------------------- */

static Status add_pieces(Gguf *g, const char *path)
{
    int64_t number, count, tensors;
    TRY(gguf_int(g, "split.count", 1, &count));
    TRY(gguf_int(g, "split.no", 0, &number));
    if (count <= 1)
        return ST_OK;
    if (count > SPLIT_MAX)
        return fail(ST_FORMAT, "split.count is %lld, more than any model needs", (long long)count);
    char ending[32];
    snprintf(ending, sizeof ending, "-%05d-of-%05d.gguf", (int)number + 1, (int)count);
    if (number != 0 || !span_ends(span(path), ending))
        return fail(
            number != 0 ? ST_ARG : ST_FORMAT,
            "it is piece %lld of %lld of a model; name the first one, which ends in -00001-of-%05d.gguf",
            (long long)number + 1, (long long)count, (int)count);
    for (int i = 2; i <= count; i++) {
        char *other =
            mem_format("%.*s-%05d-of-%05d.gguf", (int)(strlen(path) - strlen(ending)), path, i, (int)count);
        Status st = add_file(g, other);
        mem_free(other);
        TRY(st);
    }
    TRY(gguf_int(g, "split.tensors.count", (int64_t)g->tensors.n, &tensors));
    if (tensors != (int64_t)g->tensors.n)
        return fail(ST_FORMAT, "its %lld pieces hold %zu tensors and should hold %lld", (long long)count,
                    g->tensors.n, (long long)tensors);
    return ST_OK;
}

Status gguf_open(Gguf **out, const char *path)
{
    Gguf *g = mem_new(Gguf);
    g->by_key = map_new();
    g->by_name = map_new();
    Status st = add_file(g, path);
    if (st == ST_OK) {
        st = add_pieces(g, path);
        st = st == ST_OK ? st : fail_in(st, "%s", path);
    }
    if (st != ST_OK) {
        gguf_close(g);
        return st;
    }
    *out = g;
    return ST_OK;
}

void gguf_close(Gguf *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->tensors.n; i++)
        mem_free((char *)(uintptr_t)g->tensors.at[i].name);
    for (size_t i = 0; i < g->files.n; i++)
        file_unmap(&g->files.at[i]);
    array_drop(&g->files);
    array_drop(&g->values);
    array_drop(&g->tensors);
    map_free(g->by_key);
    map_free(g->by_name);
    mem_free(g);
}

/* Looking up. ----------------------------------------------------------------------------------------- */

int64_t gguf_count(const Gguf *g)
{
    return (int64_t)g->values.n;
}

const GgufValue *gguf_at(const Gguf *g, int64_t i)
{
    check(i >= 0 && i < gguf_count(g));
    return &g->values.at[i];
}

const GgufValue *gguf_find(const Gguf *g, const char *key)
{
    const int64_t *i = map_find(g->by_key, key, strlen(key));
    return i ? &g->values.at[*i] : NULL;
}

int64_t gguf_tensor_count(const Gguf *g)
{
    return (int64_t)g->tensors.n;
}

const GgufTensor *gguf_tensor_at(const Gguf *g, int64_t i)
{
    check(i >= 0 && i < gguf_tensor_count(g));
    return &g->tensors.at[i];
}

const GgufTensor *gguf_tensor_find(const Gguf *g, const char *name)
{
    const int64_t *i = map_find(g->by_name, name, strlen(name));
    return i ? &g->tensors.at[*i] : NULL;
}
