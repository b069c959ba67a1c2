/* What the program checks of itself: scores computed once more from what was recorded, and that no task for
 * testing was learned. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "study/html.h"
#include "study/overlap_read.h"
#include "study/recheck.h"
#include "study/report_parts.h"

static const int64_t search_most = INT64_C(1) << 30; /* bytes of training text, about ten seconds */

static void wrong(Report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void wrong(Report *r, const char *fmt, ...)
{
    va_list args;
    char sentence[600];
    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    log_error("%s", sentence);
    r->wrong++;
}

/* Scores. ------------------------------------------------------------------------------------------------ */

static void note_recheck(Report *r, const ReportPart *p, const Recheck *c)
{
    report_note(r, "rechecked",
                json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:s}", "part", p->name, "benchmark", c->benchmark,
                          "episodes", (json_int_t)c->episodes, "samples", (json_int_t)c->samples, "values",
                          (json_int_t)c->values, "equal", c->differences == 0, "differs",
                          str_c(&c->differs)));
}

static void write_recheck(HtmlTable *t, Report *r, const ReportPart *p, const Recheck *c)
{
    html_cell(t, "%s", p->name);
    html_cell(t, "%s", report_tasks(r, c->benchmark));
    if (c->episodes)
        html_cell(t, "%lld transcripts", (long long)c->episodes);
    else
        html_cell(t, "%lld samples", (long long)c->samples);
    html_cell(t, "%lld", (long long)c->values);
    if (c->differences)
        html_cell(t, "<span class=\"bad\">%s</span>", str_c(&c->differs));
    else
        html_cell(t, "<span class=\"good\">equal</span>");
    if (c->differences)
        wrong(r, "%s, %s: %s", p->name, c->benchmark, str_c(&c->differs));
    note_recheck(r, p, c);
}

/* Long where there are many: what is equal throughout is folded away. */
static void write_rechecks(Str *page, Report *r)
{
    enum { FEW = 6 };
    static const char *const titles[] = {
        "run", "tasks", "computed once more from", "values", "and in results.json", NULL};
    Str rows = {0};
    size_t n = 0;
    int64_t before = r->wrong;
    HtmlTable t = html_table(&rows, "lllrt");
    html_cells(&t, titles);
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        Rechecks all = {0};
        if (p->kind == REPORT_SCORES)
            recheck_run(&all, p->folder, p->json);
        for (size_t k = 0; k < all.n; k++)
            write_recheck(&t, r, p, &all.at[k]);
        n += all.n;
        rechecks_drop(&all);
    }
    html_table_end(&t);
    bool fold = n > FEW && r->wrong == before;
    if (fold)
        html_fold(page,
                  "Scores computed once more from what was recorded: %zu of %zu are equal to "
                  "results.json",
                  n, n);
    if (n)
        str_add(page, rows.at, rows.n);
    if (fold)
        html_fold_end(page);
    str_drop(&rows);
}

/* Tasks. ------------------------------------------------------------------------------------------------- */

static bool same_tasks(const ReportPart *a, const ReportPart *b, const char *benchmark)
{
    static const char *const settings[] = {"limit", "seed", "fold", "draw_seed"};
    const json_t *x = json_object_get(a->json, "config"), *y = json_object_get(b->json, "config");
    const json_t *of_x = json_object_get(json_object_get(x, "benchmarks"), benchmark),
                 *of_y = json_object_get(json_object_get(y, "benchmarks"), benchmark);
    bool same = of_x && of_y &&
                json_equal(json_object_get(of_x, "data_sha256"), json_object_get(of_y, "data_sha256"));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const json_t *u = json_object_get(json_object_get(x, "settings"), settings[i]),
                     *v = json_object_get(json_object_get(y, "settings"), settings[i]);
        same = same && (u && v ? json_equal(u, v) : u == v);
    }
    return same;
}

/* Whether an earlier part asked the same tasks, which are then looked for already. */
static bool is_asked_before(const Report *r, size_t part, const char *benchmark)
{
    for (size_t i = 0; i < part; i++)
        if (r->parts.at[i].kind == REPORT_SCORES && !r->parts.at[i].lesson &&
            same_tasks(&r->parts.at[i], &r->parts.at[part], benchmark))
            return true;
    return false;
}

static Status read_tasks(Overlap *o, const Report *r, size_t part)
{
    const ReportPart *p = &r->parts.at[part];
    const char *benchmark;
    json_t *metric;
    json_object_foreach(json_object_get(p->json, "metrics"), benchmark, metric)
    {
        if (is_asked_before(r, part, benchmark))
            continue;
        char *name = mem_format("%s (%s)", benchmark, p->name);
        Status st = overlap_read_tasks(o, name, p->folder, benchmark);
        mem_free(name);
        TRY(st);
    }
    return ST_OK;
}

/* Rows of packed shards are the corpus cut at their ends: they count where it is not here. */
static bool is_learned(const Report *r, const ReportPart *p)
{
    return p->kind == REPORT_CORPUS || (p->kind == REPORT_SHARDS && !report_has(r, REPORT_CORPUS)) ||
           (p->tuning && !report_taught_before(r, p));
}

static Status search(Overlap *o, OverlapReading *reading, const Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++)
        if (r->parts.at[i].kind == REPORT_SCORES && !r->parts.at[i].lesson)
            TRY(read_tasks(o, r, i));
    for (size_t i = 0; i < r->parts.n; i++)
        if (is_learned(r, &r->parts.at[i]))
            TRY(overlap_read_texts(o, reading, r->parts.at[i].folder, search_most));
    return ST_OK;
}

static void write_finds(Str *page, const json_t *found)
{
    enum { SHOWN = 5 };
    size_t n = json_array_size(found);
    if (n == 0)
        return;
    str_adds(page, "<ul class=\"small\">\n");
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        const json_t *f = json_array_get(found, i);
        html_add(page, "<li>%s, task %s: \"%.300s\" stands in %s\n", report_text(f, "set"),
                 report_text(f, "task"), report_text(f, "question"), report_text(f, "place"));
    }
    str_adds(page, "</ul>\n");
}

/* The page's own search calls a set "ic_sql (run)". */
static void set_cell(HtmlTable *t, const Report *r, const char *set)
{
    const char *part = strstr(set, " (");
    size_t n = part ? (size_t)(part - set) : strlen(set);
    char *benchmark = mem_strn(set, n);
    html_cell(t, "%s%s", report_tasks(r, benchmark), set + n);
    mem_free(benchmark);
}

static void write_sets(Str *page, const Report *r, const json_t *overlap)
{
    static const char *const titles[] = {
        "tasks for testing",     "tasks", "found", "their answers", "13 words in a row",
        "too short to look for", NULL};
    const json_t *sets = json_object_get(overlap, "sets");
    HtmlTable t = html_table(page, "lrrrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const json_t *s = json_array_get(sets, i);
        double found = report_number(s, "questions");
        set_cell(&t, r, report_text(s, "name"));
        html_cell(&t, "%.0f", report_number(s, "tasks"));
        if (found > 0)
            html_cell(&t, "<b class=\"bad\">%.0f</b>", found);
        else
            html_cell(&t, "<b class=\"good\">0</b>");
        html_cell(&t, "%.0f", report_number(s, "answers"));
        html_cell(&t, "%.0f", report_number(s, "ngrams"));
        html_cell(&t, "%.0f", report_number(s, "short"));
    }
    html_table_end(&t);
}

static void write_overlap(Str *page, Report *r, const char *name, const json_t *overlap)
{
    char bytes[32];
    int64_t found = overlap_found(overlap);
    double unread = report_number(overlap, "unread");
    html_add(page, "<h3>Tasks for testing in what was learned%s%s</h3>\n", *name ? ": " : "", name);
    write_sets(page, r, overlap);
    html_add(
        page,
        "<p class=\"small\">Looked for, by the program, in %.0f texts for training, %s. Found: the whole "
        "question stands in one, whatever its capitals, spaces and punctuation. Runs of 13 words are "
        "what tasks of one template share.",
        report_number(overlap, "texts"), human_bytes(bytes, report_number(overlap, "bytes")));
    if (unread > 0)
        html_add(page, " <span class=\"bad\">%.0f files or records could not be read.</span>", unread);
    if (json_is_true(json_object_get(overlap, "cut")))
        html_add(page, " <span class=\"bad\">There is more of it, which was not looked through: `lemur study "
                       "overlap` does.</span>");
    str_adds(page, "\n");
    write_finds(page, json_object_get(overlap, "found"));
    if (found)
        wrong(r, "%lld tasks for testing stand in what was learned", (long long)found);
    report_note(r, "overlap", json_incref((json_t *)overlap));
}

static bool has_both(const Report *r)
{
    bool tests = false, learned = false;
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        tests = tests || (p->kind == REPORT_SCORES && !p->lesson);
        learned = learned || is_learned(r, p);
    }
    return tests && learned;
}

/* What `lemur study overlap` found; without it the page's own search. */
static void write_overlaps(Str *page, Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++)
        if (r->parts.at[i].kind == REPORT_OVERLAP)
            write_overlap(page, r, r->parts.at[i].name, r->parts.at[i].json);
    if (report_has(r, REPORT_OVERLAP) || !has_both(r))
        return;
    Overlap *o = overlap_new();
    OverlapReading reading = {0};
    if (search(o, &reading, r) == ST_OK) {
        json_t *overlap = overlap_to_json(o, &reading);
        write_overlap(page, r, "", overlap);
        json_decref(overlap);
    } else {
        html_add(page, "<p class=\"bad\">Whether tasks for testing were learned is not known: %s.\n",
                 error_text());
        wrong(r, "whether tasks for testing were learned is not known: %s", error_text());
    }
    overlap_free(o);
}

void report_checks(Str *page, Report *r)
{
    if (!report_has(r, REPORT_SCORES) && !report_has(r, REPORT_OVERLAP))
        return;
    html_heading(page, 2, "checks", "Checks");
    write_rechecks(page, r);
    write_overlaps(page, r);
}
