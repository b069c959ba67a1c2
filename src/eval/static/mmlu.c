/* MMLU (Hendrycks et al. 2021, arXiv:2009.03300): four choices, 57 subjects in four categories, five
 * examples.  A benchmark for each category, as lm-evaluation-harness groups them; their group "mmlu" is the
 * average over all questions that the paper calls weighted.
 *
 * The prompt is the publisher's (hendrycks/test 4450500, evaluate.py): examples and question as
 *     {question}\nA. ...\nB. ...\nC. ...\nD. ...\nAnswer:
 * The line that the publisher puts in front of all is prompt text: it stands in mmlu/prompt.txt with the hole
 * {subject}; without that file nothing is in front, and run.json says "plain".  Where the prompt is too long
 * for the context, examples are left out from the last one on, as there.
 *
 * By likelihood (settings.likelihood): which of " A" .. " D" is the likeliest behind the prompt, which is
 * given to the model as it is, without a chat's marks.  By generation: the prompt is a user's message, and
 * the letter is found in the answer (extract_choice); exact_match is the harness's stricter rule, the whole
 * first line. */
#include <string.h>

#include "agent/prompt.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/data_folder.h"
#include "eval/extract.h"
#include "eval/static/mmlu_data.h"
#include "eval/static/text_benchmarks.h"
#include "infer/score.h"

#define HEADER "mmlu/prompt.txt"

enum { MMLU_SHOTS = 5, MMLU_TOKENS = 256 };

typedef struct {
    Fewshot prompts[MMLU_SUBJECTS];
    int64_t shots;
} Mmlu;

/* Opening. ----------------------------------------------------------------------------------------------- */

static Status fill_header(Fewshot *f, Span header, const char *subject)
{
    Str words = {0};
    str_adds(&words, subject);
    for (size_t i = 0; i < words.n; i++)
        if (words.at[i] == '_')
            words.at[i] = ' ';
    PromptHole hole = {"subject", str_span(&words)};
    Status st = prompt_fill(&f->head, span_trim(header), &hole, 1);
    str_adds(&f->head, "\n\n");
    str_drop(&words);
    return st;
}

/* Of the subjects that have examples, which are those of the category. */
static Status finish_prompts(Mmlu *m, const EvalRun *run, bool header)
{
    Str text = {0};
    Status st = header ? data_text(&text, run->data, HEADER) : ST_OK;
    for (int i = 0; i < MMLU_SUBJECTS && st == ST_OK; i++) {
        if (!m->prompts[i].ends.n)
            continue;
        st = fewshot_count(&m->shots, &m->prompts[i], run->settings->shots, MMLU_SHOTS, mmlu_subjects[i]);
        if (st == ST_OK && header &&
            (st = fill_header(&m->prompts[i], str_span(&text), mmlu_subjects[i])) != ST_OK)
            st = fail_in(st, "%s/%s", run->data, HEADER);
    }
    str_drop(&text);
    return st;
}

static json_t *facts_of(const Mmlu *m, bool header, bool likelihood)
{
    Fewshot used[MMLU_SUBJECTS]; /* the examples of other categories are none */
    size_t n = 0;
    for (int i = 0; i < MMLU_SUBJECTS; i++)
        if (m->prompts[i].ends.n)
            used[n++] = m->prompts[i];
    json_t *facts = fewshot_facts(used, n, m->shots, header ? HEADER : "plain");
    json_object_set_new(facts, "way", json_string(likelihood ? "likelihood" : "generation"));
    return facts;
}

static void mmlu_close(void *state)
{
    Mmlu *m = state;
    for (int i = 0; m && i < MMLU_SUBJECTS; i++)
        fewshot_drop(&m->prompts[i]);
    mem_free(m);
}

static Status mmlu_open(const EvalRun *run, Questions *out, void **state, MmluCategory category)
{
    bool header = folder_holds(run->data, HEADER), likelihood = run->settings->likelihood;
    if (likelihood && !(run->models.engine && run->models.tokenizer))
        return fail(
            ST_ARG,
            "likelihoods are to be had of a model that runs here, and not of a server or a recording; "
            "without --likelihood the letter is taken from what it writes");
    Mmlu *m = mem_new(Mmlu);
    Status st = mmlu_read(out, m->prompts, run->data, category);
    if (st == ST_OK)
        st = finish_prompts(m, run, header);
    if (st != ST_OK) {
        mmlu_close(m);
        return st;
    }
    out->facts = facts_of(m, header, likelihood);
    *state = m;
    return ST_OK;
}

/* By likelihood. ----------------------------------------------------------------------------------------- */

/* The four choices behind one context.  lm-evaluation-harness's acc_norm divides by the choice's length,
 * which is the same for all letters: it is told for the comparison with tables that have it. */
static void mark_scores(Sample *s, const Score scores[MMLU_CHOICES], int64_t gold)
{
    int best = 0, best_norm = 0;
    for (int i = 0; i < MMLU_CHOICES; i++) {
        json_array_append_new(s->answers, json_pack("[f, b]", scores[i].sum, scores[i].greedy));
        best = scores[i].sum > scores[best].sum ? i : best;
        best_norm = scores[i].per_byte > scores[best_norm].per_byte ? i : best_norm;
    }
    char letter = (char)('A' + best);
    sample_read(s, (Span){&letter, 1});
    sample_metric(s, "acc", best == gold);
    sample_metric(s, "acc_norm", best_norm == gold);
}

static Status score_choices(const EvalRun *run, Sample *s, Span prompt, int64_t gold)
{
    Ids ids[MMLU_CHOICES] = {0};
    ScoreItem items[MMLU_CHOICES];
    Score scores[MMLU_CHOICES];
    double began = clock_now();
    Status st = run->stopped && run->stopped(run->stopped_context) ? fail(ST_CANCELLED, "the run was stopped")
                                                                   : ST_OK;
    for (int i = 0; i < MMLU_CHOICES && st == ST_OK; i++) {
        const char choice[] = {' ', (char)('A' + i)};
        int64_t from;
        st = score_encode(run->models.tokenizer, &ids[i], &from, prompt, (Span){choice, 2}, TOK_BOS);
        items[i] = (ScoreItem){.ids = ids[i].at, .n = (int64_t)ids[i].n, .from = from, .bytes = 1};
    }
    if (st == ST_OK)
        st = score_all(run->models.engine, items, MMLU_CHOICES, scores);
    if (st == ST_LIMIT) {
        s->kind = SAMPLE_CONTEXT;
        st = ST_OK;
    } else if (st == ST_OK) {
        json_array_append_new(s->prompts, json_stringn(prompt.at, prompt.n));
        mark_scores(s, scores, gold);
        s->calls++;
        s->prompt_tokens += items[0].from;
        s->model_seconds += clock_now() - began;
    }
    for (int i = 0; i < MMLU_CHOICES; i++)
        array_drop(&ids[i]);
    return st;
}

/* By generation. ----------------------------------------------------------------------------------------- */

static Status write_letter(const EvalRun *run, Sample *s, Span prompt, int64_t gold)
{
    static const char *const stops[] = {"\n\n"};
    AskText how = {.max_tokens = MMLU_TOKENS, .stops = stops, .stops_n = 1};
    Str text = {0};
    Status st = ask_text(run, s, prompt, &how, &text);
    if (st == ST_OK && s->kind == SAMPLE_FINE) {
        char right = (char)('A' + gold), letter = 0;
        bool found = extract_choice(&letter, str_span(&text), MMLU_CHOICES);
        if (!found)
            s->kind = SAMPLE_UNREADABLE;
        sample_read(s, found ? (Span){&letter, 1} : span("[invalid]"));
        sample_metric(s, "acc", letter == right);
        sample_metric(s, "exact_match", exact_folded(extract_first_line(str_span(&text)), (Span){&right, 1}));
    }
    str_drop(&text);
    return st;
}

static int subject_of(const Question *q)
{
    int i = 0;
    while (i < MMLU_SUBJECTS && strcmp(mmlu_subjects[i], q->part) != 0)
        i++;
    check(i < MMLU_SUBJECTS);
    return i;
}

/* What a try with too many examples left. */
static void try_again(Sample *s)
{
    s->kind = SAMPLE_FINE;
    json_array_clear(s->prompts);
    json_array_clear(s->answers);
}

/* With fewer and fewer examples, until the prompt fits. */
static Status mmlu_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    const Mmlu *m = state;
    int64_t gold = json_integer_value(json_object_get(q->doc, "answer")), shots = m->shots;
    Str question = {0}, prompt = {0};
    Status st;
    mmlu_ask_text(&question, q->doc);
    for (;; shots--) {
        str_clear(&prompt);
        fewshot_prompt(&prompt, &m->prompts[subject_of(q)], shots, str_span(&question));
        st = run->settings->likelihood ? score_choices(run, out, str_span(&prompt), gold)
                                       : write_letter(run, out, str_span(&prompt), gold);
        if (st != ST_OK || out->kind != SAMPLE_CONTEXT || !shots)
            break;
        try_again(out);
    }
    if (st == ST_OK) {
        out->target = json_sprintf("%c", 'A' + (int)gold);
        json_object_set_new(out->more, "shots", json_integer(shots));
        if (out->kind == SAMPLE_CONTEXT || out->kind == SAMPLE_REFUSED) {
            sample_metric(out, "acc", 0);
            sample_metric(out, run->settings->likelihood ? "acc_norm" : "exact_match", 0);
        }
    }
    str_drop(&question);
    str_drop(&prompt);
    return st;
}

static const DataFile mmlu_files[] = {
    {"mmlu/data.tar", "https://people.eecs.berkeley.edu/~hendrycks/data.tar",
     "bec563ba4bac1d6aaf04141cd7d1605d7a5ca833e38f994051e818489592989b"},
    {0},
};

#define MMLU_SOURCE                                                                                      \
    "Hendrycks et al. 2021, arXiv:2009.03300; github.com/hendrycks/test, MIT.  " HEADER ", a line with " \
    "the hole {subject}, goes in front where it is there"

#define CATEGORY(NAME, CONSTANT, words, many)                                   \
    static Status open_##NAME(const EvalRun *run, Questions *out, void **state) \
    {                                                                           \
        return mmlu_open(run, out, state, CONSTANT);                            \
    }                                                                           \
    const Benchmark mmlu_##NAME##_benchmark = {                                 \
        .name = "mmlu_" #NAME,                                                  \
        .groups = "static mmlu",                                                \
        .about = "four choices: " words "; " many " subjects, 5 examples",      \
        .source = MMLU_SOURCE,                                                  \
        .metric = "acc",                                                        \
        .version = 1,                                                           \
        .shots = MMLU_SHOTS,                                                    \
        .takes = TAKES_SHOTS,                                                   \
        .files = mmlu_files,                                                    \
        .open = open_##NAME,                                                    \
        .ask = mmlu_ask,                                                        \
        .close = mmlu_close,                                                    \
    }

CATEGORY(stem, STEM, "science and mathematics", "18");
CATEGORY(humanities, HUMANITIES, "history, law, philosophy", "13");
CATEGORY(social_sciences, SOCIAL_SCIENCES, "society and economy", "12");
CATEGORY(other, OTHER, "business, health and all else", "14");
