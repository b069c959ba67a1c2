/* HParams as Hugging Face's config.json.  Defaults are those of transformers' LlamaConfig and MistralConfig.
 *
 * Rotary settings have two spellings: rope_theta beside rope_scaling {"rope_type" or "type", ...}, and since
 * transformers 5 one object, rope_parameters, with rope_theta in it.  Both are read; the first is written,
 * since every release of transformers and the other tools around it read that one. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "model/hparams.h"

/* The value of a key; NULL where it is absent or null, which mean the same but for token ids. */
static const json_t *given(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_null(v) ? NULL : v;
}

static Status get_int(const json_t *object, const char *key, int64_t standard, int64_t *out)
{
    const json_t *v = given(object, key);
    double real = json_is_real(v) ? json_real_value(v) : 0.5;
    if (v && !json_is_integer(v) && !(floor(real) == real && fabs(real) < 1e15)) /* 4096.0 is written, too */
        return fail(ST_FORMAT, "\"%s\" must be a whole number", key);
    *out = !v ? standard : json_is_integer(v) ? json_integer_value(v) : (int64_t)real;
    return ST_OK;
}

static Status get_double(const json_t *object, const char *key, double standard, double *out)
{
    const json_t *v = given(object, key);
    *out = v ? json_number_value(v) : standard;
    return !v || json_is_number(v) ? ST_OK : fail(ST_FORMAT, "\"%s\" must be a number", key);
}

static Status get_bool(const json_t *object, const char *key, bool standard, bool *out)
{
    const json_t *v = given(object, key);
    *out = v ? json_is_true(v) : standard;
    return !v || json_is_boolean(v) ? ST_OK : fail(ST_FORMAT, "\"%s\" must be true or false", key);
}

static Status get_text(const json_t *object, const char *key, const char *standard, const char **out)
{
    const json_t *v = given(object, key);
    *out = v ? json_string_value(v) : standard;
    return !v || *out ? ST_OK : fail(ST_FORMAT, "\"%s\" must be text", key);
}

/* One id, null (none), or a list, of which the first counts here: generation asks for the others itself. */
static Status get_token(const json_t *object, const char *key, int64_t standard, int64_t *out)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_array(v))
        v = json_array_get(v, 0);
    *out = !json_object_get(object, key) ? standard : json_is_integer(v) ? json_integer_value(v) : -1;
    *out = *out < 0 ? -1 : *out;
    if (v && !json_is_integer(v) && !json_is_null(v))
        return fail(ST_FORMAT, "\"%s\" must be a token id, a list of them, or null", key);
    return ST_OK;
}

/* What the file asks for and nothing here computes. ------------------------------------------------------ */

static Status refuse_if_true(const json_t *object, const char *key)
{
    bool asked;
    TRY(get_bool(object, key, false, &asked));
    if (asked)
        return fail(ST_UNSUPPORTED, "\"%s\": true is not something this program computes", key);
    return ST_OK;
}

static Status refuse_other_architectures(const json_t *object)
{
    const json_t *list = json_object_get(object, "architectures"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *name = json_string_value(one);
        if (!name || (strcmp(name, "LlamaForCausalLM") != 0 && strcmp(name, "MistralForCausalLM") != 0))
            return fail(ST_UNSUPPORTED, "architecture \"%.80s\" is not known here, only LlamaForCausalLM is",
                        name ? name : "?");
    }
    return ST_OK;
}

static Status refuse_sliding_window(const json_t *object, bool mistral, int64_t longest)
{
    int64_t window = 0;
    bool given = json_object_get(object, "sliding_window") != NULL;
    TRY(get_int(object, "sliding_window", given || !mistral ? 0 : 4096, &window));
    if (window != 0 && window < longest)
        return fail(ST_UNSUPPORTED,
                    "\"sliding_window\": %lld is not computed here: every position attends to all before it; "
                    "a model whose window is at least max_position_embeddings (%lld), or null, is read",
                    (long long)window, (long long)longest);
    return ST_OK;
}

static Status refuse_unknown(const json_t *object)
{
    const char *act;
    double part;
    TRY(refuse_other_architectures(object));
    TRY(get_text(object, "hidden_act", "silu", &act));
    if (strcmp(act, "silu") != 0 && strcmp(act, "swish") != 0)
        return fail(ST_UNSUPPORTED, "\"hidden_act\": \"%.80s\" is not computed here, only silu is", act);
    TRY(refuse_if_true(object, "attention_bias"));
    TRY(refuse_if_true(object, "mlp_bias"));
    if (given(object, "quantization_config"))
        return fail(ST_UNSUPPORTED,
                    "\"quantization_config\": quantised weights are not read here; convert the model to "
                    "f32, f16 or bf16 first");
    TRY(get_double(object, "partial_rotary_factor", 1, &part));
    if (part != 1)
        return fail(ST_UNSUPPORTED, "\"partial_rotary_factor\": %g is not computed here, only 1 is", part);
    return ST_OK;
}

/* Rotary embeddings. ------------------------------------------------------------------------------------- */

/* rope_scaling goes before rope_parameters where a file has both, as in transformers. */
static const json_t *rope_object(const json_t *object, const char **key)
{
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    for (int i = 0; i < 2; i++) {
        *key = keys[i];
        const json_t *rope = given(object, keys[i]);
        if (rope && !(json_is_object(rope) && json_object_size(rope) == 0))
            return rope;
    }
    return NULL;
}

static Status read_llama3(RopeScaling *out, const json_t *rope, int64_t longest)
{
    static const char *const needed[] = {"factor", "low_freq_factor", "high_freq_factor"};
    for (int i = 0; i < 3; i++)
        if (!given(rope, needed[i]))
            return fail(ST_FORMAT, "\"%s\" is missing for rope_type llama3", needed[i]);
    TRY(get_double(rope, "factor", 0, &out->factor));
    TRY(get_double(rope, "low_freq_factor", 0, &out->low_freq_factor));
    TRY(get_double(rope, "high_freq_factor", 0, &out->high_freq_factor));
    TRY(get_int(rope, "original_max_position_embeddings", longest, &out->original_max_position_embeddings));
    if (!(out->factor >= 1))
        return fail(ST_FORMAT, "\"factor\": %g must be at least 1", out->factor);
    return ST_OK;
}

static Status read_rope(HParams *h, const json_t *object)
{
    const char *key, *type;
    double part;
    TRY(get_double(object, "rope_theta", 10000, &h->rope_theta));
    const json_t *rope = rope_object(object, &key);
    if (!rope)
        return ST_OK;
    if (!json_is_object(rope))
        return fail(ST_FORMAT, "\"%s\" must be an object or null", key);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)rope, name, value)
        if (json_is_object(value))
            return fail(ST_UNSUPPORTED, "%s: settings of their own for \"%.80s\" are not computed here", key,
                        name);
    TRY(get_double(rope, "rope_theta", h->rope_theta, &h->rope_theta));
    TRY(get_double(rope, "partial_rotary_factor", 1, &part));
    if (part != 1)
        return fail(ST_UNSUPPORTED, "%s: \"partial_rotary_factor\": %g is not computed here, only 1 is", key,
                    part);
    TRY(get_text(rope, "type", "default", &type));
    TRY(get_text(rope, "rope_type", type, &type));
    if (strcmp(type, "default") == 0)
        return ST_OK;
    if (strcmp(type, "llama3") != 0)
        return fail(ST_UNSUPPORTED, "%s: type \"%.80s\" is not computed here, only llama3 is", key, type);
    Status st = read_llama3(&h->rope_scaling, rope, h->max_position_embeddings);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", key);
}

Status hparams_from_json(HParams *out, const json_t *object)
{
    const char *type;
    HParams h = {0};
    if (!json_is_object(object))
        return fail(ST_FORMAT, "a model's configuration must be a JSON object");
    TRY(get_text(object, "model_type", "llama", &type));
    bool mistral = strcmp(type, "mistral") == 0;
    if (!mistral && strcmp(type, "llama") != 0)
        return fail(ST_UNSUPPORTED, "\"model_type\": \"%.80s\" is not a Llama; known are llama and mistral",
                    type);
    TRY(refuse_unknown(object));
    TRY(get_int(object, "vocab_size", 32000, &h.vocab_size));
    TRY(get_int(object, "hidden_size", 4096, &h.hidden_size));
    TRY(get_int(object, "intermediate_size", mistral ? 14336 : 11008, &h.intermediate_size));
    TRY(get_int(object, "num_hidden_layers", 32, &h.num_hidden_layers));
    TRY(get_int(object, "num_attention_heads", 32, &h.num_attention_heads));
    bool kv_named = json_object_get(object, "num_key_value_heads") != NULL;
    TRY(get_int(object, "num_key_value_heads", mistral && !kv_named ? 8 : h.num_attention_heads,
                &h.num_key_value_heads));
    int64_t heads = h.num_attention_heads > 0 ? h.num_attention_heads : 1;
    TRY(get_int(object, "head_dim", h.hidden_size / heads, &h.head_dim));
    if (!given(object, "head_dim") && h.hidden_size % heads != 0)
        return fail(ST_FORMAT,
                    "\"hidden_size\": %lld is not a multiple of num_attention_heads %lld, and head_dim is "
                    "absent",
                    (long long)h.hidden_size, (long long)heads);
    TRY(get_int(object, "max_position_embeddings", mistral ? 131072 : 2048, &h.max_position_embeddings));
    TRY(refuse_sliding_window(object, mistral, h.max_position_embeddings));
    TRY(get_double(object, "rms_norm_eps", 1e-6, &h.rms_norm_eps));
    TRY(get_bool(object, "tie_word_embeddings", false, &h.tie_word_embeddings));
    TRY(get_token(object, "bos_token_id", 1, &h.bos_token_id));
    TRY(get_token(object, "eos_token_id", 2, &h.eos_token_id));
    TRY(read_rope(&h, object));
    TRY(hparams_check(&h));
    *out = h;
    return ST_OK;
}

static json_t *token_json(int64_t id)
{
    return id < 0 ? json_null() : json_integer(id);
}

static json_t *rope_json(const RopeScaling *s)
{
    if (s->factor <= 0)
        return json_null();
    return json_pack("{s:s, s:f, s:f, s:f, s:I}", "rope_type", "llama3", "factor", s->factor,
                     "low_freq_factor", s->low_freq_factor, "high_freq_factor", s->high_freq_factor,
                     "original_max_position_embeddings", (json_int_t)s->original_max_position_embeddings);
}

json_t *hparams_to_json(const HParams *h)
{
    const struct {
        const char *key;
        json_t *value;
    } all[] = {
        {"architectures", json_pack("[s]", "LlamaForCausalLM")},
        {"model_type", json_string("llama")},
        {"vocab_size", json_integer(h->vocab_size)},
        {"hidden_size", json_integer(h->hidden_size)},
        {"intermediate_size", json_integer(h->intermediate_size)},
        {"num_hidden_layers", json_integer(h->num_hidden_layers)},
        {"num_attention_heads", json_integer(h->num_attention_heads)},
        {"num_key_value_heads", json_integer(h->num_key_value_heads)},
        {"head_dim", json_integer(h->head_dim)},
        {"hidden_act", json_string("silu")},
        {"max_position_embeddings", json_integer(h->max_position_embeddings)},
        {"rms_norm_eps", json_real(h->rms_norm_eps)},
        {"rope_theta", json_real(h->rope_theta)},
        {"rope_scaling", rope_json(&h->rope_scaling)},
        {"attention_bias", json_false()},
        {"mlp_bias", json_false()},
        {"tie_word_embeddings", json_boolean(h->tie_word_embeddings)},
        {"bos_token_id", token_json(h->bos_token_id)},
        {"eos_token_id", token_json(h->eos_token_id)},
    };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        json_object_set_new(o, all[i].key, all[i].value);
    return o;
}

Status hparams_read(HParams *out, const char *folder)
{
    char *path = path_join(folder, "config.json");
    json_t *object = NULL;
    Status st = json_file_read(&object, path);
    if (st == ST_OK) {
        st = hparams_from_json(out, object);
        if (st != ST_OK) /* a wrong value is the file's fault here, not the caller's */
            st = fail_in(st == ST_ARG ? ST_FORMAT : st, "%s", path);
    }
    json_decref(object);
    mem_free(path);
    return st;
}

Status hparams_write(const HParams *h, const char *folder, const char *dtype_name)
{
    json_t *object = hparams_to_json(h);
    json_object_set_new(object, "torch_dtype", json_string(dtype_name));
    json_object_set_new(object, "use_cache", json_true());
    char *path = path_join(folder, "config.json");
    Status st = json_file_write(path, object);
    mem_free(path);
    json_decref(object);
    return st;
}
