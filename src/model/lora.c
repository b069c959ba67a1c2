#include "model/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const target_names[LORA_TARGETS] = {
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
};

static int index_of(ParamKind target)
{
    check(target >= PARAM_Q && target <= PARAM_DOWN);
    return (int)(target - PARAM_Q);
}

const char *lora_target_name(ParamKind target)
{
    return target_names[index_of(target)];
}

/* Setup -------------------------------------------------------------------------------------------------- */

LoraSetup lora_setup(int64_t rank, double alpha)
{
    LoraSetup s = {0};
    for (int t = 0; t < LORA_TARGETS; t++) {
        s.rank[t] = rank;
        s.alpha[t] = alpha;
    }
    return s;
}

bool lora_on(const LoraSetup *s)
{
    for (int t = 0; t < LORA_TARGETS; t++)
        if (s->rank[t] > 0)
            return true;
    return s->embed || s->head;
}

double lora_scale(const LoraSetup *s, ParamKind target)
{
    double rank = (double)s->rank[index_of(target)], alpha = s->alpha[index_of(target)];
    return rank > 0 ? alpha / (s->rslora ? sqrt(rank) : rank) : 0;
}

Status lora_check(const LoraSetup *s, const HParams *h)
{
    bool any = false;
    for (int w = 0; w < LINEARS; w++) {
        LinearShape shape = linear_shape(h, (Linear)w);
        for (int i = 0; i < shape.count; i++) {
            ParamKind target = shape.first + (ParamKind)i;
            int64_t rank = s->rank[index_of(target)];
            int64_t limit = shape.in < shape.rows[i] ? shape.in : shape.rows[i];
            if (rank < 0 || rank > limit)
                return fail(ST_ARG, "an adapter of rank %lld for %s, which is %lld x %lld: give at most %lld",
                            (long long)rank, lora_target_name(target), (long long)shape.rows[i],
                            (long long)shape.in, (long long)limit);
            if (rank > 0 && !isfinite(s->alpha[index_of(target)]))
                return fail(ST_ARG, "the alpha of %s is not a finite number", lora_target_name(target));
            any = any || rank > 0;
        }
    }
    if (!any)
        return fail(ST_ARG, "LoRA without a target: name at least one of q, k, v, o, gate, up, down");
    if (!(s->dropout >= 0 && s->dropout < 1))
        return fail(ST_ARG, "a LoRA dropout of %g is not in [0, 1)", s->dropout);
    if ((s->embed || s->head) && h->tie_word_embeddings)
        return fail(
            ST_ARG,
            "the model's head is its embedding (tie_word_embeddings): it cannot be trained whole "
            "beside adapters.  Were ids to be added, spell the template's marks out (--markers text) or "
            "train all weights; else leave --lora-save empty");
    return ST_OK;
}

static void set_range(bool out[LORA_TARGETS], ParamKind first, ParamKind last)
{
    for (ParamKind k = first; k <= last; k++)
        out[index_of(k)] = true;
}

static bool set_named(bool out[LORA_TARGETS], Span word)
{
    if (span_is(word, "all") || span_is(word, "all-linear"))
        set_range(out, PARAM_Q, PARAM_DOWN);
    else if (span_is(word, "attention"))
        set_range(out, PARAM_Q, PARAM_O);
    else if (span_is(word, "mlp"))
        set_range(out, PARAM_GATE, PARAM_DOWN);
    else {
        for (int t = 0; t < LORA_TARGETS; t++) {
            Span name = span(target_names[t]), brief = {name.at, name.n - strlen("_proj")};
            bool is = span_is(word, target_names[t]) ||
                      (word.n == brief.n && memcmp(word.at, brief.at, brief.n) == 0);
            out[t] = out[t] || is;
            if (is)
                return true;
        }
        return false;
    }
    return true;
}

Status lora_targets(bool out[LORA_TARGETS], const char *text)
{
    memset(out, 0, LORA_TARGETS * sizeof out[0]);
    for (Span word; list_next(&word, &text);)
        if (word.n && !set_named(out, word))
            return fail(ST_ARG,
                        "'%.*s' is no target of an adapter: there are q, k, v, o, gate, up and down, and "
                        "attention, mlp and all",
                        word.n < 80 ? (int)word.n : 80, word.at);
    for (int t = 0; t < LORA_TARGETS; t++)
        if (out[t])
            return ST_OK;
    return fail(ST_ARG, "LoRA without a target: name at least one of q, k, v, o, gate, up, down");
}

/* The table ---------------------------------------------------------------------------------------------- */

static void add_factor(Params *p, ParamKind target, int layer, ParamPart part, int64_t rows, int64_t cols)
{
    Param one = {.kind = target, .part = part, .layer = layer, .rows = rows, .cols = cols};
    snprintf(one.name, sizeof one.name, "base_model.model.model.layers.%d.%s.%s.%s.weight", layer,
             target <= PARAM_O ? "self_attn" : "mlp", lora_target_name(target),
             part == PART_LORA_A ? "lora_A" : "lora_B");
    params_add(p, &one);
}

static void add_product(Params *p, const HParams *h, const LoraSetup *s, int layer, Linear which)
{
    LinearShape shape = linear_shape(h, which);
    for (int part = PART_LORA_A; part <= PART_LORA_B; part++) {
        for (int i = 0; i < shape.count; i++) {
            ParamKind target = shape.first + (ParamKind)i;
            int64_t rank = s->rank[index_of(target)];
            if (rank > 0 && part == PART_LORA_A)
                add_factor(p, target, layer, PART_LORA_A, rank, shape.in);
            else if (rank > 0)
                add_factor(p, target, layer, PART_LORA_B, shape.rows[i], rank);
        }
        params_align(p);
    }
}

static void add_whole(Params *p, const HParams *h, ParamKind kind, const char *name)
{
    Param one = {.kind = kind, .layer = -1, .rows = h->vocab_size, .cols = h->hidden_size};
    snprintf(one.name, sizeof one.name, "base_model.model.%s", name);
    params_add(p, &one);
    params_align(p);
}

void lora_params(Params *p, const HParams *h, const LoraSetup *s)
{
    *p = (Params){.h = *h};
    p->at = mem_array(Param, h->num_hidden_layers * LORA_TARGETS * 2 + 2);
    for (int l = 0; l < (int)h->num_hidden_layers; l++)
        for (int w = 0; w < LINEARS; w++)
            add_product(p, h, s, l, (Linear)w);
    if (s->embed)
        add_whole(p, h, PARAM_EMBED, "model.embed_tokens.weight");
    if (s->head)
        add_whole(p, h, PARAM_HEAD, "lm_head.weight");
    p->matrices = p->total;
}

const Param *lora_find(const Params *p, ParamKind target, int layer, ParamPart part)
{
    for (int64_t i = 0; i < p->n; i++)
        if (p->at[i].kind == target && p->at[i].layer == layer && p->at[i].part == part)
            return &p->at[i];
    return NULL;
}

/* Columns ------------------------------------------------------------------------------------------------ */

enum { COLUMNS = 32 }; /* 64 bytes of bf16 */

static int64_t columns_before(const LoraSetup *s, ParamKind first, ParamKind end)
{
    int64_t sum = 0;
    for (ParamKind k = first; k < end; k++)
        sum += s->rank[index_of(k)];
    return sum;
}

static ParamKind first_of(Linear which)
{
    static const ParamKind first[] = {PARAM_Q, PARAM_O, PARAM_GATE, PARAM_DOWN, PARAM_DOWN + 1};
    return first[which];
}

int64_t lora_columns(const LoraSetup *s, Linear which)
{
    return (columns_before(s, first_of(which), first_of(which + 1)) + COLUMNS - 1) / COLUMNS * COLUMNS;
}

int64_t lora_column(const LoraSetup *s, Linear which, ParamKind target)
{
    return columns_before(s, first_of(which), target);
}

/* Work --------------------------------------------------------------------------------------------------- */

int64_t lora_param_count(const HParams *h, const LoraSetup *s)
{
    Params p;
    int64_t sum = 0;
    lora_params(&p, h, s);
    for (int64_t i = 0; i < p.n; i++)
        sum += p.at[i].rows * p.at[i].cols;
    params_drop(&p);
    return sum;
}

double lora_train_flops(const HParams *h, const LoraSetup *s, int64_t context)
{
    double V = (double)h->vocab_size, C = (double)h->hidden_size;
    double attention = 6 * (double)h->num_hidden_layers * (double)context * C;
    double products = V * C, adapters = (double)lora_param_count(h, s) - (s->embed ? V * C : 0);
    for (int w = 0; w < LINEARS; w++) {
        LinearShape shape = linear_shape(h, (Linear)w);
        products += (double)h->num_hidden_layers * (double)(shape.in * shape.out);
    }
    return 4 * (s->head ? products - V * C : products) + 6 * adapters + attention;
}

double lora_learned_flops(const HParams *h, const LoraSetup *s)
{
    int64_t head = h->vocab_size * h->hidden_size, frozen = s->head ? 0 : head, trained = head - frozen;
    for (int w = LINEAR_O; w < LINEARS; w++) {
        LinearShape shape = linear_shape(h, (Linear)w);
        frozen += shape.in * shape.out;
        for (int i = 0; i < shape.count; i++)
            trained += s->rank[shape.first + (ParamKind)i - PARAM_Q] * (shape.in + shape.rows[i]);
    }
    return 4 * (double)frozen + 6 * (double)trained;
}
