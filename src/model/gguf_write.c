#include "model/gguf_write.h"

#include <string.h>

#include "base/array.h"
#include "base/check.h"
#include "base/file.h"
#include "base/map.h"

enum { VERSION = 3 };

struct GgufWriter {
    Str keys, infos;      /* as they will lie in the file */
    Map *names;           /* of keys */
    uint64_t keys_n;
    Array(size_t) tensors; /* bytes of each */
    uint64_t data_bytes;   /* of all, each with its padding */
    FileWriter file;
    bool begun;
    size_t current; /* tensor that is being written */
    size_t done;    /* bytes of it */
};

static void add_number(Str *s, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        str_addc(s, (char)(value >> (8 * i)));
}

static void add_text(Str *s, Span text)
{
    add_number(s, text.n, 8);
    str_add(s, text.at, text.n);
}

static void add_float(Str *s, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_number(s, bits, 4);
}

static uint64_t padding(uint64_t n)
{
    return (GGUF_ALIGNMENT - n % GGUF_ALIGNMENT) % GGUF_ALIGNMENT;
}

GgufWriter *gguf_writer_new(void)
{
    GgufWriter *w = mem_new(GgufWriter);
    w->names = map_new();
    return w;
}

void gguf_writer_free(GgufWriter *w)
{
    if (!w)
        return;
    if (w->begun)
        file_abandon(&w->file);
    str_drop(&w->keys);
    str_drop(&w->infos);
    array_drop(&w->tensors);
    map_free(w->names);
    mem_free(w);
}

/* Keys. ----------------------------------------------------------------------------------------------- */

static void put_key(GgufWriter *w, Span key)
{
    check(!w->begun && !map_find(w->names, key.at, key.n));
    *map_put(w->names, key.at, key.n) = 1;
    add_text(&w->keys, key);
    w->keys_n++;
}

static void put_head(GgufWriter *w, const char *key, GgufType type)
{
    put_key(w, span(key));
    add_number(&w->keys, type, 4);
}

static void put_array(GgufWriter *w, const char *key, GgufType type, int64_t n)
{
    put_head(w, key, GGUF_ARRAY);
    add_number(&w->keys, type, 4);
    add_number(&w->keys, (uint64_t)n, 8);
}

void gguf_put_u32(GgufWriter *w, const char *key, uint32_t value)
{
    put_head(w, key, GGUF_U32);
    add_number(&w->keys, value, 4);
}

void gguf_put_f32(GgufWriter *w, const char *key, float value)
{
    put_head(w, key, GGUF_F32);
    add_float(&w->keys, value);
}

void gguf_put_bool(GgufWriter *w, const char *key, bool value)
{
    put_head(w, key, GGUF_BOOL);
    add_number(&w->keys, value, 1);
}

void gguf_put_text(GgufWriter *w, const char *key, Span value)
{
    put_head(w, key, GGUF_TEXT);
    add_text(&w->keys, value);
}

void gguf_put_texts(GgufWriter *w, const char *key, const Span *values, int64_t n)
{
    put_array(w, key, GGUF_TEXT, n);
    for (int64_t i = 0; i < n; i++)
        add_text(&w->keys, values[i]);
}

void gguf_put_ints(GgufWriter *w, const char *key, const int32_t *values, int64_t n)
{
    put_array(w, key, GGUF_I32, n);
    for (int64_t i = 0; i < n; i++)
        add_number(&w->keys, (uint32_t)values[i], 4);
}

void gguf_put_floats(GgufWriter *w, const char *key, const float *values, int64_t n)
{
    put_array(w, key, GGUF_F32, n);
    for (int64_t i = 0; i < n; i++)
        add_float(&w->keys, values[i]);
}

void gguf_put_value(GgufWriter *w, const GgufValue *value)
{
    put_key(w, value->key);
    if (value->array)
        add_number(&w->keys, GGUF_ARRAY, 4);
    add_number(&w->keys, value->type, 4);
    if (value->array)
        add_number(&w->keys, (uint64_t)value->n, 8);
    str_add(&w->keys, value->at, value->bytes);
}

bool gguf_has(const GgufWriter *w, const char *key)
{
    return map_find(w->names, key, strlen(key)) != NULL;
}

void gguf_put_once(GgufWriter *w, const char *key, Span value)
{
    if (!gguf_has(w, key))
        gguf_put_text(w, key, value);
}

/* Tensors. -------------------------------------------------------------------------------------------- */

void gguf_declare(GgufWriter *w, const char *name, QuantType type, int64_t rows, int64_t cols)
{
    size_t bytes;
    check(!w->begun && quant_fits(type, cols));
    check(!__builtin_mul_overflow(quant_bytes(type, cols), (size_t)(rows ? rows : 1), &bytes));
    add_text(&w->infos, span(name));
    add_number(&w->infos, rows ? 2 : 1, 4);
    add_number(&w->infos, (uint64_t)cols, 8);
    if (rows)
        add_number(&w->infos, (uint64_t)rows, 8);
    add_number(&w->infos, gguf_type_id(type), 4);
    add_number(&w->infos, w->data_bytes, 8);
    array_push(&w->tensors, bytes);
    w->data_bytes += bytes + padding(bytes);
}

static uint64_t header_bytes(const GgufWriter *w)
{
    return 4 + 4 + 8 + 8 + w->keys.n + w->infos.n;
}

uint64_t gguf_file_bytes(const GgufWriter *w)
{
    return header_bytes(w) + padding(header_bytes(w)) + w->data_bytes;
}

static Status write_padding(GgufWriter *w, uint64_t n)
{
    static const char zeros[GGUF_ALIGNMENT] = {0};
    return file_write(&w->file, zeros, padding(n));
}

Status gguf_begin(GgufWriter *w, const char *path)
{
    Str head = {0};
    check(!w->begun);
    str_adds(&head, "GGUF");
    add_number(&head, VERSION, 4);
    add_number(&head, w->tensors.n, 8);
    add_number(&head, w->keys_n, 8);
    Status st = file_begin(&w->file, path);
    w->begun = st == ST_OK;
    if (st == ST_OK)
        st = file_write(&w->file, head.at, head.n);
    if (st == ST_OK)
        st = file_write(&w->file, w->keys.at, w->keys.n);
    if (st == ST_OK)
        st = file_write(&w->file, w->infos.at, w->infos.n);
    if (st == ST_OK)
        st = write_padding(w, header_bytes(w));
    str_drop(&head);
    return st;
}

Status gguf_write(GgufWriter *w, const void *bytes, size_t n)
{
    const char *p = bytes;
    check(w->begun);
    while (n) {
        check(w->current < w->tensors.n);
        size_t whole = w->tensors.at[w->current], left = whole - w->done, now = n < left ? n : left;
        TRY(file_write(&w->file, p, now));
        w->done += now;
        p += now;
        n -= now;
        if (w->done == whole) {
            TRY(write_padding(w, whole));
            w->current++;
            w->done = 0;
        }
    }
    return ST_OK;
}

Status gguf_commit(GgufWriter *w)
{
    check(w->begun && w->current == w->tensors.n);
    w->begun = false;
    return file_commit(&w->file);
}
