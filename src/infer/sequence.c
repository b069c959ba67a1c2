#include "infer/sequence.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

/* The request, checked and copied. ----------------------------------------------------------------------- */

static Status check_ids(const int32_t *ids, int64_t n, int64_t end, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= end)
            return fail(ST_ARG, "%s holds the id %d, and the model's ids are 0 to %lld", what, ids[i],
                        (long long)end - 1);
    return ST_OK;
}

static Status check_prompt(const RequestSpec *spec, const SequenceSetup *setup)
{
    if (spec->prompt_n < 1)
        return fail(ST_ARG, "the prompt has no token to go on from: give it some text");
    if (spec->prompt_n + (spec->max_tokens > 0) > setup->context)
        return fail(ST_LIMIT,
                    "the prompt fills %lld positions, the context has %lld: shorten it, or raise the context",
                    (long long)spec->prompt_n, (long long)setup->context);
    return check_ids(spec->prompt, spec->prompt_n, setup->vocab, "the prompt");
}

static Status check_bias(const RequestSpec *spec, const SequenceSetup *setup)
{
    for (size_t i = 0; i < spec->bias_n; i++) {
        const LogitBias *b = &spec->bias[i];
        TRY(check_ids(&b->id, 1, setup->writable, "the logit bias"));
        if (!isfinite(b->add))
            return fail(ST_ARG, "the logit bias of id %d is no finite number; -100 forbids a token", b->id);
    }
    return ST_OK;
}

static Status check_spec(const RequestSpec *spec, const SequenceSetup *setup)
{
    if (spec->max_tokens < 0)
        return fail(ST_ARG, "%lld new tokens cannot be written", (long long)spec->max_tokens);
    if (spec->min_tokens < 0 || spec->min_tokens > spec->max_tokens)
        return fail(ST_ARG, "at least %lld new tokens and at most %lld do not go together",
                    (long long)spec->min_tokens, (long long)spec->max_tokens);
    if (spec->top_logprobs < 0 || spec->top_logprobs > TOP_LOGPROBS_MAX)
        return fail(ST_ARG, "log-probabilities of the %lld most likely tokens cannot be had; at most %d can",
                    (long long)spec->top_logprobs, TOP_LOGPROBS_MAX);
    if (spec->prompt_logprobs_from < 0 || spec->prompt_logprobs_from > spec->prompt_n)
        return fail(ST_ARG, "log-probabilities are wanted from position %lld of a prompt of %lld tokens on",
                    (long long)spec->prompt_logprobs_from, (long long)spec->prompt_n);
    if (!(spec->deadline_s >= 0))
        return fail(ST_ARG, "a deadline of %g seconds lies in the past", spec->deadline_s);
    for (size_t i = 0; i < spec->stops_n; i++)
        if (!spec->stops[i][0])
            return fail(ST_ARG, "a stop string is empty: it would end every text before it begins");
    if (spec->stops_n && !setup->tokenizer)
        return fail(ST_ARG, "stop strings need a tokenizer, and this engine was opened without one");
    TRY(check_ids(spec->ends, (int64_t)spec->ends_n, setup->vocab, "the list of ids that end a text"));
    TRY(check_bias(spec, setup));
    TRY(sampler_check(&spec->sampler));
    return check_prompt(spec, setup);
}

static void *copy(Arena *a, const void *from, size_t n, size_t size)
{
    void *to = n ? arena_alloc(a, n * size) : NULL;
    if (n)
        memcpy(to, from, n * size);
    return to;
}

static void copy_spec(Sequence *s, const RequestSpec *spec)
{
    const char **stops = spec->stops_n ? arena_alloc(&s->arena, spec->stops_n * sizeof *stops) : NULL;
    for (size_t i = 0; i < spec->stops_n; i++)
        stops[i] = arena_strn(&s->arena, spec->stops[i], strlen(spec->stops[i]));
    s->spec = *spec;
    s->spec.prompt = NULL; /* it is in ids */
    s->spec.stops = stops;
    s->spec.ends = copy(&s->arena, spec->ends, spec->ends_n, sizeof *spec->ends);
    s->spec.bias = copy(&s->arena, spec->bias, spec->bias_n, sizeof *spec->bias);
    array_reserve(&s->ids, spec->prompt_n);
    memcpy(s->ids.at, spec->prompt, (size_t)spec->prompt_n * sizeof *spec->prompt);
    s->ids.n = (size_t)spec->prompt_n;
}

/* Text of the prompt, which events about its tokens show. */
static void keep_prompt_text(Sequence *s, size_t i, size_t held)
{
    s->prompt_begins[i] = (int64_t)(s->prompt_text.n + held);
    str_add(&s->prompt_text, str_c(&s->piece), s->piece.n);
    s->prompt_ends[i] = (int64_t)s->prompt_text.n;
}

/* The decoder goes through the prompt, too: whether a space belongs before the first new word is known only
 * there.  Ids without a token, which a model may have, have no text. */
static Status read_prompt(Sequence *s)
{
    for (size_t i = 0; i < s->ids.n; i++) {
        size_t held = s->detok.held.n;
        sampler_saw_prompt(&s->sampler, s->ids.at[i]);
        str_clear(&s->piece);
        if (s->setup.tokenizer && s->ids.at[i] < tokenizer_vocab_size(s->setup.tokenizer))
            TRY(detok_push(&s->detok, &s->piece, s->ids.at[i]));
        if (s->prompt_begins)
            keep_prompt_text(s, i, held);
    }
    str_clear(&s->piece);
    return ST_OK;
}

Status sequence_new(Sequence **out, const RequestSpec *spec, const SequenceSetup *setup)
{
    TRY(check_spec(spec, setup));
    check(!spec->constraint.state || (spec->constraint.mask && spec->constraint.advance));
    Sequence *s = mem_new(Sequence);
    s->setup = *setup;
    s->result = (RequestResult){.stop = -1, .end = -1, .prompt_tokens = spec->prompt_n};
    copy_spec(s, spec);
    sampler_init(&s->sampler, &spec->sampler, setup->writable, s->spec.bias, spec->bias_n);
    stops_init(&s->stops, s->spec.stops, spec->stops_n);
    if (setup->tokenizer)
        detok_start(&s->detok, setup->tokenizer, spec->special_text);
    if (spec->prompt_logprobs) {
        s->prompt_begins = mem_array(int64_t, spec->prompt_n);
        s->prompt_ends = mem_array(int64_t, spec->prompt_n);
    }
    s->prompt_told = spec->prompt_logprobs ? spec->prompt_logprobs_from : spec->prompt_n;
    if (spec->constraint.state)
        s->mask = mem_array(uint64_t, (setup->writable + 63) / 64);
    Status st = read_prompt(s);
    if (st != ST_OK) {
        s->spec.constraint = (TokenConstraint){0}; /* still the caller's */
        sequence_free(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void sequence_free(Sequence *s)
{
    if (!s)
        return;
    check(s->pages.n == 0);
    if (s->spec.constraint.state && s->spec.constraint.close)
        s->spec.constraint.close(s->spec.constraint.state);
    sampler_drop(&s->sampler);
    stops_drop(&s->stops);
    detok_drop(&s->detok);
    events_drop(&s->events);
    array_drop(&s->ids);
    array_drop(&s->top);
    str_drop(&s->piece);
    str_drop(&s->certain);
    str_drop(&s->prompt_text);
    mem_free(s->prompt_begins);
    mem_free(s->prompt_ends);
    mem_free(s->kept);
    mem_free(s->mask);
    arena_drop(&s->arena);
    mem_free(s);
}

/* How far it is. ----------------------------------------------------------------------------------------- */

bool sequence_writes(const Sequence *s)
{
    return (int64_t)s->ids.n > s->spec.prompt_n;
}

/* Where nothing is to be written, the last token's logits are of no use to anybody. */
int64_t sequence_target(const Sequence *s)
{
    return (int64_t)s->ids.n - (s->spec.max_tokens == 0 && s->spec.prompt_logprobs);
}

int64_t sequence_first_wanted(const Sequence *s)
{
    int64_t last = s->spec.max_tokens > 0 ? (int64_t)s->ids.n - 1 : (int64_t)s->ids.n;
    if (s->prompt_told >= s->spec.prompt_n)
        return last;
    return s->prompt_told > 0 ? s->prompt_told - 1 : 0;
}

/* Events. ------------------------------------------------------------------------------------------------ */

static bool is_cut(const Sequence *s, Finish f)
{
    const TokenConstraint *c = &s->spec.constraint;
    return c->state && f != FINISH_TOKEN && f != FINISH_CONSTRAINT && !(c->whole && c->whole(c->state));
}

static void finish(Sequence *s, Finish f)
{
    double now = clock_now();
    RequestEvent event = {
        .kind = EVENT_END, .text = str_span(&s->certain), .id = -1, .index = s->result.tokens};
    s->finished = true;
    s->result.finish = f;
    s->result.cut = is_cut(s, f);
    s->result.text_bytes += (int64_t)s->certain.n;
    s->result.queued_s = (s->started > 0 ? s->started : now) - s->submitted;
    s->result.prompt_s = s->started > 0 ? (s->answered > 0 ? s->answered : now) - s->started : 0;
    s->result.tokens_s = s->answered > 0 ? now - s->answered : 0;
    events_add(&s->events, &event);
    str_clear(&s->certain);
}

/* What detok and the stop strings held back was text, unless it ends with a stop string. */
void sequence_end(Sequence *s, Finish f)
{
    if (s->finished)
        return;
    if (s->setup.tokenizer && f != FINISH_STRING) {
        str_clear(&s->piece);
        detok_flush(&s->detok, &s->piece);
        if (sequence_writes(s)) {
            stops_push(&s->stops, &s->certain, str_c(&s->piece), s->piece.n);
            if (s->stops.found < 0)
                stops_flush(&s->stops, &s->certain);
        }
        if (s->stops.found >= 0 && f != FINISH_CANCELLED && f != FINISH_FAILED)
            f = FINISH_STRING;
        s->result.stop = f == FINISH_STRING ? s->stops.found : -1;
    }
    finish(s, f);
}

void sequence_fail(Sequence *s)
{
    if (s->finished)
        return;
    s->error = error_take();
    sequence_end(s, FINISH_FAILED);
}

/* Log-probabilities of a row as it came. */
static void tell_logprob(Sequence *s, RequestEvent *event, const float *logits, int32_t id,
                         TokenLogprob *tops)
{
    int64_t V = s->setup.vocab;
    double sum = logits_log_sum(logits, V);
    event->has_logprob = true;
    event->logprob = (float)((double)logits[id] - sum);
    event->rank = logits_rank(logits, V, id);
    logits_top(&s->top, logits, V, s->spec.top_logprobs);
    for (size_t i = 0; i < s->top.n; i++)
        tops[i] = (TokenLogprob){s->top.at[i].id, (float)((double)s->top.at[i].logit - sum)};
    event->top = tops;
    event->top_n = (int64_t)s->top.n;
}

/* Token number prompt_told of the prompt; logits of the one in front of it, NULL for the first. */
static void tell_prompt(Sequence *s, const float *logits)
{
    TokenLogprob tops[TOP_LOGPROBS_MAX];
    int64_t i = s->prompt_told++, from = i > 0 ? s->prompt_ends[i - 1] : 0;
    RequestEvent event = {
        .kind = EVENT_PROMPT, .id = s->ids.at[i], .index = i, .offset = s->prompt_begins[i],
        .text = {str_c(&s->prompt_text) + from, (size_t)(s->prompt_ends[i] - from)},
    };
    if (logits)
        tell_logprob(s, &event, logits, event.id, tops);
    events_add(&s->events, &event);
}

/* Writing. ----------------------------------------------------------------------------------------------- */

static bool is_end(const Sequence *s, int32_t id)
{
    for (size_t i = 0; i < s->spec.ends_n; i++)
        if (s->spec.ends[i] == id)
            return true;
    return false;
}

static Status pick(Sequence *s, float *logits, int32_t *id)
{
    const TokenConstraint *c = &s->spec.constraint;
    size_t words = (size_t)(s->setup.writable + 63) / 64;
    if (c->state) {
        memset(s->mask, 0, words * sizeof *s->mask);
        TRY(c->mask(c->state, s->mask));
    }
    if (s->result.tokens < s->spec.min_tokens)
        for (size_t i = 0; i < s->spec.ends_n; i++)
            logits[s->spec.ends[i]] = -INFINITY;
    bool any = logits_argmax(logits, s->setup.writable) >= 0;
    *id = sampler_pick(&s->sampler, logits, c->state ? s->mask : NULL);
    if (*id >= 0)
        return ST_OK;
    if (!any)
        return fail(ST_FORMAT,
                    "the model gives no finite logits: its weights are damaged, or its training diverged");
    return fail(ST_UNSUPPORTED, "no token is left that constraint, logit bias and min_tokens allow together");
}

/* Its text, as far as it is certain, into s->certain. */
static Status add_text(Sequence *s, int32_t id, RequestEvent *event)
{
    event->offset = s->text_seen + (int64_t)s->detok.held.n;
    if (!s->setup.tokenizer)
        return ST_OK;
    str_clear(&s->piece);
    TRY(detok_push(&s->detok, &s->piece, id));
    s->text_seen += (int64_t)s->piece.n;
    stops_push(&s->stops, &s->certain, str_c(&s->piece), s->piece.n);
    return ST_OK;
}

static Status write_token(Sequence *s, int32_t id, const float *kept)
{
    TokenLogprob tops[TOP_LOGPROBS_MAX];
    RequestEvent event = {.kind = EVENT_TOKEN, .id = id, .index = s->result.tokens++};
    array_push(&s->ids, id);
    sampler_saw_written(&s->sampler, id);
    if (s->spec.constraint.state)
        TRY(s->spec.constraint.advance(s->spec.constraint.state, id));
    TRY(add_text(s, id, &event));
    if (kept)
        tell_logprob(s, &event, kept, id, tops);
    event.text = str_span(&s->certain);
    s->result.text_bytes += (int64_t)s->certain.n;
    events_add(&s->events, &event);
    str_clear(&s->certain);
    return ST_OK;
}

static bool constraint_done(const Sequence *s)
{
    const TokenConstraint *c = &s->spec.constraint;
    return c->state && c->done && c->done(c->state);
}

/* One token out of the logits behind the last id. */
static Status step(Sequence *s, float *logits)
{
    int32_t id;
    bool keep = s->spec.logprobs;
    if (keep) {
        if (!s->kept)
            s->kept = mem_array(float, s->setup.vocab);
        memcpy(s->kept, logits, (size_t)s->setup.vocab * sizeof *logits);
    }
    TRY(pick(s, logits, &id));
    if (is_end(s, id)) {
        s->result.end = id;
        if (s->spec.constraint.state)
            TRY(s->spec.constraint.advance(s->spec.constraint.state, id));
        sequence_end(s, FINISH_TOKEN);
        return ST_OK;
    }
    TRY(write_token(s, id, keep ? s->kept : NULL));
    if (s->stops.found >= 0) {
        s->result.stop = s->stops.found;
        sequence_end(s, FINISH_STRING);
    } else if (constraint_done(s)) {
        sequence_end(s, FINISH_CONSTRAINT);
    } else if (s->result.tokens >= s->spec.max_tokens) {
        sequence_end(s, FINISH_LENGTH);
    } else if (s->past >= s->setup.context) {
        sequence_end(s, FINISH_CONTEXT);
    }
    return ST_OK;
}

void sequence_take(Sequence *s, float *logits)
{
    int64_t V = s->setup.vocab;
    s->past += s->rows;
    for (int64_t i = 0; i < s->wanted && !s->finished; i++) {
        int64_t at = s->past - s->wanted + i;
        if (s->prompt_told == 0 && s->spec.prompt_n > 0)
            tell_prompt(s, NULL);
        if (s->prompt_told == at + 1 && at + 1 < s->spec.prompt_n)
            tell_prompt(s, logits + i * V);
        if (at + 1 == (int64_t)s->ids.n && s->spec.max_tokens > 0) {
            if (s->answered <= 0)
                s->answered = clock_now();
            if (step(s, logits + i * V) != ST_OK)
                sequence_fail(s);
            break;
        }
    }
    if (!s->finished && s->spec.max_tokens == 0 && s->past >= sequence_target(s)) {
        s->answered = clock_now();
        if (s->prompt_told == 0)
            tell_prompt(s, NULL);
        sequence_end(s, FINISH_LENGTH);
    }
}
