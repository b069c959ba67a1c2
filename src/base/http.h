/* An HTTP client: one request, one reply, and a limit to everything that the far end may do meanwhile.
 *
 *     HttpClient *c;
 *     TRY(http_open(&c));
 *     HttpCall call = {.url = "http://127.0.0.1:8080/health", .idle_s = 30, .limit = 1 << 20};
 *     HttpReply reply = {0};
 *     Status st = http_exchange(c, &call, &reply);    // ST_OK: whatever the server said, 404 as well
 *     http_reply_drop(&reply);
 *     http_close(c);
 *
 * Certificates are checked; redirects are not followed, as they would carry a key elsewhere; nothing of
 * headers and bodies is logged.  Proxies are those of the environment (http_proxy, no_proxy), but for this
 * machine's own addresses.  The program ignores SIGPIPE (cli/main.c does). */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct HttpClient HttpClient; /* connections that are kept; for any number of threads at once */

typedef struct {
    long status; /* 200, 404, ...; 0: none came */
    Str body;
    Str location;         /* where status is a redirection: where to */
    Str validator;        /* a strong ETag, else Last-Modified: what If-Range takes; "": neither */
    int64_t length;       /* of the body, as the head has it; -1: unknown */
    int64_t first, total; /* of status 206, 416: the first byte's place, the whole's size; -1: unknown */
    double retry_after_s; /* what Retry-After asks for, seconds or date; 0: nothing */
    bool passing;         /* failed, and may work when it is tried again: no connection, a timeout, a cut */
    bool late;            /* failed, as `until` came */
} HttpReply;              /* {0} the first time; later exchanges keep the memory */

/* All is borrowed for the exchange.  0 in a number of seconds: no limit. */
typedef struct {
    const char *url;
    const char *const *headers; /* [headers_n] "Name: value" */
    size_t headers_n;
    const char *post; /* body of a POST; NULL: a GET */
    size_t post_n;
    double connect_s;               /* until the connection stands, TLS and all */
    double idle_s;                  /* in which nothing comes and nothing goes */
    double until;                   /* clock_now's time at which it is over in any case */
    size_t limit;                   /* bytes of the reply's body */
    bool (*stopped)(void *context); /* asked some twenty times a second: true ends it; NULL: nobody asks */
    void *context;
    /* Gets what a body with status 200 or 206 holds, as it comes, in place of reply->body and without
     * `limit`; the reply's other fields are set by then.  Another Status than ST_OK ends the exchange, which
     * returns it.  NULL: nobody. */
    Status (*take)(void *take_context, const HttpReply *reply, const char *bytes, size_t n);
    void *take_context;
} HttpCall;

/* ST_UNSUPPORTED  libcurl cannot be started */
MUST_CHECK Status http_open(HttpClient **out);
/* No exchange runs any more; NULL is fine. */
void http_close(HttpClient *c);

/* ST_ARG unless it is http:// or https:// with a host and without a password, which errors would print. */
MUST_CHECK Status http_check_url(const char *url);
bool http_is_local(const char *url); /* its host is this machine: localhost, 127.x.x.x, ::1 */
bool http_same_host(const char *a, const char *b);

/* The sentence of a failure begins with the url.
 *   ST_PEER       unreachable, timed out, cut off in the middle (reply->passing); a certificate that does not
 * hold ST_FORMAT     what came is no HTTP ST_LIMIT      the body is larger than `limit`; `until` came
 * (reply->late) ST_CANCELLED  stopped said so ST_ARG        libcurl does not understand the url */
MUST_CHECK Status http_exchange(HttpClient *c, const HttpCall *call, HttpReply *reply);
void http_reply_drop(HttpReply *reply);

#endif
