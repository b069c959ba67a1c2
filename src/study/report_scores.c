/* Scores with their intervals, the paper's beside them; success against steps; why answers scored nothing. */
#include <string.h>

#include "base/file.h"
#include "eval/results.h"
#include "study/html.h"
#include "study/paper.h"
#include "study/report_parts.h"

typedef struct {
    double value, low, high;
    bool known, interval;
} Score;

static Score score_of(const json_t *results, const char *benchmark)
{
    Score s = {0};
    const json_t *entry = json_object_get(json_object_get(results, "results"), benchmark);
    const char *metric = report_text(json_object_get(results, "metrics"), benchmark);
    char *value = results_key(metric, ""), *ci = results_key(metric, "_ci95");
    const json_t *v = json_object_get(entry, value), *interval = json_object_get(entry, ci);
    s.known = json_is_number(v);
    s.value = json_number_value(v);
    s.interval = json_array_size(interval) == 2;
    s.low = json_number_value(json_array_get(interval, 0));
    s.high = json_number_value(json_array_get(interval, 1));
    mem_free(value);
    mem_free(ci);
    return s;
}

/* Every benchmark of any part, each once, in the order met. */
typedef Array(const char *) Names;
static void all_benchmarks(Names *out, const Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++) {
        const char *name;
        json_t *value;
        if (r->parts.at[i].kind != REPORT_SCORES)
            continue;
        json_object_foreach(json_object_get(r->parts.at[i].json, "metrics"), name, value)
        {
            bool seen = false;
            for (size_t k = 0; k < out->n; k++)
                seen = seen || strcmp(out->at[k], name) == 0;
            if (!seen)
                array_push(out, name);
        }
    }
}

static void paper_cell(HtmlTable *t, double value)
{
    if (value >= 0)
        html_cell(t, "%.1f", value);
    else
        html_cell(t, "%s", "");
}

static void write_row(HtmlTable *t, const Report *r, const ReportPart *p, const char *benchmark)
{
    static const PaperScore none = {NULL, -1, -1, -1};
    Score s = score_of(p->json, benchmark);
    const PaperScore *paper = paper_score(benchmark);
    const json_t *entry = json_object_get(json_object_get(p->json, "results"), benchmark);
    if (!s.known)
        return;
    paper = paper ? paper : &none;
    char *model = report_model(r, p);
    html_cell(t, "%s", report_tasks(r, benchmark));
    html_cell(t, "%s%s", model, report_feedback(p));
    mem_free(model);
    html_cell(t, "<b>%.1f</b>", 100 * s.value);
    if (s.interval)
        html_cell(t, "%.1f to %.1f", 100 * s.low, 100 * s.high);
    else
        html_cell(t, "%s", "");
    html_cell(t, "%.0f", report_number(entry, "sample_len"));
    html_cell(t, "%s", p->name);
    paper_cell(t, paper->lemur);
    paper_cell(t, paper->gpt35);
    paper_cell(t, paper->gpt4);
}

static void write_table(Str *page, const Report *r, const Names *names)
{
    static const char *const titles[] = {"tasks", "model",          "score, %", "95 %",  "n",
                                         "run",   "Lemur-70B-Chat", "GPT-3.5",  "GPT-4", NULL};
    html_heading(page, 3, "all-scores", "All scores, and the paper's");
    HtmlTable t = html_table(page, "wwrrrlrrr");
    html_cells(&t, titles);
    for (size_t k = 0; k < names->n; k++)
        for (size_t i = 0; i < r->parts.n; i++)
            if (r->parts.at[i].kind == REPORT_SCORES)
                write_row(&t, r, &r->parts.at[i], names->at[k]);
    html_table_end(&t);
    str_adds(
        page,
        "<p class=\"small\">The last three columns are what the paper reports of large models on the whole "
        "benchmarks, for orientation: tasks of one's own that are asked as a benchmark asks are others.\n");
}

/* The best of all runs of a benchmark; value -1: there is none. */
static Score best_score(const Report *r, const char *benchmark)
{
    Score best = {.value = -1};
    for (size_t i = 0; i < r->parts.n; i++) {
        Score s = r->parts.at[i].kind == REPORT_SCORES ? score_of(r->parts.at[i].json, benchmark) : best;
        if (s.known && s.value > best.value)
            best = s;
    }
    return best;
}

/* What no run solves a tenth of is said in words: nobody should have to find it among the numbers. */
static void write_hard(Str *page, const Report *r, const Names *names)
{
    Str list = {0};
    for (size_t k = 0; k < names->n; k++) {
        Score s = best_score(r, names->at[k]);
        if (s.value < 0 || s.value >= 0.1)
            continue;
        str_addf(&list, "%s%s (at best %.1f %%", list.n ? ", " : "", report_tasks(r, names->at[k]),
                 100 * s.value);
        if (s.interval)
            str_addf(&list, "; 95 %% interval %.1f to %.1f", 100 * s.low, 100 * s.high);
        str_adds(&list, ")");
    }
    if (list.n)
        html_add(page, "<p>Hard for every model on this page, none of which solves a tenth of them: %s.\n",
                 str_c(&list));
    str_drop(&list);
}

static bool is_of(const ReportPart *p, const char *benchmark)
{
    return p->kind == REPORT_SCORES && json_object_get(json_object_get(p->json, "metrics"), benchmark);
}

/* The model, and whether it had feedback; the run where that is the same of two.  Caller frees. */
static char *line_title(const Report *r, size_t part, const char *benchmark)
{
    const ReportPart *p = &r->parts.at[part];
    char *model = report_model(r, p), *title = mem_format("%s%s", model, report_feedback(p));
    bool shared = false;
    mem_free(model);
    for (size_t i = 0; i < r->parts.n && !shared; i++) {
        const ReportPart *q = &r->parts.at[i];
        if (i == part || !is_of(q, benchmark) || strcmp(report_feedback(p), report_feedback(q)) != 0)
            continue;
        char *other = report_model(r, q);
        shared = strncmp(title, other, strlen(other)) == 0 &&
                 strlen(other) + strlen(report_feedback(p)) == strlen(title);
        mem_free(other);
    }
    if (!shared)
        return title;
    mem_free(title);
    return mem_str(p->name);
}

/* Success within k steps of an episode, a line a run. */
static void write_curve(Str *page, Report *r, const char *benchmark)
{
    Plot plot = {
        .x_label = "steps of an episode", .y_label = "solved, %", .points = true, .y_low = 0, .y_high = 100};
    for (size_t i = 0; i < r->parts.n; i++) {
        const json_t *results = r->parts.at[i].kind == REPORT_SCORES ? r->parts.at[i].json : NULL;
        const json_t *curves = json_object_get(json_object_get(results, "curves"), benchmark),
                     *entry = json_object_get(json_object_get(results, "results"), benchmark);
        const char *metric;
        json_t *curve;
        json_object_foreach((json_t *)curves, metric, curve)
        {
            char *title = line_title(r, i, benchmark);
            PlotLine *line = plot_line(&plot, title);
            mem_free(title);
            for (size_t k = 0; k < json_array_size(curve); k++) {
                char *at = mem_format("%s@%zu", metric, k + 1), *key = results_key(at, "_ci95");
                const json_t *ci = json_object_get(entry, key);
                double y = 100 * json_number_value(json_array_get(curve, k));
                bool known = json_array_size(ci) == 2;
                plot_point(line, (double)k + 1, y, known ? 100 * json_number_value(json_array_get(ci, 0)) : y,
                           known ? 100 * json_number_value(json_array_get(ci, 1)) : y);
                mem_free(at);
                mem_free(key);
            }
        }
    }
    if (plot.lines.n) {
        html_add(page, "<h3>%s: success within k steps</h3>\n", report_tasks(r, benchmark));
        report_plot(page, r, &plot);
    }
    plot_drop(&plot);
}

/* Episodes have a section of their own (report_errors). */
static bool has_episodes(const ReportPart *p, const char *benchmark)
{
    char *file = mem_format("transcripts_%s.jsonl", benchmark);
    bool has = folder_holds(p->folder, file);
    mem_free(file);
    return has;
}

static void write_errors(Str *page, const Report *r, const Names *names)
{
    Str rows = {0};
    HtmlTable t = html_table(&rows, "llt");
    bool any = false;
    html_cell(&t, "tasks");
    html_cell(&t, "run");
    html_cell(&t, "why answers scored nothing, where it is known");
    for (size_t k = 0; k < names->n; k++)
        for (size_t i = 0; i < r->parts.n; i++) {
            const ReportPart *p = &r->parts.at[i];
            const json_t *errors = has_episodes(p, names->at[k])
                                       ? NULL
                                       : json_object_get(json_object_get(p->json, "errors"), names->at[k]);
            Str words = {0};
            const char *kind;
            json_t *n;
            json_object_foreach((json_t *)errors, kind, n)
                str_addf(&words, "%s%s %lld", words.n ? ", " : "", kind, (long long)json_integer_value(n));
            if (words.n) {
                html_cell(&t, "%s", report_tasks(r, names->at[k]));
                html_cell(&t, "%s", p->name);
                html_cell(&t, "%s", str_c(&words));
                any = true;
            }
            str_drop(&words);
        }
    html_table_end(&t);
    if (any)
        str_add(page, rows.at, rows.n);
    str_drop(&rows);
}

void report_scores(Str *page, Report *r)
{
    Names names = {0};
    if (!report_has(r, REPORT_SCORES))
        return;
    all_benchmarks(&names, r);
    html_heading(page, 2, "scores", "Scores");
    report_gains(page, r);
    write_hard(page, r, &names);
    write_table(page, r, &names);
    for (size_t i = 0; i < names.n; i++)
        write_curve(page, r, names.at[i]);
    write_errors(page, r, &names);
    array_drop(&names);
}
