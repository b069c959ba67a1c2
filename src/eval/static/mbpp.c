#include "eval/static/mbpp.h"

#include <string.h>

#include "agent/prompt.h"
#include "agent/python_text.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/static/code_answer.h"
#include "eval/static/code_task.h"

enum { FIRST = 11, LAST = 510, EXAMPLES = 10 };
static const char plain_form[] = "Task: {text}\nTests:\n{tests}\nProgram:\n```python\n{code}\n```\n\n";
static const char *const fences[] = {"python", "py", "python3", NULL};

typedef struct {
    Str form;
    Span head; /* of form: up to {code} */
    bool published;
    char *begin, *end; /* the lines around the code; "" where there is none */
    Str shots;         /* the examples, filled in */
} Mbpp;

/* The data's two spellings. */
static json_t *field(const json_t *doc, const char *published, const char *intercode)
{
    json_t *value = json_object_get(doc, published);
    return value ? value : json_object_get(doc, intercode);
}
static const char *text_of(const json_t *doc)
{
    return json_string_value(field(doc, "text", "query"));
}
static const char *code_of(const json_t *doc)
{
    return json_string_value(field(doc, "code", "gold"));
}
static json_t *tests_of(const json_t *doc)
{
    return field(doc, "test_list", "tests");
}

/* Data. -------------------------------------------------------------------------------------------------- */

static bool well_formed(const json_t *doc)
{
    size_t i;
    json_t *test;
    if (!text_of(doc) || !code_of(doc) || json_array_size(tests_of(doc)) == 0 ||
        !json_is_integer(json_object_get(doc, "task_id")))
        return false;
    json_array_foreach(tests_of(doc), i, test) if (!json_is_string(test)) return false;
    return true;
}

/* Examples are kept among the questions until the file is read. */
static bool take(Questions *q, int64_t number, json_t *object)
{
    (void)number;
    if (!well_formed(object))
        return false;
    json_int_t id = json_integer_value(json_object_get(object, "task_id"));
    char name[32];
    snprintf(name, sizeof name, "%lld", (long long)id);
    if (id >= 2 && id <= LAST)
        questions_add(q, name, NULL, object);
    return true;
}

static void add_unix(Str *out, const char *text)
{
    for (; *text; text++)
        if (*text != '\r')
            str_addc(out, *text);
}

static void add_tests(Str *out, const json_t *doc)
{
    size_t i;
    json_t *test;
    json_array_foreach(tests_of(doc), i, test) str_addf(out, "%s%s", i ? "\n" : "", json_string_value(test));
}

static Status fill(Str *out, Span form, const json_t *doc)
{
    Str tests = {0}, code = {0};
    add_tests(&tests, doc);
    add_unix(&code, code_of(doc));
    PromptHole holes[] = {
        {"text", span(text_of(doc))}, {"tests", str_span(&tests)}, {"code", str_span(&code)}};
    Status st = prompt_fill(out, form, holes, 3);
    str_drop(&tests);
    str_drop(&code);
    return st;
}

/* The examples leave the questions and become text: those of task_id 2 to 1 + shots. */
static Status take_examples(Mbpp *m, Questions *q, int64_t shots)
{
    size_t kept = 0;
    Status st = ST_OK;
    int64_t found = 0;
    for (size_t i = 0; i < q->all.n; i++) {
        Question *one = &q->all.at[i];
        int64_t id = json_integer_value(json_object_get(one->doc, "task_id"));
        if (id >= FIRST) {
            q->all.at[kept++] = *one;
            continue;
        }
        if (st == ST_OK && id <= 1 + shots) {
            st = fill(&m->shots, str_span(&m->form), one->doc);
            found++;
        }
        mem_free(one->id);
        json_decref(one->doc);
    }
    q->all.n = kept;
    if (st == ST_OK && found < shots)
        st = fail(ST_FORMAT, "mbpp: %lld of the %lld examples (task_id 2 to %lld) are there",
                  (long long)found, (long long)shots, (long long)(1 + shots));
    if (st == ST_OK && kept == 0)
        st = fail(ST_FORMAT, "mbpp: there are examples only, and no task from task_id %d on", FIRST);
    return st;
}

/* The form. ---------------------------------------------------------------------------------------------- */

/* The line next to the code, where it has no hole. */
static char *edge(Span part, bool last)
{
    Span line, found = {0};
    size_t at = 0;
    while (code_line(part, &at, &line))
        if (!code_blank(line) && (last || !found.n))
            found = span_trim(line);
    return memchr(found.n ? found.at : "", '{', found.n) ? mem_str("")
                                                         : mem_strn(found.n ? found.at : "", found.n);
}

static Status read_form(Mbpp *m, Questions *q, const char *data)
{
    TRY(code_form_read(&m->form, &m->published, q, data, "mbpp/prompt.txt"));
    if (!m->published)
        str_adds(&m->form, plain_form);
    Span form = str_span(&m->form), hole = span("{code}");
    size_t at = python_find(form, hole, 0);
    if (at >= form.n)
        return fail(ST_FORMAT, "mbpp/prompt.txt has no {code}, behind which an example ends");
    m->head = (Span){form.at, at};
    m->begin = edge(m->head, true);
    m->end = edge((Span){form.at + at + hole.n, form.n - at - hole.n}, false);
    return ST_OK;
}

static void close_state(void *state)
{
    Mbpp *m = state;
    if (!m)
        return;
    str_drop(&m->form);
    str_drop(&m->shots);
    mem_free(m->begin);
    mem_free(m->end);
    mem_free(m);
}

static Status open_state(const EvalRun *run, Questions *out, void **state)
{
    Mbpp *m = mem_new(Mbpp);
    Status st;
    int64_t shots = run->settings->shots < 0 ? 3 : run->settings->shots;
    char *published = path_join(run->data, "mbpp/mbpp.jsonl"),
         *other = path_join(run->data, "mbpp/ic_mbpp.json");
    const char *file =
        !path_exists(published) && path_exists(other) ? "mbpp/ic_mbpp.json" : "mbpp/mbpp.jsonl";
    mem_free(published);
    mem_free(other);
    if (shots > EXAMPLES - 1)
        TRY_TO(undo, fail(ST_ARG, "mbpp has %d examples (task_id 2 to 10), not %lld", EXAMPLES - 1,
                          (long long)shots));
    TRY_TO(undo, questions_read(out, run->data, file, take));
    TRY_TO(undo, read_form(m, out, run->data));
    TRY_TO(undo, take_examples(m, out, shots));
    *state = m;
    return ST_OK;
undo:
    close_state(m);
    return st;
}

/* Answers. ----------------------------------------------------------------------------------------------- */

/* A view of the answer or of *left. */
static Span program_in(const Mbpp *m, Span answer, bool plain, const char **rule, Str *left)
{
    if (!plain)
        answer = code_fences_left(left, answer);
    size_t at =
        *m->begin && !span_starts(span(m->begin), "```") ? python_find(answer, span(m->begin), 0) : answer.n;
    if (at < answer.n) {
        at += strlen(m->begin);
        answer = (Span){answer.at + at, answer.n - at};
    }
    if (span_starts(span(m->end), "```")) {
        *rule = "fence";
        return code_open_block(answer, fences, plain);
    }
    const char *stops[] = {m->end};
    Span cut = code_cut(answer, stops, *m->end != 0), block;
    *rule = "marks";
    if (!plain && code_block(cut, fences, &block)) {
        *rule = "fence";
        cut = block;
    }
    return cut;
}

static Status mark(const EvalRun *run, void *state, const Question *q, Span answer, CodeMark *out)
{
    Str all = {0}, left = {0};
    Span program = program_in(state, answer, run->models.plain, &out->rule, &left);
    const char *setup = json_string_value(json_object_get(q->doc, "test_setup_code"));
    str_add(&out->program, program.at, program.n);
    str_drop(&left);
    str_addf(&all, "%s\n%s\n", str_c(&out->program), setup ? setup : "");
    add_tests(&all, q->doc);
    Status st = code_run_python(
        out,
        &(ProgramSpec){.text = str_span(&all),
                       .seconds = run->settings->program_seconds > 0 ? run->settings->program_seconds : 0});
    str_drop(&all);
    return st;
}

static Status ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    Mbpp *m = state;
    Conversation c = {0};
    Str prompt = {0};
    str_add(&prompt, m->shots.at, m->shots.n);
    Status st = fill(&prompt, m->head, q->doc);
    if (st == ST_OK) {
        /* The mark ends what follows an example; a fence also opens a chat model's answer, and is no stop. */
        bool stops = *m->end && (run->models.plain || !span_starts(span(m->end), "```"));
        CodeTask task = {.mark = mark,
                         .state = m,
                         .sampled = 0.2,
                         .how = {.max_tokens = 650, .stops = (const char *[]){m->end}, .stops_n = stops}};
        out->target = json_string(code_of(q->doc));
        json_object_set_new(out->more, "prompt", json_string(m->published ? "mbpp/prompt.txt" : "plain"));
        conversation_add(&c, CHAT_USER, str_span(&prompt));
        st = code_task_ask(run, out, q, &c, &task);
    } else {
        st = fail_in(st, "mbpp/prompt.txt");
    }
    conversation_drop(&c);
    str_drop(&prompt);
    return st;
}

const Benchmark mbpp = {
    .name = "mbpp",
    .groups = "static code",
    .about =
        "500 small Python functions to be written from a sentence and its tests, 3 examples in front; pass@k",
    .source =
        "Austin et al. 2021, arXiv:2108.07732; github.com/google-research/google-research/tree/master/mbpp, "
        "CC BY 4.0.  mbpp/prompt.txt, the words around a task, is yours to put there: the paper's appendix "
        "has them",
    .metric = "pass@1",
    .version = 2,
    .shots = 3,
    .takes = TAKES_SHOTS | TAKES_SAMPLES,
    .needs = NEEDS_SANDBOX,
    .programs = (const char *const[]){"python3", NULL},
    .files = (const DataFile[]){{"mbpp/mbpp.jsonl",
                                 "https://raw.githubusercontent.com/google-research/google-research/"
                                 "2251e8c67a7fe7d6348714967ee101080b28e956/mbpp/mbpp.jsonl",
                                 NULL},
                                {0}},
    .open = open_state,
    .ask = ask,
    .close = close_state,
};
