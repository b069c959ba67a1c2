/* Models side by side on equal tasks, and the same model with feedback and without. */
#include <stdlib.h>
#include <string.h>

#include "eval/compare.h"
#include "eval/results.h"
#include "study/html.h"
#include "study/model_name.h"
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
    const char *path; /* of a model */
    size_t plain;     /* of a column with feedback: 1 + the one of the same tasks without; 0: none */
    bool feedback;
} Line;
typedef Array(Line) Lines;
typedef struct {
    Lines rows, columns;
    Array(Cell) cells;
} Grid;

static size_t line_of(Lines *lines, char *key, char *title, const ReportPart *p, const char *path,
                      bool feedback)
{
    size_t i = 0;
    while (i < lines->n && strcmp(lines->at[i].key, key) != 0)
        i++;
    if (i == lines->n) {
        array_push(lines,
                   ((Line){.key = key, .title = title, .part = p->name, .path = path, .feedback = feedback}));
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

/* What must be equal for tasks to be of the same set, and asked in the same way; how many of them were asked
 * is not: those that both were count. */
static char *tasks_key(const json_t *config, const char *benchmark, bool feedback)
{
    static const char *const names[] = {"seed", "fold", "draw_seed", "steps", "shots"};
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

static bool has_feedback(const ReportPart *p)
{
    return json_is_object(json_object_get(json_object_get(p->json, "config"), "feedback_model"));
}

static void add_part(Grid *g, const Report *r, const ReportPart *p)
{
    const json_t *config = json_object_get(p->json, "config");
    bool feedback = has_feedback(p);
    const char *benchmark;
    json_t *metric;
    json_object_foreach(json_object_get(p->json, "metrics"), benchmark, metric)
    {
        Cell c = {.part = p, .benchmark = benchmark};
        c.row = line_of(&g->rows, model_key(config), report_model(r, p), p, model_path(config), false);
        c.column =
            line_of(&g->columns, tasks_key(config, benchmark, feedback),
                    mem_format("%s%s", report_tasks(r, benchmark), report_feedback(p)), p, "", feedback);
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

/* Those of one title are called by where they lie, else with the name of their first part behind it. */
static void tell_apart(Lines *lines)
{
    Array(const char *) titles = {0}, paths = {0};
    Array(char *) apart = {0};
    for (size_t i = 0; i < lines->n; i++) {
        array_push(&titles, lines->at[i].title);
        array_push(&paths, lines->at[i].path);
    }
    for (size_t i = 0; i < lines->n; i++)
        array_push(&apart, model_name_apart(titles.at, paths.at, lines->n, i));
    for (size_t i = 0; i < lines->n; i++) {
        bool twice = false;
        for (size_t k = 0; k < i && !apart.at[i]; k++)
            twice = twice || strcmp(lines->at[i].title, lines->at[k].title) == 0;
        if (twice)
            apart.at[i] = mem_format("%s (%s)", lines->at[i].title, lines->at[i].part);
    }
    for (size_t i = 0; i < lines->n; i++)
        if (apart.at[i]) {
            mem_free(lines->at[i].title);
            lines->at[i].title = apart.at[i];
        }
    array_drop(&titles);
    array_drop(&paths);
    array_drop(&apart);
}

static void drop_lines(Lines *lines)
{
    for (size_t i = 0; i < lines->n; i++) {
        mem_free(lines->at[i].key);
        mem_free(lines->at[i].title);
    }
    array_drop(lines);
}

static double tasks_n(const Cell *c)
{
    return report_number(json_object_get(json_object_get(c->part->json, "results"), c->benchmark),
                         "sample_len");
}

/* Of several with the same model and tasks that with the most tasks counts, and the last of those. */
static const Cell *cell_at(const Grid *g, size_t row, size_t column)
{
    const Cell *best = NULL;
    for (size_t i = 0; i < g->cells.n; i++) {
        const Cell *c = &g->cells.at[i];
        if (c->row == row && c->column == column && (!best || tasks_n(c) >= tasks_n(best)))
            best = c;
    }
    return best;
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

/* `name` is HTML: "p&nbsp;", or nothing where the head of the column says it. */
static void add_p(Str *cell, const char *name, double p)
{
    str_adds(cell, name);
    if (p < 0.001)
        str_adds(cell, "&lt;&nbsp;0.001");
    else
        html_add(cell, *name ? "=&nbsp;%.3f" : "%.3f", p);
}

/* What the page says of c against an earlier model, and what report.json does. */
static void add_difference(Str *cell, json_t *against, const Grid *g, const Cell *first, const Cell *c)
{
    json_t *d = compare(first, c);
    double p = report_number(d, "p"), difference = 100 * report_number(d, "difference"),
           n = report_number(d, "n");
    const char *class = p < 0.05 && difference > 0   ? "small good"
                        : p < 0.05 && difference < 0 ? "small bad"
                                                     : "small",
               *name = g->rows.at[first->row].title;
    if (!d)
        return;
    html_add(cell, "<br><span class=\"%s\">%+.1f against %s", class, difference, name);
    if (n < tasks_n(c))
        html_add(cell, " (n %.0f)", n);
    str_adds(cell, ", ");
    add_p(cell, "p&nbsp;", p);
    str_adds(cell, "</span>");
    json_array_append_new(against, json_pack("{s:s, s:O}", "model", name, "compared", d));
    json_decref(d);
}

/* Against the first model that has the tasks, and the one before it. */
static void write_cell(HtmlTable *t, Report *r, const Grid *g, size_t row, size_t column)
{
    const Cell *c = cell_at(g, row, column), *first = NULL, *before = NULL;
    Str cell = {0};
    for (size_t i = 0; i < row; i++) {
        before = cell_at(g, i, column) ? cell_at(g, i, column) : before;
        first = first ? first : before;
    }
    if (c) {
        double low = score_of(c, "_ci95", 0), high = score_of(c, "_ci95", 1);
        json_t *against = json_array();
        html_add(&cell, "<b>%.1f</b>", 100 * score_of(c, "", 0));
        html_add(&cell, " <span class=\"small\">");
        if (high > low)
            html_add(&cell, "%.1f to %.1f, ", 100 * low, 100 * high);
        html_add(&cell, "n %.0f</span>", tasks_n(c));
        if (first)
            add_difference(&cell, against, g, first, c);
        if (before != first)
            add_difference(&cell, against, g, before, c);
        report_note(r, "models",
                    json_pack("{s:s, s:s, s:f, s:f, s:o}", "model", g->rows.at[row].title, "tasks",
                              g->columns.at[column].title, "score", score_of(c, "", 0), "n", tasks_n(c),
                              "against", against));
    }
    html_cell_raw(t, str_span(&cell));
    str_drop(&cell);
}

static void write_tasks(HtmlTable *t, Report *r, const Grid *g, size_t column)
{
    html_cell(t, "%s", g->columns.at[column].title);
    for (size_t row = 0; row < g->rows.n; row++)
        write_cell(t, r, g, row, column);
}

/* Tasks with feedback stand below the same without. */
static void write_models(Str *page, Report *r, const Grid *g)
{
    Str align = {0};
    for (size_t i = 0; i <= g->rows.n; i++)
        str_addc(&align, 'w');
    html_heading(page, 3, "models", "Models side by side, % of tasks");
    HtmlTable t = html_table(page, str_c(&align));
    html_cell(&t, "tasks");
    for (size_t i = 0; i < g->rows.n; i++)
        html_cell(&t, "%s", g->rows.at[i].title);
    for (size_t i = 0; i < g->columns.n; i++) {
        if (g->columns.at[i].plain)
            continue;
        write_tasks(&t, r, g, i);
        for (size_t k = 0; k < g->columns.n; k++)
            if (g->columns.at[k].plain == i + 1)
                write_tasks(&t, r, g, k);
    }
    html_table_end(&t);
    str_adds(page,
             "<p class=\"small\">With the 95 % interval and the number of tasks; below it the difference "
             "to the first model and to the one before, over the tasks that both were asked, task by "
             "task (McNemar's test where tasks are solved or not). p is of one test, not corrected for "
             "how many there are.\n");
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
    add_p(&p, "", report_number(d, "p"));
    html_cell(t, "%s", g->rows.at[with->row].title);
    html_cell(t, "%s", report_tasks(r, with->benchmark));
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

/* Where a study of feedback is on the page, it has the table. */
static bool is_studied(const Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++)
        if (strcmp(report_text(r->parts.at[i].json, "study"), "feedback") == 0)
            return true;
    return false;
}

static void write_feedback(Str *page, Report *r, const Grid *g)
{
    static const char *const titles[] = {"model", "tasks", "n", "without, %", "with, %",
                                         "gain",  "95 %",  "p", NULL};
    bool any = false;
    Str all = {0};
    for (size_t i = 0; i < g->columns.n; i++)
        any = any || (g->columns.at[i].feedback && g->columns.at[i].plain);
    if (!any)
        return;
    html_heading(&all, 3, "feedback-gains", "What language feedback gains");
    HtmlTable t = html_table(&all, "llrrrrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < g->columns.n; i++)
        for (size_t row = 0; row < g->rows.n && g->columns.at[i].plain; row++)
            if (cell_at(g, row, i))
                write_gain(&t, r, g, cell_at(g, row, i));
    html_table_end(&t);
    str_adds(&all, "<p class=\"small\">Of the same model on the same tasks, task by task.\n");
    if (!is_studied(r))
        str_add(page, all.at, all.n);
    str_drop(&all);
}

void report_gains(Str *page, Report *r)
{
    Grid g = {0};
    for (size_t pass = 0; pass < 2; pass++) /* first those without feedback, to which the others belong */
        for (size_t i = 0; i < r->parts.n; i++) {
            const ReportPart *p = &r->parts.at[i];
            if (p->kind == REPORT_SCORES && has_feedback(p) == (pass == 1) && !p->lesson)
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
