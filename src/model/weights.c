#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/convert.h"

enum { CHUNK = 1 << 18 }; /* elements handed over at a time */

static Status check_config(const HParams *want, const char *folder)
{
    HParams have;
    TRY(hparams_read(&have, folder));
    const struct {
        const char *name;
        double want, have;
    } fields[] = {
        {"vocab_size", (double)want->vocab_size, (double)have.vocab_size},
        {"hidden_size", (double)want->hidden_size, (double)have.hidden_size},
        {"intermediate_size", (double)want->intermediate_size, (double)have.intermediate_size},
        {"num_hidden_layers", (double)want->num_hidden_layers, (double)have.num_hidden_layers},
        {"num_attention_heads", (double)want->num_attention_heads, (double)have.num_attention_heads},
        {"num_key_value_heads", (double)want->num_key_value_heads, (double)have.num_key_value_heads},
        {"head_dim", (double)want->head_dim, (double)have.head_dim},
        {"rms_norm_eps", want->rms_norm_eps, have.rms_norm_eps},
        {"rope_theta", want->rope_theta, have.rope_theta},
        {"rope_scaling factor", want->rope_scaling.factor, have.rope_scaling.factor},
        {"tie_word_embeddings", want->tie_word_embeddings, have.tie_word_embeddings},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].want != fields[i].have)
            return fail(ST_FORMAT,
                        "%s/config.json has %s %.9g and the model that is to hold its weights has %.9g",
                        folder, fields[i].name, fields[i].have, fields[i].want);
    return ST_OK;
}

static bool is_vector(const Param *p)
{
    return p->kind >= PARAM_INPUT_NORM;
}

static void shape_text(char out[64], const SafetensorsEntry *e)
{
    size_t used = (size_t)snprintf(out, 64, "[");
    for (int i = 0; i < e->ndim && used < 64; i++)
        used += (size_t)snprintf(out + used, 64 - used, "%s%lld", i ? ", " : "", (long long)e->shape[i]);
    if (used < 64)
        snprintf(out + used, 64 - used, "]");
}

static Status check_entry(const Param *p, const SafetensorsEntry *e)
{
    char have[64];
    shape_text(have, e);
    bool fits = is_vector(p) ? e->ndim == 1 && e->shape[0] == p->cols
                             : e->ndim == 2 && e->shape[0] == p->rows && e->shape[1] == p->cols;
    if (!fits && is_vector(p))
        return fail(ST_FORMAT, "tensor %s has the shape %s where config.json asks for [%lld]", e->name, have,
                    (long long)p->cols);
    if (!fits)
        return fail(ST_FORMAT, "tensor %s has the shape %s where config.json asks for [%lld, %lld]", e->name,
                    have, (long long)p->rows, (long long)p->cols);
    if (e->dtype == DTYPE_COUNT || e->dtype == DTYPE_I32)
        return fail(ST_UNSUPPORTED, "tensor %s has elements of type %s; f32, f16, bf16 and f64 are read here",
                    e->name, e->dtype_text);
    return ST_OK;
}

static Status check_present(const Params *p, const Safetensors *s)
{
    const char *first = NULL;
    int64_t missing = 0;
    for (int64_t i = 0; i < p->n; i++) {
        const SafetensorsEntry *e = safetensors_find(s, p->at[i].name);
        if (e) {
            TRY(check_entry(&p->at[i], e));
            continue;
        }
        first = first ? first : p->at[i].name;
        missing++;
    }
    if (!first)
        return ST_OK;
    if (missing == 1 && strcmp(first, "lm_head.weight") == 0)
        return fail(ST_FORMAT,
                    "tensor lm_head.weight is missing; if the model shares it with the embedding, "
                    "config.json must say \"tie_word_embeddings\": true");
    if (missing == 1)
        return fail(ST_FORMAT, "tensor %s is missing", first);
    return fail(ST_FORMAT, "tensor %s is missing, and %lld more are", first, (long long)missing - 1);
}

/* transformers before 4.32 saved the frequencies of rotary embeddings, which follow from the
 * configuration. */
static bool is_rotary_buffer(const char *name)
{
    return span_ends(span(name), "rotary_emb.inv_freq");
}

static void read_values(float *to, const SafetensorsEntry *e, int64_t first, int64_t n)
{
    convert_floats(to, DTYPE_F32, (const char *)e->data + (size_t)first * dtype_size(e->dtype), e->dtype, n);
}

static Status check_tied_head(const Params *p, const Safetensors *s, const SafetensorsEntry *head)
{
    const Param *embed = params_find(p, PARAM_EMBED, -1);
    const SafetensorsEntry *table = safetensors_find(s, embed->name);
    TRY(check_entry(embed, head));
    float *a = mem_array(float, CHUNK), *b = mem_array(float, CHUNK);
    bool same = true;
    for (int64_t at = 0; at < head->count && same; at += CHUNK) {
        int64_t n = head->count - at < CHUNK ? head->count - at : CHUNK;
        read_values(a, head, at, n);
        read_values(b, table, at, n);
        same = memcmp(a, b, (size_t)n * sizeof *a) == 0;
    }
    mem_free(a);
    mem_free(b);
    if (!same)
        return fail(ST_FORMAT,
                    "tensor lm_head.weight differs from %s, and config.json says that they are one "
                    "(tie_word_embeddings); if it is right, the file must not hold both",
                    embed->name);
    return ST_OK;
}

static Status check_unexpected(const Params *p, const Safetensors *s)
{
    Map *known = map_new();
    Status st = ST_OK;
    for (int64_t i = 0; i < p->n; i++)
        *map_put(known, p->at[i].name, strlen(p->at[i].name)) = 1;
    for (int64_t i = 0; i < safetensors_count(s) && st == ST_OK; i++) {
        const SafetensorsEntry *e = safetensors_at(s, i);
        if (map_find(known, e->name, strlen(e->name)) || is_rotary_buffer(e->name))
            continue;
        if (p->h.tie_word_embeddings && strcmp(e->name, "lm_head.weight") == 0)
            st = check_tied_head(p, s, e);
        else
            st = fail(ST_FORMAT, "tensor %.200s is not part of a Llama of this configuration", e->name);
    }
    map_free(known);
    return st;
}

Status weights_check(const Params *p, const Safetensors *s)
{
    TRY(check_present(p, s));
    return check_unexpected(p, s);
}

static void hand_over(const Params *p, const Safetensors *s, WeightSink *put, void *context)
{
    float *chunk = mem_array(float, CHUNK);
    for (int64_t i = 0; i < p->n; i++) {
        const SafetensorsEntry *e = safetensors_find(s, p->at[i].name);
        for (int64_t at = 0; at < e->count; at += CHUNK) {
            int64_t n = e->count - at < CHUNK ? e->count - at : CHUNK;
            read_values(chunk, e, at, n);
            put(context, &p->at[i], at, chunk, n);
        }
    }
    mem_free(chunk);
}

Status weights_read(const Params *p, const char *folder, WeightSink *put, void *context)
{
    Safetensors *s;
    TRY(check_config(&p->h, folder));
    TRY(safetensors_open_folder(&s, folder));
    Status st = weights_check(p, s);
    if (st == ST_OK)
        hand_over(p, s, put, context);
    safetensors_close(s);
    return st == ST_OK ? ST_OK : fail_in(st, "weights of %s", folder);
}

static const char *config_dtype(DType dtype)
{
    return dtype == DTYPE_F32 ? "float32" : dtype == DTYPE_BF16 ? "bfloat16" : "float16";
}

Status weights_write_items(const Params *p, const char *folder, SafetensorsItem *items, DType dtype)
{
    if (dtype != DTYPE_F32 && dtype != DTYPE_BF16 && dtype != DTYPE_F16)
        return fail(ST_ARG, "weights are written as f32, bf16 or f16, not as %s", dtype_name(dtype));
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i];
        bool vector = is_vector(one);
        items[i].name = one->name;
        items[i].dtype = dtype;
        items[i].ndim = vector ? 1 : 2;
        items[i].shape[0] = vector ? one->cols : one->rows;
        items[i].shape[1] = vector ? 0 : one->cols;
    }
    Status st = folder_make(folder);
    if (st == ST_OK)
        st = safetensors_write_folder(folder, items, p->n, 0);
    if (st == ST_OK)
        st = hparams_write(&p->h, folder, config_dtype(dtype));
    return st == ST_OK ? ST_OK : fail_in(st, "writing a model to %s", folder);
}

Status weights_write(const Params *p, const char *folder, const void *matrices, DType matrices_dtype,
                     const float *vectors, DType dtype)
{
    SafetensorsItem *items = mem_array(SafetensorsItem, p->n);
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i];
        bool vector = is_vector(one);
        items[i].source_dtype = vector ? DTYPE_F32 : matrices_dtype;
        items[i].source = vector ? (const char *)(vectors + (one->offset - p->matrices))
                                 : (const char *)matrices + (size_t)one->offset * dtype_size(matrices_dtype);
    }
    Status st = weights_write_items(p, folder, items, dtype);
    mem_free(items);
    return st;
}
