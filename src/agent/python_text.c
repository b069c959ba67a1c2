#include "agent/python_text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* The white space of str.isspace(): CPython, Objects/unicodetype_db.h, _PyUnicode_IsWhitespace. */
static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

/* The character that ends s; its length, 0 when s ends in no character. */
static int last_char(uint32_t *c, Span s)
{
    for (int n = 1; n <= 4 && (size_t)n <= s.n; n++)
        if (utf8_decode(c, s.at + s.n - n, (size_t)n) == n)
            return n;
    return 0;
}

Span python_strip(Span s)
{
    uint32_t c;
    int n;
    while ((n = utf8_decode(&c, s.at, s.n)) && is_space(c))
        s.at += n, s.n -= (size_t)n;
    while ((n = last_char(&c, s)) && is_space(c))
        s.n -= (size_t)n;
    return s;
}

Span python_strip_of(Span s, const char *chars)
{
    while (s.n && s.at[0] && strchr(chars, s.at[0]))
        s.at++, s.n--;
    while (s.n && s.at[s.n - 1] && strchr(chars, s.at[s.n - 1]))
        s.n--;
    return s;
}

static bool is_cased(uint32_t c)
{
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

/* Passed over when it is asked whether a letter ends a word: Unicode's Case_Ignorable. */
static bool is_ignorable(uint32_t c)
{
    if (strchr("'.:^`", (int)c) && c && c < 128)
        return true;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return c == 0xB7 || c == 0x2019;
    }
}

/* Capital sigma at s.at[i] becomes the final form at the end of a word: CPython, handle_capital_sigma. */
static bool ends_word(Span s, size_t i)
{
    uint32_t c;
    int n;
    Span before = {s.at, i}, after = {s.at + i + 2, s.n - i - 2};
    while ((n = last_char(&c, before)) && is_ignorable(c))
        before.n -= (size_t)n;
    if (!n || !is_cased(c))
        return false;
    while ((n = utf8_decode(&c, after.at, after.n)) && is_ignorable(c))
        after.at += n, after.n -= (size_t)n;
    return !n || !is_cased(c);
}

void python_lower(Str *out, Span s)
{
    enum { SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, DOTTED_I = 0x130, DOT_ABOVE = 0x307 };
    for (size_t i = 0; i < s.n;) {
        uint32_t c;
        int n = utf8_decode(&c, s.at + i, s.n - i);
        if (!n) {
            str_addc(out, s.at[i++]);
            continue;
        }
        if (c == DOTTED_I) {
            str_addc(out, 'i');
            str_add_utf8(out, DOT_ABOVE);
        } else {
            bool last = c == SIGMA && ends_word(s, i);
            str_add_utf8(out, last ? FINAL_SIGMA : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
        }
        i += (size_t)n;
    }
}

static bool is_decimal(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_ND;
}

bool python_is_digits(Span s)
{
    uint32_t c;
    int n = 0;
    bool any = s.n > 0;
    for (; (n = utf8_decode(&c, s.at, s.n)) && is_decimal(c); s.at += n, s.n -= (size_t)n)
        ;
    return any && s.n == 0;
}

/* Any script's decimal digits as '0'..'9'; they stand in runs of ten, smallest first.  Other characters
 * become '?'. */
static void to_ascii(Str *out, Span s)
{
    uint32_t c;
    for (int n; s.n; s.at += n, s.n -= (size_t)n) {
        n = utf8_decode(&c, s.at, s.n);
        if (!n)
            n = 1, c = '?';
        if (c < 128) {
            str_addc(out, (char)c);
        } else if (is_decimal(c)) {
            uint32_t first = c;
            while (is_decimal(first - 1))
                first--;
            str_addc(out, (char)('0' + (c - first) % 10));
        } else {
            str_addc(out, '?');
        }
    }
}

/* Digits with single underscores between them, appended without these; false when there is none. */
static bool take_digits(const char **p, Str *plain)
{
    const char *start = *p;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        str_addc(plain, **p);
        if ((*p)[1] == '_' && (*p)[2] >= '0' && (*p)[2] <= '9')
            (*p)++;
    }
    return *p > start;
}

/* CPython, Objects/floatobject.c, float_from_string_inner over _Py_string_to_number_with_underscores. */
static bool float_syntax(const char *p, Str *plain)
{
    if (*p == '+' || *p == '-')
        str_addc(plain, *p++);
    if (!strcasecmp(p, "inf") || !strcasecmp(p, "infinity") || !strcasecmp(p, "nan")) {
        str_adds(plain, p);
        return true;
    }
    bool whole = take_digits(&p, plain), part = false;
    if (*p == '.') {
        str_addc(plain, *p++);
        part = take_digits(&p, plain);
    }
    if (!whole && !part)
        return false;
    if (*p == 'e' || *p == 'E') {
        str_addc(plain, *p++);
        if (*p == '+' || *p == '-')
            str_addc(plain, *p++);
        if (!take_digits(&p, plain))
            return false;
    }
    return *p == 0;
}

bool python_float(double *out, Span s)
{
    Str ascii = {0}, plain = {0};
    to_ascii(&ascii, python_strip(s));
    bool good = strlen(str_c(&ascii)) == ascii.n && float_syntax(str_c(&ascii), &plain);
    if (good)
        *out = strtod(str_c(&plain), NULL);
    str_drop(&ascii);
    str_drop(&plain);
    return good;
}

size_t python_find(Span hay, Span needle, size_t from)
{
    if (from > hay.n || needle.n > hay.n - from)
        return hay.n + 1;
    if (!needle.n)
        return from;
    const char *at = memmem(hay.at + from, hay.n - from, needle.at, needle.n);
    return at ? (size_t)(at - hay.at) : hay.n + 1;
}

bool python_in(Span needle, Span hay)
{
    return python_find(hay, needle, 0) <= hay.n;
}

Span python_after_last(Span s, const char *mark)
{
    Span m = span(mark);
    for (size_t i; (i = python_find(s, m, 0)) <= s.n;)
        s = (Span){s.at + i + m.n, s.n - i - m.n};
    return s;
}
