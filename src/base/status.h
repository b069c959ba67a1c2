/* How a function says that the world failed it.
 *
 * The code travels in the return value.  The sentence is written once, where the cause is known, into a
 * record of the current thread; each caller may put its own words in front:
 *
 *     Status weights_open(Weights **out, const char *path)
 *     {
 *         Status st;
 *         Weights *w = mem_new(Weights);
 *         TRY_TO(undo, map_open(&w->map, path));
 *         *out = w;
 *         return ST_OK;
 *     undo:
 *         weights_close(w);
 *         return fail_in(st, "opening weights %s", path);
 *     }
 *
 * A bug (broken contract, impossible state) is not a Status: see check.h. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdarg.h>

typedef enum {
    ST_OK,
    ST_ARG,         /* the caller's words or settings are wrong                 */
    ST_IO,          /* the operating system refused a read, write, open or map  */
    ST_FORMAT,      /* bytes that break the format they claim                   */
    ST_UNSUPPORTED, /* well formed, and not something this build or version does */
    ST_NOMEM,       /* a large buffer cannot be had                             */
    ST_DEVICE,      /* an operation on a device failed                          */
    ST_LIMIT,       /* a stated bound was reached                               */
    ST_PEER,        /* another rank or the far end of a socket failed           */
    ST_CANCELLED,   /* somebody asked to stop                                   */
    ST_COUNT
} Status;

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

enum { ERROR_TEXT_MAX = 1024 };

typedef struct {
    Status status;
    char text[ERROR_TEXT_MAX];
} Error;

/* Starts this thread's record with a sentence and returns `status`, so that `return fail(...)` reads well. */
Status fail(Status status, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Like fail, and ends the sentence with the text of the current errno. */
Status fail_errno(Status status, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Puts words and ": " in front of the record that the callee left. */
Status fail_in(Status status, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *error_text(void);         /* this thread's sentence; "" where nothing failed       */
Error error_take(void);               /* a copy for another thread; clears this thread's record */
Status error_put(const Error *error); /* makes `error` this thread's record, returns its status */
const char *status_name(Status status);

#define TRY(expr)                  \
    do {                           \
        Status try_st_ = (expr);   \
        if (try_st_ != ST_OK)      \
            return try_st_;        \
    } while (0)

/* Needs a local `Status st`, which the label then returns. */
#define TRY_TO(label, expr)        \
    do {                           \
        st = (expr);               \
        if (st != ST_OK)           \
            goto label;            \
    } while (0)

#endif
