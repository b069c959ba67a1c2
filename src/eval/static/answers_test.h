/* A model that answers by a function of the test, and a benchmark opened on a data folder with it:
 *
 *     static void parrot(Str *answer, Span prompt) { ... }
 *     bench_open(&gsm8k_benchmark, folder, eval_settings());
 *     bench_ask(0, parrot);           // fills `bench`: what was asked, what came of it
 *     bench_close();
 */
#ifndef EVAL_STATIC_ANSWERS_TEST_H
#define EVAL_STATIC_ANSWERS_TEST_H

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/data_test.h"
#include "eval/benchmark.h"

#include "base/scratch_test.h"

typedef void Answering(Str *answer, Span prompt);

static struct {
    const Benchmark *b;
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
    Sample sample; /* of the latest question */
    Str prompt;    /* that the model saw last */
    Str stops;     /* of that call, each with "|" behind it */
    int64_t calls, max_tokens;
    size_t most; /* a longer prompt fills the context; 0: none does */
    Answering *answering;
} bench;

static inline Status bench_answer(void *self, const ChatCall *call, ChatAnswer *out)
{
    (void)self;
    const Conversation *c = call->messages;
    assert_int_equal(c->messages.n, 1);
    assert_int_equal(c->messages.at[0].role, CHAT_USER);
    assert_true(call->sampler.temperature <= 0);
    Span prompt = c->messages.at[0].content;
    bench.calls++;
    bench.max_tokens = call->max_tokens;
    str_clear(&bench.prompt);
    str_add(&bench.prompt, prompt.at, prompt.n);
    str_clear(&bench.stops);
    for (size_t i = 0; i < call->stops_n; i++)
        str_addf(&bench.stops, "%s|", call->stops[i]);
    if (bench.most && prompt.n > bench.most) {
        out->finish = CHAT_FINISH_CONTEXT;
        return (fail)(ST_LIMIT, "the prompt fills the context");
    }
    bench.answering(&out->text, prompt);
    return ST_OK;
}

static inline void bench_nothing(void *self)
{
    (void)self;
}

static inline EvalSettings bench_shots(int64_t n)
{
    EvalSettings s = eval_settings();
    s.shots = n;
    return s;
}

/* What `open` says; bench_close in either case. */
static inline Status bench_try_open(const Benchmark *b, const char *data, EvalSettings settings)
{
    static const ChatModelKind kind = {bench_answer, bench_nothing};
    bench.b = b;
    bench.settings = settings;
    bench.run = (EvalRun){.data = data, .settings = &bench.settings, .models = bench.run.models};
    log_level_set(LOG_ERROR); /* of bad rows, which the tests count */
    chatmodel_open(&bench.run.models.chat, &kind, NULL, "test");
    return b->open(&bench.run, &bench.questions, &bench.state);
}

static inline void bench_open(const Benchmark *b, const char *data, EvalSettings settings)
{
    if (bench_try_open(b, data, settings) != ST_OK)
        fail_msg("%s", error_text());
}

static inline void bench_close(void)
{
    if (bench.b && bench.state)
        bench.b->close(bench.state);
    questions_drop(&bench.questions);
    chatmodel_close(bench.run.models.chat);
    sample_drop(&bench.sample);
    str_drop(&bench.prompt);
    str_drop(&bench.stops);
    memset(&bench, 0, sizeof bench);
}

/* `open` refuses, with these words. */
static inline void bench_refuses(const Benchmark *b, const char *data, EvalSettings settings, Status want,
                                 const char *words)
{
    Status st = bench_try_open(b, data, settings);
    if (st != want)
        fail_msg("%s, not %s: %s", status_name(st), words, error_text());
    expect_words(words);
    assert_null(bench.state);
    bench_close();
}

static inline void bench_ask(size_t question, Answering *answering)
{
    assert_true(question < bench.questions.all.n);
    sample_drop(&bench.sample);
    sample_init(&bench.sample);
    bench.answering = answering;
    if (bench.b->ask(&bench.run, bench.state, &bench.questions.all.at[question], &bench.sample) != ST_OK)
        fail_msg("%s", error_text());
    assert_non_null(bench.sample.target);
    assert_true(json_is_number(json_object_get(bench.sample.metrics, bench.b->metric)));
}

static const char *bench_said;
static inline void bench_say(Str *answer, Span prompt)
{
    (void)prompt;
    str_adds(answer, bench_said);
}

/* The same, with a text for an answer. */
static inline void bench_hears(size_t question, const char *answer)
{
    bench_said = answer;
    bench_ask(question, bench_say);
}

static inline double bench_metric(const char *name)
{
    const json_t *value = json_object_get(bench.sample.metrics, name);
    if (!value)
        fail_msg("no metric %s", name);
    return json_number_value(value);
}

static inline void bench_says(const char *metric, double want)
{
    double is = bench_metric(metric);
    if (is < want || is > want)
        fail_msg("%s is %g, not %g, for: %s", metric, is, want,
                 json_string_value(json_array_get(bench.sample.answers, 0)));
}

#endif
