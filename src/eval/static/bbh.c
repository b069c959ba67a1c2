/* BIG-Bench Hard (Suzgun et al. 2022, arXiv:2210.09261): 27 tasks, three worked examples each, greedy.
 *
 * The prompt is the publisher's, joint by joint as in its recorded inputs: the text of cot-prompts/TASK.txt
 * without canary, a blank line, "Q: ", the question, and "A: " with the sentence that all answers of the
 * examples begin with.  That sentence is taken from the file.
 *
 * Metrics: exact_match by the publisher's rule; lm-evaluation-harness's pattern, which takes the last
 * character for the dot; and both of Lemur's (extract.h), of which the first is meant for answers without
 * reasoning. */
#include <string.h>

#include "agent/python_text.h"
#include "base/check.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/extract.h"
#include "eval/data_folder.h"
#include "eval/fewshot.h"
#include "eval/static/text_benchmarks.h"

enum { BBH_SHOTS = 3, BBH_TOKENS = 1024 };

static const char *const tasks[] = {
#define TASK(name, data, prompt) #name,
#include "eval/static/bbh.def"
#undef TASK
};
enum { TASKS = sizeof tasks / sizeof tasks[0] };

typedef struct {
    Fewshot prompts[TASKS]; /* as tasks */
    int64_t shots;
} Bbh;

/* Prompts. ----------------------------------------------------------------------------------------------- */

static Span from(Span s, size_t at)
{
    return (Span){s.at + at, s.n - at};
}

/* The first line holds the canary and the second dashes, in the published files.  Lemur's program drops two
 * lines of every file; one without a canary is taken whole here. */
static Span without_canary(Span text)
{
    size_t line = python_find(text, span("\n"), 0);
    Span rest = line < text.n ? from(text, line + 1) : text;
    size_t second = python_find(rest, span("\n"), 0);
    bool canary = python_in(span("canary"), (Span){text.at, line < text.n ? line : text.n});
    return canary && second < rest.n && span_starts(rest, "---") ? from(rest, second + 1) : text;
}

/* The first sentence of an example's answer, dot included; empty where there is none. */
static Span first_sentence(Span shot)
{
    size_t answer = python_find(shot, span("\nA: "), 0);
    if (answer > shot.n)
        return (Span){0};
    Span text = from(shot, answer);
    size_t dot = python_find(text, span("."), 0);
    return dot < text.n ? (Span){text.at, dot + 1} : (Span){0};
}

/* Cuts the text in front of each "Q: " that follows a blank line. */
static Status cut_examples(Fewshot *f, Span text)
{
    static const char question[] = "\n\nQ: ";
    Span sentence = {0};
    size_t at = python_find(text, span(question), 0);
    if (at > text.n)
        return fail(ST_FORMAT, "no example in it: none begins with \"Q: \" behind a blank line");
    str_add(&f->head, text.at, at);
    while (at < text.n) {
        size_t next = python_find(text, span(question), at + 1);
        Span shot = {text.at + at, (next < text.n ? next : text.n) - at}, begins = first_sentence(shot);
        if (!begins.n || (sentence.n && (begins.n != sentence.n || memcmp(begins.at, sentence.at, begins.n))))
            return fail(ST_FORMAT, "the answers (\"A: \") of its examples begin with no common sentence");
        sentence = begins;
        fewshot_add(f, shot);
        at = next;
    }
    str_adds(&f->before, question);
    str_add(&f->after, sentence.at, sentence.n);
    return ST_OK;
}

static Status read_prompt(Bbh *b, const EvalRun *run, int task)
{
    Fewshot *f = &b->prompts[task];
    Str text = {0};
    char *file = mem_format("bbh/cot-prompts/%s.txt", tasks[task]);
    Status st = data_text(&text, run->data, file);
    if (st == ST_OK && (st = cut_examples(f, python_strip(without_canary(str_span(&text))))) != ST_OK)
        st = fail_in(st, "%s/%s", run->data, file);
    if (st == ST_OK)
        st = fewshot_count(&b->shots, f, run->settings->shots, BBH_SHOTS, file);
    str_drop(&text);
    mem_free(file);
    return st;
}

/* Questions. --------------------------------------------------------------------------------------------- */

static void add_examples(Questions *out, int task, const char *path, const json_t *examples)
{
    size_t i;
    json_t *one;
    json_array_foreach(examples, i, one)
    {
        char *id = mem_format("%s/%zu", tasks[task], i);
        if (doc_text(one, "input").n && doc_text(one, "target").n)
            questions_add(out, id, tasks[task], one);
        else if (out->bad++ == 0)
            log_warn("%s: example %zu has no \"input\" or no \"target\"; it is passed over, and so are "
                     "others like it",
                     path, i);
        mem_free(id);
    }
}

static Status read_task(Questions *out, const EvalRun *run, int task)
{
    char *file = mem_format("bbh/bbh/%s.json", tasks[task]), *path;
    size_t before = out->all.n;
    json_t *whole = NULL;
    Status st = data_find(&path, run->data, file);
    if (st == ST_OK)
        st = json_file_read(&whole, path);
    if (st == ST_OK) {
        add_examples(out, task, path, json_object_get(whole, "examples"));
        if (out->all.n == before)
            st = fail(ST_FORMAT, "%s: no list \"examples\" with a question in it", path);
    }
    json_decref(whole);
    mem_free(path);
    mem_free(file);
    return st;
}

static void bbh_close(void *state)
{
    Bbh *b = state;
    for (int i = 0; b && i < TASKS; i++)
        fewshot_drop(&b->prompts[i]);
    mem_free(b);
}

static Status bbh_open(const EvalRun *run, Questions *out, void **state)
{
    Bbh *b = mem_new(Bbh);
    Status st = ST_OK;
    for (int i = 0; i < TASKS && st == ST_OK; i++)
        if ((st = read_prompt(b, run, i)) == ST_OK)
            st = read_task(out, run, i);
    if (st != ST_OK) {
        bbh_close(b);
        return st;
    }
    out->facts = fewshot_facts(b->prompts, TASKS, b->shots, "bbh/cot-prompts");
    *state = b;
    return ST_OK;
}

/* Answers. ----------------------------------------------------------------------------------------------- */

static int task_of(const Question *q)
{
    int i = 0;
    while (i < TASKS && strcmp(tasks[i], q->part) != 0)
        i++;
    check(i < TASKS);
    return i;
}

static bool same(Span a, Span b)
{
    return a.n == b.n && (!a.n || memcmp(a.at, b.at, a.n) == 0);
}

static void mark_answer(Sample *s, Span text, Span gold)
{
    static const char nothing[] = "[invalid]";
    Span read = span(nothing);
    if (!extract_bbh_published(&read, text) && s->kind == SAMPLE_FINE)
        s->kind = SAMPLE_UNREADABLE;
    sample_read(s, read);
    sample_metric(s, "exact_match", same(read, gold));
    read = span(nothing);
    extract_bbh_harness(&read, text);
    sample_read(s, read);
    sample_metric(s, "exact_match,get-answer", same(read, gold));
    extract_bbh_lemur(&read, text);
    sample_read(s, read);
    sample_metric(s, "exact_match,lemur", exact_folded(read, gold));
    extract_bbh_lemur_chat(&read, text);
    sample_read(s, read);
    sample_metric(s, "exact_match,lemur-chat", exact_folded(read, gold));
}

/* Another question ends the answer.  The harness also stops at a blank line and at "Q", which cuts answers of
 * chat models in paragraphs. */
static Status bbh_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    const Bbh *b = state;
    static const char *const stops[] = {"\n\nQ:"};
    AskText how = {.max_tokens = BBH_TOKENS, .stops = stops, .stops_n = 1};
    Str prompt = {0}, text = {0};
    fewshot_prompt(&prompt, &b->prompts[task_of(q)], b->shots, doc_text(q->doc, "input"));
    Status st = ask_text(run, out, str_span(&prompt), &how, &text);
    if (st == ST_OK) {
        out->target = json_incref(json_object_get(q->doc, "target"));
        mark_answer(out, str_span(&text), doc_text(q->doc, "target"));
    }
    str_drop(&prompt);
    str_drop(&text);
    return st;
}

#define PUBLISHED \
    "https://raw.githubusercontent.com/suzgunmirac/BIG-Bench-Hard/9ee07bd481feebf959a6b59d61ea57bdcf30964d/"

static const DataFile bbh_files[] = {
#define TASK(name, data, prompt)                                      \
    {"bbh/bbh/" #name ".json", PUBLISHED "bbh/" #name ".json", data}, \
        {"bbh/cot-prompts/" #name ".txt", PUBLISHED "cot-prompts/" #name ".txt", prompt},
#include "eval/static/bbh.def"
#undef TASK
    {0},
};

const Benchmark bbh_benchmark = {
    .name = "bbh",
    .groups = "static",
    .about = "BIG-Bench Hard: 27 tasks of reasoning, 3 worked examples each",
    .source =
        "Suzgun et al. 2022, arXiv:2210.09261; github.com/suzgunmirac/BIG-Bench-Hard, MIT; carries a canary: "
        "never train on it",
    .metric = "exact_match",
    .version = 1,
    .shots = BBH_SHOTS,
    .takes = TAKES_SHOTS,
    .files = bbh_files,
    .open = bbh_open,
    .ask = bbh_ask,
    .close = bbh_close,
};
