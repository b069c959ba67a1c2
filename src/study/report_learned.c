/* What tuning teaches: examples as the model reads them, with the tokens that it learns to say marked. */
#include "base/file.h"
#include "corpus/instruct_inspect.h"
#include "study/html.h"
#include "study/report_parts.h"

enum { EACH = 2, TEXT_MOST = 6000 };

static bool write_example(void *context, const InstructSeen *e)
{
    Str *page = context;
    html_fold(page, "example %lld, of %s (%s): %lld tokens, %lld of them learned", (long long)e->number,
              e->source, e->code ? "code" : "text", (long long)e->tokens, (long long)e->learned);
    str_adds(page, "<pre>");
    for (size_t i = 0; i < e->stretches.n && e->stretches.at[i].at < TEXT_MOST; i++) {
        const InstructStretch *s = &e->stretches.at[i];
        size_t n = s->at + s->n > TEXT_MOST ? TEXT_MOST - s->at : s->n;
        str_adds(page, s->learned ? "<mark>" : "");
        html_text(page, (Span){str_c(&e->text) + s->at, n});
        str_adds(page, s->learned ? "</mark>" : "");
    }
    html_add(page, "%s</pre>\n", e->text.n > TEXT_MOST ? " ..." : "");
    html_fold_end(page);
    return true;
}

static void write_ledger(Str *page, const json_t *manifest)
{
    static const char *const titles[] = {"source", "kind",   "format",  "records",        "kept aside",
                                         "used",   "tokens", "learned", "learned, share", NULL};
    const json_t *ledger = json_object_get(json_object_get(manifest, "tune"), "ledger");
    HtmlTable t = html_table(page, "lllrrrrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < json_array_size(ledger); i++) {
        const json_t *s = json_array_get(ledger, i);
        double aside = 0, tokens = report_number(s, "used.tokens"),
               learned = report_number(s, "used.learned");
        const char *reason;
        json_t *n;
        char a[32], b[32];
        json_object_foreach(json_object_get(s, "rejected"), reason, n) aside += json_number_value(n);
        html_cell(&t, "%s", report_text(s, "source"));
        html_cell(&t, "%s", report_text(s, "kind"));
        html_cell(&t, "%s", report_text(s, "format"));
        html_cell(&t, "%.0f", report_number(s, "records"));
        html_cell(&t, "%.0f", aside);
        html_cell(&t, "%.0f", report_number(s, "used.examples"));
        html_cell(&t, "%s", human_count(a, tokens));
        html_cell(&t, "%s", human_count(b, learned));
        html_cell(&t, "%.1f %%", tokens > 0 ? 100 * learned / tokens : 0);
    }
    html_table_end(&t);
}

void report_learned(Str *page, Report *r)
{
    bool begun = false;
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        const ReportPart *before = report_taught_before(r, p);
        if (!p->tuning)
            continue;
        if (!begun)
            html_heading(page, 2, "learned", "What tuning teaches");
        begun = true;
        html_heading(page, 3, p->name, p->name);
        if (before) {
            html_add(page, "<p>The same examples as %s.\n", before->name);
            continue;
        }
        char *data = path_join(p->folder, "data");
        write_ledger(page, p->tuning);
        str_adds(page, "<p class=\"small\">Examples as the model reads them. It learns to say what is "
                       "<mark>marked</mark>, and nothing else.\n");
        if (instruct_look(data, EACH, write_example, page) != ST_OK)
            html_add(page, "<p class=\"bad\">They cannot be shown: %s.\n", error_text());
        mem_free(data);
    }
}
