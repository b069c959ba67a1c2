#include "eval/fold.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/str.h"

enum { PARTS_MOST = 1000 };

static bool take_number(const char **at, int64_t *out)
{
    size_t n = strspn(*at, "0123456789");
    char *digits = mem_strn(*at, n);
    bool is = n > 0 && parse_int(out, digits) == ST_OK && *out >= 1 && *out <= PARTS_MOST;
    mem_free(digits);
    *at += n;
    return is;
}

static bool take_sign(const char **at, char sign)
{
    bool is = **at == sign;
    *at += is;
    return is;
}

Status fold_read(Fold *out, const char *text)
{
    const char *at = text;
    *out = (Fold){0};
    if (!*text)
        return ST_OK;
    bool is = take_number(&at, &out->first);
    out->last = out->first;
    if (is && take_sign(&at, '-'))
        is = take_number(&at, &out->last);
    is = is && take_sign(&at, '/') && take_number(&at, &out->of) && !*at;
    if (is && out->first <= out->last && out->last <= out->of)
        return ST_OK;
    return fail(
        ST_ARG,
        "'%.40s' is no part of the questions: write 2/5 for the second of five, or 3-5/5 for the last "
        "three",
        text);
}

typedef struct {
    uint64_t hash;
    int64_t index;
} Ranked;

static int by_hash(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

void fold_mark(bool *in, const Fold *f, const char *const *ids, int64_t n)
{
    Ranked *ranked = mem_array(Ranked, n + 1);
    for (int64_t i = 0; i < n; i++) {
        ranked[i] = (Ranked){XXH3_64bits(ids[i], strlen(ids[i])), i};
        in[i] = f->of == 0;
    }
    qsort(ranked, (size_t)n, sizeof *ranked, by_hash);
    for (int64_t i = f->of ? n * (f->first - 1) / f->of : n; i < n && i < n * f->last / f->of; i++)
        in[ranked[i].index] = true;
    mem_free(ranked);
}
