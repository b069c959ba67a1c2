/* Models side by side on equal tasks, and the same model with feedback and without. */
#include <stdlib.h>
#include <string.h>

#include "eval/compare.h"
#include "eval/results.h"
#include "study/html.h"
#include "study/report_parts.h"

/* One score of one part: a cell of the table, in the row of its model and the column of its tasks. */
typedef struct {
    const ReportPart *part;
    const char *benchmark;
    size_t row, column;
} Cell;
typedef struct {
    char *key, *title;
    const char *part; /* the first one's name */
    size_t plain;     /* of a column with feedback: 1 + the one of the same tasks without; 0: none */
    bool feedback;
} Line;
typedef Array(Line) Lines;
typedef struct {
    Lines rows, columns;
    Array(Cell) cells;
} Grid;

static size_t line_of(Lines *lines, char *key, char *title, const char *part, bool feedback)
{
    size_t i = 0;
    while (i < lines->n && strcmp(lines->at[i].key, key) != 0)
        i++;
    if (i == lines->n) {
        array_push(lines, ((Line){.key = key, .title = title, .part = part, .feedback = feedback}));
    } else {
        mem_free(key);
        mem_free(title);
    }
    return i;
}

static char *json_text_of(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY),
         *copy = mem_str(text ? text : "");
    free(text);
    return copy;
}

/* The files of a model that runs here are named by their hash: it is the same one wherever it lies. */
static char *model_key(const json_t *config)
{
    const json_t *model = json_object_get(config, "model"), *hash = json_object_get(model, "hash");
    return json_text_of(hash ? hash : model);
}

/* What must be equal for tasks to be the same, and asked in the same way. */
static char *tasks_key(const json_t *config, const char *benchmark, bool feedback)
{
    static const char *const names[] = {"limit", "seed", "steps", "shots"};
    const json_t *settings = json_object_get(config, "settings");
    json_t *key = json_pack("{s:s}", "benchmark", benchmark);
    json_t *data =
        json_object_get(json_object_get(json_object_get(config, "benchmarks"), benchmark), "data_sha256");
    if (data)
        json_object_set(key, "data", data);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_object_get(settings, names[i]))
            json_object_set(key, names[i], json_object_get(settings, names[i]));
    if (feedback) {
        json_object_set(key, "from", json_object_get(config, "feedback_model"));
        json_object_set_new(key, "feedback", json_string(report_text(settings, "feedback")));
    }
    char *text = json_text_of(key);
    json_decref(key);
    return text;
}

static void add_part(Grid *g, const Report *r, const ReportPart *p)
{
    const json_t *config = json_object_get(p->json, "config");
    bool feedback = json_is_object(json_object_get(config, "feedback_model"));
    const char *benchmark;
    json_t *metric;
    json_object_foreach(json_object_get(p->json, "metrics"), benchmark, metric)
    {
        Cell c = {.part = p, .benchmark = benchmark};
        c.row = line_of(&g->rows, model_key(config), report_model(r, p), p->name, false);
        c.column =
            line_of(&g->columns, tasks_key(config, benchmark, feedback),
                    mem_format("%s%s", benchmark, feedback ? ", with feedback" : ""), p->name, feedback);
        if (feedback) {
            char *plain = tasks_key(config, benchmark, false);
            for (size_t i = 0; i < g->columns.n; i++)
                if (strcmp(g->columns.at[i].key, plain) == 0)
                    g->columns.at[c.column].plain = i + 1;
            mem_free(plain);
        }
        array_push(&g->cells, c);
    }
}

/* Columns of one title get the name of their first part behind it. */
static void tell_apart(Lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(lines->at[i].title, lines->at[k].title) == 0) {
                char *title = mem_format("%s (%s)", lines->at[i].title, lines->at[i].part);
                mem_free(lines->at[i].title);
                lines->at[i].title = title;
            }
}

static void drop_lines(Lines *lines)
{
    for (size_t i = 0; i < lines->n; i++) {
        mem_free(lines->at[i].key);
        mem_free(lines->at[i].title);
    }
    array_drop(lines);
}

/* The last part counts where several have the same model and tasks. */
static const Cell *cell_at(const Grid *g, size_t row, size_t column)
{
    for (size_t i = g->cells.n; i-- > 0;)
        if (g->cells.at[i].row == row && g->cells.at[i].column == column)
            return &g->cells.at[i];
    return NULL;
}

/* compare.h's words on one benchmark of two parts; NULL: they cannot be compared.  New reference. */
static json_t *compare(const Cell *first, const Cell *second)
{
    json_t *all = NULL, *entry = NULL;
    if (compare_runs(&all, first->part->folder, second->part->folder, NULL, false) == ST_OK)
        entry = json_incref(json_object_get(json_object_get(all, "benchmarks"), first->benchmark));
    json_decref(all);
    return entry;
}

/* Models. ------------------------------------------------------------------------------------------------ */

static double score_of(const Cell *c, const char *kind, size_t i)
{
    const json_t *entry = json_object_get(json_object_get(c->part->json, "results"), c->benchmark);
    char *key = results_key(report_text(json_object_get(c->part->json, "metrics"), c->benchmark), kind);
    const json_t *value = json_object_get(entry, key);
    mem_free(key);
    return json_number_value(json_is_array(value) ? json_array_get(value, i) : value);
}

static void add_p(Str *cell, double p)
{
    if (p < 0.001)
        str_adds(cell, "p < 0.001");
    else
        html_add(cell, "p = %.3f", p);
}

static void add_difference(Str *cell, const Cell *first, const Cell *c)
{
    json_t *d = compare(first, c);
    double p = report_number(d, "p"), difference = 100 * report_number(d, "difference");
    const char *class = p < 0.05 && difference > 0 ? "good" : p < 0.05 && difference < 0 ? "bad" : "small";
    if (d) {
        html_add(cell, "<br><span class=\"%s\">%+.1f, ", class, difference);
        add_p(cell, p);
        str_adds(cell, "</span>");
    }
    json_decref(d);
}

/* `first`: of the same column, the one that the others stand against. */
static void write_cell(HtmlTable *t, Report *r, const Grid *g, size_t row, size_t column, const Cell *first)
{
    const Cell *c = cell_at(g, row, column);
    Str cell = {0};
    if (c) {
        double low = score_of(c, "_ci95", 0), high = score_of(c, "_ci95", 1);
        html_add(&cell, "<b>%.1f</b>", 100 * score_of(c, "", 0));
        if (high > low)
            html_add(&cell, " <span class=\"small\">%.1f to %.1f</span>", 100 * low, 100 * high);
        if (first && first != c)
            add_difference(&cell, first, c);
        report_note(r, "models",
                    json_pack("{s:s, s:s, s:f}", "model", g->rows.at[row].title, "tasks",
                              g->columns.at[column].title, "score", score_of(c, "", 0)));
    }
    html_cell_raw(t, str_span(&cell));
    str_drop(&cell);
}

/* What feedback does to a column's tasks has a table of its own. */
static void write_models(Str *page, Report *r, const Grid *g)
{
    Str align = {0};
    str_addc(&align, 'l');
    for (size_t i = 0; i < g->columns.n; i++)
        str_adds(&align, g->columns.at[i].plain ? "" : "l");
    html_heading(page, 3, "models", "Models side by side, % of tasks");
    HtmlTable t = html_table(page, str_c(&align));
    html_cell(&t, "model");
    for (size_t i = 0; i < g->columns.n; i++)
        if (!g->columns.at[i].plain)
            html_cell(&t, "%s", g->columns.at[i].title);
    const Cell **first = mem_array(const Cell *, g->columns.n + 1);
    for (size_t row = 0; row < g->rows.n; row++) {
        html_cell(&t, "%s", g->rows.at[row].title);
        for (size_t i = 0; i < g->columns.n; i++) {
            if (g->columns.at[i].plain)
                continue;
            write_cell(&t, r, g, row, i, first[i]);
            first[i] = first[i] ? first[i] : cell_at(g, row, i);
        }
    }
    html_table_end(&t);
    str_adds(page,
             "<p class=\"small\">With the 95 % interval; below it the difference to the first model that was "
             "asked the same tasks, task by task (McNemar's test where tasks are solved or not).\n");
    mem_free(first);
    str_drop(&align);
}

/* Feedback. ---------------------------------------------------------------------------------------------- */

static void write_gain(HtmlTable *t, Report *r, const Grid *g, const Cell *with)
{
    const Line *column = &g->columns.at[with->column];
    const Cell *without = cell_at(g, with->row, column->plain - 1);
    json_t *d = without ? compare(without, with) : NULL;
    if (!d)
        return;
    Str p = {0};
    const json_t *ci = json_object_get(d, "ci95");
    add_p(&p, report_number(d, "p"));
    html_cell(t, "%s", g->rows.at[with->row].title);
    html_cell(t, "%s", with->benchmark);
    html_cell(t, "%.0f", report_number(d, "n"));
    html_cell(t, "%.1f", 100 * report_number(d, "first"));
    html_cell(t, "%.1f", 100 * report_number(d, "second"));
    html_cell(t, "<b>%+.1f</b>", 100 * report_number(d, "difference"));
    html_cell(t, "%+.1f to %+.1f", 100 * json_number_value(json_array_get(ci, 0)),
              100 * json_number_value(json_array_get(ci, 1)));
    html_cell_raw(t, str_span(&p));
    report_note(r, "feedback",
                json_pack("{s:s, s:s, s:O}", "model", g->rows.at[with->row].title, "benchmark",
                          with->benchmark, "compared", d));
    str_drop(&p);
    json_decref(d);
}

static void write_feedback(Str *page, Report *r, const Grid *g)
{
    static const char *const titles[] = {"model", "benchmark", "n", "without, %", "with, %",
                                         "gain",  "95 %",      "p", NULL};
    bool any = false;
    for (size_t i = 0; i < g->columns.n; i++)
        any = any || (g->columns.at[i].feedback && g->columns.at[i].plain);
    if (!any)
        return;
    html_heading(page, 3, "feedback", "What language feedback gains");
    HtmlTable t = html_table(page, "llrrrrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < g->cells.n; i++)
        if (g->columns.at[g->cells.at[i].column].plain)
            write_gain(&t, r, g, &g->cells.at[i]);
    html_table_end(&t);
    str_adds(page, "<p class=\"small\">Of the same model on the same tasks, task by task.\n");
}

void report_gains(Str *page, Report *r)
{
    Grid g = {0};
    for (size_t pass = 0; pass < 2; pass++) /* first those without feedback, to which the others belong */
        for (size_t i = 0; i < r->parts.n; i++) {
            const ReportPart *p = &r->parts.at[i];
            bool feedback =
                json_is_object(json_object_get(json_object_get(p->json, "config"), "feedback_model"));
            if (p->kind == REPORT_SCORES && feedback == (pass == 1) && !p->lesson)
                add_part(&g, r, p);
        }
    tell_apart(&g.rows);
    tell_apart(&g.columns);
    if (g.rows.n > 1 || g.columns.n > 1)
        write_models(page, r, &g);
    write_feedback(page, r, &g);
    drop_lines(&g.rows);
    drop_lines(&g.columns);
    array_drop(&g.cells);
}
