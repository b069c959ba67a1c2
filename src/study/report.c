#include "study/report_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "study/html.h"

enum { LINES_MAX = 1 << 30 };

void report_drop(Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++) {
        mem_free(r->parts.at[i].name);
        mem_free(r->parts.at[i].folder);
        json_decref(r->parts.at[i].json);
    }
    for (size_t i = 0; i < r->locks.n; i++)
        json_decref(r->locks.at[i]);
    for (size_t i = 0; i < r->titles.n; i++)
        mem_free(r->titles.at[i]);
    array_drop(&r->parts);
    array_drop(&r->locks);
    array_drop(&r->titles);
}

/* Finding. ----------------------------------------------------------------------------------------------- */

static json_t *read_json(const char *folder, const char *name)
{
    json_t *o = NULL;
    char *path = path_join(folder, name);
    if (path_exists(path) && json_file_read(&o, path) != ST_OK)
        log_warn("%s is passed over: %s", path, error_text());
    mem_free(path);
    return o;
}

/* What a folder is, by what lies in it. */
static ReportPart look_at(const char *folder)
{
    ReportPart p = {.kind = REPORT_OTHER};
    json_t *manifest = read_json(folder, "manifest.json"), *results = read_json(folder, "results.json");
    const char *format = report_text(manifest, "format");
    if (strcmp(format, "lemur-corpus") == 0 || strcmp(format, "lemur-shards") == 0) {
        p.kind = strcmp(format, "lemur-corpus") == 0 ? REPORT_CORPUS : REPORT_SHARDS;
        p.json = json_incref(manifest);
    } else if (json_is_object(json_object_get(results, "results"))) {
        p.kind = REPORT_SCORES;
        p.json = json_incref(results);
    } else if (results && folder_holds(folder, "log.jsonl")) {
        p.kind = REPORT_TRAINING;
        p.json = json_incref(results);
    }
    json_decref(manifest);
    json_decref(results);
    return p;
}

static void add_part(Report *r, const char *run, const char *name, const char *folder)
{
    ReportPart p = look_at(folder);
    if (p.kind == REPORT_OTHER)
        return;
    p.name = mem_format("%s%s%s", run, *run ? "/" : "", name);
    p.folder = mem_str(folder);
    array_push(&r->parts, p);
}

static void add_stages(Report *r, const char *run, const json_t *lock)
{
    const char *name;
    json_t *stage;
    json_object_foreach(json_object_get(lock, "stages"), name, stage)
    {
        char *out = path_join(report_text(stage, "folder"), "out");
        add_part(r, run, name, out);
        mem_free(out);
    }
}

Status report_add(Report *r, const char *folder)
{
    size_t before = r->parts.n;
    if (!path_is_folder(folder))
        return fail(ST_IO, "there is no folder %s", folder);
    char *real = realpath(folder, NULL);
    const char *name = path_base(real ? real : folder);
    json_t *lock = read_json(folder, "lock.json");
    if (json_is_object(json_object_get(lock, "stages"))) {
        add_stages(r, r->titles.n ? name : "", lock);
        array_push(&r->locks, json_incref(lock));
    } else {
        add_part(r, "", name, folder);
    }
    array_push(&r->titles, mem_str(name));
    json_decref(lock);
    free(real);
    return r->parts.n > before ? ST_OK
                               : fail(ST_ARG,
                                      "%s holds nothing that a report tells of: no run of lemur run, corpus, "
                                      "shards, training or scores",
                                      folder);
}

/* What sections share. ----------------------------------------------------------------------------------- */

double report_number(const json_t *o, const char *path)
{
    for (size_t n; o && *path; path += n + (path[n] == '.')) {
        n = strcspn(path, ".");
        char *key = mem_strn(path, n);
        o = json_object_get(o, key);
        mem_free(key);
    }
    return json_number_value(o);
}

const char *report_text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

bool report_has(const Report *r, ReportKind kind)
{
    for (size_t i = 0; i < r->parts.n; i++)
        if (r->parts.at[i].kind == kind)
            return true;
    return false;
}

void report_lines(const char *folder, const char *file, bool (*take)(void *context, json_t *line),
                  void *context)
{
    Str text = {0};
    char *path = path_join(folder, file);
    bool more = path_exists(path) && file_read(&text, path, LINES_MAX) == ST_OK;
    for (size_t at = 0; more && at < text.n;) {
        const char *from = text.at + at, *end = memchr(from, '\n', text.n - at);
        size_t n = end ? (size_t)(end - from) : text.n - at;
        json_t *line = json_loadb(from, n, 0, NULL);
        more = !json_is_object(line) || take(context, line);
        json_decref(line);
        at += n + 1;
    }
    str_drop(&text);
    mem_free(path);
}

void report_plot(Str *page, Report *r, const Plot *plot)
{
    if (r->no_plots || !plot->lines.n || plot_svg(page, plot) == ST_OK)
        return;
    r->no_plots = true;
    log_warn("the page has no plots: %s", error_text());
    html_add(page, "<p class=\"small\">Plots are missing here: %s.\n", error_text());
}

/* The page. ---------------------------------------------------------------------------------------------- */

static void write_machine(Str *page, const Report *r)
{
    for (size_t i = 0; i < r->locks.n; i++) {
        const json_t *m = json_object_get(r->locks.at[i], "machine");
        char memory[32];
        html_add(page, "<p>%s%s%s, on %s, %.0f cores, %s of memory available.\n",
                 r->locks.n > 1 ? r->titles.at[i] : "", r->locks.n > 1 ? ": " : "", report_text(m, "program"),
                 report_text(m, "processor"), report_number(m, "cores"),
                 human_bytes(memory, report_number(m, "memory_available")));
    }
}

static void write_links(Str *page, const Report *r)
{
    static const struct {
        ReportKind kind;
        const char *id, *title;
    } links[] = {{REPORT_CORPUS, "corpus", "Corpus"},
                 {REPORT_SHARDS, "mixture", "Mixture"},
                 {REPORT_TRAINING, "training", "Training"},
                 {REPORT_SCORES, "scores", "Scores"},
                 {REPORT_SCORES, "episodes", "Episodes"}};
    str_adds(page, "<nav>");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (report_has(r, links[i].kind))
            html_add(page, "<a href=\"#%s\">%s</a>", links[i].id, links[i].title);
    if (r->locks.n)
        str_adds(page, "<a href=\"#recipe\">Recipe</a>");
    str_adds(page, "</nav>\n");
}

static void write_stages(Str *page, const json_t *lock)
{
    const char *name;
    json_t *stage;
    HtmlTable t = html_table(page, "lllll");
    static const char *const titles[] = {"stage", "command", "key", "product", "files outside"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        html_cell(&t, "%s", titles[i]);
    json_object_foreach(json_object_get(lock, "stages"), name, stage)
    {
        Str words = {0};
        const json_t *list = json_object_get(stage, "words"), *inputs = json_object_get(stage, "inputs");
        for (size_t i = 0; i < json_array_size(list); i++)
            str_addf(&words, "%s%s", i ? " " : "", json_string_value(json_array_get(list, i)));
        html_cell(&t, "%s", name);
        html_cell(&t, "<code>%s</code>", str_c(&words));
        html_cell(&t, "<code>%.8s</code>", report_text(stage, "key"));
        html_cell(&t, "<code>%.8s</code>", report_text(stage, "product"));
        if (inputs)
            html_cell(&t, "%.0f files, <code>%.8s</code>", report_number(inputs, "files"),
                      report_text(inputs, "hash"));
        else
            html_cell(&t, "%s", "");
        str_drop(&words);
    }
    html_table_end(&t);
}

static void write_recipes(Str *page, const Report *r)
{
    if (!r->locks.n)
        return;
    html_heading(page, 2, "recipe", "Recipe");
    for (size_t i = 0; i < r->locks.n; i++) {
        char *text = json_dumps(r->locks.at[i], JSON_INDENT(2));
        if (r->locks.n > 1)
            html_heading(page, 3, r->titles.at[i], r->titles.at[i]);
        write_stages(page, r->locks.at[i]);
        html_fold(page, "everything, as its lock.json has it");
        str_adds(page, "<pre>");
        html_text(page, span(text));
        str_adds(page, "</pre>\n");
        html_fold_end(page);
        free(text);
    }
}

void report_write(Str *page, Report *r)
{
    Str title = {0};
    str_adds(&title, "Lemur:");
    for (size_t i = 0; i < r->titles.n; i++)
        str_addf(&title, "%s %s", i ? "," : "", r->titles.at[i]);
    html_begin(page, str_c(&title));
    write_machine(page, r);
    write_links(page, r);
    report_corpora(page, r);
    report_trainings(page, r);
    report_improves(page, r);
    report_scores(page, r);
    report_episodes(page, r);
    write_recipes(page, r);
    html_end(page);
    str_drop(&title);
}
