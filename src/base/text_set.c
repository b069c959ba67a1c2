/* Texts are found as Rabin and Karp do (1987, IBM J. Res. Dev. 31, 249-260): for each length a hash rolls
 * over the longer text, and where one may have it the bytes are looked up. */
#include "base/text_set.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/check.h"
#include "base/map.h"

enum { MARKS = 1 << 16 };
static const uint64_t base = 0x9E3779B97F4A7C15;

struct TextSet {
    Map *numbers;                   /* of the texts */
    Array(size_t) lengths;          /* the longest first, each once */
    unsigned char marks[MARKS / 8]; /* which hashes there are */
};

TextSet *text_set_new(void)
{
    TextSet *s = mem_new(TextSet);
    s->numbers = map_new();
    return s;
}

void text_set_free(TextSet *s)
{
    if (!s)
        return;
    array_drop(&s->lengths);
    map_free(s->numbers);
    mem_free(s);
}

static uint64_t hash_of(Span text)
{
    uint64_t h = 0;
    for (size_t i = 0; i < text.n; i++)
        h = h * base + (unsigned char)text.at[i];
    return h;
}

static size_t mark_of(uint64_t hash)
{
    return (size_t)((hash * base) >> 48) % MARKS;
}

bool text_set_add(TextSet *s, Span text)
{
    check(text.n > 0);
    if (map_find(s->numbers, text.at, text.n))
        return false;
    int64_t number = map_count(s->numbers);
    *map_put(s->numbers, text.at, text.n) = number;
    array_push(&s->lengths, text.n);
    size_t mark = mark_of(hash_of(text));
    s->marks[mark / 8] |= (unsigned char)(1u << mark % 8);
    return true;
}

static int longer_first(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

void text_set_end(TextSet *s)
{
    size_t n = 0;
    if (!s->lengths.n)
        return;
    qsort(s->lengths.at, s->lengths.n, sizeof *s->lengths.at, longer_first);
    for (size_t i = 0; i < s->lengths.n; i++)
        if (!n || s->lengths.at[i] != s->lengths.at[n - 1])
            s->lengths.at[n++] = s->lengths.at[i];
    s->lengths.n = n;
}

/* The number of a text of n bytes within the longer one; -1: none. */
static int64_t find_length(const TextSet *s, Span in, size_t n)
{
    uint64_t power = 1, h = hash_of((Span){in.at, n});
    for (size_t i = 1; i < n; i++)
        power *= base;
    for (size_t at = 0;; at++) {
        size_t mark = mark_of(h);
        const int64_t *found =
            s->marks[mark / 8] >> mark % 8 & 1 ? map_find(s->numbers, in.at + at, n) : NULL;
        if (found)
            return *found;
        if (at + n == in.n)
            return -1;
        h = (h - power * (unsigned char)in.at[at]) * base + (unsigned char)in.at[at + n];
    }
}

int64_t text_set_longest(const TextSet *s, Span in)
{
    int64_t found = -1;
    for (size_t i = 0; i < s->lengths.n && found < 0; i++)
        if (s->lengths.at[i] <= in.n)
            found = find_length(s, in, s->lengths.at[i]);
    return found;
}
