#include "corpus/instruct_ledger.h"

#include <string.h>

/* JSON --------------------------------------------------------------------------------------------------- */

static json_t *tally_json(const InstructTally *t)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "examples", (json_int_t)t->examples, "tokens",
                     (json_int_t)t->tokens, "learned", (json_int_t)t->learned, "rows", (json_int_t)t->rows);
}

static json_t *rejected_json(const InstructCount *c)
{
    json_t *o = json_object();
    for (int i = 1; i < REJECT_REASONS; i++)
        if (c->rejected[i])
            json_object_set_new(o, instruct_reject_names[i], json_integer(c->rejected[i]));
    return o;
}

static double unit_of(const InstructRecipe *r, const InstructTally *t)
{
    return (double)(strcmp(r->config.mix, "tokens") == 0 ? t->tokens : t->examples);
}

json_t *instruct_ledger_json(const InstructRecipe *r, const InstructLine *lines)
{
    json_t *list = json_array();
    double all = 0;
    for (size_t i = 0; i < r->sources_n; i++)
        all += unit_of(r, &lines[i].used);
    for (size_t i = 0; i < r->sources_n; i++) {
        const InstructSource *s = &r->sources[i];
        const InstructLine *l = &lines[i];
        double used = unit_of(r, &l->used), there = unit_of(r, &l->train);
        json_t *o = json_pack("{s:s, s:s, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "source", s->name, "kind",
                              s->kind, "format", instruct_format_names[l->count.format], "weight", s->weight,
                              "share_asked", s->share, "files", (json_int_t)l->count.files, "records",
                              (json_int_t)l->count.records, "examples", (json_int_t)l->count.examples, "cut",
                              (json_int_t)l->count.cut, "trimmed", (json_int_t)l->count.trimmed);
        json_object_set_new(o, "rejected", rejected_json(&l->count));
        json_object_set_new(o, "available", tally_json(&l->train));
        json_object_set_new(o, "wanted", json_real(l->plan.wanted));
        json_object_set_new(o, "used", tally_json(&l->used));
        json_object_set_new(o, "repeats", json_real(there > 0 ? used / there : 0));
        json_object_set_new(o, "share", json_real(all > 0 ? used / all : 0));
        json_object_set_new(o, "held_out", tally_json(&l->held_out));
        json_array_append_new(list, o);
    }
    return list;
}

/* Tables ------------------------------------------------------------------------------------------------- */

static int64_t number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_real(v) ? (int64_t)(json_real_value(v) + 0.5) : json_integer_value(v);
}

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

typedef struct {
    int64_t records, rejected, available, wanted, examples, tokens, learned, rows, held_out;
    double share;
} Line;

static int64_t rejected_sum(const json_t *source)
{
    int64_t sum = 0;
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(source, "rejected"), key, value) sum += json_integer_value(value);
    return sum;
}

static Line line_of(const json_t *s, bool by_tokens)
{
    const json_t *used = json_object_get(s, "used"), *there = json_object_get(s, "available");
    return (Line){.records = number(s, "records"),
                  .rejected = rejected_sum(s),
                  .available = number(there, by_tokens ? "tokens" : "examples"),
                  .wanted = number(s, "wanted"),
                  .examples = number(used, "examples"),
                  .tokens = number(used, "tokens"),
                  .learned = number(used, "learned"),
                  .rows = number(used, "rows"),
                  .held_out = number(json_object_get(s, "held_out"), "examples"),
                  .share = json_number_value(json_object_get(s, "share"))};
}

static void line_add(Line *sum, const Line *l)
{
    sum->records += l->records;
    sum->rejected += l->rejected;
    sum->available += l->available;
    sum->wanted += l->wanted;
    sum->examples += l->examples;
    sum->tokens += l->tokens;
    sum->learned += l->learned;
    sum->rows += l->rows;
    sum->held_out += l->held_out;
    sum->share += l->share;
}

static void line_text(Str *out, const char *name, const char *kind, const char *format, const Line *l,
                      bool by_tokens)
{
    double used = (double)(by_tokens ? l->tokens : l->examples);
    double repeats = l->available ? used / (double)l->available : 0;
    str_addf(out,
             "%-18s %-4s %-10s %9lld %8lld %12lld %12lld %9lld %12lld %12lld %7lld %6.2fx %6.2f%% %8lld\n",
             name, kind, format, (long long)l->records, (long long)l->rejected, (long long)l->available,
             (long long)l->wanted, (long long)l->examples, (long long)l->tokens, (long long)l->learned,
             (long long)l->rows, repeats, 100 * l->share, (long long)l->held_out);
}

static void reasons_text(Str *out, const json_t *list)
{
    json_t *sums = json_object(), *source, *value;
    const char *key;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, source)
        json_object_foreach(json_object_get(source, "rejected"), key, value)
            json_object_set_new(sums, key, json_integer(number(sums, key) + json_integer_value(value)));
    if (json_object_size(sums) > 0)
        str_adds(out, "kept aside in rejected.jsonl:");
    json_object_foreach(sums, key, value)
        str_addf(out, " %s %lld", key, (long long)json_integer_value(value));
    if (json_object_size(sums) > 0)
        str_addc(out, '\n');
    json_decref(sums);
}

void instruct_ledger_text(Str *out, const json_t *manifest)
{
    const json_t *tune = json_object_get(manifest, "tune"), *list = json_object_get(tune, "ledger");
    bool by_tokens = strcmp(text(json_object_get(tune, "settings"), "mix"), "tokens") == 0;
    Line all = {0};
    json_t *s;
    size_t i;
    str_addf(out, "%-18s %-4s %-10s %9s %8s %25s %9s %25s %7s %7s %7s %8s\n", "", "", "", "", "",
             by_tokens ? "tokens" : "examples", "", "tokens", "", "", "", "held out");
    str_addf(out, "%-18s %-4s %-10s %9s %8s %12s %12s %9s %12s %12s %7s %7s %7s %8s\n", "source", "kind",
             "format", "records", "aside", "available", "wanted", "examples", "used", "learned", "rows",
             "repeats", "share", "examples");
    json_array_foreach((json_t *)(uintptr_t)list, i, s)
    {
        Line l = line_of(s, by_tokens);
        line_add(&all, &l);
        line_text(out, text(s, "source"), text(s, "kind"), text(s, "format"), &l, by_tokens);
    }
    line_text(out, "total", "", "", &all, by_tokens);
    reasons_text(out, list);
    int64_t room = all.rows * number(manifest, "row_tokens");
    str_addf(out, "rows of %lld tokens, %.1f%% full; %.1f%% of the tokens are learned; template %s\n",
             (long long)number(manifest, "row_tokens"), room ? 100.0 * (double)all.tokens / (double)room : 0,
             all.tokens ? 100.0 * (double)all.learned / (double)all.tokens : 0, text(tune, "template"));
    str_adds(out, text(tune, "notes"));
}
