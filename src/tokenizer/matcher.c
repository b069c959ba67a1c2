#include "tokenizer/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tokenizer/unicode.h"

void matcher_add(Matcher *m, Needle needle)
{
    check(needle.text.n > 0);
    array_push(&m->needles, needle);
}

static int by_first_then_length(const void *a, const void *b)
{
    const Needle *x = a, *y = b;
    unsigned char p = (unsigned char)x->text.at[0], q = (unsigned char)y->text.at[0];
    if (p != q)
        return p < q ? -1 : 1;
    if (x->text.n != y->text.n)
        return x->text.n > y->text.n ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

void matcher_ready(Matcher *m)
{
    if (m->needles.n)
        qsort(m->needles.at, m->needles.n, sizeof *m->needles.at, by_first_then_length);
    uint32_t i = 0;
    for (int b = 0; b <= 256; b++) {
        while (i < m->needles.n && (unsigned char)m->needles.at[i].text.at[0] < b)
            i++;
        m->first[b] = i;
    }
}

void matcher_drop(Matcher *m)
{
    array_drop(&m->needles);
}

const Needle *matcher_at(const Matcher *m, const char *text, size_t n)
{
    unsigned char b = (unsigned char)text[0];
    for (uint32_t i = m->first[b]; i < m->first[b + 1]; i++) {
        const Needle *s = &m->needles.at[i];
        if (s->text.n <= n && s->text.at[s->text.n - 1] == text[s->text.n - 1] &&
            memcmp(s->text.at, text, s->text.n) == 0)
            return s;
    }
    return NULL;
}

/* The character that ends at text[at), and where it begins. */
static uint32_t character_before(const char *text, size_t at, size_t *begin)
{
    for (size_t back = 1; back <= 4 && back <= at; back++) {
        uint32_t c;
        if (utf8_decode(&c, text + at - back, back) == (int)back) {
            *begin = at - back;
            return c;
        }
    }
    *begin = at ? at - 1 : 0;
    return 0xFFFD;
}

static bool stands_alone(const char *text, size_t n, size_t start, size_t end)
{
    uint32_t c;
    size_t ignored;
    if (start > 0 && unicode_is_word(character_before(text, start, &ignored)))
        return false;
    return end == n || utf8_decode(&c, text + end, n - end) == 0 || !unicode_is_word(c);
}

Found matcher_next(const Matcher *m, const char *text, size_t n, size_t from)
{
    for (size_t i = from; i < n && m->needles.n; i++) {
        const Needle *s = matcher_at(m, text + i, n - i);
        if (!s)
            continue;
        Found f = {i, i + s->text.n, s->id};
        if (s->single_word && !stands_alone(text, n, f.start, f.end)) {
            i = f.end - 1;
            continue;
        }
        for (size_t begin; s->left_strip && f.start > from; f.start = begin)
            if (!unicode_is_space(character_before(text, f.start, &begin)))
                break;
        uint32_t c;
        for (int k; s->right_strip && f.end < n; f.end += (size_t)k)
            if ((k = utf8_decode(&c, text + f.end, n - f.end)) == 0 || !unicode_is_space(c))
                break;
        return f;
    }
    return (Found){n, n, -1};
}
