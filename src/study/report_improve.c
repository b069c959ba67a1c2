/* Rounds of `lemur study improve`: what was played, kept and learned, and what held-out tasks said. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "study/html.h"
#include "study/report_parts.h"

static void share_cell(HtmlTable *t, const json_t *o, const char *solved, const char *of)
{
    double n = report_number(o, of);
    if (n > 0)
        html_cell(t, "%.1f (%.0f/%.0f)", 100 * report_number(o, solved) / n, report_number(o, solved), n);
    else
        html_cell(t, "%s", "");
}

static void write_round(HtmlTable *t, const json_t *round)
{
    const json_t *test = json_object_get(round, "test");
    double parent = report_number(round, "parent.round");
    html_cell(t, "%.0f", report_number(round, "round"));
    if (parent > 0)
        html_cell(t, "round %.0f", parent);
    else
        html_cell(t, "the one given");
    html_cell(t, "%s", report_text(round, "decision"));
    share_cell(t, round, "rollouts.successes", "rollouts.episodes");
    html_cell(t, "%.0f", report_number(round, "rollouts.kept"));
    html_cell(t, "%.0f", report_number(round, "rollouts.repaired"));
    html_cell(t, "%.0f", report_number(round, "learned"));
    share_cell(t, test, "before", "n");
    share_cell(t, test, "after", "n");
    if (test) {
        html_cell(t, "%.0f : %.0f", report_number(test, "first_alone"), report_number(test, "second_alone"));
        html_cell(t, "%.2g", report_number(test, "p"));
    } else {
        html_cell(t, "%s", "");
        html_cell(t, "%s", "");
    }
}

static void write_rounds(Str *page, const json_t *rounds)
{
    static const char *const titles[] = {"round",   "from",   "decision", "played, %", "kept", "repaired",
                                         "learned", "old, %", "new, %",   "alone",     "p"};
    HtmlTable t = html_table(page, "rllrrrrrrrr");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        html_cell(&t, "%s", titles[i]);
    for (size_t i = 0; i < json_array_size(rounds); i++)
        write_round(&t, json_array_get(rounds, i));
    html_table_end(&t);
    str_adds(page,
             "<p class=\"small\">played: episodes that were solved; old, new: held-out tasks that each of "
             "the two models solves; alone: those that the old one alone solves, and the new one alone; "
             "p: McNemar's test of that, one-sided.\n");
}

/* Share of held-out tasks that the best model so far solves, and that each new one does. */
static void write_curve(Str *page, Report *r, const json_t *rounds)
{
    static const char *const titles[] = {"the round's model", "the best so far"};
    Plot plot = {
        .x_label = "round", .y_label = "held-out tasks solved, %", .points = true, .y_low = 0, .y_high = 100};
    for (size_t k = 0; k < 2; k++) {
        PlotLine *line = plot_line(&plot, titles[k]);
        double best = -1;
        for (size_t i = 0; i < json_array_size(rounds); i++) {
            const json_t *round = json_array_get(rounds, i), *test = json_object_get(round, "test");
            double n = report_number(test, "n"), after = n > 0 ? 100 * report_number(test, "after") / n : -1;
            if (best < 0 && n > 0) {
                best = 100 * report_number(test, "before") / n;
                if (k == 1)
                    plot_point(line, report_number(round, "round") - 1, best, best, best);
            }
            if (strcmp(report_text(round, "decision"), "accepted") == 0)
                best = after;
            double y = k == 0 ? after : best;
            if (y >= 0)
                plot_point(line, report_number(round, "round"), y, y, y);
        }
    }
    if (plot.lines.at[0].points.n) /* a model was tested */
        report_plot(page, r, &plot);
    plot_drop(&plot);
}

static void write_verdict_row(HtmlTable *t, const char *name, const json_t *pairs)
{
    html_cell(t, "%s", name);
    share_cell(t, pairs, "before", "n");
    share_cell(t, pairs, "after", "n");
    html_cell(t, "%.0f : %.0f", report_number(pairs, "first_alone"), report_number(pairs, "second_alone"));
    html_cell(t, "%.2g", report_number(pairs, "p"));
}

static void write_verdict(Str *page, const json_t *lineage)
{
    static const char *const titles[] = {"tasks", "the model given, %", "the best one, %",
                                         "alone, given : best", "p, one-sided"};
    json_t *verdict = json_object_get(lineage, "untouched"), *pairs;
    const json_t *ci = json_object_get(verdict, "ci95");
    const char *name;
    if (!json_is_object(verdict)) {
        html_add(page, report_number(lineage, "best.round") > 0
                           ? "<p>The tasks by which nothing is decided have not been played yet.\n"
                           : "<p>No model was better than the one given.\n");
        return;
    }
    html_add(page,
             "<p>On tasks that nothing was decided by, the model of round %.0f solves %+.1f points more than "
             "the one "
             "given (95 %%: %+.1f to %+.1f).\n",
             report_number(lineage, "best.round"), 100 * report_number(verdict, "difference"),
             100 * json_number_value(json_array_get(ci, 0)), 100 * json_number_value(json_array_get(ci, 1)));
    HtmlTable t = html_table(page, "lrrrr");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        html_cell(&t, "%s", titles[i]);
    json_object_foreach(json_object_get(verdict, "sources"), name, pairs) write_verdict_row(&t, name, pairs);
    write_verdict_row(&t, "all", verdict);
    html_table_end(&t);
}

static void write_lineage(Str *page, Report *r, const char *folder, bool *begun)
{
    char *path = path_join(folder, "lineage.json");
    json_t *lineage = NULL;
    if (path_exists(path) && json_file_read(&lineage, path) != ST_OK)
        log_warn("%s is passed over: %s", path, error_text());
    const json_t *rounds = json_object_get(lineage, "rounds");
    if (json_array_size(rounds)) {
        if (!*begun)
            html_heading(page, 2, "improve", "Improvement");
        *begun = true;
        html_add(page, "<p>Each round the best model so far plays new tasks; what it solved is learned; the "
                       "new model is "
                       "accepted where held-out tasks say that it is better. The best of several is chosen "
                       "by those, so its "
                       "score on them flatters it.\n");
        write_rounds(page, rounds);
        write_curve(page, r, rounds);
        write_verdict(page, lineage);
    }
    json_decref(lineage);
    mem_free(path);
}

bool report_improve_plays(const json_t *lock, const char *stage)
{
    return strcmp(report_text(lock, "name"), "improve") == 0 && strstr(stage, "-try");
}

/* A lock.json is the study's own, beside its lineage, or that of a recipe with the study as a stage. */
void report_improves(Str *page, Report *r)
{
    bool begun = false;
    for (size_t i = 0; i < r->locks.n; i++) {
        const char *recipe = report_text(r->locks.at[i], "recipe"), *slash = strrchr(recipe, '/'), *name;
        char *folder = slash ? mem_strn(recipe, (size_t)(slash - recipe)) : mem_str(".");
        json_t *stage;
        if (strcmp(report_text(r->locks.at[i], "name"), "improve") == 0)
            write_lineage(page, r, folder, &begun);
        mem_free(folder);
        json_object_foreach(json_object_get(r->locks.at[i], "stages"), name, stage)
        {
            char *out = path_join(report_text(stage, "folder"), "out");
            if (strcmp(report_text(stage, "verb"), "study improve") == 0)
                write_lineage(page, r, out, &begun);
            mem_free(out);
        }
    }
}
