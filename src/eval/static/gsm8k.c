/* GSM8K (Cobbe et al. 2021, arXiv:2110.14168): word problems whose answer is a number; examples with worked
 * solutions, greedy.
 *
 * The prompt is lm-evaluation-harness's (lm_eval/tasks/gsm8k/gsm8k.yaml): "Question: ...\nAnswer: ..." with
 * solutions that end in "#### 72", blank lines between.  The examples are the first of train.jsonl, eight as
 * in Lemur's evaluation and not five.  A file gsm8k/cot-prompt.txt takes the place of all of this: a whole
 * prompt with the hole {question}, such as one with the eight examples of Wei et al. 2022 (arXiv:2201.11903).
 *
 * Metrics are the harness's two and Lemur's (extract.h). */
#include <string.h>

#include "agent/python_text.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/extract.h"
#include "eval/data_folder.h"
#include "eval/fewshot.h"
#include "eval/static/text_benchmarks.h"

#define TRAIN "gsm8k/train.jsonl"
#define TEMPLATE "gsm8k/cot-prompt.txt"
#define HOLE "{question}"

enum { GSM8K_SHOTS = 8, GSM8K_TOKENS = 512 };

typedef struct {
    Fewshot prompt;
    int64_t shots;
    bool sentence; /* solutions end in "The answer is 72." instead of "#### 72" */
    Str stop;      /* where the model begins with another question; empty: none */
} Gsm8k;

static bool take_question(Questions *q, int64_t number, json_t *object)
{
    char id[32];
    Str gold = {0};
    bool good =
        doc_text(object, "question").n && extract_gsm8k_marker(&gold, doc_text(object, "answer"), "#### ");
    snprintf(id, sizeof id, "test/%lld", (long long)number);
    if (good)
        questions_add(q, id, NULL, object);
    str_drop(&gold);
    return good;
}

/* Our own layout, and the examples of the training set. */
static Status open_examples(Gsm8k *g, const EvalRun *run)
{
    Fewshot *f = &g->prompt;
    Questions train = {0};
    Str shot = {0};
    Status st = ST_OK;
    str_adds(&f->before, "Question: ");
    str_adds(&f->after, "\nAnswer:");
    str_adds(&g->stop, "Question:");
    if (run->settings->shots != 0)
        st = questions_read(&train, run->data, TRAIN, take_question);
    for (size_t i = 0; st == ST_OK && i < train.all.n; i++) {
        Span question = doc_text(train.all.at[i].doc, "question"),
             answer = doc_text(train.all.at[i].doc, "answer");
        str_clear(&shot);
        str_addf(&shot, "Question: %.*s\nAnswer: %.*s\n\n", (int)question.n, question.at, (int)answer.n,
                 answer.at);
        fewshot_add(f, str_span(&shot));
    }
    str_drop(&shot);
    questions_drop(&train);
    return st == ST_OK ? fewshot_count(&g->shots, f, run->settings->shots, GSM8K_SHOTS, TRAIN) : st;
}

/* What stands in front of the hole on its line, "Q:", begins another question wherever it begins a line. */
static void stop_before_hole(Gsm8k *g, Span head)
{
    const char *line = head.n ? memrchr(head.at, '\n', head.n) : NULL;
    Span label = python_strip(line ? (Span){line, head.n - (size_t)(line - head.at)} : head);
    if (label.n)
        str_addf(&g->stop, "\n%.*s", (int)label.n, label.at);
}

static Status open_template(Gsm8k *g, const EvalRun *run)
{
    Str text = {0};
    if (run->settings->shots >= 0)
        return fail(ST_ARG, "%s brings its own examples: run without --shots, or move it away", TEMPLATE);
    Status st = data_text(&text, run->data, TEMPLATE);
    Span all = span_ends(str_span(&text), "\n") ? (Span){text.at, text.n - 1} : str_span(&text);
    size_t at = python_find(all, span(HOLE), 0), behind = at + strlen(HOLE);
    if (st == ST_OK && (at > all.n || python_find(all, span(HOLE), behind) < all.n))
        st = fail(ST_FORMAT, "%s/%s must have the hole %s once", run->data, TEMPLATE, HOLE);
    if (st == ST_OK) {
        str_add(&g->prompt.before, all.at, at);
        str_add(&g->prompt.after, all.at + behind, all.n - behind);
        g->sentence = !python_in(span("####"), all);
        stop_before_hole(g, str_span(&g->prompt.before));
    }
    str_drop(&text);
    return st;
}

static void gsm8k_close(void *state)
{
    Gsm8k *g = state;
    if (!g)
        return;
    fewshot_drop(&g->prompt);
    str_drop(&g->stop);
    mem_free(g);
}

static Status gsm8k_open(const EvalRun *run, Questions *out, void **state)
{
    Gsm8k *g = mem_new(Gsm8k);
    Status st = questions_read(out, run->data, "gsm8k/test.jsonl", take_question);
    bool template = folder_holds(run->data, TEMPLATE);
    if (st == ST_OK)
        st = template ? open_template(g, run) : open_examples(g, run);
    if (st != ST_OK) {
        gsm8k_close(g);
        return st;
    }
    out->facts = fewshot_facts(&g->prompt, 1, g->shots, template ? TEMPLATE : TRAIN);
    *state = g;
    return ST_OK;
}

/* Keeps what was read, and whether it is right. */
static void mark(Sample *s, const char *metric, Span read, bool right)
{
    sample_read(s, read);
    sample_metric(s, metric, right);
}

/* The harness's word for an answer that none of its patterns found. */
#define NOTHING span("[invalid]")

static Status gsm8k_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    const Gsm8k *g = state;
    Str prompt = {0}, text = {0}, number = {0}, target = {0};
    const char *stop = str_c(&g->stop);
    AskText how = {.max_tokens = GSM8K_TOKENS, .stops = &stop, .stops_n = g->stop.n > 0};
    fewshot_prompt(&prompt, &g->prompt, g->shots, doc_text(q->doc, "question"));
    Status st = ask_text(run, out, str_span(&prompt), &how, &text);
    if (st == ST_OK) {
        Span answer = str_span(&text), gold = doc_text(q->doc, "answer"), strict = NOTHING,
             flexible = NOTHING;
        bool found =
            g->sentence ? extract_gsm8k_sentence(&strict, answer) : extract_gsm8k_strict(&strict, answer);
        mark(out, "exact_match,strict-match", strict, exact_gsm8k(strict, gold));
        extract_gsm8k_flexible(&flexible, answer);
        mark(out, "exact_match,flexible-extract", flexible, exact_gsm8k(flexible, gold));
        extract_gsm8k_marker(&target, gold, "#### "); /* every question has one */
        extract_gsm8k_lemur(&number, answer);
        mark(out, "exact_match,lemur", str_span(&number), exact_folded(str_span(&number), str_span(&target)));
        out->target = json_string(str_c(&target));
        if (!found && out->kind == SAMPLE_FINE)
            out->kind = SAMPLE_UNREADABLE;
    }
    str_drop(&prompt);
    str_drop(&text);
    str_drop(&number);
    str_drop(&target);
    return st;
}

#define PUBLISHED                                                                                          \
    "https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c/" \
    "grade_school_math/data/"

static const DataFile gsm8k_files[] = {
    {"gsm8k/test.jsonl", PUBLISHED "test.jsonl",
     "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14"},
    {TRAIN, PUBLISHED "train.jsonl", "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465"},
    {0},
};

const Benchmark gsm8k_benchmark = {
    .name = "gsm8k",
    .groups = "static",
    .about = "grade-school word problems with a number for an answer, 8 worked examples",
    .source = "Cobbe et al. 2021, arXiv:2110.14168; github.com/openai/grade-school-math, MIT.  " TEMPLATE
              ", a prompt of yours with the hole " HOLE ", replaces layout and examples",
    .metric = "exact_match,strict-match",
    .version = 1,
    .shots = GSM8K_SHOTS,
    .takes = TAKES_SHOTS,
    .files = gsm8k_files,
    .open = gsm8k_open,
    .ask = gsm8k_ask,
    .close = gsm8k_close,
};
