#include "study/report_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "study/html.h"
#include "study/model_name.h"

enum { LINES_MAX = 1 << 30, NAMED = 4 /* folders, in the heading */ };

void report_drop(Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++) {
        mem_free(r->parts.at[i].name);
        mem_free(r->parts.at[i].folder);
        json_decref(r->parts.at[i].json);
        json_decref(r->parts.at[i].tuning);
    }
    for (size_t i = 0; i < r->locks.n; i++)
        json_decref(r->locks.at[i]);
    for (size_t i = 0; i < r->titles.n; i++)
        mem_free(r->titles.at[i]);
    array_drop(&r->parts);
    array_drop(&r->locks);
    array_drop(&r->titles);
    json_decref(r->stages);
    json_decref(r->summary);
}

/* What sections share. ----------------------------------------------------------------------------------- */

json_t *report_read(const char *folder, const char *name)
{
    json_t *o = NULL;
    char *path = path_join(folder, name);
    if (path_exists(path) && json_file_read(&o, path) != ST_OK)
        log_warn("%s is passed over: %s", path, error_text());
    mem_free(path);
    return o;
}

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

int64_t report_whole(double number)
{
    return number >= 0x1p63 ? INT64_MAX : number > -0x1p63 ? (int64_t)number : INT64_MIN;
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

const ReportPart *report_taught_before(const Report *r, const ReportPart *p)
{
    const char *inputs = report_text(json_object_get(p->tuning, "tune"), "inputs");
    for (const ReportPart *q = r->parts.at; q < p && *inputs; q++)
        if (q->tuning && strcmp(report_text(json_object_get(q->tuning, "tune"), "inputs"), inputs) == 0)
            return q;
    return NULL;
}

char *report_model(const Report *r, const ReportPart *p)
{
    const json_t *config = json_object_get(p->json, "config");
    const char *path = model_path(config);
    for (size_t i = 0; i < r->parts.n && *path; i++) {
        const ReportPart *q = &r->parts.at[i];
        char *real = q->kind == REPORT_TRAINING ? realpath(q->folder, NULL) : NULL;
        bool made = real && model_lies_in(path, real);
        free(real);
        if (made)
            return mem_str(q->name);
    }
    return model_name(config);
}

const char *report_tasks(const Report *r, const char *benchmark)
{
    const char *name = NULL;
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        const json_t *results = json_object_get(p->json, "results"),
                     *entry = json_object_get(results, benchmark);
        if (p->kind != REPORT_SCORES || !entry)
            continue;
        const char *alias = report_text(entry, "alias");
        if (!*alias || (name && strcmp(name, alias) != 0))
            return benchmark;
        name = alias;
    }
    return name ? name : benchmark;
}

const char *report_feedback(const ReportPart *p)
{
    const json_t *model = json_object_get(json_object_get(p->json, "config"), "feedback_model");
    return !json_is_object(model)                             ? ""
           : strcmp(report_text(model, "kind"), "hints") == 0 ? ", with hints"
                                                              : ", with feedback";
}

void report_note(Report *r, const char *key, json_t *value)
{
    r->summary = r->summary ? r->summary : json_pack("{s:i}", "report", 1);
    if (!json_object_get(r->summary, key))
        json_object_set_new(r->summary, key, json_array());
    json_array_append_new(json_object_get(r->summary, key), value);
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
        json_t *line = json_loadb(from, n, JSON_ALLOW_NUL, NULL);
        more = !json_is_object(line) || take(context, line);
        json_decref(line);
        at += n + 1;
    }
    str_drop(&text);
    mem_free(path);
}

void report_plot(Str *page, Report *r, const Plot *plot)
{
    if (r->no_plots || plot_svg(page, plot) == ST_OK)
        return;
    r->no_plots = true;
    log_warn("the page has no plots: %s", error_text());
    html_add(page, "<p class=\"small\">Plots are missing here: %s.\n", error_text());
}

/* Lessons. ----------------------------------------------------------------------------------------------- */

/* Whether `path` lies in the folder `real`; the name itself may be a pattern. */
static bool lies_in(const char *path, const char *real)
{
    const char *slash = strrchr(path, '/');
    char *folder = mem_strn(path, slash ? (size_t)(slash - path) : 0), *place = realpath(folder, NULL);
    bool in = place && strcmp(place, real) == 0;
    mem_free(folder);
    free(place);
    return in;
}

static bool tuned_on(const ReportPart *tuning, const char *real)
{
    const json_t *settings = json_object_get(json_object_get(tuning->tuning, "tune"), "settings"),
                 *sources = json_object_get(settings, "sources");
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *paths = json_object_get(json_array_get(sources, i), "path");
        for (size_t k = 0; k < json_array_size(paths); k++) {
            const char *path = json_string_value(json_array_get(paths, k));
            if (path && lies_in(path, real))
                return true;
        }
    }
    return false;
}

static bool is_lesson(const Report *r, const ReportPart *p)
{
    const json_t *model = json_object_get(json_object_get(p->json, "config"), "model");
    bool is = strcmp(report_text(model, "kind"), "script") == 0;
    char *real = realpath(p->folder, NULL);
    for (size_t i = 0; i < r->parts.n && real && !is; i++)
        is = r->parts.at[i].tuning && tuned_on(&r->parts.at[i], real);
    free(real);
    return is;
}

static void mark_lessons(Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++)
        r->parts.at[i].lesson = r->parts.at[i].kind == REPORT_SCORES && is_lesson(r, &r->parts.at[i]);
}

/* The page. ---------------------------------------------------------------------------------------------- */

static void write_machine(Str *page, const Report *r)
{
    for (size_t i = 0; i < r->locks.n; i++) {
        const json_t *m = json_object_get(r->locks.at[i], "machine");
        char memory[32];
        html_add(page, "<p>%s%s%s, on %s, %.0f cores, %s of memory available.\n",
                 r->locks.n > 1 ? report_text(r->locks.at[i], "name") : "", r->locks.n > 1 ? ": " : "",
                 report_text(m, "program"), report_text(m, "processor"), report_number(m, "cores"),
                 human_bytes(memory, report_number(m, "memory_available")));
    }
}

/* A link to each section: "<h2 id="scores">Scores</h2>" is one. */
static void write_links(Str *page, const char *sections)
{
    static const char begin[] = "<h2 id=\"";
    str_adds(page, "<nav>");
    for (const char *at = sections; (at = strstr(at, begin)); at++) {
        const char *id = at + sizeof begin - 1, *title = strchr(id, '>');
        if (title)
            str_addf(page, "<a href=\"#%.*s\">%.*s</a> ", (int)strcspn(id, "\""), id,
                     (int)strcspn(title + 1, "<"), title + 1);
    }
    str_adds(page, "</nav>\n");
}

/* The place of the training that a part's model came from.  None of these: what they began with, which comes
 * before them. */
static size_t rank_of(const Report *r, const ReportPart *p)
{
    char *model = report_model(r, p);
    size_t rank = 0;
    for (size_t i = 0; i < r->parts.n && !rank; i++)
        if (r->parts.at[i].kind == REPORT_TRAINING && strcmp(r->parts.at[i].name, model) == 0)
            rank = i + 1;
    mem_free(model);
    return rank + (*report_feedback(p) ? r->parts.n + 1 : 0);
}

/* Scores without feedback come first, then those with, both by the order of the trainings that are told of.
 */
static void sort_scores(Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++) {
        size_t least = i, rank;
        if (r->parts.at[i].kind != REPORT_SCORES)
            continue;
        rank = rank_of(r, &r->parts.at[i]);
        for (size_t k = i + 1; k < r->parts.n; k++)
            if (r->parts.at[k].kind == REPORT_SCORES && rank_of(r, &r->parts.at[k]) < rank) {
                least = k;
                rank = rank_of(r, &r->parts.at[k]);
            }
        /* The others keep their order. */
        for (ReportPart p = r->parts.at[least]; least > i;) {
            size_t before = least - 1;
            while (r->parts.at[before].kind != REPORT_SCORES)
                before--;
            r->parts.at[least] = r->parts.at[before];
            r->parts.at[before] = p;
            least = before;
        }
    }
}

/* Scores as they stand on the page. */
static void note_scores(Report *r)
{
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        if (p->kind == REPORT_SCORES)
            report_note(
                r, "scores",
                json_pack("{s:s, s:O}", "part", p->name, "results", json_object_get(p->json, "results")));
    }
}

static void write_sections(Str *page, Report *r)
{
    report_checks(page, r);
    report_corpora(page, r);
    report_trainings(page, r);
    report_improves(page, r);
    report_scores(page, r);
    report_errors(page, r);
    report_harmony(page, r);
    report_studies(page, r);
    report_learned(page, r);
    report_episodes(page, r);
    report_recipes(page, r);
}

void report_write(Str *page, Report *r)
{
    Str title = {0}, sections = {0};
    str_adds(&title, r->titles.n ? "Lemur:" : "Lemur");
    for (size_t i = 0; i < r->titles.n && i < NAMED; i++)
        str_addf(&title, "%s %s", i ? "," : "", r->titles.at[i]);
    if (r->titles.n > NAMED)
        str_addf(&title, " and %zu more", r->titles.n - NAMED);
    html_begin(page, str_c(&title));
    write_machine(page, r);
    sort_scores(r);
    mark_lessons(r);
    note_scores(r);
    write_sections(&sections, r);
    write_links(page, str_c(&sections));
    str_add(page, sections.at, sections.n);
    html_end(page);
    str_drop(&title);
    str_drop(&sections);
}
