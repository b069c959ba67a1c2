/* Studies of mixtures of code and text (harmony.h), as study.json has them: table, front, what the agent
 * gains. */
#include <string.h>

#include "study/html.h"
#include "study/report_parts.h"

enum { COLUMNS_MOST = 24 };

static bool is_share(const json_t *measure)
{
    return strcmp(report_text(measure, "unit"), "share of tasks") == 0;
}

static const json_t *value_of(const json_t *mix, const char *measure)
{
    return json_object_get(json_object_get(mix, "measures"), measure);
}

static void value_cell(HtmlTable *t, const json_t *mix, const json_t *measure)
{
    const json_t *v = value_of(mix, report_text(measure, "name"));
    double scale = is_share(measure) ? 100 : 1,
           half = (report_number(v, "high") - report_number(v, "low")) / 2;
    int digits = is_share(measure) ? 1 : 3;
    char *mean = mem_format("%.*f", digits, scale * report_number(v, "mean")),
         *text =
             report_number(v, "n") < 2 ? mem_str(mean) : mem_format("%s ±%.*f", mean, digits, scale * half);
    html_cell(t, "%s", v ? text : "-");
    mem_free(mean);
    mem_free(text);
}

static void share_cell(HtmlTable *t, const json_t *mix, const char *is, const char *share)
{
    if (json_is_true(json_object_get(mix, "known")))
        html_cell(t, "%s%.0f %%", json_is_true(json_object_get(mix, is)) ? "yes, " : "",
                  100 * report_number(mix, share));
    else
        html_cell(t, "%s", "-");
}

static void write_table(Str *page, const json_t *study)
{
    const json_t *measures = json_object_get(study, "measures"), *mixes = json_object_get(study, "mixes");
    char align[COLUMNS_MOST + 1] = "lrrrr";
    size_t n = json_array_size(measures) < COLUMNS_MOST - 5 ? json_array_size(measures) : COLUMNS_MOST - 5;
    memset(align + 5, 'r', n);
    HtmlTable t = html_table(page, align);
    html_cell(&t, "code : text");
    html_cell(&t, "code, %%");
    html_cell(&t, "seeds");
    html_cell(&t, "front");
    html_cell(&t, "best");
    for (size_t k = 0; k < n; k++) {
        const json_t *m = json_array_get(measures, k);
        html_cell(&t, "%s, %s", report_text(m, "name"), is_share(m) ? "%" : report_text(m, "unit"));
    }
    for (size_t i = 0; i < json_array_size(mixes); i++) {
        const json_t *mix = json_array_get(mixes, i);
        html_cell(&t, "%s", report_text(mix, "mix"));
        html_cell(&t, "%.1f", 100 * report_number(mix, "code_share"));
        html_cell(&t, "%zu", json_array_size(json_object_get(mix, "seeds")));
        share_cell(&t, mix, "front", "front_share");
        share_cell(&t, mix, "best", "best_share");
        for (size_t k = 0; k < n; k++)
            value_cell(&t, mix, json_array_get(measures, k));
    }
    html_table_end(&t);
    str_adds(page, "<p class=\"small\">front: no other mixture is as good in all that counts and better in "
                   "one; best: by the stated "
                   "weights; both with the share of bootstrap rounds that say so.\n");
    html_add(page, "<p>%s\n", report_text(study, "words"));
}

static void write_notes(Str *page, const json_t *study)
{
    const json_t *notes = json_object_get(study, "notes");
    for (size_t i = 0; i < json_array_size(notes); i++)
        html_add(page, "<p class=\"small\">Note: %s.\n", json_string_value(json_array_get(notes, i)));
}

/* A point a mixture, with the intervals of both. */
static void plot_losses(Str *page, Report *r, const json_t *study)
{
    Plot plot = {
        .x_label = "code, bits per byte", .y_label = "text, bits per byte", .points = true, .x_real = true};
    const json_t *mixes = json_object_get(study, "mixes");
    for (size_t i = 0; i < json_array_size(mixes); i++) {
        const json_t *mix = json_array_get(mixes, i), *code = value_of(mix, "code"),
                     *text = value_of(mix, "text");
        if (!code || !text)
            continue;
        PlotPoint p = {.x = report_number(code, "mean"),
                       .y = report_number(text, "mean"),
                       .low = report_number(text, "low"),
                       .high = report_number(text, "high"),
                       .x_low = report_number(code, "low"),
                       .x_high = report_number(code, "high")};
        plot_point_both(plot_line(&plot, report_text(mix, "mix")), p);
    }
    if (plot.lines.n) {
        html_heading(page, 3, "harmony-losses", "What code and text cost");
        report_plot(page, r, &plot);
    }
    plot_drop(&plot);
}

/* A line a measure, a point a mixture. */
static void plot_scores(Str *page, Report *r, const json_t *study)
{
    Plot plot = {.x_label = "code in the mixture, %", .y_label = "solved, %", .points = true, .x_real = true};
    const json_t *measures = json_object_get(study, "measures"), *mixes = json_object_get(study, "mixes");
    for (size_t k = 0; k < json_array_size(measures); k++) {
        const json_t *m = json_array_get(measures, k);
        if (!is_share(m))
            continue;
        PlotLine *line = plot_line(&plot, report_text(m, "name"));
        for (size_t i = 0; i < json_array_size(mixes); i++) {
            const json_t *mix = json_array_get(mixes, i), *v = value_of(mix, report_text(m, "name"));
            if (v)
                plot_point(line, 100 * report_number(mix, "code_share"), 100 * report_number(v, "mean"),
                           100 * report_number(v, "low"), 100 * report_number(v, "high"));
        }
    }
    if (plot.lines.n) {
        html_heading(page, 3, "harmony-scores", "What the agent gains");
        report_plot(page, r, &plot);
    }
    plot_drop(&plot);
}

void report_harmony(Str *page, Report *r)
{
    if (!report_has(r, REPORT_HARMONY))
        return;
    html_heading(page, 2, "harmony", "Harmony of code and text");
    for (size_t i = 0; i < r->parts.n; i++) {
        const json_t *study = r->parts.at[i].json;
        if (r->parts.at[i].kind != REPORT_HARMONY)
            continue;
        write_table(page, study);
        write_notes(page, study);
        plot_losses(page, r, study);
        plot_scores(page, r, study);
    }
}
