#include "base/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/check.h"
#include "base/clock.h"

enum { POLL_MS = 50 }; /* how long a wish to stop may go unheard */

/* A connection, or a few, and what drives them.  One thread at a time has it. */
typedef struct {
    CURLM *multi;
    CURL *easy; /* NULL between exchanges */
} Line;

struct HttpClient {
    pthread_mutex_t lock; /* of `idle` */
    Array(Line) idle;
};

/* What ended an exchange before libcurl did. */
typedef enum {
    BREAK_NONE,
    BREAK_STOPPED,
    BREAK_LATE,
    BREAK_IDLE,
    BREAK_SIZE,
    BREAK_TAKER,
    BREAK_MULTI
} Break;

typedef struct {
    const HttpCall *call;
    HttpReply *reply;
    CURL *easy;
    Break why;
    Status taken; /* of call->take */
    bool headed;  /* the reply's head is read */
    curl_off_t moved; /* bytes, both ways, when it was looked last */
    double moved_at;
    char words[CURL_ERROR_SIZE]; /* libcurl's own */
} Exchange;

/* Lines -------------------------------------------------------------------------------------------------- */

static pthread_once_t started = PTHREAD_ONCE_INIT;
static CURLcode start_code;

static void start(void)
{
    start_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

Status http_open(HttpClient **out)
{
    pthread_once(&started, start);
    if (start_code != CURLE_OK)
        return fail(ST_UNSUPPORTED, "libcurl does not start: %s", curl_easy_strerror(start_code));
    HttpClient *c = mem_new(HttpClient);
    check(pthread_mutex_init(&c->lock, NULL) == 0);
    *out = c;
    return ST_OK;
}

static void drop_line(Line *l)
{
    curl_multi_cleanup(l->multi);
}

void http_close(HttpClient *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->idle.n; i++)
        drop_line(&c->idle.at[i]);
    array_drop(&c->idle);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

static Line take_line(HttpClient *c)
{
    Line l = {0};
    pthread_mutex_lock(&c->lock);
    if (c->idle.n)
        l = c->idle.at[--c->idle.n];
    pthread_mutex_unlock(&c->lock);
    if (!l.multi)
        l.multi = curl_multi_init();
    l.easy = curl_easy_init();
    check(l.multi && l.easy); /* they fail for want of memory only */
    return l;
}

static void give_line(HttpClient *c, Line l)
{
    /* Its headers, a key among them, go; the connections are multi's.  Used again after curl_easy_reset, it
     * has in libcurl 7.88 a pointer to the last reply's freed headers, and reads there when a reply begins
     * with a folded line. */
    curl_easy_cleanup(l.easy);
    l.easy = NULL;
    pthread_mutex_lock(&c->lock);
    array_push(&c->idle, l);
    pthread_mutex_unlock(&c->lock);
}

/* Addresses ---------------------------------------------------------------------------------------------- */

static bool url_has(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(u, part, &text, 0) == CURLUE_OK && text[0];
    curl_free(text);
    return has;
}

static Status check_parts(CURLU *u, const char *url)
{
    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK || !url_has(u, CURLUPART_HOST))
        return fail(ST_ARG, "'%s' is no address; write it as http://HOST:PORT or https://HOST", url);
    if (url_has(u, CURLUPART_USER) || url_has(u, CURLUPART_PASSWORD))
        return fail(ST_ARG,
                    "an address with a name or password in it is not taken, as errors would print it");
    return ST_OK;
}

Status http_check_url(const char *url)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return fail(ST_ARG, "'%s' begins with neither http:// nor https://", url);
    CURLU *u = curl_url();
    check(u);
    Status st = check_parts(u, url);
    curl_url_cleanup(u);
    return st;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

bool http_is_local(const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL;
    check(u);
    bool local = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK && is_loopback(host);
    curl_free(host);
    curl_url_cleanup(u);
    return local;
}

bool http_same_host(const char *a, const char *b)
{
    const char *const urls[] = {a, b};
    char *hosts[2] = {NULL, NULL};
    bool known = true;
    for (int i = 0; i < 2; i++) {
        CURLU *u = curl_url();
        check(u);
        known = known && curl_url_set(u, CURLUPART_URL, urls[i], 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_HOST, &hosts[i], 0) == CURLUE_OK;
        curl_url_cleanup(u);
    }
    bool same = known && strcasecmp(hosts[0], hosts[1]) == 0;
    curl_free(hosts[0]);
    curl_free(hosts[1]);
    return same;
}

/* An exchange -------------------------------------------------------------------------------------------- */

static const char *header(CURL *easy, const char *name)
{
    struct curl_header *h;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* Content-Range (RFC 9110, 14.4): "bytes 5-9/10", "bytes 5-9/" and a star, "bytes", a star and "/10". */
static void read_range(HttpReply *reply, const char *range)
{
    long long first, last, total;
    if (range && sscanf(range, "bytes %lld-%lld", &first, &last) == 2)
        reply->first = first;
    const char *slash = range ? strchr(range, '/') : NULL;
    if (slash && sscanf(slash, "/%lld", &total) == 1)
        reply->total = total;
}

static void read_head(Exchange *x)
{
    HttpReply *reply = x->reply;
    curl_off_t length = -1;
    const char *tag = header(x->easy, "ETag"), *date = header(x->easy, "Last-Modified");
    x->headed = true;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    reply->length = length;
    read_range(reply, header(x->easy, "Content-Range"));
    if (tag && tag[0] == '"') /* a weak one, W/"...", promises no equal bytes */
        str_adds(&reply->validator, tag);
    else if (date)
        str_adds(&reply->validator, date);
}

static size_t receive(char *bytes, size_t size, size_t n, void *context)
{
    Exchange *x = context;
    n *= size;
    if (!x->headed)
        read_head(x);
    if (x->call->take && (x->reply->status == 200 || x->reply->status == 206)) {
        x->taken = x->call->take(x->call->take_context, x->reply, bytes, n);
        if (x->taken == ST_OK)
            return n;
        x->why = BREAK_TAKER;
        return 0;
    }
    if (n > x->call->limit - x->reply->body.n) {
        x->why = BREAK_SIZE;
        return 0;
    }
    str_add(&x->reply->body, bytes, n);
    return n;
}

static struct curl_slist *make_headers(const HttpCall *call)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no pause in front of a long body */
    for (size_t i = 0; list && i < call->headers_n; i++) {
        struct curl_slist *longer = curl_slist_append(list, call->headers[i]);
        check(longer);
        list = longer;
    }
    check(list);
    return list;
}

static void set_up(CURL *easy, Exchange *x, struct curl_slist *headers)
{
    const HttpCall *call = x->call;
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "lemur");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(1000 * call->connect_s));
    if (http_is_local(call->url))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (call->post) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->post);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->post_n);
    }
}

/* Connecting has a limit of its own, so idleness begins with the connection. */
static bool is_idle(CURL *easy, Exchange *x, double now)
{
    curl_off_t up = 0, down = 0, connected = 0;
    long headers = 0;
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &headers);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (connected == 0 || up + down + headers != x->moved) {
        x->moved = up + down + headers;
        x->moved_at = now;
    }
    return x->call->idle_s > 0 && now - x->moved_at >= x->call->idle_s;
}

static Break why_break(CURL *easy, Exchange *x)
{
    const HttpCall *call = x->call;
    double now = clock_now();
    if (call->stopped && call->stopped(call->context))
        return BREAK_STOPPED;
    if (call->until > 0 && now >= call->until)
        return BREAK_LATE;
    return is_idle(easy, x, now) ? BREAK_IDLE : BREAK_NONE;
}

static CURLcode drive(Line *l, Exchange *x)
{
    int running = 1, left;
    for (;;) {
        if (curl_multi_perform(l->multi, &running) != CURLM_OK) {
            x->why = BREAK_MULTI;
            return CURLE_OK;
        }
        if (!running)
            break;
        x->why = why_break(l->easy, x);
        if (x->why != BREAK_NONE)
            return CURLE_OK;
        curl_multi_poll(l->multi, NULL, 0, POLL_MS, NULL);
    }
    CURLMsg *m = curl_multi_info_read(l->multi, &left);
    check(m && m->msg == CURLMSG_DONE);
    return m->data.result;
}

static void read_answer(Exchange *x)
{
    CURL *easy = x->easy;
    HttpReply *reply = x->reply;
    curl_off_t wait = 0;
    char *to = NULL;
    if (!x->headed)
        read_head(x);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to);
    reply->retry_after_s = (double)wait;
    if (to)
        str_adds(&reply->location, to);
}

/* What went wrong, in words ------------------------------------------------------------------------------ */

static Status say_break(const Exchange *x)
{
    const char *url = x->call->url;
    char size[32];
    switch (x->why) {
    case BREAK_TAKER: return x->taken; /* with its own sentence */
    case BREAK_STOPPED: return fail(ST_CANCELLED, "%s: stopped while waiting for an answer", url);
    case BREAK_LATE:
        x->reply->late = true;
        return fail(ST_LIMIT, "%s: no whole answer before the deadline", url);
    case BREAK_IDLE:
        x->reply->passing = true;
        return fail(ST_PEER, "%s: stalls: nothing came for %g s", url, x->call->idle_s);
    case BREAK_SIZE:
        return fail(ST_LIMIT, "%s: the answer is larger than %s", url,
                    human_bytes(size, (double)x->call->limit));
    default: return fail(ST_PEER, "%s: libcurl failed within", url);
    }
}

static Status say_code(const Exchange *x, CURLcode code)
{
    const char *url = x->call->url, *words = x->words[0] ? x->words : curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        x->reply->passing = true;
        return fail(ST_PEER, "%s: cannot be reached (%s); is the address right and the server running?", url,
                    words);
    case CURLE_OPERATION_TIMEDOUT:
        x->reply->passing = true;
        return fail(ST_PEER, "%s: no connection within %g s", url, x->call->connect_s);
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        x->reply->passing = true;
        return fail(ST_PEER, "%s: the connection was cut before the answer was whole (%s)", url, words);
    case CURLE_SSL_CONNECT_ERROR:
        x->reply->passing = true;
        return fail(ST_PEER, "%s: TLS fails (%s); does the server speak plain http://?", url, words);
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail(ST_PEER, "%s: its certificate does not hold (%s)", url, words);
    case CURLE_UNSUPPORTED_PROTOCOL: /* "Received HTTP/0.9 when not allowed" */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return fail(ST_FORMAT, "%s: what answers there does not speak HTTP (%s)", url, words);
    case CURLE_URL_MALFORMAT: return fail(ST_ARG, "%s: no address that can be asked (%s)", url, words);
    default: return fail(ST_PEER, "%s: %s", url, words);
    }
}

Status http_exchange(HttpClient *c, const HttpCall *call, HttpReply *reply)
{
    Exchange x = {.call = call, .reply = reply, .moved_at = clock_now()};
    str_clear(&reply->body);
    str_clear(&reply->location);
    str_clear(&reply->validator);
    *reply = (HttpReply){.body = reply->body, .location = reply->location, .validator = reply->validator,
                         .length = -1, .first = -1, .total = -1};
    Line l = take_line(c);
    x.easy = l.easy;
    struct curl_slist *headers = make_headers(call);
    set_up(l.easy, &x, headers);
    check(curl_multi_add_handle(l.multi, l.easy) == CURLM_OK);
    CURLcode code = drive(&l, &x);
    read_answer(&x);
    curl_multi_remove_handle(l.multi, l.easy); /* closes a connection that is not through */
    Status st = x.why != BREAK_NONE ? say_break(&x) : code != CURLE_OK ? say_code(&x, code) : ST_OK;
    curl_slist_free_all(headers);
    give_line(c, l);
    return st;
}

void http_reply_drop(HttpReply *reply)
{
    str_drop(&reply->body);
    str_drop(&reply->location);
    str_drop(&reply->validator);
}
