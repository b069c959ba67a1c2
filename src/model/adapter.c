/* PEFT's folders: huggingface/peft, src/peft/tuners/lora/config.py (settings) and
 * utils/save_and_load.py (names). */
#include "model/adapter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/check.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/str.h"

const char adapter_config_name[] = "adapter_config.json",
           adapter_weights_name[] = "adapter_model.safetensors";
static const char name_prefix[] = "base_model.model.";

struct Adapter {
    HParams h;
    json_t *config;
    Safetensors *file;
    char *base;
    bool rslora;
    double alpha;
    Array(AdapterMatrix) matrices;
    const SafetensorsEntry *embed, *head;
};

/* Settings ----------------------------------------------------------------------------------------------- */

/* Null, false, 0 and what is empty say nothing. */
static bool says_nothing(const json_t *v)
{
    return !v || json_is_null(v) || json_is_false(v) || (json_is_object(v) && json_object_size(v) == 0) ||
           (json_is_array(v) && json_array_size(v) == 0) || (json_is_string(v) && !*json_string_value(v)) ||
           (json_is_integer(v) && json_integer_value(v) == 0);
}

/* Settings whose meaning is taken from the tensors or elsewhere below, or that only concern
 * how PEFT trains. */
static bool is_known(const char *key)
{
    static const char *const known[] = {
        "peft_type", "peft_version", "task_type", "auto_mapping", "base_model_name_or_path", "revision",
        "inference_mode", "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules",
        "use_rslora", "rank_pattern", "alpha_pattern", "modules_to_save", "init_lora_weights", "bias",
        "layers_to_transform", "layers_pattern", "runtime_config", "ensure_weight_tying", "megatron_core",
        "qalora_group_size", "eva_config"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(key, known[i]) == 0)
            return true;
    return false;
}

/* Initial values that PEFT takes out of the base: what is left in the file then belongs to another base. */
static bool init_changes_base(const char *init)
{
    static const char *const such[] = {"pissa", "olora", "corda", "loftq"};
    for (size_t i = 0; init && i < sizeof such / sizeof such[0]; i++)
        if (strncmp(init, such[i], strlen(such[i])) == 0)
            return true;
    return false;
}

static Status check_settings(const json_t *c)
{
    const char *key, *type = json_string_value(json_object_get(c, "peft_type"));
    const char *bias = json_string_value(json_object_get(c, "bias"));
    const char *init = json_string_value(json_object_get(c, "init_lora_weights"));
    json_t *value;
    if (!json_is_object(c))
        return fail(ST_FORMAT, "not an object");
    if (!type || strcmp(type, "LORA") != 0)
        return fail(ST_UNSUPPORTED, "\"peft_type\": \"%.80s\" is no LoRA adapter; only LORA is computed here",
                    type ? type : "");
    if (bias && strcmp(bias, "none") != 0)
        return fail(ST_UNSUPPORTED,
                    "\"bias\": \"%.80s\": a Llama has no biases; only \"none\" is computed here", bias);
    if (init_changes_base(init))
        return fail(ST_UNSUPPORTED,
                    "\"init_lora_weights\": \"%.80s\" changes the base model too; in PEFT, save it with "
                    "path_initial_model_for_weight_conversion, as an adapter of the base that everybody has",
                    init);
    json_object_foreach((json_t *)(uintptr_t)c, key, value)
        if (!is_known(key) && !says_nothing(value))
            return fail(ST_UNSUPPORTED, "the setting \"%.80s\" of this adapter is not computed here", key);
    return ST_OK;
}

static Status read_settings(Adapter *a)
{
    TRY(check_settings(a->config));
    const json_t *alpha = json_object_get(a->config, "lora_alpha");
    const char *base = json_string_value(json_object_get(a->config, "base_model_name_or_path"));
    a->alpha = alpha ? json_number_value(alpha) : 8; /* PEFT's default */
    if ((alpha && !json_is_number(alpha)) || !isfinite(a->alpha))
        return fail(ST_FORMAT, "\"lora_alpha\" must be a number");
    a->rslora = json_is_true(json_object_get(a->config, "use_rslora"));
    a->base = mem_str(base ? base : "");
    return ST_OK;
}

/* Whether a key of alpha_pattern names this module: PEFT matches (.*\.)?(KEY)$ from the start of its name. */
static Status matches(bool *out, const char *key, const char *module)
{
    int error;
    PCRE2_SIZE at;
    char *pattern = mem_format("^(?:.*\\.)?(?:%s)$", key);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &at, NULL);
    mem_free(pattern);
    if (!code)
        return fail(ST_FORMAT, "\"alpha_pattern\": '%.80s' is no regular expression", key);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    *out = pcre2_match(code, (PCRE2_SPTR)module, strlen(module), 0, 0, match, NULL) >= 0;
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    return ST_OK;
}

static Status find_alpha(double *out, const Adapter *a, const char *module)
{
    const char *key;
    json_t *value;
    *out = a->alpha;
    json_object_foreach(json_object_get(a->config, "alpha_pattern"), key, value)
    {
        bool is = false;
        TRY(matches(&is, key, module));
        if (!is)
            continue;
        if (!json_is_number(value) || !isfinite(json_number_value(value)))
            return fail(ST_FORMAT, "\"alpha_pattern\": '%.80s' must be a number", key);
        *out = json_number_value(value);
        return ST_OK;
    }
    return ST_OK;
}

/* Tensors ------------------------------------------------------------------------------------------------ */

/* "model.layers.3.self_attn.q_proj" -> layer 3, PARAM_Q. */
static bool read_module(const char *name, size_t n, ParamKind *kind, int *layer)
{
    int used = 0;
    if (sscanf(name, "model.layers.%d.%n", layer, &used) != 1 || used == 0 || *layer < 0)
        return false;
    for (ParamKind k = PARAM_Q; k <= PARAM_DOWN; k++) {
        char rest[48];
        size_t length = (size_t)snprintf(rest, sizeof rest, "%s.%s", k <= PARAM_O ? "self_attn" : "mlp",
                                         lora_target_name(k));
        *kind = k;
        if (n == (size_t)used + length && memcmp(name + used, rest, length) == 0)
            return true;
    }
    return false;
}

static Status check_type(const SafetensorsEntry *e)
{
    if (e->dtype == DTYPE_COUNT || e->dtype == DTYPE_I32)
        return fail(ST_UNSUPPORTED,
                    "tensor %.200s has elements of type %s; f32, f16, bf16 and f64 are read here", e->name,
                    e->dtype_text);
    return ST_OK;
}

static AdapterMatrix *matrix_for(Adapter *a, ParamKind kind, int layer)
{
    for (size_t i = 0; i < a->matrices.n; i++)
        if (a->matrices.at[i].kind == kind && a->matrices.at[i].layer == layer)
            return &a->matrices.at[i];
    array_push(&a->matrices, ((AdapterMatrix){.kind = kind, .layer = layer}));
    return &a->matrices.at[a->matrices.n - 1];
}

static Status add_factor(Adapter *a, const SafetensorsEntry *e, bool *was)
{
    static const char *const parts[] = {".lora_A.weight", ".lora_B.weight"};
    const char *module = e->name + strlen(name_prefix);
    *was = false;
    for (int part = 0; part < 2; part++) {
        size_t tail = strlen(parts[part]), n = strlen(module);
        ParamKind kind;
        int layer;
        if (n < tail || strcmp(module + n - tail, parts[part]) != 0)
            continue;
        if (!read_module(module, n - tail, &kind, &layer) || layer >= a->h.num_hidden_layers)
            return fail(ST_FORMAT, "tensor %.200s adapts what a Llama of this shape does not have", e->name);
        if (e->ndim != 2)
            return fail(ST_FORMAT, "tensor %.200s is no matrix", e->name);
        AdapterMatrix *x = matrix_for(a, kind, layer);
        *(part ? &x->b : &x->a) = e;
        *was = true;
    }
    return ST_OK;
}

static Status add_tensor(Adapter *a, const SafetensorsEntry *e)
{
    bool was = false;
    TRY(check_type(e));
    if (span_starts(span(e->name), name_prefix)) {
        const char *module = e->name + strlen(name_prefix);
        TRY(add_factor(a, e, &was));
        if (strcmp(module, "model.embed_tokens.weight") == 0)
            a->embed = e;
        else if (strcmp(module, "lm_head.weight") == 0)
            a->head = e;
        else if (!was)
            return fail(ST_UNSUPPORTED, "tensor %.200s is no factor of a Llama's adapter", e->name);
        return ST_OK;
    }
    return fail(ST_UNSUPPORTED,
                "tensor %.200s is no factor of a Llama's adapter: its name does not begin with %s", e->name,
                name_prefix);
}

static Status check_matrix(Adapter *a, AdapterMatrix *x)
{
    char module[80];
    snprintf(module, sizeof module, "model.layers.%d.%s.%s", x->layer,
             x->kind <= PARAM_O ? "self_attn" : "mlp", lora_target_name(x->kind));
    if (!x->a || !x->b)
        return fail(ST_FORMAT, "the adapter of %s has no %s", module, x->a ? "lora_B" : "lora_A");
    Linear which = x->kind <= PARAM_V ? LINEAR_QKV : x->kind == PARAM_O ? LINEAR_O
                 : x->kind <= PARAM_UP ? LINEAR_GATE_UP : LINEAR_DOWN;
    LinearShape s = linear_shape(&a->h, which);
    int64_t out = s.rows[x->kind - s.first];
    x->rank = x->a->shape[0];
    if (x->rank < 1 || x->a->shape[1] != s.in || x->b->shape[0] != out || x->b->shape[1] != x->rank)
        return fail(ST_FORMAT,
                    "the adapter of %s is [%lld, %lld] and [%lld, %lld], and the model's matrix is "
                    "[%lld, %lld]",
                    module, (long long)x->b->shape[0], (long long)x->b->shape[1], (long long)x->a->shape[0],
                    (long long)x->a->shape[1], (long long)out, (long long)s.in);
    TRY(find_alpha(&x->alpha, a, module));
    x->scale = x->alpha / (a->rslora ? sqrt((double)x->rank) : (double)x->rank);
    return ST_OK;
}

static Status check_whole(const Adapter *a, const SafetensorsEntry *e)
{
    if (!e || (e->ndim == 2 && e->shape[0] == a->h.vocab_size && e->shape[1] == a->h.hidden_size))
        return ST_OK;
    return fail(ST_FORMAT,
                "tensor %.200s has %lld rows and the base model's vocabulary %lld: it belongs to a base "
                "whose vocabulary had been grown; give that one",
                e->name, (long long)e->shape[0], (long long)a->h.vocab_size);
}

static Status read_tensors(Adapter *a)
{
    for (int64_t i = 0; i < safetensors_count(a->file); i++)
        TRY(add_tensor(a, safetensors_at(a->file, i)));
    for (size_t i = 0; i < a->matrices.n; i++)
        TRY(check_matrix(a, &a->matrices.at[i]));
    if (a->embed && a->head && a->embed->shape[0] == a->head->shape[0] &&
        a->embed->shape[0] > a->h.vocab_size)
        a->h.vocab_size = a->embed->shape[0];
    TRY(check_whole(a, a->embed));
    TRY(check_whole(a, a->head));
    if (a->h.tie_word_embeddings && (a->embed || a->head))
        return fail(ST_UNSUPPORTED,
                    "the adapter replaces the embedding or the head of a model where they are one "
                    "(tie_word_embeddings); such a model is not computed here");
    if (a->matrices.n == 0 && !a->embed && !a->head)
        return fail(ST_FORMAT, "there is no adapter in it");
    return ST_OK;
}

/* Opening ------------------------------------------------------------------------------------------------ */

static Status open_files(Adapter *a, const char *folder)
{
    char *config = path_join(folder, adapter_config_name), *weights = path_join(folder, adapter_weights_name);
    Status st = json_file_read(&a->config, config);
    if (st == ST_OK) {
        st = read_settings(a);
        if (st != ST_OK)
            st = fail_in(st, "%s", config);
    }
    if (st == ST_OK && !path_exists(weights))
        st = fail(ST_IO, "there is no %s; an adapter_model.bin is not read here: save it as safetensors",
                  weights);
    if (st == ST_OK)
        st = safetensors_open(&a->file, weights);
    if (st == ST_OK) {
        st = read_tensors(a);
        if (st != ST_OK)
            st = fail_in(st, "%s", weights);
    }
    mem_free(config);
    mem_free(weights);
    return st;
}

Status adapter_open(Adapter **out, const char *folder, const HParams *h)
{
    Adapter *a = mem_new(Adapter);
    a->h = *h;
    Status st = open_files(a, folder);
    if (st == ST_OK) {
        *out = a;
        return ST_OK;
    }
    adapter_close(a);
    return fail_in(st, "opening the adapter %s", folder);
}

bool adapter_has_vocabulary(const char *folder)
{
    return folder_holds(folder, "tokenizer.json") || folder_holds(folder, "tokenizer.model");
}

char *adapter_path(const char *given)
{
    char *here = path_join(given, adapter_config_name), *inside = path_join(given, "adapter"),
         *there = path_join(inside, adapter_config_name);
    bool of_run = !path_exists(here) && path_exists(there);
    mem_free(here);
    mem_free(there);
    if (of_run)
        return inside;
    mem_free(inside);
    return mem_str(given);
}

void adapter_close(Adapter *a)
{
    if (!a)
        return;
    safetensors_close(a->file);
    json_decref(a->config);
    array_drop(&a->matrices);
    mem_free(a->base);
    mem_free(a);
}

const HParams *adapter_hparams(const Adapter *a)
{
    return &a->h;
}

const char *adapter_base(const Adapter *a)
{
    return a->base;
}

const AdapterMatrix *adapter_find(const Adapter *a, ParamKind kind, int layer)
{
    for (size_t i = 0; i < a->matrices.n; i++)
        if (a->matrices.at[i].kind == kind && a->matrices.at[i].layer == layer)
            return &a->matrices.at[i];
    return NULL;
}

const SafetensorsEntry *adapter_whole(const Adapter *a, ParamKind kind)
{
    return kind == PARAM_EMBED ? a->embed : kind == PARAM_HEAD ? a->head : NULL;
}

Status adapter_setup(LoraSetup *out, const Adapter *a)
{
    const json_t *dropout = json_object_get(a->config, "lora_dropout");
    LoraSetup s = {.rslora = a->rslora, .embed = a->embed != NULL, .head = a->head != NULL};
    s.dropout = json_is_number(dropout) ? json_number_value(dropout) : 0;
    for (ParamKind k = PARAM_Q; k <= PARAM_DOWN; k++) {
        const AdapterMatrix *first = adapter_find(a, k, 0);
        s.rank[k - PARAM_Q] = first ? first->rank : 0;
        s.alpha[k - PARAM_Q] = first ? first->alpha : 0;
        for (int l = 1; l < (int)a->h.num_hidden_layers; l++) {
            const AdapterMatrix *x = adapter_find(a, k, l);
            bool same =
                first && x ? x->rank == first->rank && fabs(x->alpha - first->alpha) < 1e-9 : !first && !x;
            if (!same)
                return fail(ST_UNSUPPORTED,
                            "the adapters of %s differ between layers 0 and %d: such a set can be merged, "
                            "but not be trained further",
                            lora_target_name(k), l);
        }
    }
    *out = s;
    return ST_OK;
}
