#include "corpus/ledger.h"

#include <string.h>

void ledger_example(SourceLedger *l, const Document *d)
{
    if (l->examples_n[d->reason]++ >= LEDGER_EXAMPLES)
        return;
    if (!l->examples)
        l->examples = json_array();
    json_t *id = json_stringn(d->id.at, d->id.n), *why = json_stringn(d->why.at, d->why.n);
    json_t *example = json_pack("{s:s}", "reason", read_reason_names[d->reason]);
    json_object_set_new(example, "id", id ? id : json_string("(name is not UTF-8)"));
    json_object_set_new(example, "why", why ? why : json_string(""));
    json_array_append_new(l->examples, example);
}

void ledger_drop(SourceLedger *l)
{
    json_decref(l->examples);
    *l = (SourceLedger){0};
}

/* JSON --------------------------------------------------------------------------------------------------- */

static json_t *tally_json(const Tally *t)
{
    return json_pack("{s:I, s:I}", "documents", (json_int_t)t->documents, "bytes", (json_int_t)t->bytes);
}

static void tally_put(json_t *object, const char *key, const Tally *t)
{
    if (t->documents)
        json_object_set_new(object, key, tally_json(t));
}

static json_t *source_json(const CorpusSource *s, const SourceLedger *l)
{
    bool is_code = strcmp(s->kind, "code") == 0;
    const CleanRule *rules = is_code ? clean_code_rules : clean_text_rules;
    int rules_n = is_code ? clean_code_rules_n : clean_text_rules_n;
    json_t *unusable = json_object(), *dropped = json_object();
    for (int i = 0; i < READ_REASONS; i++)
        tally_put(unusable, read_reason_names[i], &l->unusable[i]);
    for (int i = 0; i < rules_n; i++)
        tally_put(dropped, rules[i].name, &l->dropped[i]);
    tally_put(dropped, "duplicate", &l->duplicates);
    json_t *o = json_pack("{s:s, s:s, s:s, s:f, s:I}", "name", s->name, "kind", s->kind, "language",
                          s->language, "weight", s->weight, "files", (json_int_t)l->files);
    json_object_set_new(o, "input", tally_json(&l->input));
    json_object_set_new(o, "unusable", unusable);
    json_object_set_new(o, "dropped", dropped);
    json_object_set_new(o, "train", tally_json(&l->train));
    json_object_set_new(o, "held_out", tally_json(&l->held_out));
    json_object_set_new(o, "examples", l->examples ? json_incref(l->examples) : json_array());
    return o;
}

static void rules_put(json_t *out, const CleanRule *rules, int n)
{
    for (int i = 0; i < n; i++)
        json_object_set_new(out, rules[i].name,
                            json_pack("{s:s, s:s}", "drops", rules[i].drops, "source", rules[i].source));
}

json_t *ledger_corpus_json(const CorpusRecipe *r, const SourceLedger *sources)
{
    json_t *list = json_array(), *rules = json_object();
    for (size_t i = 0; i < r->sources_n; i++)
        json_array_append_new(list, source_json(&r->sources[i], &sources[i]));
    rules_put(rules, clean_code_rules, clean_code_rules_n);
    rules_put(rules, clean_text_rules, clean_text_rules_n);
    return json_pack("{s:s, s:i, s:o, s:o, s:o}", "format", "lemur-corpus", "version", 1, "sources", list,
                     "rules", rules, "recipe", corpus_recipe_to_json(r));
}

/* Tables ------------------------------------------------------------------------------------------------- */

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static void tally_columns(Str *out, int64_t documents, int64_t bytes)
{
    str_addf(out, " %9lld %9.2f", (long long)documents, (double)bytes / 1e6);
}

static void tally_add(Tally *sum, const json_t *tally)
{
    sum->documents += number(tally, "documents");
    sum->bytes += number(tally, "bytes");
}

static Tally tally_sum(const json_t *object)
{
    Tally sum = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) tally_add(&sum, value);
    return sum;
}

enum { COLUMNS = 5 };

static void corpus_row(Str *out, const char *name, const char *kind, const char *language,
                       const Tally t[COLUMNS])
{
    str_addf(out, "%-18s %-4s %-10s", name, kind, language);
    for (int i = 0; i < COLUMNS; i++)
        tally_columns(out, t[i].documents, t[i].bytes);
    str_addc(out, '\n');
}

/* Every reason for which documents went, over all sources, as they come. */
static void reasons_text(Str *out, const json_t *sources, const char *group)
{
    json_t *sums = json_object(), *source, *value;
    const char *key;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)sources, i, source)
        json_object_foreach(json_object_get(source, group), key, value)
    {
        const json_t *old = json_object_get(sums, key);
        Tally sum = {number(old, "documents"), number(old, "bytes")};
        tally_add(&sum, value);
        json_object_set_new(sums, key, tally_json(&sum));
    }
    json_object_foreach(sums, key, value)
    {
        str_addf(out, "  %-32s", key);
        tally_columns(out, number(value, "documents"), number(value, "bytes"));
        str_addc(out, '\n');
    }
    json_decref(sums);
}

void ledger_corpus_text(Str *out, const json_t *manifest)
{
    const json_t *sources = json_object_get(manifest, "sources");
    Tally total[COLUMNS] = {{0}};
    json_t *s;
    size_t i;
    str_addf(out, "%-18s %-4s %-10s %19s %19s %19s %19s %19s\n", "", "", "", "read", "unusable", "dropped",
             "train", "held out");
    str_addf(out, "%-18s %-4s %-10s", "source", "kind", "language");
    for (int k = 0; k < COLUMNS; k++)
        str_addf(out, " %9s %9s", "documents", "MB");
    str_addc(out, '\n');
    json_array_foreach((json_t *)(uintptr_t)sources, i, s)
    {
        Tally t[COLUMNS] = {{0}};
        tally_add(&t[0], json_object_get(s, "input"));
        t[1] = tally_sum(json_object_get(s, "unusable"));
        t[2] = tally_sum(json_object_get(s, "dropped"));
        tally_add(&t[3], json_object_get(s, "train"));
        tally_add(&t[4], json_object_get(s, "held_out"));
        corpus_row(out, text(s, "name"), text(s, "kind"), text(s, "language"), t);
        for (int k = 0; k < COLUMNS; k++)
            total[k] = (Tally){total[k].documents + t[k].documents, total[k].bytes + t[k].bytes};
    }
    corpus_row(out, "total", "", "", total);
    if (total[1].documents + total[2].documents > 0)
        str_addf(out, "unusable and dropped, by reason %15s %9s\n", "documents", "MB");
    reasons_text(out, sources, "unusable");
    reasons_text(out, sources, "dropped");
}
