#include "corpus/pack_plan.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static const char *const attention_names[] = {"across", "isolated", NULL};

static const Field pack_fields[] = {
    F_INT(PackConfig, context, 2048, 1, SHARD_ROW_TOKENS_MAX - 1, "context length; a row has one token more"),
    F_INT(PackConfig, tokens, 0, 0, 1e18, "tokens in all rows; 0: all code once, and text as the ratio asks"),
    F_FLOAT(PackConfig, ratio_code, 10, 0, 1e9, "parts of code"),
    F_FLOAT(PackConfig, ratio_text, 1, 0, 1e9, "parts of text"),
    F_FLOAT(PackConfig, max_repeats, 4, 0.001, 1e9, "how often a source may be repeated"),
    F_INT(PackConfig, seed, 1, 0, 1e18, "decides the order"),
    F_CHOICE(PackConfig, attention, "across", attention_names,
             "across: documents of a row see each other; isolated: they do not, and positions restart"),
    F_BOOL(PackConfig, bos, false,
           "put the begin-of-text token in front of each document, where the vocabulary has one"),
    F_INT(PackConfig, shard_rows, 65536, 1, 1e9, "rows of one shard file"),
};
const FieldTable pack_table = FIELD_TABLE(pack_fields);

static const double ROWS_MAX = 1e14; /* of one source: sums of them stay whole numbers in a double */

typedef struct {
    PlanSource *sources;
    size_t n;
    int64_t row_tokens;
    double max_repeats;
    bool once; /* nobody said how many tokens: the leading kind is used once */
    ShardKind leading;
} Plan;

static double share(const PlanSource *s)
{
    return s->weight * (double)s->available;
}

static int64_t source_cap(const Plan *p, const PlanSource *s)
{
    double tokens = p->max_repeats * (double)s->available;
    if (p->once && s->kind == p->leading)
        tokens = fmin(tokens, share(s));
    return (int64_t)floor(fmin(tokens / (double)p->row_tokens, ROWS_MAX));
}

static int64_t kind_cap(const Plan *p, ShardKind kind)
{
    int64_t rows = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->sources[i].kind == kind && p->sources[i].weight > 0)
            rows += source_cap(p, &p->sources[i]);
    return rows;
}

/* Rows of one pass over a kind: what of each source makes whole rows, times its weight. */
static int64_t kind_once(const Plan *p, ShardKind kind)
{
    int64_t rows = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->sources[i].kind == kind)
            rows += (int64_t)floor(share(&p->sources[i]) / (double)p->row_tokens);
    return rows;
}

static void wants_set(const Plan *p, ShardKind kind, double rows)
{
    double all = 0;
    for (size_t i = 0; i < p->n; i++)
        all += p->sources[i].kind == kind ? share(&p->sources[i]) : 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->sources[i].kind == kind)
            p->sources[i].wanted = all > 0 ? rows * (double)p->row_tokens * share(&p->sources[i]) / all : 0;
}

/* Gives `rows` to the sources of a kind that are `open`, each the whole part of its share; returns whether
 * one met its cap, which closes it: then the rest is to be shared again. */
static bool share_out(const Plan *p, ShardKind kind, int64_t rows, bool *open)
{
    double all = 0;
    bool closed = false;
    for (size_t i = 0; i < p->n; i++) {
        const PlanSource *s = &p->sources[i];
        if (s->kind == kind && open[i])
            all += share(s);
        else if (s->kind == kind)
            rows -= s->rows;
    }
    for (size_t i = 0; i < p->n; i++) {
        PlanSource *s = &p->sources[i];
        if (s->kind != kind || !open[i])
            continue;
        s->rows = all > 0 ? (int64_t)floor((double)rows * share(s) / all) : 0;
        if (s->rows >= source_cap(p, s)) {
            s->rows = source_cap(p, s);
            open[i] = false;
            closed = true;
        }
    }
    return closed;
}

/* Largest remainders: the source furthest below what it wants, in rows, gets the next one.  Ties go to the
 * earlier. */
static PlanSource *neediest(const Plan *p, ShardKind kind)
{
    PlanSource *best = NULL;
    double best_need = -INFINITY;
    for (size_t i = 0; i < p->n; i++) {
        PlanSource *s = &p->sources[i];
        double need = s->wanted / (double)p->row_tokens - (double)s->rows;
        if (s->kind == kind && s->weight > 0 && s->rows < source_cap(p, s) && need > best_need) {
            best = s;
            best_need = need;
        }
    }
    return best;
}

/* Shares `rows`, at most the kind's cap, out among its sources. */
static void kind_share(const Plan *p, ShardKind kind, int64_t rows)
{
    bool *open = mem_array(bool, p->n);
    for (size_t i = 0; i < p->n; i++)
        open[i] = p->sources[i].kind == kind && p->sources[i].weight > 0;
    while (share_out(p, kind, rows, open))
        continue;
    mem_free(open);
    int64_t given = 0;
    for (size_t i = 0; i < p->n; i++)
        given += p->sources[i].kind == kind ? p->sources[i].rows : 0;
    for (PlanSource *s; given < rows && (s = neediest(p, kind)); given++)
        s->rows++;
}

static Status kind_check(const Plan *p, ShardKind kind, double ratio)
{
    static const char *const names[] = {[SHARD_CODE] = "code", [SHARD_TEXT] = "text"};
    double all = 0;
    for (size_t i = 0; i < p->n; i++)
        all += p->sources[i].kind == kind ? share(&p->sources[i]) : 0;
    if (ratio > 0 && all <= 0)
        return fail(ST_ARG,
                    "the ratio asks for %g parts of %s and the corpus has none; add a source of it, or set "
                    "ratio_%s to 0",
                    ratio, names[kind], names[kind]);
    return ST_OK;
}

/* The largest total whose two parts stay under their caps, at most `total`. */
static int64_t total_within(double code_part, int64_t total, int64_t code_cap, int64_t text_cap)
{
    while (total > 0) {
        int64_t code = llround((double)total * code_part), text = total - code;
        if (code <= code_cap && text <= text_cap)
            break;
        double by_code = code_part > 0 ? (double)code_cap / code_part : INFINITY;
        double by_text = code_part < 1 ? (double)text_cap / (1 - code_part) : INFINITY;
        double bound = fmin(by_code, by_text);
        total = bound < (double)total - 1 ? (int64_t)ceil(bound) : total - 1;
    }
    return total;
}

Status pack_plan(const PackConfig *c, PlanSource *sources, size_t n, Str *notes)
{
    Plan p = {sources,        n,
              c->context + 1, c->max_repeats,
              c->tokens == 0, c->ratio_code > 0 ? SHARD_CODE : SHARD_TEXT};
    for (size_t i = 0; i < n; i++)
        sources[i].rows = 0, sources[i].wanted = 0;
    if (c->ratio_code <= 0 && c->ratio_text <= 0)
        return fail(ST_ARG, "ratio_code and ratio_text are both 0: nothing is asked for");
    TRY(kind_check(&p, SHARD_CODE, c->ratio_code));
    TRY(kind_check(&p, SHARD_TEXT, c->ratio_text));
    double code_part = c->ratio_code / (c->ratio_code + c->ratio_text);
    int64_t once = kind_once(&p, p.leading);
    int64_t wish =
        c->tokens ? c->tokens / p.row_tokens
                  : llround(fmin((double)once / (code_part > 0 ? code_part : 1), ROWS_MAX));
    double wish_rows = c->tokens ? (double)c->tokens / (double)p.row_tokens : (double)wish;
    int64_t total = total_within(code_part, wish, kind_cap(&p, SHARD_CODE), kind_cap(&p, SHARD_TEXT));
    if (total < 1)
        return fail(ST_ARG, "there is not one row of %lld tokens: %s", (long long)p.row_tokens,
                    wish < 1 ? "ask for more tokens, a shorter context, or a larger corpus"
                             : "the corpus is too small for this context, even repeated");
    if (total < wish)
        str_addf(notes,
                 "%lld rows were wanted and %lld can be had: at %g : %g, some source would be repeated more "
                 "than %g times\n",
                 (long long)wish, (long long)total, c->ratio_code, c->ratio_text, c->max_repeats);
    int64_t code = llround((double)total * code_part);
    wants_set(&p, SHARD_CODE, wish_rows * code_part);
    wants_set(&p, SHARD_TEXT, wish_rows * (1 - code_part));
    kind_share(&p, SHARD_CODE, code);
    kind_share(&p, SHARD_TEXT, total - code);
    return ST_OK;
}
