#include "cli/train_sample.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "infer/generate.h"

enum { SAMPLE_TOKENS = 48 };

static bool keep(void *context, const RequestEvent *event)
{
    str_add(context, event->text.at, event->text.n);
    return true;
}

static Status open_tokenizer(TrainSample *s, const ShardSet *held_out)
{
    const char *path = s->tokenizer ? s->tokenizer : held_out ? shards_tokenizer_path(held_out) : NULL;
    if (s->opened)
        return ST_OK;
    if (!path)
        return fail(ST_ARG, "the data names no vocabulary; give --tokenizer PATH");
    return tokenizer_open(&s->opened, path);
}

Status train_sample_text(Str *out, TrainSample *s, Model *m, const ShardSet *held_out)
{
    RequestResult result;
    TRY(open_tokenizer(s, held_out));
    int32_t end = tokenizer_eos(s->opened);
    RequestSpec spec = request_spec(NULL, 0);
    spec.max_tokens = SAMPLE_TOKENS;
    spec.ends = &end;
    spec.ends_n = end >= 0;
    spec.sampler.repetition_penalty = 1.2;
    return generate_sample(m, s->opened, span(s->prompt), TOK_BOS, &spec, keep, out, &result);
}

void train_sample_on_eval(void *context, Model *m, int64_t step, const LossReport *r,
                          const ShardSet *held_out)
{
    TrainSample *s = context;
    Str text = {0};
    (void)r;
    if (s->failed)
        return;
    if (train_sample_text(&text, s, m, held_out) == ST_OK) {
        log_info("step %" PRId64 " writes: %s|%s", step, s->prompt, str_c(&text));
    } else {
        log_warn("there are no samples: %s", error_text());
        s->failed = true;
    }
    str_drop(&text);
}

void train_sample_drop(TrainSample *s)
{
    tokenizer_close(s->opened);
    s->opened = NULL;
}
