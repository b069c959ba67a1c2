/* The study of mixtures as a table, as Markdown and as JSON. */
#include <math.h>
#include <string.h>

#include "base/columns.h"
#include "study/harmony_inside.h"

/* The table. --------------------------------------------------------------------------------------------- */

static void value_cell(Columns *c, const HarmonyValue *v, size_t measure)
{
    bool share = measure >= HARMONY_AGENT;
    double half = (v->high - v->low) / 2, scale = share ? 100 : 1;
    int digits = share ? 1 : 3;
    if (!v->n)
        columns_add(c, "-");
    else if (v->n == 1)
        columns_add(c, "%.*f", digits, scale * v->mean);
    else
        columns_add(c, "%.*f ±%.*f", digits, scale * v->mean, digits, scale * half);
}

static void title_cell(Columns *c, const HarmonyMeasure *m, size_t measure)
{
    columns_add(c, "%s%s", m->name,
                measure >= HARMONY_AGENT     ? ", %"
                : measure < HARMONY_EPISODES ? ", bits/byte"
                                             : ", nats");
}

static void mix_row(Columns *c, const Harmony *h, const HarmonyMix *mix)
{
    columns_add(c, "%s", mix->name);
    columns_add(c, "%.1f", 100 * mix->share);
    columns_add(c, "%zu", mix->runs.n);
    for (size_t k = 0; k < h->measures_n; k++)
        if (h->measures[k].used)
            value_cell(c, &mix->values[k], k);
    if (mix->known) {
        columns_add(c, "%s%.0f %%", mix->front ? "yes, " : "", 100 * mix->front_share);
        columns_add(c, "%s%.0f %%", mix->best ? "yes, " : "", 100 * mix->best_share);
    }
    columns_end_row(c);
}

static void fill_table(Columns *c, const Harmony *h, char align[17])
{
    size_t n = 3;
    memcpy(align, "lrr", 3);
    for (size_t k = 0; k < h->measures_n; k++)
        if (h->measures[k].used)
            align[n++] = 'r';
    memcpy(align + n, "rr", 3);
    c->align = align;
    columns_add(c, "code:text");
    columns_add(c, "code, %%");
    columns_add(c, "seeds");
    for (size_t k = 0; k < h->measures_n; k++)
        if (h->measures[k].used)
            title_cell(c, &h->measures[k], k);
    columns_add(c, "front");
    columns_add(c, "best");
    for (size_t i = 0; i < h->mixes.n; i++)
        mix_row(c, h, &h->mixes.at[i]);
}

/* The words. --------------------------------------------------------------------------------------------- */

static void add_which(Str *out, const Harmony *h, bool (*is)(const HarmonyMix *m))
{
    bool any = false;
    for (size_t i = 0; i < h->mixes.n; i++)
        if (is(&h->mixes.at[i])) {
            str_addf(out, "%s%s", any ? ", " : "", h->mixes.at[i].name);
            any = true;
        }
    str_adds(out, any ? "" : "none");
}

static bool is_on_front(const HarmonyMix *m)
{
    return m->front;
}

static bool is_best(const HarmonyMix *m)
{
    return m->best;
}

static void add_weights(Str *out, const Harmony *h)
{
    bool any = false;
    for (size_t k = 0; k < h->measures_n; k++)
        if (h->weights[k] > 0) {
            str_addf(out, "%s%s=%g", any ? "," : "", h->measures[k].name, h->weights[k]);
            any = true;
        }
}

static void add_notes(Str *out, const Harmony *h, const char *before)
{
    const char *at = str_c(&h->notes);
    for (size_t n; *at; at += n + (at[n] == '\n')) {
        n = strcspn(at, "\n");
        str_addf(out, "%s%.*s\n", before, (int)n, at);
    }
    for (size_t i = 0; i < h->mixes.n; i++) {
        const HarmonyMix *m = &h->mixes.at[i];
        if (!m->known)
            str_addf(out, "%s%s is left out of front and best: no run of it has all measures\n", before,
                     m->name);
        if (m->repeats_code > 1 || m->repeats_text > 1)
            str_addf(out, "%s%s repeats its %s: %.1f times the source that is repeated most\n", before,
                     m->name, m->repeats_code > m->repeats_text ? "code" : "text",
                     fmax(m->repeats_code, m->repeats_text));
    }
}

static void add_words(Str *out, const Harmony *h, const char *gap)
{
    char tokens[32];
    str_addf(
        out,
        "%zu mixtures of %s tokens, %zu seeds. Means over seeds, ± half of a 95 %% interval (Student's t); "
        "losses are of held-out documents, less is better; scores are of tasks after the same tuning.%s",
        h->mixes.n, human_count(tokens, h->mixes.n ? (double)h->mixes.at[0].tokens : 0), h->seeds.n, gap);
    str_addf(out,
             "front: no other mixture is as good in code, text%s and better in one; best: for the weights ",
             h->measures[HARMONY_AGENT].used ? " and agent" : "");
    add_weights(out, h);
    str_addf(out,
             " over standardised means; %%: of %d bootstrap rounds over seeds.%s"
             "On the front: ",
             HARMONY_ROUNDS, gap);
    add_which(out, h, is_on_front);
    str_adds(out, ". Best: ");
    add_which(out, h, is_best);
    str_adds(out, ".");
}

void harmony_text(Str *out, const Harmony *h)
{
    char align[17];
    Columns c = {0};
    fill_table(&c, h, align);
    columns_text(&c, out);
    columns_drop(&c);
    str_adds(out, "\n");
    add_words(out, h, "\n");
    str_adds(out, "\n");
    add_notes(out, h, "note: ");
}

void harmony_markdown(Str *out, const Harmony *h)
{
    char align[17];
    Columns c = {0};
    fill_table(&c, h, align);
    size_t width = strlen(align);
    for (size_t i = 0; i < c.cells.n; i++) {
        str_addf(out, "| %s%s", c.cells.at[i], i % width == width - 1 ? " |\n" : " ");
        for (size_t k = 0; i == width - 1 && k < width; k++)
            str_addf(out, "|%s%s", align[k] == 'r' ? "--:" : "---", k == width - 1 ? "|\n" : "");
    }
    columns_drop(&c);
    str_adds(out, "\n");
    add_words(out, h, "\n");
    str_adds(out, "\n\n");
    add_notes(out, h, "- ");
}

/* JSON. -------------------------------------------------------------------------------------------------- */

static json_t *value_json(const HarmonyMix *mix, size_t measure)
{
    const HarmonyValue *v = &mix->values[measure];
    json_t *values = json_object();
    for (size_t i = 0; i < mix->runs.n; i++) {
        char seed[24];
        snprintf(seed, sizeof seed, "%lld", (long long)mix->runs.at[i].seed);
        if (isfinite(mix->runs.at[i].values[measure]))
            json_object_set_new(values, seed, json_real(mix->runs.at[i].values[measure]));
    }
    return json_pack("{s:f, s:f, s:f, s:I, s:o}", "mean", v->mean, "low", v->low, "high", v->high, "n",
                     (json_int_t)v->n, "values", values);
}

static json_t *mix_json(const Harmony *h, const HarmonyMix *mix)
{
    json_t *seeds = json_array(), *measures = json_object();
    for (size_t i = 0; i < mix->runs.n; i++)
        json_array_append_new(seeds, json_integer(mix->runs.at[i].seed));
    for (size_t k = 0; k < h->measures_n; k++)
        if (h->measures[k].used && mix->values[k].n)
            json_object_set_new(measures, h->measures[k].name, value_json(mix, k));
    json_t *o =
        json_pack("{s:s, s:f, s:I, s:{s:f, s:f}, s:o, s:o, s:b}", "mix", mix->name, "code_share", mix->share,
                  "tokens", (json_int_t)mix->tokens, "repeats", "code", mix->repeats_code, "text",
                  mix->repeats_text, "seeds", seeds, "measures", measures, "known", mix->known);
    if (mix->known) {
        json_object_set_new(o, "front", json_boolean(mix->front));
        json_object_set_new(o, "front_share", json_real(mix->front_share));
        json_object_set_new(o, "utility", json_real(mix->utility));
        json_object_set_new(o, "best", json_boolean(mix->best));
        json_object_set_new(o, "best_share", json_real(mix->best_share));
    }
    return o;
}

json_t *harmony_json(const Harmony *h)
{
    json_t *measures = json_array(), *weights = json_object(), *mixes = json_array(), *notes = json_array();
    Str lines = {0}, words = {0};
    for (size_t k = 0; k < h->measures_n; k++) {
        if (!h->measures[k].used)
            continue;
        const char *unit = k < HARMONY_EPISODES ? "bits per byte"
                           : k < HARMONY_AGENT  ? "nats"
                                                : "share of tasks";
        json_array_append_new(measures, json_pack("{s:s, s:s, s:s}", "name", h->measures[k].name, "unit",
                                                  unit, "better", h->measures[k].up ? "more" : "less"));
        json_object_set_new(weights, h->measures[k].name, json_real(h->weights[k]));
    }
    for (size_t i = 0; i < h->mixes.n; i++)
        json_array_append_new(mixes, mix_json(h, &h->mixes.at[i]));
    add_notes(&lines, h, "");
    const char *at = str_c(&lines);
    for (size_t n; *at; at += n + 1) {
        n = strcspn(at, "\n");
        json_array_append_new(notes, json_stringn(at, n));
    }
    add_words(&words, h, " ");
    json_t *o = json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:s, s:o}", "study", "harmony", "version", 1,
                          "rounds", HARMONY_ROUNDS, "measures", measures, "weights", weights, "mixes", mixes,
                          "words", str_c(&words), "notes", notes);
    str_drop(&lines);
    str_drop(&words);
    return o;
}
