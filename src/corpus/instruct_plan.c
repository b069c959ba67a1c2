#include "corpus/instruct_plan.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "corpus/shuffle.h"

static double size_of(const InstructConfig *c, const InstructPlanSource *s)
{
    return (double)(strcmp(c->mix, "tokens") == 0 ? s->tokens : s->examples);
}

static Status shares_agree(const InstructPlanSource *sources, const InstructSource *names, size_t n,
                           bool *shared)
{
    size_t given = 0, without = 0;
    for (size_t i = 0; i < n; i++)
        if (sources[i].share > 0)
            given++;
        else
            without = i;
    *shared = given > 0;
    return given == 0 || given == n
               ? ST_OK
               : fail(ST_ARG,
                      "source %s has no share and others have one: give every source a share, or none",
                      names[without].name);
}

/* The largest total of which every share can be had without repeating; what may be absent is not missed. */
static Status total_without_repeats(double *total, const InstructConfig *c, const InstructPlanSource *sources,
                                    const InstructSource *names, size_t n, double sum)
{
    *total = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double size = size_of(c, &sources[i]);
        if (size <= 0 && !names[i].optional)
            return fail(ST_ARG,
                        "source %s has a share, and no example of it is left to train on: leave it away, or "
                        "give a total",
                        names[i].name);
        if (size > 0)
            *total = fmin(*total, size * sum / sources[i].share);
    }
    *total = isinf(*total) ? 0 : *total;
    return ST_OK;
}

static Status want(const InstructConfig *c, InstructPlanSource *sources, const InstructSource *names,
                   size_t n, bool shared)
{
    double sum = 0, total = (double)c->total;
    for (size_t i = 0; i < n; i++)
        sum += shared ? sources[i].share : sources[i].weight * size_of(c, &sources[i]);
    if (shared && total <= 0)
        TRY(total_without_repeats(&total, c, sources, names, n, sum));
    for (size_t i = 0; i < n; i++) {
        InstructPlanSource *s = &sources[i];
        double part = shared ? s->share : s->weight * size_of(c, s);
        s->wanted = total > 0 && sum > 0 ? total * part / sum : shared ? 0 : part;
    }
    return ST_OK;
}

Status instruct_plan(const InstructConfig *c, InstructPlanSource *sources, const InstructSource *names,
                     size_t n, Str *notes)
{
    bool shared;
    double granted = 0;
    TRY(shares_agree(sources, names, n, &shared));
    TRY(want(c, sources, names, n, shared));
    for (size_t i = 0; i < n; i++) {
        InstructPlanSource *s = &sources[i];
        double most = c->max_repeats * size_of(c, s);
        s->granted = fmin(s->wanted, most);
        granted += s->granted;
        if (s->wanted > 0 && most <= 0)
            str_addf(notes, "%s gives none of %.0f %s: it has none to train on\n", names[i].name, s->wanted,
                     c->mix);
        else if (s->wanted > most * (1 + 1e-9))
            str_addf(notes,
                     "%s gives %.0f of %.0f %s: it would be repeated %.1f times, and max_repeats allows %g\n",
                     names[i].name, s->granted, s->wanted, c->mix, s->wanted / size_of(c, s), c->max_repeats);
    }
    return granted >= 0.5
               ? ST_OK
               : fail(ST_ARG, "no example is left to train on: the sources are empty, or all of them were "
                              "kept aside (rejected.jsonl in the run's data, if there is one)");
}

void instruct_plan_order(InstructOrder *out, const uint32_t *lengths, int64_t n, double granted,
                         bool by_tokens, uint64_t seed, uint64_t stream)
{
    double left = granted;
    Shuffle order;
    array_clear(out);
    for (int64_t i = 0; n > 0; i++) {
        if (i % n == 0)
            shuffle_start(&order, (uint64_t)n, seed, stream + (uint64_t)(i / n));
        int64_t e = (int64_t)shuffle_at(&order, (uint64_t)(i % n));
        double costs = by_tokens ? (double)lengths[e] : 1;
        if (left < costs / 2 || left <= 0)
            break;
        left -= costs;
        array_push(out, e);
    }
}

typedef struct {
    int64_t row;
    uint32_t left;
} OpenRow;

/* The open row that the example leaves least room in; -1: none has room for it. */
static int fitting(const OpenRow *open, int n, uint32_t length)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (open[i].left >= length && (best < 0 || open[i].left < open[best].left))
            best = i;
    return best;
}

/* The fullest row makes room for a new one. */
static int fullest(const OpenRow *open, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (open[i].left < open[best].left)
            best = i;
    return best;
}

int64_t instruct_plan_rows(int64_t *row, const uint32_t *lengths, int64_t n, uint32_t room, bool single)
{
    OpenRow open[PACK_OPEN];
    int open_n = 0;
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++) {
        check(lengths[i] <= room);
        int k = single ? -1 : fitting(open, open_n, lengths[i]);
        if (k < 0) {
            k = open_n < PACK_OPEN ? open_n++ : fullest(open, open_n);
            open[k] = (OpenRow){rows++, room};
        }
        open[k].left -= lengths[i];
        row[i] = open[k].row;
    }
    return rows;
}
