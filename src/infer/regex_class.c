#include "infer/regex_class.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { CODES = 0x110000, CATEGORIES = 30 };

void ranges_add(CodeRanges *r, uint32_t first, uint32_t last)
{
    array_push(r, ((CodeRange){first, last}));
}

void ranges_add_all(CodeRanges *r, const CodeRanges *more)
{
    for (size_t i = 0; i < more->n; i++)
        array_push(r, more->at[i]);
}

static int by_first(const void *a, const void *b)
{
    uint32_t x = ((const CodeRange *)a)->first, y = ((const CodeRange *)b)->first;
    return (x > y) - (x < y);
}

/* Appends what a range has outside [low, high]. */
static void add_outside(CodeRanges *out, CodeRange r, uint32_t low, uint32_t high)
{
    if (r.first < low)
        ranges_add(out, r.first, r.last < low ? r.last : low - 1);
    if (r.last > high)
        ranges_add(out, r.first > high ? r.first : high + 1, r.last);
}

void ranges_normalise(CodeRanges *r)
{
    CodeRanges kept = {0};
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        add_outside(&kept, r->at[i], 0xD800, 0xDFFF);
    array_drop(r);
    *r = kept;
    if (r->n)
        qsort(r->at, r->n, sizeof *r->at, by_first);
    for (size_t i = 0; i < r->n; i++) {
        CodeRange c = r->at[i];
        if (n && c.first <= r->at[n - 1].last + 1)
            r->at[n - 1].last = c.last > r->at[n - 1].last ? c.last : r->at[n - 1].last;
        else
            r->at[n++] = c;
    }
    r->n = n;
}

void ranges_negate(CodeRanges *r)
{
    CodeRanges out = {0};
    uint32_t from = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->at[i].first > from)
            ranges_add(&out, from, r->at[i].first - 1);
        from = r->at[i].last + 1;
    }
    if (from < CODES)
        ranges_add(&out, from, CODES - 1);
    array_drop(r);
    *r = out;
    ranges_normalise(r);
}

/* Unicode's general categories --------------------------------------------------------------------------- */

static uint8_t *category_of; /* [CODES], for the life of the process */
static pthread_once_t category_once = PTHREAD_ONCE_INIT;

static void read_categories(void)
{
    category_of = mem_array(uint8_t, CODES);
    for (int32_t c = 0; c < CODES; c++)
        category_of[c] = (uint8_t)utf8proc_category(c);
}

static void add_categories(CodeRanges *r, uint32_t wanted)
{
    pthread_once(&category_once, read_categories);
    for (uint32_t c = 0; c < CODES; c++) {
        if (!(wanted >> category_of[c] & 1))
            continue;
        uint32_t first = c;
        while (c + 1 < CODES && wanted >> category_of[c + 1] & 1)
            c++;
        ranges_add(r, first, c);
    }
}

bool ranges_add_category(CodeRanges *r, Span name)
{
    static const char names[CATEGORIES][3] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
                                              "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
                                              "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};
    uint32_t wanted = 0;
    if (name.n < 1 || name.n > 2)
        return false;
    for (uint32_t i = 0; i < CATEGORIES; i++)
        if (memcmp(names[i], name.at, name.n) == 0)
            wanted |= 1u << i;
    add_categories(r, wanted);
    return wanted != 0;
}

/* Shorthands --------------------------------------------------------------------------------------------- */

static void add_digits(CodeRanges *r, bool wide)
{
    ranges_add(r, '0', '9');
    if (wide)
        ranges_add_category(r, span("Nd"));
}

/* Wide: whatever Python or UTS 18 counts as part of a word. */
static void add_word(CodeRanges *r, bool wide)
{
    static const char *const wide_names[] = {"L", "M", "N", "Pc", "Cf", "So"};
    ranges_add(r, '0', '9');
    ranges_add(r, 'A', 'Z');
    ranges_add(r, '_', '_');
    ranges_add(r, 'a', 'z');
    for (size_t i = 0; wide && i < sizeof wide_names / sizeof *wide_names; i++)
        ranges_add_category(r, span(wide_names[i]));
}

static void add_space(CodeRanges *r, bool wide)
{
    static const CodeRange unicode[] = {{0x1C, 0x1F},     {0x85, 0x85},     {0xA0, 0xA0},
                                        {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200A},
                                        {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                        {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
    ranges_add(r, '\t', '\r');
    ranges_add(r, ' ', ' ');
    for (size_t i = 0; wide && i < sizeof unicode / sizeof *unicode; i++)
        ranges_add(r, unicode[i].first, unicode[i].last);
}

void ranges_add_shorthand(CodeRanges *r, char letter, bool wide)
{
    CodeRanges base = {0};
    bool negated = letter == 'D' || letter == 'W' || letter == 'S';
    switch (letter) {
    case 'd':
    case 'D': add_digits(&base, wide != negated); break;
    case 'w':
    case 'W': add_word(&base, wide != negated); break;
    default: add_space(&base, wide != negated);
    }
    ranges_normalise(&base);
    if (negated)
        ranges_negate(&base);
    ranges_add_all(r, &base);
    array_drop(&base);
}

void ranges_add_dot(CodeRanges *r)
{
    ranges_add(r, 0, '\n' - 1);
    ranges_add(r, '\n' + 1, '\r' - 1);
    ranges_add(r, '\r' + 1, 0x84);
    ranges_add(r, 0x86, 0x2027);
    ranges_add(r, 0x202A, CODES - 1);
}
