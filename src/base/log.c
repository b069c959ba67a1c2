#include "base/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/columns.h"
#include "base/str.h"

static LogLevel shown_level = LOG_INFO;

void log_level_set(LogLevel level)
{
    shown_level = level;
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

/* A line longer than the terminal would not be drawn over, but again and again below. */
static void cut_to_terminal(char *text)
{
    for (size_t room = columns_width(stderr, SIZE_MAX) - 1; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && room-- == 0) {
            *text = 0;
            return;
        }
}

static void progress_show(const Progress *p, double now)
{
    char text[256], left[32], done[32];
    bool whole = p->done == floor(p->done) && p->total == floor(p->total) && p->unit[0] != 'M';
    double spent = now - p->start, share = p->total > 0 ? p->done / p->total : 0;
    int n = snprintf(text, sizeof text, "%s: ", p->what);
    if (p->total > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, "%3.0f%%  ", 100 * share);
    n += snprintf(text + n, sizeof text - (size_t)n, "%s %s", amount(done, sizeof done, p->done, whole),
                  p->unit);
    if (spent > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, "  %.1f %s/s", p->done / spent, p->unit);
    if (share > 0 && share < 1)
        snprintf(text + n, sizeof text - (size_t)n, "  %s left", human_time(left, spent / share - spent));
    if (p->terminal)
        cut_to_terminal(text);
    fprintf(stderr, p->terminal ? "\r%s\x1b[K" : "%s\n", text);
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
