/* What documents came in, what the rules left of them, and what was packed. */
#include "study/html.h"
#include "study/report_parts.h"

static double dropped(const json_t *source, const char *key)
{
    double n = 0;
    const char *reason;
    json_t *what;
    json_object_foreach(json_object_get(source, key), reason, what) n += report_number(what, "documents");
    return n;
}

static void bytes_cell(HtmlTable *t, double bytes)
{
    char text[32];
    html_cell(t, "%s", human_bytes(text, bytes));
}

static void write_corpus(Str *page, const ReportPart *p)
{
    static const char *const titles[] = {"source",  "kind",     "documents", "bytes", "unusable",
                                         "dropped", "training", "held out",  NULL};
    const json_t *sources = json_object_get(p->json, "sources");
    HtmlTable t = html_table(page, "llrrrrrr");
    double kept[2] = {0, 0};
    html_cells(&t, titles);
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *s = json_array_get(sources, i);
        html_cell(&t, "%s", report_text(s, "name"));
        html_cell(&t, "%s", report_text(s, "kind"));
        html_cell(&t, "%.0f", report_number(s, "input.documents"));
        bytes_cell(&t, report_number(s, "input.bytes"));
        html_cell(&t, "%.0f", dropped(s, "unusable"));
        html_cell(&t, "%.0f", dropped(s, "dropped"));
        bytes_cell(&t, report_number(s, "train.bytes"));
        bytes_cell(&t, report_number(s, "held_out.bytes"));
        kept[report_text(s, "kind")[0] == 'c'] += report_number(s, "train.bytes");
    }
    html_table_end(&t);
    char code[32], text[32];
    html_add(page, "<p>Kept for training: %s of code and %s of text.\n", human_bytes(code, kept[1]),
             human_bytes(text, kept[0]));
}

static void write_shards(Str *page, const ReportPart *p)
{
    static const char *const titles[] = {"source", "kind",  "tokens there", "tokens packed",
                                         "rows",   "share", "repeats",      NULL};
    const json_t *ledger = json_object_get(p->json, "ledger");
    HtmlTable t = html_table(page, "llrrrrr");
    html_cells(&t, titles);
    for (size_t i = 0; i < json_array_size(ledger); i++) {
        const json_t *s = json_array_get(ledger, i);
        char there[32], packed[32];
        html_cell(&t, "%s", report_text(s, "source"));
        html_cell(&t, "%s", report_text(s, "kind"));
        html_cell(&t, "%s", human_count(there, report_number(s, "tokens_available")));
        html_cell(&t, "%s", human_count(packed, report_number(s, "tokens")));
        html_cell(&t, "%.0f", report_number(s, "rows"));
        html_cell(&t, "%.1f %%", 100 * report_number(s, "share"));
        html_cell(&t, "%.2f", report_number(s, "repeats"));
    }
    html_table_end(&t);
    double text = report_number(p->json, "rows_text");
    html_add(page, "<p>Rows of %.0f tokens; code : text = %.0f : %.0f rows",
             report_number(p->json, "row_tokens") - 1, report_number(p->json, "rows_code"), text);
    if (text > 0)
        html_add(page, " = %.2f : 1", report_number(p->json, "rows_code") / text);
    html_add(page, ". %s\n", report_text(p->json, "notes"));
}

static void each(Str *page, const Report *r, ReportKind kind, const char *id, const char *title,
                 void (*write)(Str *page, const ReportPart *p))
{
    size_t n = 0;
    for (size_t i = 0; i < r->parts.n; i++)
        n += r->parts.at[i].kind == kind;
    if (n)
        html_heading(page, 2, id, title);
    for (size_t i = 0; i < r->parts.n; i++)
        if (r->parts.at[i].kind == kind) {
            if (n > 1)
                html_heading(page, 3, r->parts.at[i].name, r->parts.at[i].name);
            write(page, &r->parts.at[i]);
        }
}

void report_corpora(Str *page, Report *r)
{
    each(page, r, REPORT_CORPUS, "corpus", "Corpus", write_corpus);
    each(page, r, REPORT_SHARDS, "mixture", "Mixture", write_shards);
}
