/* Studies of feedback and of exploration, from the study.json that `lemur study feedback` and `explore`
 * wrote. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "study/explore.h"
#include "study/gain.h"
#include "study/html.h"
#include "study/model_name.h"
#include "study/report_parts.h"

static double end_of(const json_t *o, size_t i)
{
    return json_number_value(json_array_get(json_object_get(o, "ci95"), i));
}

/* Feedback. ---------------------------------------------------------------------------------------------- */

/* The page's name for the model of a group: that of the part with its runs; else what the study wrote. Caller
 * frees. */
static char *model_of(const Report *r, const json_t *group)
{
    const char *condition;
    json_t *o;
    json_object_foreach(json_object_get(group, "conditions"), condition, o)
    {
        const char *run = json_string_value(json_array_get(json_object_get(o, "runs"), 0));
        for (size_t i = 0; run && i < r->parts.n; i++) {
            char *real = realpath(r->parts.at[i].folder, NULL);
            bool is = real && r->parts.at[i].kind == REPORT_SCORES && model_lies_in(run, real);
            free(real);
            if (is)
                return report_model(r, &r->parts.at[i]);
        }
    }
    return mem_str(report_text(group, "model"));
}

static bool has_condition(const json_t *groups, int condition)
{
    for (size_t i = 0; i < json_array_size(groups); i++)
        if (json_object_get(json_object_get(json_array_get(groups, i), "conditions"),
                            gain_condition_names[condition]))
            return true;
    return false;
}

static void write_conditions(HtmlTable *t, const Report *r, const json_t *groups, const bool *used)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *conditions = json_object_get(g, "conditions");
        char *model = model_of(r, g);
        html_cell(t, "%s", model);
        html_cell(t, "%s%s", report_tasks(r, report_text(g, "task")),
                  json_is_true(json_object_get(g, "untuned")) ? " (never tuned on)" : "");
        for (int k = 0; k < GAIN_CONDITIONS; k++) {
            const json_t *o = json_object_get(conditions, gain_condition_names[k]);
            if (used[k] && o)
                html_cell(t, "<b>%.1f</b> <span class=\"small\">%.1f to %.1f, n %.0f</span>",
                          100 * report_number(o, "success"), 100 * end_of(o, 0), 100 * end_of(o, 1),
                          report_number(o, "n"));
            else if (used[k])
                html_cell(t, "%s", "");
        }
        mem_free(model);
    }
}

static void write_gains(HtmlTable *t, const Report *r, const json_t *groups)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *gains = json_object_get(g, "gains");
        char *model = model_of(r, g);
        for (size_t k = 0; k < json_array_size(gains); k++) {
            const json_t *o = json_array_get(gains, k);
            html_cell(t, "%s", model);
            html_cell(t, "%s", report_tasks(r, report_text(g, "task")));
            html_cell(t, "%s", report_text(o, "of"));
            html_cell(t, "<b>%+.1f</b>", 100 * report_number(o, "gain"));
            html_cell(t, "%+.1f to %+.1f", 100 * end_of(o, 0), 100 * end_of(o, 1));
            html_cell(t, "%.0f / %.0f of %.0f", report_number(o, "gained"), report_number(o, "lost"),
                      report_number(o, "n"));
            html_cell(t, "%.3g", report_number(o, "p"));
        }
        mem_free(model);
    }
}

static void add_lines(Plot *plot, const Report *r, const json_t *group)
{
    char *model = model_of(r, group);
    for (int k = 0; k < GAIN_CONDITIONS; k++) {
        const json_t *by = json_object_get(
            json_object_get(json_object_get(group, "conditions"), gain_condition_names[k]), "by_turns");
        char *title = mem_format("%s, %s", model, gain_condition_names[k]);
        PlotLine *line = json_array_size(by) ? plot_line(plot, title) : NULL;
        for (size_t i = 0; i < json_array_size(by); i++) {
            const json_t *at = json_array_get(by, i);
            double y = 100 * report_number(at, "success");
            plot_point(line, report_number(at, "turns"), y, y, y);
        }
        mem_free(title);
    }
    mem_free(model);
}

static bool any_solved(const Plot *plot)
{
    for (size_t i = 0; i < plot->lines.n; i++)
        for (size_t k = 0; k < plot->lines.at[i].points.n; k++)
            if (plot->lines.at[i].points.at[k].y > 0)
                return true;
    return false;
}

/* Success by turns on the tasks of groups[first], a line a model and condition. */
static void plot_tasks(Str *page, Report *r, const json_t *groups, size_t first)
{
    Plot plot = {.x_label = "answers of an episode", .y_label = "solved, %", .points = true, .y_high = 100};
    const char *task = report_text(json_array_get(groups, first), "task");
    bool before = false;
    for (size_t i = 0; i < first; i++)
        before = before || strcmp(report_text(json_array_get(groups, i), "task"), task) == 0;
    for (size_t i = first; i < json_array_size(groups) && !before; i++)
        if (strcmp(report_text(json_array_get(groups, i), "task"), task) == 0)
            add_lines(&plot, r, json_array_get(groups, i));
    if (plot.lines.n) {
        html_add(page, "<h3>%s: success by turns</h3>\n", report_tasks(r, task));
        if (any_solved(&plot))
            report_plot(page, r, &plot);
        else
            str_adds(page, "<p>None was solved.\n");
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
    static const char *const gains[] = {"model", "tasks", "gain of", "points", "95 %", "gained / lost", "p"};
    const json_t *groups = json_object_get(study, "groups"), *pooled = json_object_get(study, "pooled");
    bool used[GAIN_CONDITIONS];
    Str align = {0};
    str_adds(&align, "ll");
    for (int k = 0; k < GAIN_CONDITIONS; k++) {
        used[k] = has_condition(groups, k);
        str_adds(&align, used[k] ? "w" : "");
    }
    HtmlTable t = html_table(page, str_c(&align));
    html_cell(&t, "model");
    html_cell(&t, "tasks");
    for (int k = 0; k < GAIN_CONDITIONS; k++)
        if (used[k])
            html_cell(&t, "%s, %%", gain_condition_names[k]);
    write_conditions(&t, r, groups, used);
    write_conditions(&t, r, pooled, used);
    html_table_end(&t);
    html_add(page, "<h3>What each kind of feedback gains</h3>\n");
    t = html_table(page, "lllrrrr");
    heads(&t, gains, sizeof gains / sizeof *gains);
    write_gains(&t, r, groups);
    write_gains(&t, r, pooled);
    html_table_end(&t);
    for (size_t i = 0; i < json_array_size(groups); i++)
        plot_tasks(page, r, groups, i);
    str_drop(&align);
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
                     *a = json_array_get(groups, (size_t)report_whole(report_number(p, "first"))),
                     *b = json_array_get(groups, (size_t)report_whole(report_number(p, "second")));
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
