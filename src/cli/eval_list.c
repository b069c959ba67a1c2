#include "cli/eval_list.h"

#include <string.h>

#include "base/columns.h"
#include "cli/cmd.h"
#include "cli/eval_tasks.h"
#include "eval/inventory.h"

enum { LINE = 120 }; /* characters, where no terminal says otherwise */

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

static bool is_absent(const json_t *file)
{
    return strcmp(text(file, "state"), "absent") == 0;
}

/* "here" (a benchmark may do without some of its files), "2 of 5 files", or that the files cannot be read. */
static void data_words(Str *out, const json_t *b)
{
    const json_t *files = json_object_get(b, "files");
    bool readable = json_is_integer(json_object_get(b, "questions"));
    size_t n = json_array_size(files), absent = 0;
    for (size_t i = 0; i < n; i++)
        absent += is_absent(json_array_get(files, i));
    if (absent && !readable)
        str_addf(out, absent == n ? "not here" : "%zu of %zu files", n - absent, n);
    else
        str_adds(out, readable ? "here" : "unreadable");
}

/* Its programs, or where they are many how many they are. */
static void program_words(Str *out, const json_t *programs, bool in_full)
{
    size_t missing = 0, n = json_object_size(programs);
    const char *name;
    json_t *here;
    json_object_foreach((json_t *)programs, name, here)
    {
        missing += !json_is_true(here);
        if (in_full || n <= 3)
            str_addf(out, "%s%s%s", out->n ? ", " : "", name, json_is_true(here) ? "" : " (missing)");
    }
    if (in_full || n <= 3)
        return;
    str_adds(out, out->n ? ", " : "");
    if (missing)
        str_addf(out, "%zu of ", n - missing);
    str_addf(out, "%zu programs", n);
}

static void need_words(Str *out, const json_t *b, bool in_full)
{
    const json_t *sandbox = json_object_get(b, "sandbox");
    if (sandbox)
        str_adds(out, json_is_true(json_object_get(sandbox, "here")) ? "sandbox" : "sandbox (missing)");
    program_words(out, json_object_get(b, "programs"), in_full);
    if (json_is_true(json_object_get(b, "likelihood")))
        str_addf(out, "%sa model that runs here", out->n ? ", " : "");
}

/* The list ----------------------------------------------------------------------------------------------- */

static void add_row(Columns *c, const json_t *b)
{
    Str data = {0}, needs = {0};
    const json_t *n = json_object_get(b, "questions");
    data_words(&data, b);
    need_words(&needs, b, false);
    columns_add(c, "%s", text(b, "name"));
    if (json_is_integer(n))
        columns_add(c, "%lld", (long long)json_integer_value(n));
    else
        columns_add(c, "%s", "");
    columns_add(c, "%s", str_c(&data));
    columns_add(c, "%s", str_c(&needs));
    columns_add(c, "%s", text(b, "about"));
    str_drop(&data);
    str_drop(&needs);
}

/* group -> the names in it, with blanks between */
static json_t *groups_of(const json_t *all)
{
    json_t *out = json_object();
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *b = json_array_get(all, i), *groups = json_object_get(b, "groups");
        for (size_t k = 0; k < json_array_size(groups); k++) {
            const char *group = json_string_value(json_array_get(groups, k));
            char *names = mem_format("%s %s", text(out, group), text(b, "name"));
            json_object_set_new(out, group, json_string(names));
            mem_free(names);
        }
    }
    return out;
}

static void print_list(const json_t *all)
{
    static const char *const titles[] = {"benchmark", "questions", "data", "needs", "what it is"};
    size_t width = columns_width(stdout, LINE);
    Columns c = {.align = "lrlll", .wrap = width}, g = {.align = "ll", .wrap = width};
    const char *sandbox = "", *name;
    json_t *names, *groups = groups_of(all);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        columns_add(&c, "%s", titles[i]);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *b = json_array_get(all, i), *box = json_object_get(b, "sandbox");
        add_row(&c, b);
        sandbox = box ? text(box, "says") : sandbox;
    }
    columns_print(&c, stdout);
    columns_drop(&c);
    if (json_object_size(groups))
        puts("\ngroups");
    json_object_foreach(groups, name, names)
    {
        columns_add(&g, "%s", name);
        columns_add(&g, "%s", json_string_value(names) + 1);
    }
    if (*sandbox) {
        columns_add(&g, "%s", "");
        columns_end_row(&g);
        columns_add(&g, "sandbox");
        columns_add(&g, "%s", sandbox);
    }
    columns_print(&g, stdout);
    columns_drop(&g);
    json_decref(groups);
    puts("lemur eval --list NAME tells all of one; lemur eval --fetch NAME gets its data.");
}

/* One in full -------------------------------------------------------------------------------------------- */

static void print_files(const json_t *b)
{
    const json_t *files = json_object_get(b, "files");
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *f = json_array_get(files, i);
        const char *state = text(f, "state"), *url = text(f, "url");
        printf("    %s: %s%s\n", text(f, "path"),
               strcmp(state, "right") == 0     ? "here, as published"
               : strcmp(state, "wrong") == 0   ? "here, and not as published"
               : strcmp(state, "present") == 0 ? "here"
                                               : "not here",
               *url ? "" : "; by hand");
        if (*url) /* on a line of its own: it is long, and wants to be copied */
            printf("        %s\n", url);
    }
}

/* A name and its text, which goes on below itself; each line of it begins anew. */
static void print_row(const char *name, const char *value)
{
    Columns c = {.align = "ll", .wrap = columns_width(stdout, LINE)};
    char *lines = mem_str(value), *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        columns_add(&c, "  %-9s", line == lines ? name : "");
        columns_add(&c, "%s", line);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
    mem_free(lines);
}

static void print_missing(const json_t *missing)
{
    printf("  missing    ");
    for (size_t i = 0; i < json_array_size(missing); i++)
        printf("%s%s", i ? ", " : "", json_string_value(json_array_get(missing, i)));
    puts(json_array_size(missing) ? "" : "nothing: it can be run here");
}

/* Which questions need what this machine may not have. */
static void print_lacking(const json_t *lacking)
{
    const char *what;
    const json_t *ids;
    json_object_foreach((json_t *)lacking, what, ids)
    {
        printf("  lack %s (%zu):", what, json_array_size(ids));
        for (size_t i = 0; i < json_array_size(ids); i++)
            printf(" %s", json_string_value(json_array_get(ids, i)));
        putchar('\n');
    }
}

static void print_full(const json_t *b)
{
    Str needs = {0}, groups = {0}, questions = {0};
    const json_t *n = json_object_get(b, "questions"), *of = json_object_get(b, "groups");
    for (size_t i = 0; i < json_array_size(of); i++)
        str_addf(&groups, "%s%s", i ? ", " : "", json_string_value(json_array_get(of, i)));
    need_words(&needs, b, true);
    printf("%s: %s\n", text(b, "name"), text(b, "about"));
    print_row("from", text(b, "source"));
    if (groups.n)
        print_row("groups", str_c(&groups));
    printf("  metric     %s, version %lld, %lld-shot by default\n", text(b, "metric"),
           (long long)json_integer_value(json_object_get(b, "version")),
           (long long)json_integer_value(json_object_get(b, "shots")));
    long long bad = json_integer_value(json_object_get(b, "bad_lines"));
    if (json_is_integer(n))
        str_addf(&questions, "%lld", (long long)json_integer_value(n));
    else
        str_addf(&questions, "unknown: %s", text(b, "questions_why"));
    if (bad)
        str_addf(&questions, "; %lld line%s of the data %s none", bad, bad == 1 ? "" : "s",
                 bad == 1 ? "is" : "are");
    long long left_out = json_integer_value(json_object_get(b, "left_out"));
    if (left_out)
        str_addf(&questions, "; %lld left out for want of what they need", left_out);
    print_row("questions", str_c(&questions));
    print_lacking(json_object_get(b, "lacking"));
    print_row("needs", needs.n ? str_c(&needs) : "nothing but a model");
    if (json_object_get(b, "sandbox"))
        print_row("sandbox", text(json_object_get(b, "sandbox"), "says"));
    puts("  files");
    print_files(b);
    print_missing(json_object_get(b, "missing"));
    str_drop(&needs);
    str_drop(&groups);
    str_drop(&questions);
}

static Status run(const Args *args, void *context)
{
    TaskList tasks = {0};
    const char *data = args_value(args, "data") ? args_value(args, "data") : "data";
    (void)context;
    TRY(task_list_words(&tasks, args));
    Inventory *v = inventory_new(data);
    json_t *all = json_array();
    for (size_t i = 0; i < tasks.n; i++)
        json_array_append_new(all, inventory_of(v, tasks.at[i], args->positional_n > 0));
    if (args_has(args, "json"))
        cmd_print_json(all, 0);
    else if (args->positional_n == 0)
        print_list(all);
    for (size_t i = 0; i < json_array_size(all) && args->positional_n && !args_has(args, "json"); i++) {
        if (i)
            putchar('\n');
        print_full(json_array_get(all, i));
    }
    json_decref(all);
    inventory_free(v);
    task_list_drop(&tasks);
    return ST_OK;
}

int eval_list(int argc, char **argv)
{
    static const Flag flags[] = {{"list", 0, NULL, "list the benchmarks"},
                                 {"data", 0, "DIR", "the folder of the benchmarks' data (data)"},
                                 {"json", 'j', NULL, "one JSON array, for programs"}};
    const Command c = {
        .usage = "--list [TASK|GROUP...] [--data DIR] [--json]",
        .words = "[TASK...]",
        .about =
            "Says which benchmarks there are, what each needs (files below DIR, the sandbox, programs in\n"
            "it, a model that runs here) and whether that is here.  With names: all of these, where their\n"
            "data is from, and whether each file is as published.\n"
            "example: lemur eval --list gsm8k --data ~/benchmarks",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
