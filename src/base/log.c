#include "base/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/columns.h"
#include "base/str.h"

static LogLevel shown_level = LOG_INFO;

void log_level_set(LogLevel level)
{
    shown_level = level;
}

/* Messages name what stands in files of others: their control characters, of which terminals take orders,
 * become question marks; line ends and tabs stay. */
static void disarm(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < n ? (unsigned char)text[i + 1] : 0;
        bool c1 = c == 0xC2 && next >= 0x80 && next < 0xA0; /* U+0080 .. U+009F */
        if (c == 127 || c1 || (c < 32 && c != '\n' && c != '\t'))
            text[i] = '?';
        if (c1)
            text[++i] = '?';
    }
}

/* One write a line, so that lines of several threads do not mix. */
static void log_line(LogLevel level, const char *prefix, const char *fmt, va_list ap)
{
    if (level > shown_level)
        return;
    char line[4096];
    int n = snprintf(line, sizeof line, "%s", prefix);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    size_t end = (size_t)n + (size_t)(m < 0 ? 0 : m);
    if (end > sizeof line - 2)
        end = sizeof line - 2;
    disarm(line + n, end - (size_t)n);
    line[end] = '\n';
    fwrite(line, 1, end + 1, stderr);
}

#define LOG_BODY(level, prefix)             \
    do {                                    \
        va_list ap;                         \
        va_start(ap, fmt);                  \
        log_line(level, prefix, fmt, ap);   \
        va_end(ap);                         \
    } while (0)

void log_error(const char *fmt, ...)
{
    LOG_BODY(LOG_ERROR, "error: ");
}

void log_warn(const char *fmt, ...)
{
    LOG_BODY(LOG_WARN, "warning: ");
}

void log_info(const char *fmt, ...)
{
    LOG_BODY(LOG_INFO, "");
}

void log_debug(const char *fmt, ...)
{
    LOG_BODY(LOG_DEBUG, "");
}

Progress progress_start(const char *what, double total, const char *unit)
{
    double now = clock_now();
    return (Progress){.what = what, .unit = unit, .total = total, .start = now, .last_shown = now,
                      .terminal = isatty(2) == 1};
}

/* Questions are counted; what is in millions is measured. */
static const char *amount(char *out, size_t n, double value, bool whole)
{
    snprintf(out, n, whole ? "%.0f" : "%.1f", value);
    return out;
}

/* A line longer than the terminal would not be drawn over, but again and again below: what is said least goes
 * first, the rate, then the end of the name. */
static void fit(char *name, char *rate, size_t others)
{
    size_t room = columns_width(stderr, SIZE_MAX) - 1, n = strlen(name);
    if (n + strlen(rate) + others > room)
        *rate = 0;
    if (n + others <= room)
        return;
    for (n = room > others ? room - others : 0; n && ((unsigned char)name[n] & 0xc0) == 0x80; n--) {}
    name[n] = 0;
}

static void progress_show(const Progress *p, double now)
{
    char name[160], done[80], rate[80] = "", left[64] = "", number[32];
    bool whole = p->done == floor(p->done) && p->total == floor(p->total) && p->unit[0] != 'M';
    double spent = now - p->start, share = p->total > 0 ? p->done / p->total : 0;
    snprintf(name, sizeof name, "%s", p->what);
    amount(number, sizeof number, p->done, whole);
    if (p->total > 0)
        snprintf(done, sizeof done, ": %3.0f%%  %s %s", 100 * share, number, p->unit);
    else
        snprintf(done, sizeof done, ": %s %s", number, p->unit);
    if (spent > 0)
        snprintf(rate, sizeof rate, "  %.1f %s/s", p->done / spent, p->unit);
    if (share > 0 && share < 1)
        snprintf(left, sizeof left, "  %s left", human_time(number, spent / share - spent));
    if (p->terminal)
        fit(name, rate, strlen(done) + strlen(left));
    const char *counted = *name ? done : done + 2; /* no colon without a name */
    fprintf(stderr, p->terminal ? "\r%s%s%s%s\x1b[K" : "%s%s%s%s\n", name, counted, rate, left);
}

void progress_at(Progress *p, double done)
{
    double now = clock_now();
    p->done = done;
    if (shown_level < LOG_INFO || now - p->last_shown < (p->terminal ? 0.1 : 10))
        return;
    p->last_shown = now;
    p->shown = true;
    progress_show(p, now);
}

void progress_end(Progress *p)
{
    if (p->terminal && p->shown)
        fputs("\r\x1b[K", stderr);
}
