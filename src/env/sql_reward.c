#include "env/sql_reward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { DEEPEST = 32 };

/* Python's print of a result. ---------------------------------------------------------------------------- */

typedef struct {
    const char *begin, *at, *end;
} Reader;

static bool take(Reader *r, char c)
{
    bool here = r->at < r->end && *r->at == c;
    r->at += here;
    return here;
}

static bool take_word(Reader *r, const char *word)
{
    size_t n = strlen(word);
    bool here = (size_t)(r->end - r->at) >= n && memcmp(r->at, word, n) == 0;
    r->at += here ? n : 0;
    return here;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool read_string(Reader *r)
{
    char quote = *r->at++;
    for (; r->at < r->end && *r->at != quote; r->at++)
        if (*r->at == '\\' && ++r->at == r->end)
            return false;
    return take(r, quote);
}

static bool read_number(Reader *r)
{
    const char *digits;
    take(r, '-');
    if (take_word(r, "inf") || take_word(r, "nan"))
        return true;
    for (digits = r->at; r->at < r->end && *r->at >= '0' && *r->at <= '9';)
        r->at++;
    bool good = r->at > digits;
    if (good && take(r, '.'))
        while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
            r->at++;
    if (good && take(r, 'e')) {
        if (!take(r, '+'))
            take(r, '-');
        for (digits = r->at; r->at < r->end && *r->at >= '0' && *r->at <= '9';)
            r->at++;
        good = r->at > digits;
    }
    return good;
}

static bool read_value(Reader *r, int depth);

/* "a, b]" behind the opening bracket. */
static bool read_values(Reader *r, char close, int depth)
{
    while (!take(r, close)) {
        if (!read_value(r, depth))
            return false;
        if (take(r, ','))
            take(r, ' ');
        else if (r->at == r->end || *r->at != close)
            return false;
    }
    return true;
}

/* None, b'...', inf, datetime.date(...), and the name in front of a keyword argument. */
static bool read_named(Reader *r, int depth)
{
    const char *name = r->at;
    while (r->at < r->end && (is_name(*r->at) || *r->at == '.'))
        r->at++;
    Span word = {name, (size_t)(r->at - name)};
    if (word.n == 0)
        return false;
    if (r->at < r->end && (*r->at == '\'' || *r->at == '"'))
        return span_is(word, "b") && read_string(r);
    if (take(r, '('))
        return read_values(r, ')', depth);
    if (take(r, '='))
        return read_value(r, depth);
    return span_is(word, "None") || span_is(word, "True") || span_is(word, "False") || span_is(word, "inf") ||
           span_is(word, "nan");
}

static bool read_value(Reader *r, int depth)
{
    if (r->at == r->end || depth > DEEPEST)
        return false;
    char c = *r->at;
    if (c == '\'' || c == '"')
        return read_string(r);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r);
    if (take(r, '('))
        return read_values(r, ')', depth + 1);
    if (take(r, '['))
        return read_values(r, ']', depth + 1);
    if (take(r, '{'))
        return read_values(r, '}', depth + 1);
    return read_named(r, depth + 1);
}

static bool read_rows(RowTexts *out, Reader *r)
{
    if (!take(r, '['))
        return false;
    while (!take(r, ']')) {
        const char *row = r->at;
        if (!take(r, '(') || !read_values(r, ')', 1))
            return false;
        Span text = {row, (size_t)(r->at - row)};
        array_push(out, text);
        if (!take_word(r, ", ") && (r->at == r->end || *r->at != ']'))
            return false;
    }
    return r->at == r->end;
}

Status row_texts_read(RowTexts *out, Span text)
{
    Reader r = {text.at, text.at, text.at + text.n};
    array_clear(out);
    if (read_rows(out, &r))
        return ST_OK;
    array_clear(out);
    return fail(ST_FORMAT, "byte %zu of %zu: no list of tuples as Python prints it", (size_t)(r.at - r.begin),
                text.n);
}

void row_texts_drop(RowTexts *r)
{
    array_drop(r);
}

/* Kendall's tau. ----------------------------------------------------------------------------------------- */

typedef struct {
    int64_t x, y;
} Pair;

static int by_x_then_y(const void *a, const void *b)
{
    const Pair *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static int by_value(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static double pairs_of(int64_t n)
{
    return (double)n * (double)(n - 1) / 2;
}

/* Pairs of equal ones among the sorted v[0..n). */
static double ties_of(const int64_t *v, size_t n)
{
    double ties = 0;
    int64_t run = 1;
    for (size_t i = 1; i <= n; i++) {
        bool same = i < n && v[i] == v[i - 1];
        ties += same ? 0 : pairs_of(run);
        run = same ? run + 1 : 1;
    }
    return ties;
}

/* Numbers the sorted pairs from 0, equal ones alike. */
static void number_pairs(int64_t *out, const Pair *p, size_t n)
{
    out[0] = 0;
    for (size_t i = 1; i < n; i++)
        out[i] = out[i - 1] + (by_x_then_y(&p[i], &p[i - 1]) != 0);
}

/* Exchanges that a merge sort of v needs: pairs in the other order. */
static double sort_inversions(int64_t *v, int64_t *other, size_t n)
{
    if (n < 2)
        return 0;
    size_t half = n / 2, i = 0, k = half, to = 0;
    double inversions = sort_inversions(v, other, half) + sort_inversions(v + half, other, n - half);
    while (to < n) {
        bool left = k == n || (i < half && v[i] <= v[k]);
        inversions += left ? 0 : (double)(half - i);
        other[to++] = left ? v[i++] : v[k++];
    }
    memcpy(v, other, n * sizeof *v);
    return inversions;
}

double kendall_tau_b(int64_t *x, int64_t *y, size_t n)
{
    if (n < 2)
        return NAN;
    Pair *pairs = mem_array(Pair, n);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (Pair){x[i], y[i]};
    qsort(pairs, n, sizeof *pairs, by_x_then_y);
    qsort(x, n, sizeof *x, by_value);
    double all = pairs_of((int64_t)n), x_ties = ties_of(x, n);
    number_pairs(x, pairs, n);
    double both_ties = ties_of(x, n);
    for (size_t i = 0; i < n; i++)
        y[i] = pairs[i].y;
    double discordant = sort_inversions(y, x, n), y_ties = ties_of(y, n);
    mem_free(pairs);
    if (x_ties >= all || y_ties >= all)
        return NAN;
    double tau =
        (all - x_ties - y_ties + both_ties - 2 * discordant) / sqrt(all - x_ties) / sqrt(all - y_ties);
    return fmin(1, fmax(-1, tau));
}

/* The reward. -------------------------------------------------------------------------------------------- */

/* Rows by their text, numbered in the order of their first mention. */
typedef struct {
    Map *numbers;          /* row -> its number + 1 */
    int64_t *agent, *gold; /* how often each has it */
} Counts;

static int64_t number_of(const Counts *c, Span row)
{
    return *map_find(c->numbers, row.at, row.n) - 1;
}

static void count(Counts *c, int64_t *times, const RowTexts *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        int64_t *number = map_put(c->numbers, rows->at[i].at, rows->at[i].n);
        if (*number == 0)
            *number = map_count(c->numbers);
        times[*number - 1]++;
    }
}

static int by_text(const void *a, const void *b)
{
    const Span *p = a, *q = b;
    size_t n = p->n < q->n ? p->n : q->n;
    int order = n ? memcmp(p->at, q->at, n) : 0;
    return order ? order : (p->n > q->n) - (p->n < q->n);
}

/* rank[number]: the place of a row among all in the order of their characters. */
static int64_t *rank_rows(const Counts *c)
{
    size_t n = (size_t)map_count(c->numbers);
    Span *rows = mem_array(Span, n + 1);
    int64_t *rank = mem_array(int64_t, n + 1);
    for (size_t i = 0; i < n; i++)
        rows[i] = map_key_at(c->numbers, (int64_t)i);
    qsort(rows, n, sizeof *rows, by_text);
    for (size_t i = 0; i < n; i++)
        rank[number_of(c, rows[i])] = (int64_t)i;
    mem_free(rows);
    return rank;
}

/* The ranks of the common rows as one list has them, a row as often as both have it, the first ones. */
static size_t common_ranks(int64_t *out, const Counts *c, const int64_t *rank, const RowTexts *rows)
{
    size_t n = 0, distinct = (size_t)map_count(c->numbers);
    int64_t *left = mem_array(int64_t, distinct + 1);
    for (size_t i = 0; i < distinct; i++)
        left[i] = c->agent[i] < c->gold[i] ? c->agent[i] : c->gold[i];
    for (size_t i = 0; i < rows->n; i++) {
        int64_t number = number_of(c, rows->at[i]);
        if (left[number] > 0) {
            left[number]--;
            out[n++] = rank[number];
        }
    }
    mem_free(left);
    return n;
}

static double order_of_common(const Counts *c, const RowTexts *agent, const RowTexts *gold)
{
    int64_t *rank = rank_rows(c), *x = mem_array(int64_t, agent->n + 1), *y = mem_array(int64_t, gold->n + 1);
    size_t n = common_ranks(x, c, rank, agent);
    common_ranks(y, c, rank, gold);
    double tau = kendall_tau_b(x, y, n);
    mem_free(rank);
    mem_free(x);
    mem_free(y);
    return tau;
}

double intercode_reward(InterCodeRule rule, const RowTexts *agent, const RowTexts *gold)
{
    if (agent->n + gold->n == 0)
        return 1;
    size_t most = agent->n + gold->n;
    Counts c = {map_new(), mem_array(int64_t, most), mem_array(int64_t, most)};
    count(&c, c.agent, agent);
    count(&c, c.gold, gold);
    int64_t both = 0, either = 0;
    for (int64_t i = 0; i < map_count(c.numbers); i++) {
        bool fewer = c.agent[i] < c.gold[i];
        both += fewer ? c.agent[i] : c.gold[i];
        either += fewer ? c.gold[i] : c.agent[i];
    }
    double reward = (double)both / (double)either;
    double tau = rule == INTERCODE_SCALED && both ? order_of_common(&c, agent, gold) : NAN;
    map_free(c.numbers);
    mem_free(c.agent);
    mem_free(c.gold);
    return isnan(tau) ? reward : rint(tau * reward * 100) / 100; /* as numpy's round */
}
