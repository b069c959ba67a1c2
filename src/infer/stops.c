#include "infer/stops.h"

#include <string.h>

#include "base/check.h"

void stops_init(Stops *s, const char *const *strings, size_t n)
{
    *s = (Stops){.strings = strings, .n = n, .found = -1};
    for (size_t i = 0; i < n; i++)
        check(strings[i][0]);
}

void stops_drop(Stops *s)
{
    str_drop(&s->held);
    *s = (Stops){.found = -1};
}

/* How much of string i stands at held[at..]: all of it (its length), or as much as there is text (less),
 * or 0. */
static size_t matched(const Stops *s, size_t at, size_t i)
{
    size_t left = s->held.n - at, length = strlen(s->strings[i]);
    size_t n = left < length ? left : length;
    return memcmp(s->held.at + at, s->strings[i], n) == 0 ? n : 0;
}

/* Looks for the string that is complete first.  Returns where it starts, or else where the text to hold
 * back does. */
static size_t scan(Stops *s)
{
    size_t start = 0, end = SIZE_MAX, open = s->held.n;
    for (size_t at = 0; at < s->held.n && at < end; at++) {
        for (size_t i = 0; i < s->n; i++) {
            size_t n = matched(s, at, i);
            if (n && s->strings[i][n] && at < open) /* cut by the end of the text */
                open = at;
            if (n && !s->strings[i][n] && at + n < end) {
                start = at;
                end = at + n;
                s->found = (int)i;
            }
        }
    }
    return s->found >= 0 ? start : open;
}

void stops_push(Stops *s, Str *out, const char *text, size_t n)
{
    if (s->found >= 0 || n == 0)
        return;
    str_add(&s->held, text, n);
    size_t certain = scan(s);
    str_add(out, s->held.at, certain);
    if (s->found >= 0) {
        str_clear(&s->held);
        return;
    }
    s->held.n -= certain;
    memmove(s->held.at, s->held.at + certain, s->held.n);
    s->held.at[s->held.n] = 0;
}

void stops_flush(Stops *s, Str *out)
{
    str_add(out, str_c(&s->held), s->held.n);
    str_clear(&s->held);
}
