/* A comparison, as people read it. */
#include "base/columns.h"
#include "base/mem.h"
#include "eval/compare.h"
#include "eval/results.h"

static double number(const json_t *entry, const char *key)
{
    return json_number_value(json_object_get(entry, key));
}

static const char *text(const json_t *entry, const char *key)
{
    const char *t = json_string_value(json_object_get(entry, key));
    return t ? t : "";
}

static void add_p(Columns *c, const json_t *p)
{
    double x = json_number_value(p);
    if (!p)
        columns_add(c, "%s", "");
    else if (x < 0.0001)
        columns_add(c, "%.1e", x);
    else
        columns_add(c, "%.4f", x);
}

static void add_row(Columns *c, const char *name, const json_t *e)
{
    const json_t *ci = json_object_get(e, "ci95");
    columns_add(c, "%s", name);
    columns_add(c, "%.0f", number(e, "n"));
    columns_add(c, "%s", text(e, "metric"));
    columns_add(c, "%.4f", number(e, "first"));
    columns_add(c, "%.4f", number(e, "second"));
    columns_add(c, "%+.4f", number(e, "difference"));
    columns_add(c, "%+.4f to %+.4f", json_number_value(json_array_get(ci, 0)),
                json_number_value(json_array_get(ci, 1)));
    columns_add(c, "%.0f : %.0f", number(e, "first_better"), number(e, "second_better"));
    columns_add(c, "%s", text(e, "test"));
    add_p(c, json_object_get(e, "p"));
    add_p(c, json_object_get(e, "p_holm"));
}

static void add_benchmarks(Columns *c, const json_t *benchmarks)
{
    const char *name, *part;
    json_t *entry, *of;
    json_object_foreach((json_t *)benchmarks, name, entry)
    {
        add_row(c, name, entry);
        json_object_foreach(json_object_get(entry, "parts"), part, of)
        {
            char *row = mem_format("  %s", part);
            add_row(c, row, of);
            mem_free(row);
        }
    }
}

static void add_groups(Columns *c, const json_t *groups)
{
    const char *name;
    json_t *entry;
    json_object_foreach((json_t *)groups, name, entry)
    {
        char *row =
            mem_format("%s (%zu benchmarks)", name, json_array_size(json_object_get(entry, "benchmarks")));
        add_row(c, row, entry);
        mem_free(row);
    }
}

static void print_run(FILE *out, const char *letter, const json_t *run)
{
    fprintf(out, "%s  %s  %s\n", letter, text(run, "folder"), results_model_name(run));
}

static void print_alone(FILE *out, const json_t *benchmarks)
{
    const char *name;
    json_t *e;
    json_object_foreach((json_t *)benchmarks, name, e)
    {
        double first = number(e, "only_first"), second = number(e, "only_second");
        if (first > 0 || second > 0)
            fprintf(out, "%s: left out: %.0f answered by A alone, %.0f by B alone\n", name, first, second);
    }
}

void compare_print(FILE *out, const json_t *comparison)
{
    static const char *const titles[] = {"benchmark", "n",     "metric",        "A",
                                         "B",         "B - A", "95 % interval", "better A : B",
                                         "test",      "p",     "p (Holm)"};
    const json_t *benchmarks = json_object_get(comparison, "benchmarks"),
                 *warnings = json_object_get(comparison, "warnings");
    Columns c = {.align = "lrlrrrlllrr"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        columns_add(&c, "%s", titles[i]);
    add_benchmarks(&c, benchmarks);
    add_groups(&c, json_object_get(comparison, "groups"));
    print_run(out, "A", json_object_get(comparison, "first"));
    print_run(out, "B", json_object_get(comparison, "second"));
    fputc('\n', out);
    columns_print(&c, out);
    columns_drop(&c);
    fputc('\n', out);
    print_alone(out, benchmarks);
    if (json_object_size(benchmarks) > 1)
        fprintf(out, "p (Holm) is corrected for %zu benchmarks; parts and groups are not.\n",
                json_object_size(benchmarks));
    for (size_t i = 0; i < json_array_size(warnings); i++)
        fprintf(out, "! %s\n", json_string_value(json_array_get(warnings, i)));
}
