/* How training went: what it cost, the curves, and what held-out documents cost the model. */
#include <string.h>

#include "study/html.h"
#include "study/report_parts.h"

/* One curve from a log.  Steps are many: each point is the mean of those since the last. */
typedef struct {
    PlotLine *line;
    double sum, tokens_per_s, mfu;
    int64_t n, steps, stride;
} Curve;

static bool count_step(void *context, json_t *line)
{
    *(int64_t *)context += json_object_get(line, "loss_nats") && json_object_get(line, "step");
    return true;
}

static bool take_step(void *context, json_t *line)
{
    Curve *c = context;
    if (!json_object_get(line, "loss_nats") || !json_object_get(line, "lr"))
        return true;
    c->sum += report_number(line, "loss_nats");
    c->tokens_per_s += report_number(line, "tokens_per_s");
    c->mfu += report_number(line, "mfu");
    c->steps++;
    if (++c->n == c->stride) {
        plot_point(c->line, report_number(line, "tokens"), c->sum / (double)c->n, 0, 0);
        c->sum = 0;
        c->n = 0;
    }
    return true;
}

/* Empty where no document was held out: 0 would be a model that knows them all. */
static void held_out_cell(HtmlTable *t, const json_t *held_out, const char *key)
{
    if (json_is_number(json_object_get(held_out, key)))
        html_cell(t, "%.3f", report_number(held_out, key));
    else
        html_cell(t, "%s", "");
}

static void write_costs(Str *page, const Report *r, Plot *plot)
{
    static const char *const titles[] = {"model",         "parameters",    "steps", "tokens",
                                         "time",          "tokens/s",      "MFU",   "memory",
                                         "held-out loss", "bits per byte", NULL};
    HtmlTable t = html_table(page, "lrrrrrrrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        if (p->kind != REPORT_TRAINING)
            continue;
        char a[32], b[32], c[32], d[32];
        int64_t steps = 0;
        report_lines(p->folder, "log.jsonl", count_step, &steps);
        Curve curve = {.line = plot_line(plot, p->name), .stride = steps / 200 + 1};
        report_lines(p->folder, "log.jsonl", take_step, &curve);
        double n = curve.steps ? (double)curve.steps : 1;
        html_cell(&t, "%s", p->name);
        html_cell(&t, "%s", human_count(a, report_number(p->json, "parameters")));
        html_cell(&t, "%.0f", report_number(p->json, "steps"));
        html_cell(&t, "%s", human_count(b, report_number(p->json, "tokens")));
        html_cell(&t, "%s", human_time(c, report_number(p->json, "seconds")));
        html_cell(&t, "%.0f", curve.tokens_per_s / n);
        html_cell(&t, "%.0f %%", 100 * curve.mfu / n);
        html_cell(&t, "%s", human_bytes(d, report_number(p->json, "peak_bytes")));
        held_out_cell(&t, json_object_get(p->json, "held_out"), "loss_nats");
        held_out_cell(&t, json_object_get(p->json, "held_out"), "bits_per_byte");
    }
    html_table_end(&t);
}

static void write_kinds(Str *page, const Report *r)
{
    static const char *const titles[] = {"model", "kind", "bytes", "loss", "bits per byte", NULL};
    Str rows = {0};
    bool any = false;
    html_heading(&rows, 3, "held-out", "Held-out documents");
    HtmlTable t = html_table(&rows, "llrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < r->parts.n; i++) {
        const char *kind;
        json_t *value;
        if (r->parts.at[i].kind != REPORT_TRAINING)
            continue;
        json_object_foreach(json_object_get(json_object_get(r->parts.at[i].json, "held_out"), "kinds"), kind,
                            value)
        {
            html_cell(&t, "%s", r->parts.at[i].name);
            html_cell(&t, "%s", kind);
            html_cell(&t, "%.0f", report_number(value, "bytes"));
            html_cell(&t, "%.3f", report_number(value, "loss_nats"));
            html_cell(&t, "%.3f", report_number(value, "bits_per_byte"));
            any = true;
        }
    }
    html_table_end(&t);
    if (any)
        str_add(page, rows.at, rows.n);
    str_drop(&rows);
}

void report_trainings(Str *page, Report *r)
{
    if (!report_has(r, REPORT_TRAINING)) {
        report_squeezed(page, r);
        return;
    }
    Plot plot = {.x_label = "tokens", .y_label = "loss, nats a token"};
    html_heading(page, 2, "training", "Training");
    write_costs(page, r, &plot);
    report_plot(page, r, &plot);
    write_kinds(page, r);
    report_squeezed(page, r);
    plot_drop(&plot);
}
