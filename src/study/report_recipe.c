/* What was run: each stage's command, what it took, and all settings. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "study/html.h"
#include "study/report_parts.h"

/* The folders of stages give way to their names. */
static void add_words(Str *out, const json_t *words, const json_t *stages)
{
    const char *name;
    json_t *stage;
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        str_adds(out, i ? " " : "");
        json_object_foreach((json_t *)stages, name, stage)
        {
            char *folder = path_join(report_text(stage, "folder"), "out");
            const char *at = word ? strstr(word, folder) : NULL;
            if (at) {
                str_add(out, word, (size_t)(at - word));
                str_addf(out, "{%s}", name);
                word = at + strlen(folder);
            }
            mem_free(folder);
        }
        str_adds(out, word ? word : "");
    }
}

static void write_stage(HtmlTable *t, const char *name, const json_t *stage, const json_t *stages)
{
    Str words = {0};
    const json_t *inputs = json_object_get(stage, "inputs");
    json_t *done = report_read(report_text(stage, "folder"), "stage.json");
    char time[32], memory[32];
    add_words(&words, json_object_get(stage, "words"), stages);
    html_cell(t, "%s", name);
    html_cell(t, "<code>%s</code>", str_c(&words));
    html_cell(t, "%s", done ? human_time(time, report_number(done, "seconds")) : "");
    html_cell(t, "%s", done ? human_bytes(memory, report_number(done, "memory")) : "");
    html_cell(t, "<code>%.8s</code>", report_text(stage, "key"));
    html_cell(t, "<code>%.8s</code>", report_text(stage, "product"));
    if (inputs)
        html_cell(t, "%.0f files, <code>%.8s</code>", report_number(inputs, "files"),
                  report_text(inputs, "hash"));
    else
        html_cell(t, "%s", "");
    json_decref(done);
    str_drop(&words);
}

static void write_stages(Str *page, const json_t *lock)
{
    static const char *const titles[] = {"stage", "command", "time",          "memory",
                                         "key",   "product", "files outside", NULL};
    const json_t *stages = json_object_get(lock, "stages");
    const char *name;
    json_t *stage;
    HtmlTable t = html_table(page, "ltrrlll");
    html_cells(&t, titles);
    json_object_foreach((json_t *)stages, name, stage) write_stage(&t, name, stage, stages);
    html_table_end(&t);
}

/* The settings that each stage read, which a lock has and stages without their run do not. */
static void write_settings(Str *page, const json_t *stages)
{
    const char *name;
    json_t *stage;
    json_object_foreach((json_t *)stages, name, stage)
    {
        json_t *settings = report_read(report_text(stage, "folder"), "recipe.yaml");
        char *text = settings ? json_dumps(settings, JSON_INDENT(2)) : NULL;
        if (text) {
            html_fold(page, "settings of %s", name);
            html_add(page, "<pre>%s</pre>\n", text);
            html_fold_end(page);
        }
        free(text);
        json_decref(settings);
    }
}

void report_recipes(Str *page, const Report *r)
{
    if (!r->locks.n && !r->stages)
        return;
    html_heading(page, 2, "recipe", "Recipe");
    if (r->stages) {
        write_stages(page, r->stages);
        write_settings(page, json_object_get(r->stages, "stages"));
    }
    for (size_t i = 0; i < r->locks.n; i++) {
        const json_t *lock = r->locks.at[i];
        char *text = json_dumps(lock, JSON_INDENT(2));
        if (r->locks.n > 1)
            html_heading(page, 3, report_text(lock, "name"), report_text(lock, "name"));
        write_stages(page, lock);
        html_fold(page, "everything, as its lock.json has it");
        html_add(page, "<pre>%s</pre>\n", text ? text : "");
        html_fold_end(page);
        free(text);
    }
}
