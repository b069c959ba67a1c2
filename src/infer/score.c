#include "infer/score.h"

#include "base/mem.h"

enum { TOGETHER = 256 }; /* items that the engine has at once: the others' answers wait to be read */

static Status submit(Engine *e, const ScoreItem *item, Request **out)
{
    RequestSpec spec = request_spec(item->ids, item->n);
    if (item->from < 1 || item->from > item->n)
        return fail(
            ST_ARG,
            "the continuation begins at position %lld of %lld tokens; something must stand in front of it",
            (long long)item->from, (long long)item->n);
    spec.max_tokens = 0;
    spec.prompt_logprobs = true;
    spec.prompt_logprobs_from = item->from;
    return engine_submit(e, &spec, out);
}

static Status read_score(Request *r, const ScoreItem *item, Score *out)
{
    RequestEvent event;
    RequestResult result;
    *out = (Score){.tokens = item->n - item->from, .greedy = true};
    while (request_next(r, &event, -1))
        if (event.kind == EVENT_PROMPT) {
            out->sum += (double)event.logprob;
            out->greedy &= event.rank == 1;
        }
    TRY(request_result(r, &result));
    if (result.finish != FINISH_LENGTH)
        return fail(ST_CANCELLED, "the engine was closed");
    out->per_token = out->tokens ? out->sum / (double)out->tokens : 0;
    out->per_byte = item->bytes ? out->sum / (double)item->bytes : 0;
    return ST_OK;
}

Status score_all(Engine *e, const ScoreItem *items, int64_t n, Score *out)
{
    Request *under_way[TOGETHER] = {NULL};
    Status st = ST_OK;
    for (int64_t i = 0; i < n + TOGETHER && st == ST_OK; i++) {
        Request **place = &under_way[i % TOGETHER];
        int64_t before = i - TOGETHER;
        if (*place)
            st = read_score(*place, &items[before], &out[before]);
        request_close(*place);
        *place = NULL;
        if (i < n && st == ST_OK)
            st = submit(e, &items[i], place);
    }
    for (int64_t i = 0; i < TOGETHER; i++)
        request_close(under_way[i]); /* those of a failure: it has cancelled them */
    return st;
}

Status score_encode(const Tokenizer *t, Ids *ids, int64_t *from, Span context, Span continuation, int flags)
{
    Str whole = {0};
    Ids front = {0};
    size_t begin = ids->n;
    str_add(&whole, context.at, context.n);
    str_add(&whole, continuation.at, continuation.n);
    while (context.n && (context.at[context.n - 1] == ' ' || context.at[context.n - 1] == '\n' ||
                         context.at[context.n - 1] == '\t' || context.at[context.n - 1] == '\r'))
        context.n--;
    Status st = tokenizer_encode(t, &front, context.at, context.n, flags);
    if (st == ST_OK)
        st = tokenizer_encode(t, ids, str_c(&whole), whole.n, flags);
    *from = (int64_t)front.n;
    int64_t n = (int64_t)(ids->n - begin);
    if (st == ST_OK && *from < 1)
        st = fail(ST_ARG,
                  "nothing stands in front of the continuation: give it a context, or a begin-of-text token");
    *from = *from < n ? *from : n; /* a context whose end was joined to the continuation */
    str_drop(&whole);
    array_drop(&front);
    return st;
}
