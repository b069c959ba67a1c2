/* The values of keys as C's types.  gguf.c has checked that every element lies in the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "model/gguf.h"

static const char *const type_names[GGUF_TYPES] = {
    [GGUF_U8] = "u8",     [GGUF_I8] = "i8",       [GGUF_U16] = "u16", [GGUF_I16] = "i16",
    [GGUF_U32] = "u32",   [GGUF_I32] = "i32",     [GGUF_F32] = "f32", [GGUF_BOOL] = "bool",
    [GGUF_TEXT] = "text", [GGUF_ARRAY] = "array", [GGUF_U64] = "u64", [GGUF_I64] = "i64",
    [GGUF_F64] = "f64",
};

static Span next_text(Cursor *c)
{
    return cursor_bytes(c, cursor_u64(c));
}

static Status wrong_kind(const GgufValue *v, const char *wanted)
{
    return fail(ST_FORMAT, "key %.*s is %s%s and must be %s", (int)v->key.n, v->key.at,
                v->array ? "an array of " : "", type_names[v->type], wanted);
}

/* One element, moving the cursor behind it.  False: not a whole number, or one beyond 63 bits. */
static bool next_int(Cursor *c, GgufType type, int64_t *out)
{
    uint64_t wide;
    switch (type) {
    case GGUF_U8: *out = cursor_u8(c); return true;
    case GGUF_I8: *out = (int8_t)cursor_u8(c); return true;
    case GGUF_U16: *out = cursor_u16(c); return true;
    case GGUF_I16: *out = (int16_t)cursor_u16(c); return true;
    case GGUF_U32: *out = cursor_u32(c); return true;
    case GGUF_I32: *out = (int32_t)cursor_u32(c); return true;
    case GGUF_I64: *out = (int64_t)cursor_u64(c); return true;
    case GGUF_U64:
        wide = cursor_u64(c);
        *out = (int64_t)wide;
        return wide <= INT64_MAX;
    default: return false;
    }
}

/* The shortest decimal number that rounds to f: what was written as 1e-05 before it became an f32. */
static double as_written(float f)
{
    char text[32];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        if ((float)strtod(text, NULL) == f)
            return strtod(text, NULL);
    }
    return (double)f;
}

static bool next_double(Cursor *c, GgufType type, double *out)
{
    uint64_t bits;
    int64_t whole;
    if (type == GGUF_F32) {
        *out = (double)cursor_f32(c);
        return true;
    }
    if (type == GGUF_F64) {
        bits = cursor_u64(c);
        memcpy(out, &bits, sizeof bits);
        return true;
    }
    bool is = next_int(c, type, &whole);
    *out = (double)whole;
    return is;
}

static Cursor elements(const GgufValue *v)
{
    return cursor_over(v->at, v->bytes);
}

Status gguf_int(const Gguf *g, const char *key, int64_t standard, int64_t *out)
{
    const GgufValue *v = gguf_find(g, key);
    *out = standard;
    if (!v)
        return ST_OK;
    Cursor c = elements(v);
    return !v->array && next_int(&c, v->type, out) ? ST_OK : wrong_kind(v, "a whole number");
}

Status gguf_double(const Gguf *g, const char *key, double standard, double *out)
{
    const GgufValue *v = gguf_find(g, key);
    *out = standard;
    if (!v)
        return ST_OK;
    Cursor c = elements(v);
    if (v->array || !next_double(&c, v->type, out))
        return wrong_kind(v, "a number");
    if (v->type == GGUF_F32)
        *out = as_written((float)*out);
    return ST_OK;
}

Status gguf_bool(const Gguf *g, const char *key, bool standard, bool *out)
{
    const GgufValue *v = gguf_find(g, key);
    *out = standard;
    if (!v)
        return ST_OK;
    if (v->array || v->type != GGUF_BOOL)
        return wrong_kind(v, "true or false");
    *out = v->at[0] != 0;
    return ST_OK;
}

Status gguf_text(const Gguf *g, const char *key, Span *out)
{
    const GgufValue *v = gguf_find(g, key);
    *out = (Span){0};
    if (!v)
        return ST_OK;
    if (v->array || v->type != GGUF_TEXT)
        return wrong_kind(v, "text");
    Cursor c = elements(v);
    *out = next_text(&c);
    return ST_OK;
}

/* The array of that key, or NULL where it is absent. */
static Status find_array(const Gguf *g, const char *key, const GgufValue **out, int64_t *n)
{
    *out = gguf_find(g, key);
    *n = *out ? (*out)->n : 0;
    return !*out || (*out)->array ? ST_OK : wrong_kind(*out, "an array");
}

Status gguf_texts(const Gguf *g, const char *key, Span **out, int64_t *n)
{
    const GgufValue *v;
    *out = NULL;
    TRY(find_array(g, key, &v, n));
    if (!v)
        return ST_OK;
    if (v->type != GGUF_TEXT)
        return wrong_kind(v, "an array of text");
    Cursor c = elements(v);
    Span *list = mem_array(Span, v->n + 1);
    for (int64_t i = 0; i < v->n; i++)
        list[i] = next_text(&c);
    *out = list;
    return ST_OK;
}

Status gguf_ints(const Gguf *g, const char *key, int32_t **out, int64_t *n)
{
    const GgufValue *v;
    *out = NULL;
    TRY(find_array(g, key, &v, n));
    if (!v)
        return ST_OK;
    Cursor c = elements(v);
    int32_t *list = mem_array(int32_t, v->n + 1);
    for (int64_t i = 0; i < v->n; i++) {
        int64_t one;
        if (!next_int(&c, v->type, &one) || one < INT32_MIN || one > INT32_MAX) {
            mem_free(list);
            return wrong_kind(v, "an array of 32-bit whole numbers");
        }
        list[i] = (int32_t)one;
    }
    *out = list;
    return ST_OK;
}

Status gguf_floats(const Gguf *g, const char *key, float **out, int64_t *n)
{
    const GgufValue *v;
    *out = NULL;
    TRY(find_array(g, key, &v, n));
    if (!v)
        return ST_OK;
    Cursor c = elements(v);
    float *list = mem_array(float, v->n + 1);
    for (int64_t i = 0; i < v->n; i++) {
        double one;
        if (!next_double(&c, v->type, &one)) {
            mem_free(list);
            return wrong_kind(v, "an array of numbers");
        }
        list[i] = (float)one;
    }
    *out = list;
    return ST_OK;
}
