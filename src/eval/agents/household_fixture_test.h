/* For tests of the benchmarks that play ALFWorld's games: one of them, open on the data's games, with a
 * scripted model, and the experts' lists as what such a model says. */
#ifndef EVAL_AGENTS_HOUSEHOLD_FIXTURE_TEST_H
#define EVAL_AGENTS_HOUSEHOLD_FIXTURE_TEST_H

#include "agent/scripted_test.h"
#include "base/array.h"
#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/household_list_test.h"
#include "env/needs_sandbox_test.h"
#include "eval/agents/household_tasks.h"

typedef struct {
    const Benchmark *benchmark;
    Scripted script, comments; /* comments: the feedback's model, where run.models.feedback is set */
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
} Fixture;

/* Skips where there are no games. */
static inline void house_open(Fixture *h, const Benchmark *b, bool feedback)
{
    if (!data_with(HOUSEHOLD_LIST))
        skip();
    *h = (Fixture){.benchmark = b, .settings = eval_settings()};
    h->script.fails = h->comments.fails = ST_PEER;
    h->run = (EvalRun){.data = data_folder(), .settings = &h->settings};
    h->run.models.chat = scripted_model(&h->script);
    if (feedback)
        h->run.models.feedback = scripted_model(&h->comments);
    if (b->open(&h->run, &h->questions, &h->state) != ST_OK)
        fail_msg("%s", error_text());
}

static inline void house_close(Fixture *h)
{
    h->benchmark->close(h->state);
    questions_drop(&h->questions);
    chatmodel_close(h->run.models.chat);
    chatmodel_close(h->run.models.feedback);
}

/* LEMUR_EVERY=1: all games; else every sixth where each takes a session of Python. */
static inline size_t house_stride(void)
{
    const char *set = getenv("LEMUR_EVERY");
    return set && *set ? 1 : 6;
}

typedef struct {
    double success, goal, commands;
    SampleKind kind;
} HouseResult;

static inline double house_metric(const Sample *s, const char *name)
{
    return json_number_value(json_object_get(s->metrics, name));
}

static inline HouseResult house_ask(Fixture *h, const Question *q, const char *const *lines)
{
    Sample s;
    sample_init(&s);
    h->script.lines = lines;
    h->script.said = 0;
    if (h->benchmark->ask(&h->run, h->state, q, &s) != ST_OK)
        fail_msg("%s: %s", q->id, error_text());
    assert_true(json_is_object(s.transcript));
    assert_int_equal(json_array_size(s.prompts), 1); /* the rest is in the transcript */
    HouseResult r = {house_metric(&s, "success"), house_metric(&s, "goal"), house_metric(&s, "commands"),
                     s.kind};
    sample_drop(&s);
    return r;
}

/* The commands of a question's expert, "> " in front of each; the caller drops them. */
typedef struct {
    char **at;
    size_t n, cap;
} Commands;

static inline Commands expert_commands(const Question *q)
{
    Commands out = {0};
    Str command = {0};
    const char *at = doc_text(q->doc, "reference").at, *end;
    for (; at && *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        if (list_command(&command, (Span){at, (size_t)(end - at)}))
            array_push(&out, mem_format("> %s", str_c(&command)));
    }
    str_drop(&command);
    assert_true(out.n > 0);
    return out;
}

static inline void commands_drop(Commands *c)
{
    for (size_t i = 0; i < c->n; i++)
        mem_free(c->at[i]);
    array_drop(c);
}

/* The first `n` calls of the list as one cell of Python, in MINT's names, each printed; the caller frees. */
static inline char *expert_cell(const Question *q, size_t n)
{
    static const char *const names[][2] = {
        {"take(", "take_from("}, {"open(", "open_receptacle("}, {"close(", "close_receptacle("}};
    Str out = {0}, command = {0};
    const char *at = doc_text(q->doc, "reference").at, *end;
    str_adds(&out, "<thought> I know the way. </thought>\n<execute>\n");
    for (; at && *at && n > 0; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        Span line = {at, (size_t)(end - at)};
        if (!list_command(&command, line))
            continue;
        str_adds(&out, "print(");
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (span_starts(line, names[i][0])) {
                str_adds(&out, names[i][1]);
                line = (Span){at + strlen(names[i][0]), line.n - strlen(names[i][0])};
            }
        str_add(&out, line.at, line.n);
        str_adds(&out, ")\n");
        n--;
    }
    str_adds(&out, "</execute>");
    str_drop(&command);
    char *text = mem_strn(str_c(&out), out.n);
    str_drop(&out);
    return text;
}

#endif
