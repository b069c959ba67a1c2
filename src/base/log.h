/* Words for people, to stderr.  Results go to stdout and not through here.  Library code prints in no other
 * way. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;

void log_level_set(LogLevel level); /* what is above it is dropped; LOG_INFO at the start */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line that says how far long work is, with percent and time left.  On a terminal it is redrawn in place,
 * at most ten times a second; elsewhere it is printed every ten seconds.
 *     Progress p = progress_start("reading", total, "MB");  progress_at(&p, done);  progress_end(&p); */
typedef struct {
    const char *what, *unit;
    double total, done, start, last_shown;
    bool terminal, shown;
} Progress;

Progress progress_start(const char *what, double total, const char *unit); /* total 0: unknown */
void progress_at(Progress *p, double done);
void progress_end(Progress *p);

#endif
