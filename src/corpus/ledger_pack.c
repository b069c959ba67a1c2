/* The table of a packed corpus: wanted and actual tokens by source. */
#include "corpus/ledger.h"

typedef struct {
    int64_t documents, bytes, available, wanted, tokens, rows, held_documents, held_rows;
} Line;

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static Line line_of(const json_t *s)
{
    const json_t *held = json_object_get(s, "held_out");
    return (Line){number(s, "documents"),     number(s, "bytes"),  number(s, "tokens_available"),
                  number(s, "tokens_wanted"), number(s, "tokens"), number(s, "rows"),
                  number(held, "documents"),  number(held, "rows")};
}

static void line_add(Line *sum, const Line *l)
{
    sum->documents += l->documents;
    sum->bytes += l->bytes;
    sum->available += l->available;
    sum->wanted += l->wanted;
    sum->tokens += l->tokens;
    sum->rows += l->rows;
    sum->held_documents += l->held_documents;
    sum->held_rows += l->held_rows;
}

static void line_text(Str *out, const char *name, const char *kind, const Line *l, int64_t all_rows)
{
    double repeats = l->available ? (double)l->tokens / (double)l->available : 0;
    double share = all_rows ? 100.0 * (double)l->rows / (double)all_rows : 0;
    str_addf(out, "%-18s %-4s %9lld %9.2f %12lld %12lld %12lld %8lld %6.2fx %6.2f%% %9lld %6lld\n", name,
             kind, (long long)l->documents, (double)l->bytes / 1e6, (long long)l->available,
             (long long)l->wanted, (long long)l->tokens, (long long)l->rows, repeats, share,
             (long long)l->held_documents, (long long)l->held_rows);
}

void ledger_pack_text(Str *out, const json_t *manifest)
{
    json_t *s;
    size_t i;
    Line kinds[2] = {{0}}, all = {0};
    const json_t *list = json_object_get(manifest, "ledger");
    json_array_foreach((json_t *)(uintptr_t)list, i, s)
    {
        Line l = line_of(s);
        line_add(&kinds[text(s, "kind")[0] == 't'], &l);
        line_add(&all, &l);
    }
    str_addf(out, "%-18s %-4s %9s %9s %38s %8s %7s %7s %16s\n", "", "", "", "", "tokens", "", "", "",
             "held out");
    str_addf(out, "%-18s %-4s %9s %9s %12s %12s %12s %8s %7s %7s %9s %6s\n", "source", "kind", "documents",
             "MB", "available", "wanted", "packed", "rows", "repeats", "share", "documents", "rows");
    json_array_foreach((json_t *)(uintptr_t)list, i, s)
    {
        Line l = line_of(s);
        line_text(out, text(s, "source"), text(s, "kind"), &l, all.rows);
    }
    line_text(out, "all code", "", &kinds[0], all.rows);
    line_text(out, "all text", "", &kinds[1], all.rows);
    line_text(out, "total", "", &all, all.rows);
    int64_t row_tokens = number(manifest, "row_tokens");
    str_addf(out, "rows of %lld tokens, attention %s, code : text = %lld : %lld rows", (long long)row_tokens,
             text(manifest, "attention"), (long long)kinds[0].rows, (long long)kinds[1].rows);
    if (kinds[1].rows)
        str_addf(out, " = %.3f : 1", (double)kinds[0].rows / (double)kinds[1].rows);
    str_addc(out, '\n');
    str_adds(out, text(manifest, "notes"));
}
