#include "eval/replay_table.h"

#include <string.h>

enum { TASKS = 8 };
static const struct {
    const char *group, *task;
    int64_t episodes;
} tasks[TASKS] = {{"reasoning", "gsm8k", 48},      {"reasoning", "math", 100},
                  {"reasoning", "theoremqa", 49},  {"reasoning", "hotpotqa", 43},
                  {"reasoning", "mmlu", 76},       {"code_generation", "humaneval", 45},
                  {"code_generation", "mbpp", 91}, {"decision_making", "alfworld", 134}};

enum { AVERAGES = 3 };
static const char *const averages[AVERAGES] = {"reasoning", "code_generation", "all"};

typedef struct {
    int64_t n, of, solved, ours, unmarked;
    bool whole, average;
} Cell;

typedef struct {
    const char *model, *setting;
    bool has[TASKS];
    Cell tasks[TASKS];
} Row;
typedef Array(Row) Rows;

static Row *row_of(Rows *rows, const ReplayScore *s)
{
    for (size_t i = 0; i < rows->n; i++)
        if (!strcmp(rows->at[i].model, s->model) && !strcmp(rows->at[i].setting, s->setting))
            return &rows->at[i];
    Row row = {.model = s->model, .setting = s->setting};
    for (int t = 0; t < TASKS; t++)
        row.tasks[t].of = tasks[t].episodes;
    array_push(rows, row);
    return &rows->at[rows->n - 1];
}

static void take_scores(Rows *rows, const ReplayReport *report)
{
    for (size_t i = 0; i < report->scores.n; i++) {
        const ReplayScore *s = &report->scores.at[i];
        Row *row = row_of(rows, s);
        for (int t = 0; t < TASKS; t++) {
            if (strcmp(tasks[t].task, s->task) != 0 || strcmp(tasks[t].group, s->group) != 0 || row->has[t])
                continue;
            row->has[t] = true;
            row->tasks[t] = (Cell){.n = s->episodes,
                                   .of = tasks[t].episodes,
                                   .solved = s->solved,
                                   .ours = s->ours,
                                   .unmarked = s->unmarked,
                                   .whole = s->episodes == tasks[t].episodes};
        }
    }
}

/* Over the tasks of that group; of "all", over all. */
static Cell average_of(const Row *row, const char *group)
{
    Cell a = {.whole = true, .average = true};
    for (int t = 0; t < TASKS; t++) {
        if (strcmp(group, "all") != 0 && strcmp(group, tasks[t].group) != 0)
            continue;
        const Cell *c = &row->tasks[t];
        a.n += c->n;
        a.of += c->of;
        a.solved += c->solved;
        a.ours += c->ours;
        a.unmarked += c->unmarked;
        a.whole = a.whole && c->whole;
    }
    return a;
}

static bool has_percent(const Cell *c)
{
    return c->n > 0 && (c->whole || !c->average);
}

static double percent(int64_t part, const Cell *c)
{
    return 100 * (double)part / (double)c->n;
}

static void text_cell(Str *out, const char *name, const Cell *c)
{
    if (c->n == 0)
        return;
    str_addf(out, "  %-16s %5lld of %3lld", name, (long long)c->n, (long long)c->of);
    if (!has_percent(c)) {
        str_adds(out, "   not whole: no average\n");
        return;
    }
    str_addf(out, " %7lld %7.2f", (long long)c->solved, percent(c->solved, c));
    if (c->unmarked)
        str_addf(out, "   %lld not marked", (long long)c->unmarked);
    else
        str_addf(out, " %7lld %7.2f", (long long)c->ours, percent(c->ours, c));
    str_adds(out, c->whole ? "\n" : "   (a part)\n");
}

void replay_table_text(Str *out, const ReplayReport *report)
{
    Rows rows = {0};
    take_scores(&rows, report);
    for (size_t i = 0; i < rows.n; i++) {
        const Row *row = &rows.at[i];
        str_addf(out, "%s%s  %s\n  %-16s %12s %7s %7s %7s %7s\n", i ? "\n" : "", row->model, row->setting, "",
                 "episodes", "solved", "%", "ours", "%");
        for (int t = 0; t < TASKS; t++)
            text_cell(out, tasks[t].task, &row->tasks[t]);
        for (int a = 0; a < AVERAGES; a++) {
            Cell c = average_of(row, averages[a]);
            text_cell(out, averages[a], &c);
        }
    }
    array_drop(&rows);
}

static json_t *json_cell(const Cell *c)
{
    bool given = has_percent(c), marked = given && c->unmarked == 0;
    json_t *j =
        json_pack("{s:I, s:I, s:b, s:I, s:I}", "n", (json_int_t)c->n, "of", (json_int_t)c->of, "whole",
                  c->whole, "solved", (json_int_t)c->solved, "unmarked", (json_int_t)c->unmarked);
    json_object_set_new(j, "percent", given ? json_real(percent(c->solved, c)) : json_null());
    json_object_set_new(j, "ours", marked ? json_integer(c->ours) : json_null());
    json_object_set_new(j, "ours_percent", marked ? json_real(percent(c->ours, c)) : json_null());
    return j;
}

json_t *replay_table_json(const ReplayReport *report)
{
    Rows rows = {0};
    json_t *list = json_array();
    take_scores(&rows, report);
    for (size_t i = 0; i < rows.n; i++) {
        const Row *row = &rows.at[i];
        json_t *by_task = json_object(), *over = json_object();
        for (int t = 0; t < TASKS; t++)
            if (row->has[t])
                json_object_set_new(by_task, tasks[t].task, json_cell(&row->tasks[t]));
        for (int a = 0; a < AVERAGES; a++) {
            Cell c = average_of(row, averages[a]);
            json_object_set_new(over, averages[a], json_cell(&c));
        }
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "model", row->model, "setting",
                                              row->setting, "tasks", by_task, "averages", over));
    }
    array_drop(&rows);
    return list;
}
