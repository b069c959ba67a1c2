/* For tests of benchmarks: a model that answers what it is told to, and a run with it. */
#ifndef EVAL_STATIC_SCRIPTED_TEST_H
#define EVAL_STATIC_SCRIPTED_TEST_H

#include <signal.h>

#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"
#include "base/data_test.h"
#include "env/sandbox.h"
#include "eval/benchmark.h"

typedef struct {
    const char *const *says; /* [says_n] in order, the last again and again */
    size_t says_n, asked;
    Str prompt;         /* of the last call, its messages joined */
    double temperature; /* of the last call */
    size_t stops_n;
    uint64_t seed;
    Status st; /* what every call returns, beside CHAT_FINISH_CONTEXT if it is ST_LIMIT */
} Scripted;

static inline Status scripted_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    Scripted *s = self;
    str_clear(&s->prompt);
    for (size_t i = 0; i < call->messages->messages.n; i++)
        str_add(&s->prompt, call->messages->messages.at[i].content.at,
                call->messages->messages.at[i].content.n);
    s->temperature = call->sampler.temperature;
    s->seed = call->sampler.seed;
    s->stops_n = call->stops_n;
    size_t i = s->asked++;
    if (s->st == ST_LIMIT)
        out->finish = CHAT_FINISH_CONTEXT;
    if (s->st != ST_OK)
        return (fail)(s->st, "scripted");
    str_adds(&out->text, s->says[i < s->says_n ? i : s->says_n - 1]);
    return ST_OK;
}

static inline void scripted_close(void *self)
{
    str_drop(&((Scripted *)self)->prompt);
}

static const ChatModelKind scripted_kind = {scripted_ask, scripted_close};

/* A benchmark that is open, and who answers its questions. */
typedef struct {
    const Benchmark *b;
    Scripted model;
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
} Bench;

/* Opens b on `data`. */
static inline Status bench_open(Bench *x, const Benchmark *b, const char *data)
{
    x->b = b;
    if (!x->run.settings) {
        x->settings = eval_settings();
        x->run.settings = &x->settings;
    }
    x->run.data = data;
    chatmodel_open(&x->run.models.chat, &scripted_kind, &x->model, "scripted");
    return b->open(&x->run, &x->questions, &x->state);
}

static inline void bench_close(Bench *x)
{
    x->b->close(x->state);
    questions_drop(&x->questions);
    chatmodel_close(x->run.models.chat);
}

/* The question's sample when the model answers so; the caller drops it. */
static inline Sample bench_ask(Bench *x, const Question *q, const char *answer)
{
    Sample s;
    const char *says[] = {answer};
    x->model.says = says;
    x->model.says_n = 1;
    x->model.asked = 0;
    sample_init(&s);
    if (x->b->ask(&x->run, x->state, q, &s) != ST_OK)
        fail_msg("%s: %s", q->id, error_text());
    return s;
}

static inline double metric_of(const Sample *s, const char *name)
{
    json_t *v = json_object_get(s->metrics, name);
    return v ? json_number_value(v) : -1;
}

/* An element of a list in `more`: "verdicts", "rules", "says". */
static inline const char *told(const Sample *s, const char *list)
{
    const char *text = json_string_value(json_array_get(json_object_get(s->more, list), 0));
    return text ? text : "";
}

/* The answer gets this verdict, by this rule (NULL: any). */
static inline void expect_verdict(Bench *x, const Question *q, const char *answer, const char *verdict,
                                  const char *rule)
{
    Sample s = bench_ask(x, q, answer);
    if (strcmp(told(&s, "verdicts"), verdict) != 0 || (rule && strcmp(told(&s, "rules"), rule) != 0))
        fail_msg("%s: %s by \"%s\", not %s by \"%s\": %s\n%s", q->id, told(&s, "verdicts"), told(&s, "rules"),
                 verdict, rule ? rule : "", told(&s, "says"), json_string_value(json_array_get(s.read, 0)));
    assert_true(metric_of(&s, "pass@1") == (strcmp(verdict, "right") == 0));
    sample_drop(&s);
}

static inline const Question *question(const Bench *x, const char *id)
{
    for (size_t i = 0; i < x->questions.all.n; i++)
        if (strcmp(x->questions.all.at[i].id, id) == 0)
            return &x->questions.all.at[i];
    return NULL;
}

#endif
