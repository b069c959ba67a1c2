/* The tables of a study of feedback. */
#include <string.h>

#include "base/columns.h"
#include "study/gain.h"
#include "study/report_parts.h"

static const char *mark_of(const json_t *group)
{
    return json_is_true(json_object_get(group, "untuned")) ? " *" : "";
}

static double low_of(const json_t *o)
{
    return 100 * json_number_value(json_array_get(json_object_get(o, "ci95"), 0));
}

static double high_of(const json_t *o)
{
    return 100 * json_number_value(json_array_get(json_object_get(o, "ci95"), 1));
}

static void add_conditions(Columns *c, const json_t *groups)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *conditions = json_object_get(g, "conditions");
        columns_add(c, "%s", report_text(g, "model"));
        columns_add(c, "%s%s", report_text(g, "task"), mark_of(g));
        for (int k = 0; k < GAIN_CONDITIONS; k++) {
            const json_t *o = json_object_get(conditions, gain_condition_names[k]);
            if (o)
                columns_add(c, "%.1f (%.1f to %.1f, n %.0f)", 100 * report_number(o, "success"), low_of(o),
                            high_of(o), report_number(o, "n"));
            else
                columns_add(c, "-");
        }
        columns_end_row(c);
    }
}

static void add_gains(Columns *c, const json_t *groups)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *list = json_object_get(g, "gains");
        for (size_t k = 0; k < json_array_size(list); k++) {
            const json_t *o = json_array_get(list, k), *by = json_object_get(o, "by_turns");
            Str turns = {0};
            for (size_t t = 0; t < json_array_size(by); t++) {
                const json_t *at = json_array_get(by, t);
                str_addf(&turns, "%s%.0f: %+.1f", t ? "  " : "", report_number(at, "turns"),
                         100 * report_number(at, "gain"));
            }
            columns_add(c, "%s", report_text(g, "model"));
            columns_add(c, "%s%s", report_text(g, "task"), mark_of(g));
            columns_add(c, "%s", report_text(o, "of"));
            columns_add(c, "%.0f", report_number(o, "n"));
            columns_add(c, "%+.1f", 100 * report_number(o, "gain"));
            columns_add(c, "%+.1f to %+.1f", low_of(o), high_of(o));
            columns_add(c, "%.0f / %.0f", report_number(o, "gained"), report_number(o, "lost"));
            columns_add(c, "%.3g", report_number(o, "p"));
            columns_add(c, "%s", str_c(&turns));
            columns_end_row(c);
            str_drop(&turns);
        }
    }
}

static void print_table(FILE *out, const char *align, const char *const *heads, const json_t *study,
                        void (*add)(Columns *c, const json_t *groups))
{
    Columns c = {.align = align};
    for (size_t i = 0; i < strlen(align); i++)
        columns_add(&c, "%s", heads[i]);
    columns_end_row(&c);
    add(&c, json_object_get(study, "groups"));
    add(&c, json_object_get(study, "pooled"));
    columns_print(&c, out);
    columns_drop(&c);
}

void gain_print(FILE *out, const json_t *study)
{
    static const char *const conditions[] = {"model",       "tasks",          "neither, %",
                                             "language, %", "environment, %", "both, %"};
    static const char *const list[] = {"model", "tasks",         "gain of", "n",       "gain",
                                       "95 %",  "gained / lost", "p",       "by turns"};
    bool marks = false;
    print_table(out, "llrrrr", conditions, study, add_conditions);
    fputc('\n', out);
    print_table(out, "lllrrrrrl", list, study, add_gains);
    for (size_t i = 0; i < json_array_size(json_object_get(study, "groups")); i++)
        marks = marks || *mark_of(json_array_get(json_object_get(study, "groups"), i));
    if (marks)
        fprintf(out, "\n* the models were never tuned on these\n");
}
