#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

Span span(const char *s)
{
    return (Span){s, strlen(s)};
}

bool span_is(Span s, const char *text)
{
    if (s.n && *s.at != *text) /* most differ at once */
        return false;
    size_t n = strlen(text);
    return s.n == n && (n == 0 || memcmp(s.at, text, n) == 0); /* at may be NULL then */
}

bool span_starts(Span s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && (n == 0 || memcmp(s.at, prefix, n) == 0);
}

bool span_ends(Span s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && (n == 0 || memcmp(s.at + s.n - n, suffix, n) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

Span span_trim(Span s)
{
    while (s.n && is_space(s.at[0]))
        s.at++, s.n--;
    while (s.n && is_space(s.at[s.n - 1]))
        s.n--;
    return s;
}

Span words_next(const char **at)
{
    const char *word = *at + strspn(*at, " ");
    size_t n = strcspn(word, " ");
    *at = word + n;
    return (Span){word, n};
}

bool list_next(Span *item, const char **at)
{
    if (!*at || !**at)
        return false;
    size_t n = strcspn(*at, ",");
    *item = span_trim((Span){*at, n});
    *at += n + ((*at)[n] == ',');
    return true;
}

void str_reserve(Str *s, size_t more)
{
    if (s->cap - s->n > more)
        return;
    size_t want = s->n + more + 1;
    size_t cap = s->cap ? s->cap * 2 : 64;
    s->cap = cap > want ? cap : want;
    s->at = mem_resize(s->at, s->cap, 1);
}

void str_add(Str *s, const void *bytes, size_t n)
{
    str_reserve(s, n);
    if (n)
        memcpy(s->at + s->n, bytes, n);
    s->n += n;
    s->at[s->n] = 0;
}

void str_adds(Str *s, const char *text)
{
    str_add(s, text, strlen(text));
}

void str_addc(Str *s, char c)
{
    str_add(s, &c, 1);
}

void str_addf(Str *s, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0) {
        str_reserve(s, (size_t)n);
        vsnprintf(s->at + s->n, (size_t)n + 1, fmt, again);
        s->n += (size_t)n;
    }
    va_end(again);
}

void str_add_utf8(Str *s, uint32_t c)
{
    char b[4];
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        c = 0xFFFD;
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3F));
    b[0] = (char)(lead[n] | c);
    str_add(s, b, n);
}

void str_add_valid(Str *s, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t codepoint = 0xFFFD;
        int length = utf8_decode(&codepoint, text + i, n - i);
        str_add_utf8(s, length ? codepoint : 0xFFFD);
        i += length ? (size_t)length : 1;
    }
}

void str_clear(Str *s)
{
    s->n = 0;
    if (s->at)
        s->at[0] = 0;
}

void str_drop(Str *s)
{
    mem_free(s->at);
    *s = (Str){0};
}

Span str_span(const Str *s)
{
    return (Span){s->at ? s->at : "", s->n};
}

const char *str_c(const Str *s)
{
    return s->at ? s->at : "";
}

int utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2)
        return 0;
    if (first < 0xE0)
        return 2;
    if (first < 0xF0)
        return 3;
    return first < 0xF5 ? 4 : 0;
}

int utf8_decode(uint32_t *codepoint, const char *s, size_t n)
{
    if (n == 0)
        return 0;
    const unsigned char *b = (const unsigned char *)s;
    int len = utf8_length(b[0]);
    if (len == 0 || (size_t)len > n)
        return 0;
    uint32_t c = len == 1 ? b[0] : b[0] & (0x7Fu >> len);
    for (int i = 1; i < len; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3Fu);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    *codepoint = c;
    return len;
}

bool utf8_valid(const char *s, size_t n)
{
    uint32_t c;
    for (size_t i = 0; i < n;) {
        if ((unsigned char)s[i] < 0x80) {
            i++;
            continue;
        }
        int len = utf8_decode(&c, s + i, n - i);
        if (!len)
            return false;
        i += (size_t)len;
    }
    return true;
}

static const char *human(char buf[32], double v, const char *const *units, double step)
{
    int u = 0;
    while (fabs(v) >= step * 0.9995 && units[u + 1])
        v /= step, u++;
    snprintf(buf, 32, u == 0 ? "%.0f%s%s" : v < 9.995 ? "%.2f%s%s" : v < 99.95 ? "%.1f%s%s" : "%.0f%s%s", v,
             *units[u] ? " " : "", units[u]);
    return buf;
}

const char *human_bytes(char buf[32], double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", NULL};
    return human(buf, bytes, units, 1000);
}

const char *human_count(char buf[32], double count)
{
    static const char *const units[] = {"", "k", "M", "G", "T", NULL};
    return human(buf, count, units, 1000);
}

const char *human_time(char buf[32], double s)
{
    static const double year = 365.25 * 86400;
    if (!(s >= 0) || s > 1e15)
        snprintf(buf, 32, "?");
    else if (s > 2 * year)
        snprintf(buf, 32, "%.0f years", s / year);
    else if (s < 9.95)
        snprintf(buf, 32, "%.1f s", s);
    else if (s < 59.5)
        snprintf(buf, 32, "%.0f s", s);
    else if (s < 3599.5)
        snprintf(buf, 32, "%d min %02d s", (int)(s + 0.5) / 60, (int)(s + 0.5) % 60);
    else if (s < 86400)
        snprintf(buf, 32, "%d h %02d min", (int)(s + 30) / 3600, (int)(s + 30) % 3600 / 60);
    else
        snprintf(buf, 32, "%d d %02d h", (int)((s + 1800) / 86400),
                 (int)((int64_t)(s + 1800) % 86400 / 3600));
    return buf;
}

static int64_t suffix_factor(const char *end)
{
    if (*end == 0)
        return 1;
    if (end[1] != 0)
        return 0;
    switch (*end) {
    case 'k': case 'K': return 1000;
    case 'm': case 'M': return 1000000;
    case 'g': case 'G': return 1000000000;
    default: return 0;
    }
}

Status parse_int(int64_t *out, const char *text)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    int64_t factor = suffix_factor(end), product;
    if (end == text || factor == 0)
        return fail(ST_ARG, "'%s' is not a whole number", text);
    if (errno || __builtin_mul_overflow((int64_t)v, factor, &product))
        return fail(ST_ARG, "%s is too large", text);
    *out = product;
    return ST_OK;
}

Status parse_double(double *out, const char *text)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v))
        return fail(ST_ARG, "'%s' is not a number", text);
    *out = v;
    return ST_OK;
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);
    if (n >= 64 || strlen(a) >= 64)
        return 64;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[n];
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 2 + 1;
    if (best_distance > 3)
        best_distance = 4;
    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(word, names[i]);
        if (d < best_distance)
            best = names[i], best_distance = d;
    }
    return best;
}
