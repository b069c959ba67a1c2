#include "model/hparams.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

/* C, L, H, Hk, D, F, V, context.  "5m" is the miniature's (recipes/mini.yaml): 1.6 of its 5.0 million
 * parameters are the embedding, shared by both ends, and the rest is four layers; six of them learnt less in
 * the same time.  15m, 60m and 110m are the shapes that are timed; "1b" is TinyLlama 1.1B's
 * (arXiv:2401.02385, section 2), 7b and 70b are Llama 2's (arXiv:2307.09288, table 1). */
typedef struct {
    const char *name;
    int64_t hidden, layers, heads, kv_heads, head_dim, feed_forward, vocab, context;
    bool tied;
} Preset;

static const Preset presets[] = {
    {"5m", 256, 4, 4, 4, 64, 768, 6144, 1024, true},
    {"15m", 288, 6, 6, 6, 48, 768, 32000, 256, false},
    {"60m", 512, 8, 8, 8, 64, 1376, 32000, 512, false},
    {"110m", 768, 12, 12, 12, 64, 2048, 32000, 1024, false},
    {"1b", 2048, 22, 32, 4, 64, 5632, 32000, 2048, false},
    {"7b", 4096, 32, 32, 32, 128, 11008, 32000, 4096, false},
    {"70b", 8192, 80, 64, 8, 128, 28672, 32000, 4096, false},
};
enum { PRESETS_N = sizeof presets / sizeof presets[0] };

static Status refuse_preset(const char *name)
{
    const char *names[PRESETS_N];
    char known[128];
    size_t used = 0;
    for (size_t i = 0; i < PRESETS_N; i++) {
        names[i] = presets[i].name;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
        check(used < sizeof known);
    }
    const char *near = nearest_name(name, names, PRESETS_N);
    if (near)
        return fail(ST_ARG, "there is no model preset \"%s\" (did you mean %s?); known are %s", name, near,
                    known);
    return fail(ST_ARG, "there is no model preset \"%s\"; known are %s", name, known);
}

Status hparams_preset(HParams *out, const char *name)
{
    for (size_t i = 0; i < PRESETS_N; i++) {
        const Preset *p = &presets[i];
        if (strcmp(p->name, name) != 0)
            continue;
        *out = (HParams){
            .vocab_size = p->vocab,
            .hidden_size = p->hidden,
            .intermediate_size = p->feed_forward,
            .num_hidden_layers = p->layers,
            .num_attention_heads = p->heads,
            .num_key_value_heads = p->kv_heads,
            .head_dim = p->head_dim,
            .max_position_embeddings = p->context,
            .rms_norm_eps = 1e-5,
            .rope_theta = 10000,
            .tie_word_embeddings = p->tied,
            .bos_token_id = 1,
            .eos_token_id = 2,
        };
        return hparams_check(out);
    }
    return refuse_preset(name);
}

/* With these bounds no product of a few of them leaves 63 bits: the largest, 3 F C L, stays below 2^58. */
static Status check_bounds(const HParams *h)
{
    const struct {
        const char *name;
        int64_t value, max;
    } fields[] = {
        {"vocab_size", h->vocab_size, 1 << 24},
        {"hidden_size", h->hidden_size, 1 << 20},
        {"intermediate_size", h->intermediate_size, 1 << 24},
        {"num_hidden_layers", h->num_hidden_layers, 1 << 12},
        {"num_attention_heads", h->num_attention_heads, 1 << 20},
        {"num_key_value_heads", h->num_key_value_heads, 1 << 20},
        {"head_dim", h->head_dim, 1 << 14},
        {"max_position_embeddings", h->max_position_embeddings, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].value < 1 || fields[i].value > fields[i].max)
            return fail(ST_ARG, "%s is %lld; it must lie between 1 and %lld", fields[i].name,
                        (long long)fields[i].value, (long long)fields[i].max);
    return ST_OK;
}

static Status check_rope(const HParams *h)
{
    const RopeScaling *s = &h->rope_scaling;
    if (!(h->rope_theta >= 1 && h->rope_theta <= 1e12))
        return fail(ST_ARG, "rope_theta is %g; it must lie between 1 and 1e12", h->rope_theta);
    if (s->factor == 0)
        return ST_OK;
    if (!(s->factor >= 1 && s->factor <= 1e6))
        return fail(ST_ARG, "rope_scaling's factor is %g; it must lie between 1 and 1e6", s->factor);
    if (!(s->low_freq_factor > 0 && s->high_freq_factor > s->low_freq_factor && s->high_freq_factor <= 1e6))
        return fail(ST_ARG,
                    "rope_scaling's low_freq_factor %g and high_freq_factor %g must be positive, the first "
                    "the smaller",
                    s->low_freq_factor, s->high_freq_factor);
    if (s->original_max_position_embeddings < 1 || s->original_max_position_embeddings > INT32_MAX)
        return fail(ST_ARG,
                    "rope_scaling's original_max_position_embeddings is %lld; it must be a positive count",
                    (long long)s->original_max_position_embeddings);
    return ST_OK;
}

Status hparams_check(const HParams *h)
{
    TRY(check_bounds(h));
    if (h->num_attention_heads % h->num_key_value_heads != 0)
        return fail(ST_ARG, "num_attention_heads %lld is not a multiple of num_key_value_heads %lld",
                    (long long)h->num_attention_heads, (long long)h->num_key_value_heads);
    if (h->head_dim % 2 != 0)
        return fail(ST_ARG, "head_dim %lld is odd, and rotary embeddings turn pairs of columns",
                    (long long)h->head_dim);
    if (h->num_attention_heads * h->head_dim > 1 << 24)
        return fail(ST_ARG, "num_attention_heads %lld times head_dim %lld is more than %d",
                    (long long)h->num_attention_heads, (long long)h->head_dim, 1 << 24);
    if (!(h->rms_norm_eps > 0 && h->rms_norm_eps < 1))
        return fail(ST_ARG, "rms_norm_eps is %g; it must lie between 0 and 1", h->rms_norm_eps);
    return check_rope(h);
}

static int64_t layer_param_count(const HParams *h)
{
    int64_t C = h->hidden_size, D = h->head_dim;
    int64_t q = h->num_attention_heads * D, kv = h->num_key_value_heads * D;
    return 2 * q * C + 2 * kv * C + 3 * h->intermediate_size * C + 2 * C;
}

int64_t hparams_param_count(const HParams *h)
{
    int64_t embedding = h->vocab_size * h->hidden_size;
    int64_t ends = embedding * (h->tie_word_embeddings ? 1 : 2) + h->hidden_size;
    return ends + h->num_hidden_layers * layer_param_count(h);
}

double hparams_train_flops(const HParams *h, int64_t context)
{
    int64_t embedding = h->tie_word_embeddings ? 0 : h->vocab_size * h->hidden_size;
    double products = (double)(hparams_param_count(h) - embedding);
    return 6 * products + 6 * (double)h->num_hidden_layers * (double)context * (double)h->hidden_size;
}

double hparams_learned_flops(const HParams *h)
{
    int64_t rest = h->num_attention_heads * h->head_dim + 3 * h->intermediate_size;
    return 6 * (double)(h->vocab_size + rest) * (double)h->hidden_size;
}
