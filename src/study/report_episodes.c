/* Episodes to unfold: of each benchmark and run the first that was solved, and the first of each class of
 * errors. */
#include <string.h>

#include "base/file.h"
#include "study/errors.h"
#include "study/html.h"
#include "study/report_parts.h"

enum { MESSAGE_MOST = 4000 };

typedef struct {
    Str *page;
    size_t part;
    const char *benchmark;
    bool shown[ERROR_CLASSES];
} Shown;

/* What came of the answer with which step was taken: "code, which failed". */
static void write_step(Str *page, const json_t *step)
{
    const char *action = report_text(step, "action");
    bool failed = json_is_true(json_object_get(step, "error"));
    if (*action)
        html_add(page, ": %s", strcmp(action, "none") == 0 ? "no action that could be read" : action);
    if (failed)
        str_adds(page, ", <span class=\"bad\">which failed</span>");
}

/* *step: of the next answer. */
static void write_message(Str *page, const json_t *message, const json_t *steps, size_t *step)
{
    const json_t *content = json_object_get(message, "content");
    size_t n = json_string_length(content), cut = n > MESSAGE_MOST ? MESSAGE_MOST : n;
    html_add(page, "<p class=\"small\">%s", report_text(message, "role"));
    if (strcmp(report_text(message, "role"), "assistant") == 0)
        write_step(page, json_array_get(steps, (*step)++));
    str_adds(page, "</p><pre>");
    html_text(page, (Span){report_text(message, "content"), cut});
    html_add(page, "%s</pre>\n", n > cut ? " ..." : "");
}

static bool take_episode(void *context, json_t *line)
{
    Shown *s = context;
    ErrorClass class = error_class(line);
    const json_t *messages = json_object_get(line, "messages");
    if (s->shown[class])
        return true;
    s->shown[class] = true;
    html_add(s->page, "<a id=\"episode-%zu-%s-%d\"></a>", s->part, s->benchmark, (int)class);
    html_fold(s->page, "task %s: <span class=\"%s\">%s%s</span>, %zu messages, ended by %s",
              report_text(line, "task"), class == ERROR_SOLVED ? "good" : "bad",
              class == ERROR_SOLVED ? "" : "not solved, ", error_class_names[class],
              json_array_size(messages), report_text(line, "end"));
    size_t step = 0;
    for (size_t i = 0; i < json_array_size(messages); i++)
        write_message(s->page, json_array_get(messages, i), json_object_get(line, "steps"), &step);
    html_fold_end(s->page);
    return true;
}

void report_episodes(Str *page, Report *r)
{
    bool begun = false;
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        const char *benchmark;
        json_t *metric;
        if (p->kind != REPORT_SCORES)
            continue;
        json_object_foreach(json_object_get(p->json, "metrics"), benchmark, metric)
        {
            char *file = mem_format("transcripts_%s.jsonl", benchmark);
            Shown shown = {.page = page, .part = i, .benchmark = benchmark};
            if (folder_holds(p->folder, file)) {
                if (!begun)
                    html_heading(page, 2, "episodes", "Episodes");
                begun = true;
                html_add(page, "<h3>%s, %s</h3>\n", p->name, report_tasks(r, benchmark));
                report_lines(p->folder, file, take_episode, &shown);
            }
            mem_free(file);
        }
    }
}
