/* Why episodes failed, model beside model: the classes of errors.h, each with a link to an example. */
#include <string.h>

#include "study/errors.h"
#include "study/html.h"
#include "study/report_parts.h"

/* One benchmark of one part. */
typedef struct {
    size_t part;
    const char *benchmark;
    char *model;
    size_t order; /* of the benchmark: as met */
    ErrorRun run; /* of that benchmark alone */
} Row;
typedef Array(Row) Rows;

static void drop_rows(Rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        mem_free(rows->at[i].model);
        errors_drop(&rows->at[i].run);
    }
    array_drop(rows);
}

/* A part's episodes, each benchmark a row; a part whose files hold none has no rows. */
static void add_part(Rows *rows, const Report *r, size_t part)
{
    const ReportPart *p = &r->parts.at[part];
    const char *benchmark;
    json_t *metric;
    ErrorRun all = {0};
    if (errors_read(&all, p->folder) != ST_OK) {
        errors_drop(&all);
        return;
    }
    json_object_foreach(json_object_get(p->json, "metrics"), benchmark, metric)
    {
        Row row = {.part = part, .benchmark = benchmark, .model = report_model(r, p)};
        for (size_t i = 0; i < all.episodes.n; i++) {
            const ErrorEpisode *e = &all.episodes.at[i];
            if (strcmp(e->benchmark, benchmark) != 0)
                continue;
            array_push(&row.run.episodes, ((ErrorEpisode){mem_str(e->benchmark), mem_str(e->task), e->kind}));
            row.run.counts[e->kind]++;
        }
        if (row.run.episodes.n)
            array_push(rows, row);
        else
            mem_free(row.model);
    }
    errors_drop(&all);
}

static const char *feedback_of(const Report *r, const Row *row)
{
    return report_feedback(&r->parts.at[row->part]);
}

static const char *data_of(const Report *r, const Row *row)
{
    const json_t *config = json_object_get(r->parts.at[row->part].json, "config");
    return report_text(json_object_get(json_object_get(config, "benchmarks"), row->benchmark), "data_sha256");
}

/* 0: rows of the same tasks. */
static int order_of(const Report *r, const Row *a, const Row *b)
{
    if (strcmp(a->benchmark, b->benchmark) != 0)
        return a->order < b->order ? -1 : 1;
    int data = strcmp(data_of(r, a), data_of(r, b));
    return data ? data : strcmp(feedback_of(r, a), feedback_of(r, b));
}

/* Benchmarks as they are met, of each the tasks without feedback first; else in the order that is there. */
static void sort_rows(const Report *r, Rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        Row row = rows->at[i];
        size_t to = i;
        row.order = i;
        for (size_t k = 0; k < i; k++)
            if (strcmp(rows->at[k].benchmark, row.benchmark) == 0)
                row.order = rows->at[k].order;
        for (; to > 0 && order_of(r, &row, &rows->at[to - 1]) < 0; to--)
            rows->at[to] = rows->at[to - 1];
        rows->at[to] = row;
    }
}

static void write_class(HtmlTable *t, const Row *row, const Row *first, int class)
{
    Str cell = {0};
    double n = (double)row->run.counts[class], share = 100 * n / (double)row->run.episodes.n;
    bool differs = first != row && errors_compare(&first->run, &row->run, (ErrorClass) class).p < 0.05;
    str_adds(&cell, differs ? "<b>" : "");
    if (n > 0)
        html_add(&cell, "<a href=\"#episode-%zu-%s-%d\">%.0f</a>", row->part, row->benchmark, class, share);
    else
        str_adds(&cell, "<span class=\"small\">0</span>");
    str_adds(&cell, differs ? "</b>" : "");
    html_cell_raw(t, str_span(&cell));
    str_drop(&cell);
}

/* The first row of the same tasks. */
static const Row *first_of(const Report *r, const Rows *rows, size_t i)
{
    while (i > 0 && order_of(r, &rows->at[i - 1], &rows->at[i]) == 0)
        i--;
    return &rows->at[i];
}

/* The model, and its run where another row has the same one on the same tasks. */
static void model_cell(HtmlTable *t, const Report *r, const Rows *rows, size_t at)
{
    bool twice = false;
    for (size_t i = 0; i < rows->n; i++)
        twice = twice || (i != at && order_of(r, &rows->at[i], &rows->at[at]) == 0 &&
                          strcmp(rows->at[i].model, rows->at[at].model) == 0);
    if (twice)
        html_cell(t, "%s (%s)", rows->at[at].model, r->parts.at[rows->at[at].part].name);
    else
        html_cell(t, "%s", rows->at[at].model);
}

static void write_table(Str *page, const Report *r, const Rows *rows)
{
    bool used[ERROR_CLASSES] = {0};
    Str align = {0};
    str_adds(&align, "wlr");
    for (int k = 0; k < ERROR_CLASSES; k++) {
        for (size_t i = 0; i < rows->n; i++)
            used[k] = used[k] || rows->at[i].run.counts[k];
        str_adds(&align, used[k] ? "r" : "");
    }
    HtmlTable t = html_table(page, str_c(&align));
    html_cell(&t, "tasks");
    html_cell(&t, "model");
    html_cell(&t, "n");
    for (int k = 0; k < ERROR_CLASSES; k++)
        if (used[k])
            html_cell(&t, "%s", error_class_names[k]);
    for (size_t i = 0; i < rows->n; i++) {
        const Row *row = &rows->at[i];
        html_cell(&t, "%s%s", report_tasks(r, row->benchmark), feedback_of(r, row));
        model_cell(&t, r, rows, i);
        html_cell(&t, "%zu", row->run.episodes.n);
        for (int k = 0; k < ERROR_CLASSES; k++)
            if (used[k])
                write_class(&t, row, first_of(r, rows, i), k);
    }
    html_table_end(&t);
    str_drop(&align);
}

void report_errors(Str *page, Report *r)
{
    Rows rows = {0};
    for (size_t i = 0; i < r->parts.n; i++)
        if (r->parts.at[i].kind == REPORT_SCORES && !r->parts.at[i].lesson)
            add_part(&rows, r, i);
    sort_rows(r, &rows);
    if (rows.n) {
        html_heading(page, 2, "errors", "Why episodes failed");
        write_table(page, r, &rows);
        str_adds(page,
                 "<p class=\"small\">% of episodes; each has the first class that fits, in the order of "
                 "`lemur study errors`. Bold: it differs from the first model, over the tasks that both were "
                 "asked (McNemar's test, p < 0.05). A number leads to an example.\n");
    }
    drop_rows(&rows);
}
