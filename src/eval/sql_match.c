#include "eval/sql_match.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/python_repr.h"
#include "eval/sql_text.h"

enum { WORK_MAX = 500000000 };

/* The text. ---------------------------------------------------------------------------------------------- */

static void join_comparisons(Str *out, Span query)
{
    for (size_t i = 0; i < query.n; i++) {
        bool split = query.n - i >= 3 && strchr("<>!", query.at[i]) && query.at[i] &&
                     query.at[i + 1] == ' ' && query.at[i + 2] == '=';
        str_addc(out, query.at[i]);
        if (split) {
            str_addc(out, '=');
            i += 2;
        }
    }
}

/* The length of "YEAR(CURDATE())" with its blanks at `at`; 0: something else stands there. */
static size_t year_length(Span text, size_t at)
{
    static const char *const parts[] = {"YEAR", "(", "CURDATE", "(", ")", ")"};
    size_t i = at;
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        size_t n = strlen(parts[p]);
        if (text.n - i < n || strncasecmp(text.at + i, parts[p], n) != 0)
            return 0;
        for (i += n; i < text.n && text.at[i] && strchr(" \t\n\r\f\v", text.at[i]);)
            i++;
    }
    return i - at;
}

static void add_years(Str *out, Span text)
{
    for (size_t i = 0; i < text.n;) {
        size_t n = year_length(text, i);
        if (n)
            str_adds(out, "2020");
        else
            str_addc(out, text.at[i]);
        i += n ? n : 1;
    }
}

void sql_match_prepare(Str *out, Span query, bool distinct)
{
    Str joined = {0}, kept = {0};
    join_comparisons(&joined, query);
    Span text = sql_text_first(str_span(&joined));
    for (size_t i = 0, n; i < text.n; i += n) {
        n = sql_text_token(text, i);
        if (distinct || n != strlen("distinct") || strncasecmp(text.at + i, "distinct", n) != 0)
            str_add(&kept, text.at + i, n);
    }
    add_years(out, str_span(&kept));
    str_drop(&joined);
    str_drop(&kept);
}

bool sql_match_is_ordered(Span gold)
{
    for (size_t i = 0; i + strlen("order by") <= gold.n; i++)
        if (strncasecmp(gold.at + i, "order by", strlen("order by")) == 0)
            return true;
    return false;
}

/* Rows as Python's quick_rej sees them. ------------------------------------------------------------------ */

/* Values that are equal in Python get one number, in both results. */
typedef struct {
    int64_t rows;
    int columns;
    int32_t *ids;    /* [rows, columns] */
    int32_t *sorted; /* [rows, columns]: each row by the text of its values */
} Ids;

static void add_key(Str *key, const SqlValue *v)
{
    static const char kinds[] = {
        [SQL_NULL] = 'n', [SQL_INT] = 'i', [SQL_REAL] = 'r', [SQL_TEXT] = 't', [SQL_BLOB] = 'b'};
    SqlValue number = *v;
    if (v->kind == SQL_REAL && v->real >= -9223372036854775808.0 && v->real < 9223372036854775808.0 &&
        (double)(int64_t)v->real == v->real)
        number = (SqlValue){.kind = SQL_INT, .whole = (int64_t)v->real};
    str_clear(key);
    str_addc(key, kinds[number.kind]);
    if (number.kind == SQL_INT || number.kind == SQL_REAL)
        str_add(key, &number.whole, sizeof number.whole); /* the bits, of either */
    else if (number.kind != SQL_NULL)
        str_add(key, number.bytes.at, number.bytes.n);
}

/* str(value) + str(type(value)), by which published code sorts. */
static void add_sort_key(Str *key, const SqlValue *v)
{
    static const char *const types[] = {"NoneType", "int", "float", "str", "bytes"};
    if (v->kind == SQL_NULL)
        str_adds(key, "None");
    else if (v->kind == SQL_INT)
        str_addf(key, "%lld", (long long)v->whole);
    else if (v->kind == SQL_REAL)
        python_repr_real(key, v->real);
    else
        str_add(key, v->bytes.at, v->bytes.n);
    str_addf(key, "<class '%s'>", types[v->kind]);
}

typedef struct {
    Span key;
    int32_t id;
    int place;
} SortItem;

static int by_key(const void *a, const void *b)
{
    const SortItem *x = a, *y = b;
    size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
    int order = n ? memcmp(x->key.at, y->key.at, n) : 0;
    if (order == 0)
        order = (x->key.n > y->key.n) - (x->key.n < y->key.n);
    return order ? order : x->place - y->place;
}

static void sort_row(Ids *t, const SqlResult *r, int64_t row, SortItem *items, Str *text)
{
    size_t from = 0;
    str_clear(text);
    for (int c = 0; c < t->columns; c++) {
        add_sort_key(text, sql_value(r, row, c));
        items[c] = (SortItem){{NULL, text->n}, t->ids[row * t->columns + c], c};
    }
    for (int c = 0; c < t->columns; c++) { /* the text no longer moves */
        size_t end = items[c].key.n;
        items[c].key = (Span){text->at + from, end - from};
        from = end;
    }
    qsort(items, (size_t)t->columns, sizeof *items, by_key);
    for (int c = 0; c < t->columns; c++)
        t->sorted[row * t->columns + c] = items[c].id;
}

static Ids ids_of(const SqlResult *r, Map *known)
{
    Ids t = {r->rows, (int)r->columns, mem_array(int32_t, r->values.n), mem_array(int32_t, r->values.n)};
    SortItem *items = mem_array(SortItem, r->columns);
    Str key = {0};
    for (size_t i = 0; i < r->values.n; i++) {
        add_key(&key, &r->values.at[i]);
        int64_t *id = map_put(known, key.at, key.n);
        if (*id == 0)
            *id = map_count(known);
        t.ids[i] = (int32_t)*id;
    }
    for (int64_t row = 0; row < r->rows; row++)
        sort_row(&t, r, row, items, &key);
    str_drop(&key);
    mem_free(items);
    return t;
}

static void ids_drop(Ids *t)
{
    mem_free(t->ids);
    mem_free(t->sorted);
}

/* Sets and bags of rows, by a hash of 64 bits each. ------------------------------------------------------ */

static uint64_t mix(uint64_t h, int32_t id)
{
    h = (h ^ (uint64_t)(uint32_t)id) * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return h ^ h >> 32;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t *sorted_hashes(const uint64_t *h, int64_t n)
{
    uint64_t *copy = mem_copy(h, (size_t)n * sizeof *h);
    qsort(copy, (size_t)n, sizeof *copy, by_hash);
    return copy;
}

static int64_t without_repeats(uint64_t *h, int64_t n)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++)
        if (kept == 0 || h[kept - 1] != h[i])
            h[kept++] = h[i];
    return kept;
}

/* Of n hashes each: the same bags, or the same sets. */
static bool same_hashes(const uint64_t *a, const uint64_t *b, int64_t n, bool sets)
{
    uint64_t *x = sorted_hashes(a, n), *y = sorted_hashes(b, n);
    int64_t nx = sets ? without_repeats(x, n) : n, ny = sets ? without_repeats(y, n) : n;
    bool same = nx == ny && memcmp(x, y, (size_t)nx * sizeof *x) == 0;
    mem_free(x);
    mem_free(y);
    return same;
}

static uint64_t *row_hashes(const int32_t *ids, int64_t rows, int columns)
{
    uint64_t *h = mem_array(uint64_t, rows);
    for (int64_t r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            h[r] = mix(h[r], ids[r * columns + c]);
    return h;
}

static bool quickly_rejected(const Ids *a, const Ids *b, bool ordered)
{
    uint64_t *x = row_hashes(a->sorted, a->rows, a->columns), *y = row_hashes(b->sorted, b->rows, b->columns);
    bool same = ordered ? memcmp(x, y, (size_t)a->rows * sizeof *x) == 0 : same_hashes(x, y, a->rows, true);
    mem_free(x);
    mem_free(y);
    return !same;
}

/* Orders of columns. ------------------------------------------------------------------------------------- */

typedef struct {
    const Ids *a, *b;
    bool ordered;
    bool *used;   /* [columns] of b */
    int64_t work; /* values looked at */
} Search;

static bool same_column(Search *s, const Ids *x, int cx, const Ids *y, int cy)
{
    for (int64_t r = 0; r < x->rows; r++, s->work++)
        if (x->ids[r * x->columns + cx] != y->ids[r * y->columns + cy])
            return false;
    return true;
}

/* A column of b that was tried in this place and failed stands for all that are like it. */
static bool like_an_earlier(Search *s, int column)
{
    for (int c = 0; c < column; c++)
        if (!s->used[c] && same_column(s, s->b, c, s->b, column))
            return true;
    return false;
}

static uint64_t *extended(Search *s, const uint64_t *before, const Ids *t, int column)
{
    uint64_t *h = mem_array(uint64_t, t->rows);
    for (int64_t r = 0; r < t->rows; r++)
        h[r] = mix(before ? before[r] : 0, t->ids[r * t->columns + column]);
    s->work += 16 * t->rows; /* and sorted */
    return h;
}

/* Columns before `at` of a have found theirs; x and y hash what the rows have there. */
static bool place(Search *s, int at, const uint64_t *x, const uint64_t *y)
{
    bool found = at == s->a->columns;
    uint64_t *more = found || s->ordered ? NULL : extended(s, x, s->a, at);
    for (int c = 0; !found && c < s->b->columns && s->work < WORK_MAX; c++) {
        if (s->used[c] || like_an_earlier(s, c))
            continue;
        uint64_t *other = s->ordered ? NULL : extended(s, y, s->b, c);
        bool fits =
            s->ordered ? same_column(s, s->a, at, s->b, c) : same_hashes(more, other, s->a->rows, false);
        s->used[c] = true;
        found = fits && place(s, at + 1, more, other);
        s->used[c] = false;
        mem_free(other);
        if (fits && !found && s->ordered)
            break; /* equal sequences are interchangeable */
    }
    mem_free(more);
    return found;
}

bool sql_match_results(const SqlResult *gold, const SqlResult *answer, bool ordered)
{
    if (gold->rows == 0 && answer->rows == 0)
        return true;
    if (gold->rows != answer->rows || gold->columns != answer->columns)
        return false;
    Map *known = map_new();
    Ids a = ids_of(gold, known), b = ids_of(answer, known);
    map_free(known);
    Search s = {&a, &b, ordered, mem_array(bool, a.columns), 0};
    bool same = !quickly_rejected(&a, &b, ordered) && place(&s, 0, NULL, NULL);
    mem_free(s.used);
    ids_drop(&a);
    ids_drop(&b);
    return same;
}
