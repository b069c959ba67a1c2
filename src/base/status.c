#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static _Thread_local Error current;

static const char *const names[ST_COUNT] = {
    "ok", "wrong argument", "input/output", "wrong format", "unsupported",
    "out of memory", "device", "limit", "peer", "cancelled",
};

Status fail(Status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(current.text, sizeof current.text, fmt, ap);
    va_end(ap);
    current.status = status;
    return status;
}

Status fail_errno(Status status, const char *fmt, ...)
{
    int err = errno;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(current.text, sizeof current.text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof current.text)
        snprintf(current.text + n, sizeof current.text - (size_t)n, ": %s", strerror(err));
    current.status = status;
    return status;
}

Status fail_in(Status status, const char *fmt, ...)
{
    char rest[ERROR_TEXT_MAX];
    memcpy(rest, current.text, sizeof rest);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(current.text, sizeof current.text - 2, fmt, ap);
    va_end(ap);
    size_t end = strlen(current.text);
    if (n >= 0 && rest[0]) { /* the front words are kept, the tail is cut where there is no room for all */
        size_t room = sizeof current.text - 1 - end - 2, tail = strlen(rest);
        memcpy(current.text + end, ": ", 2);
        memcpy(current.text + end + 2, rest, tail < room ? tail : room);
        current.text[end + 2 + (tail < room ? tail : room)] = 0;
    }
    current.status = status;
    return status;
}

const char *error_text(void)
{
    return current.text;
}

Error error_take(void)
{
    Error taken = current;
    current = (Error){.status = ST_OK};
    return taken;
}

Status error_put(const Error *error)
{
    current = *error;
    return error->status;
}

const char *status_name(Status status)
{
    return status < ST_COUNT ? names[status] : "unknown status";
}
