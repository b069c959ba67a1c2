#include "infer/generate.h"

#include "base/clock.h"
#include "base/mem.h"
#include "infer/stops.h"

struct Generator {
    Model *model;
    const Tokenizer *tokenizer;
    KvCache *cache;
    float *logits;    /* [V] */
    int64_t sampled;  /* ids that have a token: what is sampled from */
};

/* One generation under way. */
typedef struct {
    Generator *g;
    const GenerateOptions *o;
    Sampler sampler;
    Detok detok;
    Stops stops;
    Str piece, certain;
    GenerateSink *sink;
    void *context;
    GenerateResult *result;
} Run;

const char *generate_end_name(GenerateEnd e)
{
    static const char *const names[] = {"length", "context", "token", "string", "caller"};
    return names[e];
}

Status generate_open(Generator **out, Model *m, const Tokenizer *t)
{
    Generator *g = mem_new(Generator);
    int64_t rows = model_hparams(m)->vocab_size, tokens = tokenizer_vocab_size(t);
    *g = (Generator){.model = m, .tokenizer = t, .sampled = tokens < rows ? tokens : rows};
    Status st = kvcache_open(&g->cache, m, model_setup(m)->context);
    if (st != ST_OK) {
        generate_close(g);
        return st;
    }
    g->logits = mem_array(float, rows);
    *out = g;
    return ST_OK;
}

void generate_close(Generator *g)
{
    if (!g)
        return;
    kvcache_close(g->cache);
    mem_free(g->logits);
    mem_free(g);
}

static Status check_options(const GenerateOptions *o)
{
    if (o->max_tokens < 0)
        return fail(ST_ARG, "%lld new tokens cannot be written", (long long)o->max_tokens);
    for (size_t i = 0; i < o->stops_n; i++)
        if (!o->stops[i][0])
            return fail(ST_ARG, "a stop string is empty: it would end every text before it begins");
    return sampler_check(&o->sampler);
}

static Status encode_prompt(const Generator *g, Ids *ids, const char *prompt, size_t n,
                            const GenerateOptions *o)
{
    int64_t context = model_setup(g->model)->context;
    TRY(tokenizer_encode(g->tokenizer, ids, prompt, n, o->prompt_flags));
    if (ids->n == 0)
        return fail(ST_ARG, "the prompt has no token to go on from: give it some text");
    if ((int64_t)ids->n >= context)
        return fail(ST_LIMIT,
                    "the prompt fills %zu positions, the context has %lld: shorten it, or raise the context",
                    ids->n, (long long)context);
    for (size_t i = 0; i < ids->n; i++)
        if (ids->at[i] >= model_hparams(g->model)->vocab_size)
            return fail(ST_FORMAT,
                        "the tokenizer gives id %d and the model has %lld: they do not belong together",
                        ids->at[i], (long long)model_hparams(g->model)->vocab_size);
    return ST_OK;
}

/* The decoder goes through the prompt as well: whether a space belongs before the first new word is known
 * only there. */
static Status read_prompt(Run *r, const Ids *ids)
{
    Generator *g = r->g;
    double start = clock_now();
    kvcache_truncate(g->cache, 0);
    for (size_t i = 0; i < ids->n; i++) {
        sampler_saw(&r->sampler, ids->at[i]);
        TRY(detok_push(&r->detok, &r->piece, ids->at[i]));
    }
    str_clear(&r->piece);
    r->result->prompt_tokens = (int64_t)ids->n;
    TRY(model_extend(g->model, g->cache, ids->at, (int64_t)ids->n, g->logits));
    r->result->prompt_s = clock_now() - start;
    return ST_OK;
}

/* Hands over what is certain; false: the caller wants no more. */
static bool emit(Run *r)
{
    bool more = r->certain.n == 0 || r->sink(r->context, r->certain.at, r->certain.n);
    str_clear(&r->certain);
    return more;
}

static bool is_end(const Run *r, int32_t id)
{
    for (size_t i = 0; i < r->o->ends_n; i++)
        if (r->o->ends[i] == id)
            return true;
    return false;
}

/* One token out of the logits; *more: the text goes on. */
static Status step(Run *r, bool *more)
{
    Generator *g = r->g;
    *more = false;
    int32_t id = sampler_pick(&r->sampler, g->logits);
    if (id < 0)
        return fail(ST_FORMAT,
                    "the model gives no finite logits: its weights are damaged, or its training diverged");
    if (is_end(r, id)) {
        r->result->end = ENDED_BY_TOKEN;
        return ST_OK;
    }
    r->result->tokens++;
    sampler_saw(&r->sampler, id);
    TRY(detok_push(&r->detok, &r->piece, id));
    stops_push(&r->stops, &r->certain, str_c(&r->piece), r->piece.n);
    str_clear(&r->piece);
    bool wanted = emit(r);
    r->result->stop = r->stops.found;
    if (r->stops.found >= 0)
        r->result->end = ENDED_BY_STRING;
    else if (!wanted)
        r->result->end = ENDED_BY_CALLER;
    else if (r->result->tokens >= r->o->max_tokens)
        r->result->end = ENDED_BY_LENGTH;
    else if (kvcache_length(g->cache) >= model_setup(g->model)->context)
        r->result->end = ENDED_BY_CONTEXT;
    else {
        *more = true;
        return model_extend(g->model, g->cache, &id, 1, g->logits);
    }
    return ST_OK;
}

/* What the decoder and the stop strings held back: it was text. */
static void finish(Run *r)
{
    if (r->result->end == ENDED_BY_CALLER)
        return;
    detok_flush(&r->detok, &r->piece);
    stops_push(&r->stops, &r->certain, str_c(&r->piece), r->piece.n);
    if (r->stops.found < 0)
        stops_flush(&r->stops, &r->certain);
    else if (r->result->end != ENDED_BY_STRING) {
        r->result->end = ENDED_BY_STRING;
        r->result->stop = r->stops.found;
    }
    if (!emit(r))
        r->result->end = ENDED_BY_CALLER;
}

static Status write_text(Run *r)
{
    double start = clock_now();
    bool more = r->o->max_tokens > 0;
    while (more)
        TRY(step(r, &more));
    finish(r);
    r->result->tokens_s = clock_now() - start;
    return ST_OK;
}

Status generate_text(Generator *g, const char *prompt, size_t n, const GenerateOptions *o, GenerateSink *sink,
                     void *context, GenerateResult *result)
{
    Ids ids = {0};
    *result = (GenerateResult){.stop = -1};
    TRY(check_options(o));
    Status st = encode_prompt(g, &ids, prompt, n, o);
    if (st == ST_OK) {
        Run r = {.g = g, .o = o, .sink = sink, .context = context, .result = result};
        sampler_init(&r.sampler, &o->sampler, g->sampled);
        detok_start(&r.detok, g->tokenizer, false);
        stops_init(&r.stops, o->stops, o->stops_n);
        st = read_prompt(&r, &ids);
        if (st == ST_OK)
            st = write_text(&r);
        stops_drop(&r.stops);
        detok_drop(&r.detok);
        sampler_drop(&r.sampler);
        str_drop(&r.piece);
        str_drop(&r.certain);
    }
    array_drop(&ids);
    return st;
}
