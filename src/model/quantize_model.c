#include "model/quantize_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/gguf_llama.h"
#include "model/weights.h"

/* Types. ---------------------------------------------------------------------------------------------- */

/* The numbers are llama.h's enum llama_ftype; a K type without a letter is llama.cpp's _S in name only. */
static const QuantMix mixes[] = {
    {"F32", QUANT_F32, 0, 0},       {"F16", QUANT_F16, 0, 1},        {"BF16", QUANT_BF16, 0, 32},
    {"Q8_0", QUANT_Q8_0, 0, 7},     {"Q6_K", QUANT_Q6_K, 0, 18},     {"Q5_K", QUANT_Q5_K, 0, 16},
    {"Q5_K_S", QUANT_Q5_K, 'S', 16}, {"Q5_K_M", QUANT_Q5_K, 'M', 17}, {"Q4_K", QUANT_Q4_K, 0, 14},
    {"Q4_K_S", QUANT_Q4_K, 'S', 14}, {"Q4_K_M", QUANT_Q4_K, 'M', 15}, {"Q4_0", QUANT_Q4_0, 0, 2},
};
enum { MIXES = sizeof mixes / sizeof mixes[0] };

const QuantMix *quantize_mix_find(const char *name)
{
    for (int i = 0; i < MIXES; i++)
        if (strcasecmp(mixes[i].name, name) == 0)
            return &mixes[i];
    return NULL;
}

const char *quantize_mix_names(void)
{
    return "F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_K_S, Q5_K_M, Q4_K, Q4_K_S, Q4_K_M and Q4_0";
}

/* The layers that a mix gives more: llama-quant.cpp, use_more_bits. */
static bool is_sensitive(int layer, int layers)
{
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

/* llama-quant.cpp, llama_tensor_get_type, as far as it concerns these types and a Llama. */
static QuantType wanted_type(const HParams *h, const Param *p, const QuantMix *mix, bool pure)
{
    int layers = (int)h->num_hidden_layers;
    bool head = p->kind == PARAM_HEAD || (p->kind == PARAM_EMBED && h->tie_word_embeddings);
    bool value = p->kind == PARAM_V, down = p->kind == PARAM_DOWN, small = quant_block(mix->type) == 1;
    if (p->kind >= PARAM_INPUT_NORM)
        return QUANT_F32;
    if (small || pure || mix->type == QUANT_Q8_0)
        return mix->type;
    if (head)
        return QUANT_Q6_K;
    if (mix->mix == 'M' && (value || down) && is_sensitive(p->layer, layers))
        return QUANT_Q6_K;
    if (mix->mix == 'S' && mix->type == QUANT_Q4_K &&
        ((value && p->layer < 4) || (down && p->layer < layers / 8)))
        return QUANT_Q5_K;
    /* Of a 70B, eight heads share each value projection: it is small, and many depend on it. */
    bool is_70b = layers == 80 && h->num_attention_heads != h->num_key_value_heads;
    if (mix->mix && value && is_70b && mix->type == QUANT_Q4_K)
        return QUANT_Q5_K;
    return mix->type;
}

void quantize_plan(QuantPlan *plan, const Params *p, const QuantMix *mix, bool pure)
{
    *plan = (QuantPlan){.mix = mix, .types = mem_array(QuantType, p->n)};
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i];
        QuantType want = wanted_type(&p->h, one, mix, pure);
        QuantType t = quant_fits(want, one->cols)         ? want
                      : quant_fits(QUANT_Q8_0, one->cols) ? QUANT_Q8_0
                                                          : QUANT_BF16;
        if (t != want && plan->replaced++ == 0)
            plan->first_replaced = i;
        plan->types[i] = t;
        plan->bytes += quant_bytes(t, one->cols) * (uint64_t)one->rows;
    }
}

void quantize_plan_drop(QuantPlan *plan)
{
    mem_free(plan->types);
    *plan = (QuantPlan){0};
}

void quantize_plan_text(Str *out, const QuantPlan *plan, const Params *p)
{
    for (int t = 0; t < QUANT_TYPES; t++) {
        int64_t n = 0;
        for (int64_t i = 0; i < p->n; i++)
            n += plan->types[i] == (QuantType)t;
        if (n)
            str_addf(out, "%s%s %lld", out->n ? "  " : "", quant_name((QuantType)t), (long long)n);
    }
}

/* GGUF. ----------------------------------------------------------------------------------------------- */

static void put_int(GgufWriter *w, const char *key, int64_t value)
{
    if (!gguf_has(w, key))
        gguf_put_u32(w, key, (uint32_t)value);
}

static void put_double(GgufWriter *w, const char *key, double value)
{
    if (!gguf_has(w, key))
        gguf_put_f32(w, key, (float)value);
}

static void put_shape(GgufWriter *w, const HParams *h)
{
    put_int(w, "llama.vocab_size", h->vocab_size);
    put_int(w, "llama.context_length", h->max_position_embeddings);
    put_int(w, "llama.embedding_length", h->hidden_size);
    put_int(w, "llama.block_count", h->num_hidden_layers);
    put_int(w, "llama.feed_forward_length", h->intermediate_size);
    put_int(w, "llama.attention.head_count", h->num_attention_heads);
    put_int(w, "llama.attention.head_count_kv", h->num_key_value_heads);
    put_int(w, "llama.attention.key_length", h->head_dim);
    put_int(w, "llama.attention.value_length", h->head_dim);
    put_int(w, "llama.rope.dimension_count", h->head_dim);
    put_double(w, "llama.rope.freq_base", h->rope_theta);
    put_double(w, "llama.attention.layer_norm_rms_epsilon", h->rms_norm_eps);
    const RopeScaling *s = &h->rope_scaling;
    if (s->factor <= 0)
        return;
    put_double(w, "lemur.rope_scaling.factor", s->factor);
    put_double(w, "lemur.rope_scaling.low_freq_factor", s->low_freq_factor);
    put_double(w, "lemur.rope_scaling.high_freq_factor", s->high_freq_factor);
    put_int(w, "lemur.rope_scaling.original_max_position_embeddings", s->original_max_position_embeddings);
}

void quantize_declare(GgufWriter *w, const Params *p, const QuantPlan *plan)
{
    char name[GGUF_NAME_BYTES];
    if (!gguf_has(w, "general.architecture"))
        gguf_put_text(w, "general.architecture", span("llama"));
    put_int(w, "general.file_type", plan->mix->file_type);
    if (quant_block(plan->mix->type) > 1)
        put_int(w, "general.quantization_version", 2);
    put_shape(w, &p->h);
    if (p->h.rope_scaling.factor > 0)
        gguf_declare(w, gguf_rope_name, QUANT_F32, 0, p->h.head_dim / 2);
    for (int64_t i = 0; i < p->n; i++) {
        const Param *one = &p->at[i];
        gguf_param_name(name, one->kind, one->layer);
        gguf_declare(w, name, plan->types[i], one->kind >= PARAM_INPUT_NORM ? 0 : one->rows, one->cols);
    }
}

enum { TASK_NUMBERS = 1 << 17, TASKS_A_THREAD = 4 };

/* A batch of rows of one parameter, as they lie in the file. */
typedef struct {
    const WeightSource *source;
    const Param *p;
    QuantType type;
    int64_t heads; /* permuted; 0: none */
    int64_t first, end, rows_a_task;
    char *blocks;   /* of rows [first, end) */
    float **values; /* [threads], a row each */
    int64_t *bad;   /* [tasks]: the first row that the type cannot hold, or -1 */
} Batch;

/* Hugging Face's row that lies at `row` of the file: gguf_stored_row's inverse. */
static int64_t source_row(int64_t row, int64_t rows, int64_t heads)
{
    if (heads == 0)
        return row;
    int64_t D = rows / heads, at = row % D;
    return row - at + at % 2 * (D / 2) + at / 2;
}

static bool can_hold(QuantType t, const float *x, int64_t n)
{
    float limit = quant_limit(t);
    bool fits = true;
    for (int64_t i = 0; i < n; i++)
        fits = fits && fabsf(x[i]) <= limit;
    return fits;
}

static void encode_rows(void *context, int64_t task, int thread)
{
    Batch *b = context;
    size_t bytes = quant_bytes(b->type, b->p->cols);
    int64_t first = b->first + task * b->rows_a_task, end = first + b->rows_a_task;
    b->bad[task] = -1;
    for (int64_t row = first; row < (end < b->end ? end : b->end); row++) {
        char *to = b->blocks + (size_t)(row - b->first) * bytes;
        int64_t from = source_row(row, b->p->rows, b->heads);
        const void *ready = b->source->stored ? b->source->stored(b->source, b->p, from, b->type) : NULL;
        float *x = b->values[thread];
        if (ready) {
            memcpy(to, ready, bytes);
            continue;
        }
        b->source->row(b->source, b->p, from, x);
        if (can_hold(b->type, x, b->p->cols))
            quant_encode(to, b->type, x, b->p->cols);
        else if (b->bad[task] < 0)
            b->bad[task] = from;
    }
}

static Status refuse_numbers(const Batch *b, int64_t tasks)
{
    for (int64_t i = 0; i < tasks; i++)
        if (b->bad[i] >= 0)
            return fail(ST_LIMIT,
                        "tensor %s, row %lld: a number is not finite, or too large for %s; %s", b->p->name,
                        (long long)b->bad[i], quant_name(b->type),
                        b->type == QUANT_F16 ? "BF16 holds larger ones" : "the model is damaged");
    return ST_OK;
}

static Status write_param(GgufWriter *w, Batch *b, int threads, Progress *progress, double *done)
{
    const Param *p = b->p;
    int64_t tasks = (int64_t)threads * TASKS_A_THREAD;
    b->rows_a_task = TASK_NUMBERS / p->cols > 0 ? TASK_NUMBERS / p->cols : 1;
    int64_t rows = b->rows_a_task * tasks < p->rows ? b->rows_a_task * tasks : p->rows;
    size_t bytes = quant_bytes(b->type, p->cols);
    b->blocks = mem_array(char, (size_t)rows * bytes);
    b->bad = mem_array(int64_t, tasks);
    b->values = mem_array(float *, threads);
    for (int i = 0; i < threads; i++)
        b->values[i] = mem_array(float, p->cols);
    Status st = ST_OK;
    for (b->first = 0; b->first < p->rows && st == ST_OK; b->first = b->end) {
        b->end = b->first + rows < p->rows ? b->first + rows : p->rows;
        int64_t n = (b->end - b->first + b->rows_a_task - 1) / b->rows_a_task;
        thread_each(n, threads, encode_rows, b);
        st = refuse_numbers(b, n);
        if (st == ST_OK)
            st = weight_source_wanted(b->source);
        if (st == ST_OK)
            st = gguf_write(w, b->blocks, (size_t)(b->end - b->first) * bytes);
        *done += (double)((b->end - b->first) * p->cols) / 1e6;
        progress_at(progress, *done);
    }
    for (int i = 0; i < threads; i++)
        mem_free(b->values[i]);
    mem_free(b->values);
    mem_free(b->blocks);
    mem_free(b->bad);
    return st;
}

static Status write_divisors(GgufWriter *w, const HParams *h)
{
    if (h->rope_scaling.factor <= 0)
        return ST_OK;
    float *divisors = mem_array(float, h->head_dim / 2);
    gguf_rope_divisors(divisors, h);
    Status st = gguf_write(w, divisors, (size_t)h->head_dim / 2 * sizeof *divisors);
    mem_free(divisors);
    return st;
}

Status quantize_write_gguf(const WeightSource *s, const QuantPlan *plan, GgufWriter *w, const char *path,
                           int threads)
{
    const Params *p = s->params;
    double done = 0;
    file_sweep(path); /* as large as models are */
    TRY(gguf_begin(w, path));
    TRY(write_divisors(w, &p->h));
    Progress progress = progress_start("converting", (double)hparams_param_count(&p->h) / 1e6, "M weights");
    Status st = ST_OK;
    for (int64_t i = 0; i < p->n && st == ST_OK; i++) {
        Batch b = {.source = s, .p = &p->at[i], .type = plan->types[i],
                   .heads = gguf_permuted_heads(&p->h, p->at[i].kind)};
        st = write_param(w, &b, threads, &progress, &done);
    }
    progress_end(&progress);
    return st == ST_OK ? gguf_commit(w) : st;
}

/* Folders. -------------------------------------------------------------------------------------------- */

typedef struct {
    const WeightSource *source;
    const Param *p;
    float *row; /* [cols] */
    Progress *progress;
    double *done;
} Reading;

/* Elements from the middle of one row to the middle of another. */
static Status read_elements(void *context, int64_t first, int64_t n, float *out)
{
    Reading *r = context;
    TRY(weight_source_wanted(r->source));
    int64_t cols = r->p->cols;
    for (int64_t at = first; at < first + n;) {
        int64_t row = at / cols, from = at % cols, left = first + n - at,
                count = cols - from < left ? cols - from : left;
        r->source->row(r->source, r->p, row, r->row);
        memcpy(out + (at - first), r->row + from, (size_t)count * sizeof *out);
        at += count;
    }
    *r->done += (double)n / 1e6;
    progress_at(r->progress, *r->done);
    return ST_OK;
}

Status quantize_write_folder(const WeightSource *s, const char *folder, DType dtype)
{
    const Params *p = s->params;
    double done = 0;
    SafetensorsItem *items = mem_array(SafetensorsItem, p->n);
    Reading *readings = mem_array(Reading, p->n);
    Progress progress = progress_start("converting", (double)hparams_param_count(&p->h) / 1e6, "M weights");
    for (int64_t i = 0; i < p->n; i++) {
        readings[i] = (Reading){s, &p->at[i], mem_array(float, p->at[i].cols), &progress, &done};
        items[i].read = read_elements;
        items[i].context = &readings[i];
    }
    Status st = weights_write_items(p, folder, items, dtype);
    progress_end(&progress);
    for (int64_t i = 0; i < p->n; i++)
        mem_free(readings[i].row);
    mem_free(readings);
    mem_free(items);
    return st;
}
