#include "model/gguf_llama.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "model/rotations.h"

const char gguf_rope_name[] = "rope_freqs.weight";

/* Names. ---------------------------------------------------------------------------------------------- */

static const char *const names[] = {
    [PARAM_EMBED] = "token_embd",     [PARAM_Q] = "attn_q",           [PARAM_K] = "attn_k",
    [PARAM_V] = "attn_v",             [PARAM_O] = "attn_output",      [PARAM_GATE] = "ffn_gate",
    [PARAM_UP] = "ffn_up",            [PARAM_DOWN] = "ffn_down",      [PARAM_HEAD] = "output",
    [PARAM_INPUT_NORM] = "attn_norm", [PARAM_POST_NORM] = "ffn_norm", [PARAM_FINAL_NORM] = "output_norm",
};

void gguf_param_name(char out[GGUF_NAME_BYTES], ParamKind kind, int layer)
{
    if (layer < 0)
        snprintf(out, GGUF_NAME_BYTES, "%s.weight", names[kind]);
    else
        snprintf(out, GGUF_NAME_BYTES, "blk.%d.%s.weight", layer, names[kind]);
}

int64_t gguf_permuted_heads(const HParams *h, ParamKind kind)
{
    return kind == PARAM_Q ? h->num_attention_heads : kind == PARAM_K ? h->num_key_value_heads : 0;
}

/* Row 2 i + half of a head holds what Hugging Face has in row half D/2 + i: RoPE turns neighbours there,
 * halves here. */
int64_t gguf_stored_row(int64_t row, int64_t rows, int64_t permuted_heads)
{
    if (permuted_heads == 0)
        return row;
    int64_t D = rows / permuted_heads, at = row % D;
    return row - at + at % (D / 2) * 2 + at / (D / 2);
}

/* Keys. ----------------------------------------------------------------------------------------------- */

static Status refuse_other_architecture(const Gguf *g)
{
    Span name;
    TRY(gguf_text(g, "general.architecture", &name));
    if (!name.at)
        return fail(ST_FORMAT, "key general.architecture is missing: it is no model file");
    if (!span_is(name, "llama"))
        return fail(ST_UNSUPPORTED, "its architecture is \"%.*s\"; only \"llama\" is computed here",
                    (int)(name.n < 80 ? name.n : 80), name.at);
    return ST_OK;
}

/* Numbers that change what is computed, each with the value that changes nothing. */
static Status refuse_other_computations(const Gguf *g)
{
    static const struct {
        const char *key;
        double neutral;
    } keys[] = {
        {"llama.expert_count", 0},          {"llama.expert_used_count", 0}, {"llama.logit_scale", 1},
        {"llama.embedding_scale", 1},       {"llama.residual_scale", 1},    {"llama.rope.scale_linear", 1},
        {"llama.attention.clamp_kqv", 0},   {"llama.final_logit_softcapping", 0},
        {"llama.attn_logit_softcapping", 0},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        double value;
        TRY(gguf_double(g, keys[i].key, keys[i].neutral, &value));
        if (value != keys[i].neutral)
            return fail(ST_UNSUPPORTED, "%s is %g, which is not computed here", keys[i].key, value);
    }
    bool causal;
    TRY(gguf_bool(g, "llama.attention.causal", true, &causal));
    return causal ? ST_OK
                  : fail(ST_UNSUPPORTED,
                         "llama.attention.causal is false: positions that see what follows them are not "
                         "computed here");
}

static Status refuse_other_rope(const Gguf *g, const HParams *h)
{
    Span type;
    double factor;
    int64_t turned;
    TRY(gguf_text(g, "llama.rope.scaling.type", &type));
    TRY(gguf_double(g, "llama.rope.scaling.factor", 1, &factor));
    TRY(gguf_int(g, "llama.rope.dimension_count", h->head_dim, &turned));
    bool none =
        !type.at || span_is(type, "none") || (span_is(type, "linear") && (factor == 1 || factor == 0));
    if (!none || (!type.at && factor != 1 && factor != 0))
        return fail(ST_UNSUPPORTED,
                    "llama.rope.scaling \"%.*s\" by %g is not computed here, only Llama-3's (%s) is",
                    type.at ? (int)(type.n < 80 ? type.n : 80) : 6, type.at ? type.at : "linear", factor,
                    gguf_rope_name);
    if (turned != h->head_dim)
        return fail(ST_UNSUPPORTED,
                    "llama.rope.dimension_count is %lld of %lld: turning a part of a head is not computed "
                    "here",
                    (long long)turned, (long long)h->head_dim);
    return ST_OK;
}

/* A number, or the same number for every layer. */
static Status layers_int(const Gguf *g, const char *key, int64_t standard, int64_t *out)
{
    const GgufValue *v = gguf_find(g, key);
    if (!v || !v->array)
        return gguf_int(g, key, standard, out);
    int32_t *list;
    int64_t n;
    TRY(gguf_ints(g, key, &list, &n));
    Status st = n ? ST_OK : fail(ST_FORMAT, "key %s is an empty array", key);
    for (int64_t i = 1; i < n && st == ST_OK; i++)
        if (list[i] != list[0])
            st = fail(ST_UNSUPPORTED, "%s differs from layer to layer, which is not computed here", key);
    *out = n ? list[0] : standard;
    mem_free(list);
    return st;
}

static Status needed_int(const Gguf *g, const char *key, int64_t *out)
{
    if (!gguf_find(g, key))
        return fail(ST_FORMAT, "key %s is missing", key);
    return layers_int(g, key, 0, out);
}

static Status read_heads(HParams *h, const Gguf *g)
{
    int64_t value_length, window;
    TRY(needed_int(g, "llama.attention.head_count", &h->num_attention_heads));
    TRY(layers_int(g, "llama.attention.head_count_kv", h->num_attention_heads, &h->num_key_value_heads));
    int64_t heads = h->num_attention_heads > 0 ? h->num_attention_heads : 1;
    TRY(gguf_int(g, "llama.attention.key_length", h->hidden_size / heads, &h->head_dim));
    TRY(gguf_int(g, "llama.attention.value_length", h->hidden_size / heads, &value_length));
    if (value_length != h->head_dim)
        return fail(ST_UNSUPPORTED, "keys of %lld numbers and values of %lld are not computed here",
                    (long long)h->head_dim, (long long)value_length);
    TRY(gguf_int(g, "llama.attention.sliding_window", 0, &window));
    if (window > 0 && window < h->max_position_embeddings)
        return fail(ST_UNSUPPORTED, "llama.attention.sliding_window is %lld: windows are not computed here",
                    (long long)window);
    return ST_OK;
}

static Status read_tokens(HParams *h, const Gguf *g)
{
    const GgufTensor *table = gguf_tensor_find(g, "token_embd.weight");
    if (!table)
        return fail(ST_FORMAT, "tensor token_embd.weight is missing");
    h->vocab_size = table->shape[1];
    h->tie_word_embeddings = !gguf_tensor_find(g, "output.weight");
    /* llama.cpp's defaults for its model "llama", where a file has none */
    Span model;
    TRY(gguf_text(g, "tokenizer.ggml.model", &model));
    bool spm = span_is(model, "llama"), no_bos, no_eos;
    TRY(gguf_bool(g, "lemur.tokenizer.no_bos", !spm, &no_bos));
    TRY(gguf_bool(g, "lemur.tokenizer.no_eos", !spm, &no_eos));
    TRY(gguf_int(g, "tokenizer.ggml.bos_token_id", no_bos ? -1 : 1, &h->bos_token_id));
    TRY(gguf_int(g, "tokenizer.ggml.eos_token_id", no_eos ? -1 : 2, &h->eos_token_id));
    int64_t *const ids[] = {&h->bos_token_id, &h->eos_token_id};
    for (int i = 0; i < 2; i++)
        *ids[i] = *ids[i] < 0 || *ids[i] >= h->vocab_size ? -1 : *ids[i];
    return ST_OK;
}

/* Llama-3's stretching. ------------------------------------------------------------------------------- */

void gguf_rope_divisors(float *divisors, const HParams *h)
{
    HParams plain = *h;
    plain.rope_scaling = (RopeScaling){0};
    for (int64_t i = 0; i < h->head_dim / 2; i++)
        divisors[i] = (float)(rotations_frequency(&plain, i) / rotations_frequency(h, i));
}

static bool gives(const HParams *h, const float *divisors)
{
    float *ours = mem_array(float, h->head_dim / 2);
    bool same = hparams_check(h) == ST_OK;
    if (same)
        gguf_rope_divisors(ours, h);
    for (int64_t i = 0; i < h->head_dim / 2; i++)
        same = same && fabsf(ours[i] - divisors[i]) <= 1e-4f * divisors[i];
    mem_free(ours);
    return same;
}

/* Where a divisor f lies between 1 and the factor F, the share (1/f - 1/F) / (1 - 1/F) is (turns - low) /
 * (high - low), and turns = original context * frequency / 2 pi: a line through the shares gives low and high
 * for any original context, of which all give the same frequencies.  Llama 3.1's 8192 is taken. */
static void fit_scaling(HParams *h, const float *divisors)
{
    double n = 0, sx = 0, sxx = 0, sy = 0, sxy = 0, F = 1;
    int64_t half = h->head_dim / 2;
    HParams plain = *h;
    plain.rope_scaling = (RopeScaling){0};
    for (int64_t i = 0; i < half; i++)
        F = fmax(F, (double)divisors[i]);
    for (int64_t i = 0; i < half; i++) {
        double y = (1 / (double)divisors[i] - 1 / F) / (1 - 1 / F);
        double x = rotations_frequency(&plain, i) / 6.283185307179586476925;
        if (y < 1e-5 || y > 1 - 1e-5)
            continue;
        n++, sx += x, sxx += x * x, sy += y, sxy += x * y;
    }
    RopeScaling s = {
        .factor = F, .low_freq_factor = 1, .high_freq_factor = 4, .original_max_position_embeddings = 8192};
    double det = n * sxx - sx * sx, context = (double)s.original_max_position_embeddings;
    if (n == 1) { /* one equation: high is four times low, as in all of Meta's */
        s.low_freq_factor = context * sx / (1 + 3 * sy);
        s.high_freq_factor = 4 * s.low_freq_factor;
    } else if (n >= 2 && det > 0) {
        double slope = (n * sxy - sx * sy) / det, start = (sy - slope * sx) / n, width = context / slope;
        s.low_freq_factor = nearbyint(-start * width * 1024) / 1024; /* the numbers people write are short */
        s.high_freq_factor = nearbyint((1 - start) * width * 1024) / 1024;
    }
    h->rope_scaling = s;
}

/* A file written here has the four numbers as keys. */
static Status read_own_scaling(HParams *h, const Gguf *g)
{
    RopeScaling *s = &h->rope_scaling;
    TRY(gguf_double(g, "lemur.rope_scaling.factor", 0, &s->factor));
    TRY(gguf_double(g, "lemur.rope_scaling.low_freq_factor", 0, &s->low_freq_factor));
    TRY(gguf_double(g, "lemur.rope_scaling.high_freq_factor", 0, &s->high_freq_factor));
    return gguf_int(g, "lemur.rope_scaling.original_max_position_embeddings", 0,
                    &s->original_max_position_embeddings);
}

static Status read_scaling(HParams *h, const Gguf *g)
{
    const GgufTensor *t = gguf_tensor_find(g, gguf_rope_name);
    if (!t)
        return ST_OK;
    if (!t->known || t->type != QUANT_F32 || t->count != h->head_dim / 2)
        return fail(ST_FORMAT, "tensor %s is not the %lld f32 that heads of %lld numbers need",
                    gguf_rope_name, (long long)h->head_dim / 2, (long long)h->head_dim);
    float *divisors = mem_array(float, t->count);
    memcpy(divisors, t->data, t->bytes);
    bool sane = true, plain = true;
    for (int64_t i = 0; i < t->count; i++) {
        sane = sane && divisors[i] >= 1 && divisors[i] <= 1e6f;
        plain = plain && divisors[i] == 1;
    }
    Status st = sane && !plain ? read_own_scaling(h, g) : ST_OK;
    bool found = sane && (plain || (st == ST_OK && h->rope_scaling.factor > 0 && gives(h, divisors)));
    if (st == ST_OK && sane && !found) {
        fit_scaling(h, divisors);
        found = gives(h, divisors);
    }
    mem_free(divisors);
    TRY(st);
    if (!found)
        return fail(ST_UNSUPPORTED,
                    "tensor %s stretches frequencies in a way that is not Llama-3's, which is the only one "
                    "computed here",
                    gguf_rope_name);
    return ST_OK;
}

/* ----------------------------------------------------------------------------------------------------- */

Status gguf_hparams(HParams *out, const Gguf *g)
{
    HParams h = {0};
    TRY(refuse_other_architecture(g));
    TRY(refuse_other_computations(g));
    TRY(needed_int(g, "llama.block_count", &h.num_hidden_layers));
    TRY(needed_int(g, "llama.context_length", &h.max_position_embeddings));
    TRY(needed_int(g, "llama.embedding_length", &h.hidden_size));
    TRY(needed_int(g, "llama.feed_forward_length", &h.intermediate_size));
    TRY(read_heads(&h, g));
    if (!gguf_find(g, "llama.attention.layer_norm_rms_epsilon"))
        return fail(ST_FORMAT, "key llama.attention.layer_norm_rms_epsilon is missing");
    TRY(gguf_double(g, "llama.attention.layer_norm_rms_epsilon", 0, &h.rms_norm_eps));
    TRY(gguf_double(g, "llama.rope.freq_base", 10000, &h.rope_theta));
    TRY(read_tokens(&h, g));
    TRY(refuse_other_rope(g, &h));
    Status st = hparams_check(&h);
    if (st != ST_OK)
        return fail_in(ST_FORMAT, "its keys");
    TRY(read_scaling(&h, g));
    *out = h;
    return ST_OK;
}
