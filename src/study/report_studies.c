/* Studies of feedback and of exploration, from the study.json that `lemur study feedback` and `explore`
 * wrote. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "study/explore.h"
#include "study/gain.h"
#include "study/html.h"
#include "study/report_parts.h"

static double end_of(const json_t *o, size_t i)
{
    return json_number_value(json_array_get(json_object_get(o, "ci95"), i));
}

/* Feedback. ---------------------------------------------------------------------------------------------- */

static void write_conditions(HtmlTable *t, const json_t *groups)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *conditions = json_object_get(g, "conditions");
        html_cell(t, "%s", report_text(g, "model"));
        html_cell(t, "%s%s", report_text(g, "task"),
                  json_is_true(json_object_get(g, "untuned")) ? " (never tuned on)" : "");
        for (int k = 0; k < GAIN_CONDITIONS; k++) {
            const json_t *o = json_object_get(conditions, gain_condition_names[k]);
            if (o)
                html_cell(t, "<b>%.1f</b> (%.1f to %.1f, n %.0f)", 100 * report_number(o, "success"),
                          100 * end_of(o, 0), 100 * end_of(o, 1), report_number(o, "n"));
            else
                html_cell(t, "%s", "");
        }
    }
}

static void write_gains(HtmlTable *t, const json_t *groups)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *gains = json_object_get(g, "gains");
        for (size_t k = 0; k < json_array_size(gains); k++) {
            const json_t *o = json_array_get(gains, k);
            html_cell(t, "%s", report_text(g, "model"));
            html_cell(t, "%s", report_text(g, "task"));
            html_cell(t, "%s", report_text(o, "of"));
            html_cell(t, "<b>%+.1f</b>", 100 * report_number(o, "gain"));
            html_cell(t, "%+.1f to %+.1f", 100 * end_of(o, 0), 100 * end_of(o, 1));
            html_cell(t, "%.0f / %.0f of %.0f", report_number(o, "gained"), report_number(o, "lost"),
                      report_number(o, "n"));
            html_cell(t, "%.3g", report_number(o, "p"));
        }
    }
}

/* Success by turns, a line a condition. */
static void plot_group(Str *page, Report *r, const json_t *group)
{
    Plot plot = {.x_label = "answers of an episode", .y_label = "solved, %", .points = true, .y_high = 100};
    for (int k = 0; k < GAIN_CONDITIONS; k++) {
        const json_t *by = json_object_get(
            json_object_get(json_object_get(group, "conditions"), gain_condition_names[k]), "by_turns");
        PlotLine *line = json_array_size(by) ? plot_line(&plot, gain_condition_names[k]) : NULL;
        for (size_t i = 0; i < json_array_size(by); i++) {
            const json_t *at = json_array_get(by, i);
            double y = 100 * report_number(at, "success");
            plot_point(line, report_number(at, "turns"), y, y, y);
        }
    }
    if (plot.lines.n) {
        html_add(page, "<h3>%s, %s: success by turns</h3>\n", report_text(group, "task"),
                 report_text(group, "model"));
        report_plot(page, r, &plot);
    }
    plot_drop(&plot);
}

static void heads(HtmlTable *t, const char *const *titles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        html_cell(t, "%s", titles[i]);
}

static void write_feedback(Str *page, Report *r, const json_t *study)
{
    static const char *const conditions[] = {"model",       "tasks",          "neither, %",
                                             "language, %", "environment, %", "both, %"};
    static const char *const gains[] = {"model", "tasks", "gain of", "points", "95 %", "gained / lost", "p"};
    const json_t *groups = json_object_get(study, "groups"), *pooled = json_object_get(study, "pooled");
    HtmlTable t = html_table(page, "llrrrr");
    heads(&t, conditions, sizeof conditions / sizeof *conditions);
    write_conditions(&t, groups);
    write_conditions(&t, pooled);
    html_table_end(&t);
    html_add(page, "<h3>What each kind of feedback gains</h3>\n");
    t = html_table(page, "lllrrrr");
    heads(&t, gains, sizeof gains / sizeof *gains);
    write_gains(&t, groups);
    write_gains(&t, pooled);
    html_table_end(&t);
    for (size_t i = 0; i < json_array_size(groups); i++)
        plot_group(page, r, json_array_get(groups, i));
}

/* Exploration. ------------------------------------------------------------------------------------------- */

static void write_groups(Str *page, const json_t *groups)
{
    HtmlTable t = html_table(page, "lllrrrl");
    static const char *const titles[] = {"run", "benchmark", "measure", "n", "mean", "95 %", "what it is"};
    heads(&t, titles, sizeof titles / sizeof *titles);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i);
        for (int k = 0; k < EXPLORE_MEASURES; k++) {
            const json_t *o = json_object_get(json_object_get(g, "measures"), explore_measures[k].name);
            if (!o)
                continue;
            html_cell(&t, "%s", path_base(report_text(g, "run")));
            html_cell(&t, "%s", report_text(g, "benchmark"));
            html_cell(&t, "%s", explore_measures[k].name);
            html_cell(&t, "%.0f", report_number(o, "n"));
            html_cell(&t, "<b>%.3f</b>", report_number(o, "mean"));
            html_cell(&t, "%.3f to %.3f", end_of(o, 0), end_of(o, 1));
            html_cell(&t, "%s", explore_measures[k].about);
        }
    }
    html_table_end(&t);
}

static void write_pairs(Str *page, const json_t *study)
{
    const json_t *groups = json_object_get(study, "groups"), *pairs = json_object_get(study, "pairs");
    static const char *const titles[] = {"second less first", "measure", "n",
                                         "difference",        "95 %",    "p, Holm"};
    HtmlTable t = html_table(page, "llrrrr");
    heads(&t, titles, sizeof titles / sizeof *titles);
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *p = json_array_get(pairs, i),
                     *a = json_array_get(groups, (size_t)report_number(p, "first")),
                     *b = json_array_get(groups, (size_t)report_number(p, "second"));
        for (int k = 0; k < EXPLORE_MEASURES; k++) {
            const json_t *o = json_object_get(json_object_get(p, "measures"), explore_measures[k].name);
            if (!o)
                continue;
            html_cell(&t, "%s less %s", report_text(b, "benchmark"), report_text(a, "benchmark"));
            html_cell(&t, "%s", explore_measures[k].name);
            html_cell(&t, "%.0f", report_number(o, "n"));
            html_cell(&t, "<b>%+.3f</b>", report_number(o, "difference"));
            html_cell(&t, "%+.3f to %+.3f", end_of(o, 0), end_of(o, 1));
            html_cell(&t, "%.3g", report_number(o, "p_holm"));
        }
    }
    html_table_end(&t);
}

/* All of them. ------------------------------------------------------------------------------------------- */

static json_t *read_study(const ReportPart *part)
{
    char *path = path_join(part->folder, "study.json");
    json_t *study = NULL;
    if (path_exists(path) && json_file_read(&study, path) != ST_OK)
        log_warn("%s is passed over: %s", path, error_text());
    mem_free(path);
    return study;
}

void report_studies(Str *page, Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++) {
        json_t *study = read_study(&r->parts.at[i]);
        const char *kind = report_text(study, "study");
        if (strcmp(kind, "feedback") == 0) {
            html_heading(page, 2, r->parts.at[i].name, "What feedback is worth");
            write_feedback(page, r, study);
        } else if (strcmp(kind, "explore") == 0) {
            html_heading(page, 2, r->parts.at[i].name, "Looking before acting");
            write_groups(page, json_object_get(study, "groups"));
            write_pairs(page, study);
        }
        json_decref(study);
    }
}
