/* robocodegen_debug: the same functions in several turns.  A source that fails is answered by how many inputs
 * pass and what the first of the others came to: the exception, or what was returned and what is right; never
 * the solution.  A source's functions see one another here.
 *
 * How the Lemur paper made its self-debugging of this is not published; five turns are MINT's. */
#include <string.h>

#include "agent/turns.h"
#include "base/clock.h"
#include "eval/agents/robocodegen.h"
#include "eval/static/code_answer.h"

enum { TURNS = 5 };

static int turns_of(const EvalRun *run)
{
    return run->settings->steps > 0 ? (int)run->settings->steps : TURNS;
}

static Status open_debug(const EvalRun *run, Questions *out, void **state)
{
    TRY(robocodegen_open(run, out, state));
    json_object_set_new(out->facts, "max_steps", json_integer(turns_of(run)));
    return ST_OK;
}

typedef struct {
    const EvalRun *run;
    const RoboCodeGen *g;
    const Question *q;
    Sample *sample;
    Conversation all; /* of a model that continues texts: one message, which grows */
    Str source;
    RobotVerdict verdict;
    json_t *steps;
    double start;
    const char *end;
} Debug;

/* What was wrong; between comment signs where the text goes on as a program. */
static void tell(Debug *d, Str *out)
{
    Str words = {0};
    Span line;
    if (d->run->settings->no_observations)
        str_addf(&words, "%s\n", turns_withheld);
    else
        robot_tell(&words, &d->verdict);
    for (size_t at = 0; code_line(str_span(&words), &at, &line);)
        str_addf(out, "%s%.*s\n", d->run->models.plain ? "# " : "", (int)line.n, line.at);
    robot_query(out, (Span){0}, doc_text(d->q->doc, "f_sig"));
    str_drop(&words);
}

static void go_on(Debug *d, Span answer)
{
    Str text = {0};
    if (d->run->models.plain) {
        Span before = d->all.messages.at[0].content;
        str_add(&text, before.at, before.n);
        str_addf(&text, "\n%s\n\n", str_c(&d->source));
        tell(d, &text);
        conversation_clear(&d->all);
    } else {
        conversation_add(&d->all, CHAT_ASSISTANT, answer);
        tell(d, &text);
    }
    conversation_add(&d->all, CHAT_USER, str_span(&text));
    str_drop(&text);
}

static bool used_up(Debug *d)
{
    const EvalSettings *set = d->run->settings;
    if (set->episode_tokens > 0 && d->sample->completion_tokens >= set->episode_tokens)
        d->end = "max_tokens";
    else if (set->episode_seconds > 0 && clock_now() - d->start >= set->episode_seconds)
        d->end = "max_seconds";
    else if ((int)json_array_size(d->steps) == turns_of(d->run))
        d->end = "max_steps";
    return d->end != NULL;
}

static Status turn(Debug *d)
{
    const Sample before = *d->sample;
    AskText how = robocodegen_how(d->run);
    RobotTry try = {.problem = d->q->doc, .together = true};
    Str answer = {0};
    ask_within_episode(&how, d->run, d->sample, d->start);
    Status st = ask_messages(d->run, d->sample, &d->all, &how, &answer);
    if (st == ST_OK && d->sample->kind != SAMPLE_FINE) {
        d->end = sample_end(d->sample);
    } else if (st == ST_OK) {
        str_clear(&d->source);
        robocodegen_source(&d->source, d->run, d->g, str_span(&answer));
        sample_read(d->sample, str_span(&d->source));
        try.source = str_span(&d->source);
        st = robot_run(d->g->robot, &d->verdict, &try);
    }
    if (st == ST_OK && !d->end) {
        json_array_append_new(
            d->steps,
            json_pack("{s:s, s:s, s:i, s:f, s:I, s:I}", "action", "code", "verdict",
                      robot_end_names[d->verdict.end], "passed", d->verdict.passed, "model_seconds",
                      d->sample->model_seconds - before.model_seconds, "prompt_tokens",
                      (json_int_t)(d->sample->prompt_tokens - before.prompt_tokens), "completion_tokens",
                      (json_int_t)(d->sample->completion_tokens - before.completion_tokens)));
        if (d->verdict.end == ROBOT_PASSED)
            d->end = "task_success";
        if (d->end || used_up(d))
            conversation_add(&d->all, CHAT_ASSISTANT, str_span(&answer));
        else
            go_on(d, str_span(&answer));
    }
    str_drop(&answer);
    return st;
}

static void fill_sample(Debug *d)
{
    Sample *s = d->sample;
    size_t turns = json_array_size(d->steps);
    bool solved = strcmp(d->end, "task_success") == 0;
    if (!turns) /* the prompt alone fills the context */
        d->verdict.end = ROBOT_NOTHING;
    robocodegen_mark(s, &d->verdict);
    sample_metric(s, "steps", (double)turns);
    sample_metric(s, "pass_first", solved && turns == 1);
    if (!solved && s->kind == SAMPLE_FINE)
        s->kind = strcmp(d->end, "max_seconds") == 0 ? SAMPLE_TIME : SAMPLE_BUDGET;
    s->target = json_incref(json_object_get(d->q->doc, "f_sig"));
    s->transcript = conversation_to_json(&d->all);
    json_object_set_new(s->transcript, "transcript", json_integer(1));
    json_object_set_new(s->transcript, "environment", json_string("robocodegen_debug"));
    json_object_set_new(s->transcript, "task", json_string(d->q->id));
    json_object_set_new(s->transcript, "success", json_boolean(solved));
    json_object_set_new(s->transcript, "end", json_string(d->end));
    json_object_set(s->transcript, "steps", d->steps);
    json_object_set_new(s->transcript, "seconds", json_real(clock_now() - d->start));
}

static Status ask_debug(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    Debug d = {.run = run, .g = state, .q = q, .sample = out, .steps = json_array(), .start = clock_now()};
    Str prompt = {0};
    Status st = robocodegen_prompt(&prompt, run, d.g, doc_text(q->doc, "f_sig"));
    conversation_add(&d.all, CHAT_USER, str_span(&prompt));
    while (st == ST_OK && !d.end)
        st = turn(&d);
    if (st == ST_OK)
        fill_sample(&d);
    conversation_drop(&d.all);
    robot_verdict_drop(&d.verdict);
    json_decref(d.steps);
    str_drop(&d.source);
    str_drop(&prompt);
    return st;
}

const Benchmark robocodegen_debug = ROBOCODEGEN(
    "robocodegen_debug", "the same 37 functions in up to five turns, told each time what went wrong",
    open_debug, ask_debug);
