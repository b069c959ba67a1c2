#include "env/sql_print.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void add_quoted(Str *out, Span text, bool bytes)
{
    bool single = text.n && memchr(text.at, '\'', text.n) && !memchr(text.at, '"', text.n);
    char quote = single ? '"' : '\'';
    str_adds(out, bytes ? "b" : "");
    str_addc(out, quote);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.at[i];
        unsigned char next = i + 1 < text.n ? (unsigned char)text.at[i + 1] : 0;
        if (c == (unsigned char)quote || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            str_adds(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (c < ' ' || c == 127 || (bytes && c > 127))
            str_addf(out, "\\x%02x", c);
        else if (c == 0xC2 && (next <= 0xA0 || next == 0xAD)) /* U+0080 to U+00A0 and U+00AD do not show */
            str_addf(out, "\\x%02x", (unsigned)(unsigned char)text.at[++i]);
        else
            str_addc(out, (char)c);
    }
    str_addc(out, quote);
}

void sql_print_text(Str *out, Span text)
{
    add_quoted(out, text, false);
}

void sql_print_bytes(Str *out, Span bytes)
{
    add_quoted(out, bytes, true);
}

/* A copy that ends in NUL; false: too long for any time, or with a NUL in it. */
static bool copy_time(char c[32], Span text)
{
    if (text.n == 0 || text.n >= 32 || memchr(text.at, 0, text.n))
        return false;
    memcpy(c, text.at, text.n);
    c[text.n] = 0;
    return true;
}

/* ".5" and ".500000" are half a second; -1: something else stands there. */
static int microseconds(const char *at)
{
    int value = 0, digits = 0;
    if (*at == 0)
        return 0;
    if (*at++ != '.')
        return -1;
    for (; *at >= '0' && *at <= '9' && digits < 6; at++, digits++)
        value = value * 10 + (*at - '0');
    for (; digits < 6; digits++)
        value *= 10;
    return *at ? -1 : value;
}

static bool is_day(int y, int m, int d)
{
    return y >= 1 && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

bool sql_print_date(Str *out, Span text)
{
    char c[32];
    int y, m, d, n = 0;
    if (!copy_time(c, text) || sscanf(c, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || c[n] || !is_day(y, m, d))
        return false;
    str_addf(out, "datetime.date(%d, %d, %d)", y, m, d);
    return true;
}

bool sql_print_datetime(Str *out, Span text)
{
    char c[32];
    int y, mo, d, h, mi, s, n = 0;
    if (!copy_time(c, text) || sscanf(c, "%4d-%2d-%2d %2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &n) != 6 ||
        n == 0 || !is_day(y, mo, d))
        return false;
    int micro = microseconds(c + n);
    if (micro < 0)
        return false;
    str_addf(out, "datetime.datetime(%d, %d, %d, %d, %d", y, mo, d, h, mi);
    if (s || micro)
        str_addf(out, ", %d", s);
    if (micro)
        str_addf(out, ", %d", micro);
    str_addc(out, ')');
    return true;
}

/* Days of it may be below zero, seconds and microseconds not. */
bool sql_print_timedelta(Str *out, Span text)
{
    char c[32];
    int h, m, s, n = 0;
    if (!copy_time(c, text))
        return false;
    bool minus = c[0] == '-';
    if (sscanf(c + minus, "%4d:%2d:%2d%n", &h, &m, &s, &n) != 3 || n == 0 || c[minus] == '-')
        return false;
    int micro = microseconds(c + minus + n);
    if (micro < 0)
        return false;
    const int64_t million = 1000000, day = 86400 * million;
    int64_t all = ((int64_t)h * 3600 + m * 60 + s) * million + micro;
    all = minus ? -all : all;
    int64_t days = all / day - (all % day < 0), rest = all - days * day;
    const char *between = "";
    str_adds(out, "datetime.timedelta(");
    if (days) {
        str_addf(out, "days=%lld", (long long)days);
        between = ", ";
    }
    if (rest / million) {
        str_addf(out, "%sseconds=%lld", between, (long long)(rest / million));
        between = ", ";
    }
    if (rest % million)
        str_addf(out, "%smicroseconds=%lld", between, (long long)(rest % million));
    str_adds(out, all ? ")" : "0)");
    return true;
}
