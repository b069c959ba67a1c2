/* Bits per byte of held-out documents: of models, and of compressors over the same bytes. */
#include <string.h>

#include "corpus/corpus_reader.h"
#include "study/html.h"
#include "study/report_parts.h"
#include "study/squeeze.h"

static const int64_t bytes_most = 64 << 20; /* of a kind: what xz -9 looks back */

typedef struct {
    int64_t bytes, squeezed[SQUEEZES];
    bool cut;
} Sizes;

/* All held-out documents of a kind, one behind the other, in one stream for each compressor. */
static Status squeeze_kind(Sizes *out, const char *folder, const char *kind)
{
    CorpusReader *reader;
    Squeeze *squeezes[SQUEEZES] = {0};
    Document d = {0};
    *out = (Sizes){0};
    TRY(corpus_reader_open(&reader, folder, &(CorpusQuery){.split = "held_out", .kind = kind}));
    Status st = ST_OK;
    for (int k = 0; st == ST_OK && k < SQUEEZES; k++)
        st = squeeze_open(&squeezes[k], (SqueezeKind)k);
    while (st == ST_OK && (st = corpus_reader_next(reader, &d)) == ST_OK && d.id.at && !out->cut) {
        out->bytes += (int64_t)d.text.n;
        out->cut = out->bytes >= bytes_most;
        for (int k = 0; st == ST_OK && k < SQUEEZES; k++)
            st = squeeze_add(squeezes[k], d.text);
    }
    for (int k = 0; k < SQUEEZES; k++) {
        Error why = error_take();
        Status closed = squeezes[k] ? squeeze_close(&out->squeezed[k], squeezes[k]) : ST_OK;
        if (st != ST_OK)
            error_put(&why);
        else
            st = closed;
    }
    corpus_reader_close(reader);
    return st;
}

/* Whether every source by which the model's held-out documents are told is one of the corpus'. */
static bool learned_from(const ReportPart *model, const ReportPart *corpus)
{
    const json_t *told = json_object_get(json_object_get(model->json, "held_out"), "sources"),
                 *sources = json_object_get(corpus->json, "sources");
    const char *name;
    json_t *value;
    if (model->kind != REPORT_TRAINING || model->tuning || !json_object_size(told))
        return false;
    json_object_foreach((json_t *)told, name, value)
    {
        bool found = false;
        for (size_t i = 0; i < json_array_size(sources); i++)
            found = found || strcmp(report_text(json_array_get(sources, i), "name"), name) == 0;
        if (!found)
            return false;
    }
    return true;
}

static void write_row(HtmlTable *t, Report *r, const ReportPart *corpus, const char *kind, const Sizes *s)
{
    json_t *note =
        json_pack("{s:s, s:s, s:I}", "corpus", corpus->name, "kind", kind, "bytes", (json_int_t)s->bytes);
    html_cell(t, "%s", kind);
    html_cell(t, "%lld", (long long)s->bytes);
    for (int k = 0; k < SQUEEZES; k++) {
        double bits = 8 * (double)s->squeezed[k] / (double)s->bytes;
        html_cell(t, "%.3f", bits);
        json_object_set_new(note, squeeze_names[k], json_real(bits));
    }
    for (size_t i = 0; i < r->parts.n; i++) {
        const ReportPart *p = &r->parts.at[i];
        if (!learned_from(p, corpus))
            continue;
        const json_t *own =
            json_object_get(json_object_get(json_object_get(p->json, "held_out"), "kinds"), kind);
        double bytes = report_number(own, "bytes");
        if (!own)
            html_cell(t, "%s", "");
        else if (bytes < (double)s->bytes)
            html_cell(t, "%.3f <span class=\"small\">of %.0f %%</span>", report_number(own, "bits_per_byte"),
                      100 * bytes / (double)s->bytes);
        else
            html_cell(t, "<b>%.3f</b>", report_number(own, "bits_per_byte"));
        json_object_set(note, p->name, json_object_get(own, "bits_per_byte"));
    }
    report_note(r, "bits_per_byte", note);
}

static Str align_of(const Report *r, const ReportPart *corpus)
{
    Str align = {0};
    str_adds(&align, "lrrr");
    for (size_t i = 0; i < r->parts.n; i++)
        if (learned_from(&r->parts.at[i], corpus))
            str_addc(&align, 'r');
    return align;
}

/* False: it has no held-out documents. */
static bool write_corpus(Str *page, Report *r, const ReportPart *corpus, bool named)
{
    static const char *const kinds[] = {"code", "text"};
    Str align = align_of(r, corpus);
    bool cut = false, any = false;
    if (named)
        html_add(page, "<p>%s\n", corpus->name);
    HtmlTable t = html_table(page, str_c(&align));
    html_cell(&t, "kind");
    html_cell(&t, "bytes");
    for (int k = 0; k < SQUEEZES; k++)
        html_cell(&t, "%s", squeeze_names[k]);
    for (size_t i = 0; i < r->parts.n; i++)
        if (learned_from(&r->parts.at[i], corpus))
            html_cell(&t, "%s", r->parts.at[i].name);
    for (int k = 0; k < 2; k++) {
        Sizes s;
        if (squeeze_kind(&s, corpus->folder, kinds[k]) != ST_OK) {
            html_table_end(&t);
            html_add(page, "<p class=\"bad\">Not compressed: %s.\n", error_text());
            str_drop(&align);
            return true;
        }
        if (s.bytes)
            write_row(&t, r, corpus, kinds[k], &s);
        any = any || s.bytes;
        cut = cut || s.cut;
    }
    html_table_end(&t);
    if (cut)
        str_adds(page, "<p class=\"small\">The compressors saw the first 64 MB of a kind.\n");
    str_drop(&align);
    return any;
}

void report_squeezed(Str *page, Report *r)
{
    size_t n = 0, told = 0;
    Str all = {0};
    for (size_t i = 0; i < r->parts.n; i++)
        n += r->parts.at[i].kind == REPORT_CORPUS;
    html_heading(&all, 3, "bits-per-byte", "Bits per byte of held-out documents, and of compressors on them");
    for (size_t i = 0; i < r->parts.n; i++)
        if (r->parts.at[i].kind == REPORT_CORPUS)
            told += write_corpus(&all, r, &r->parts.at[i], n > 1);
    str_adds(&all,
             "<p class=\"small\">All held-out documents of a kind in one stream. A model also pays for "
             "telling where each document ends; it has read the training part, a compressor has not.\n");
    if (told)
        str_add(page, all.at, all.n);
    str_drop(&all);
}
