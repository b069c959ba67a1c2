/* The live MediaWiki API.  The two requests give what goldsmith/Wikipedia (wikipedia/wikipedia.py: search,
 * WikipediaPage.load, summary) takes five for: list=search's titles, then of the first two whether they are
 * articles (prop=pageprops) and their leads (prop=extracts).  https://www.mediawiki.org/wiki/API:Query */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/mem.h"
#include "env/wikipedia_source.h"

enum { REPLY_LIMIT = 4 << 20 };

typedef struct {
    WikipediaLive spec; /* its texts are owned */
    HttpClient *client;
    char *agent; /* the header line */
    pthread_mutex_t lock;
    pthread_cond_t turn; /* a request has ended */
    int running;         /* requests */
    double not_before;   /* what Retry-After asked for, of clock_now */
} Live;

static bool is_stopped(const Live *l)
{
    return l->spec.stopped && l->spec.stopped(l->spec.context);
}

/* Waits for a place among the requests that run.  ST_LIMIT, ST_CANCELLED: there was none. */
static Status take_turn(Live *l, double until)
{
    Status st = ST_OK;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        double now = clock_now();
        if (is_stopped(l))
            st = fail(ST_CANCELLED, "stopped");
        else if (l->not_before > until)
            st = fail(ST_LIMIT, "the server asks for a pause of %.0f s, longer than there is time",
                      l->not_before - now);
        else if (now >= until)
            st = fail(ST_LIMIT, "no turn in time: the searches before it take too long");
        if (st != ST_OK || (l->running < l->spec.at_once && now >= l->not_before))
            break;
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += 50 * 1000 * 1000; /* `stopped` is asked again */
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&l->turn, &l->lock, &at);
    }
    l->running += st == ST_OK;
    pthread_mutex_unlock(&l->lock);
    return st;
}

static void give_turn(Live *l, double retry_after_s)
{
    pthread_mutex_lock(&l->lock);
    l->running--;
    if (retry_after_s > 0)
        l->not_before = fmax(l->not_before, clock_now() + retry_after_s);
    pthread_cond_broadcast(&l->turn);
    pthread_mutex_unlock(&l->lock);
}

static Status pause_for(const Live *l, double seconds, double until)
{
    double end = clock_now() + seconds;
    if (end > until)
        return fail(ST_LIMIT, "no time is left to try again");
    while (clock_now() < end) {
        if (is_stopped(l))
            return fail(ST_CANCELLED, "stopped");
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    return ST_OK;
}

/* One request, as often as it takes.  What is said after a failure is the last attempt's. */
static Status fetch(Live *l, const char *url, HttpReply *reply, double until)
{
    const char *const headers[] = {l->agent};
    HttpCall call = {.url = url,
                     .headers = headers,
                     .headers_n = 1,
                     .connect_s = 10,
                     .idle_s = 10,
                     .until = until,
                     .limit = REPLY_LIMIT,
                     .stopped = l->spec.stopped,
                     .context = l->spec.context};
    double wait = l->spec.pause_s;
    for (int attempt = 1;; attempt++, wait *= 2) {
        TRY(take_turn(l, until));
        Status st = http_exchange(l->client, &call, reply);
        bool busy = st == ST_OK && (reply->status == 429 || reply->status >= 500);
        give_turn(l, busy ? fmin(reply->retry_after_s, 3600) : 0);
        if (st == ST_OK && reply->status == 200)
            return ST_OK;
        if (st == ST_OK && reply->location.n)
            st = fail(ST_PEER, "%s redirects to %.200s; give that address", l->spec.url,
                      str_c(&reply->location));
        else if (st == ST_OK)
            st = fail(ST_PEER, "%s answers %ld", l->spec.url, reply->status);
        if (!(busy || (st == ST_PEER && reply->passing)) || attempt >= l->spec.attempts)
            return st;
        Error why = error_take();
        Status paused = pause_for(l, fmax(wait, fmin(reply->retry_after_s, 3600)), until);
        if (paused == ST_LIMIT) /* the cause is worth more than the clock */
            return error_put(&why);
        TRY(paused);
    }
}

/* Requests and replies ----------------------------------------------------------------------------------- */

static void add_escaped(Str *url, Span text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c && strchr("-._~", c));
        if (plain)
            str_addc(url, (char)c);
        else
            str_addf(url, "%%%02X", c);
    }
}

static void begin_url(const Live *l, Str *url)
{
    str_adds(url, l->spec.url);
    str_adds(url, strchr(l->spec.url, '?') ? "&" : "?");
    str_adds(url, "action=query&format=json&formatversion=2");
}

/* *out is the reply's member `query`; the caller's reference. */
static Status ask(Live *l, const Str *url, json_t **out, double until)
{
    HttpReply reply = {0};
    json_error_t error;
    Status st = fetch(l, str_c(url), &reply, until);
    json_t *root =
        st == ST_OK ? json_loadb(reply.body.n ? reply.body.at : "", reply.body.n, 0, &error) : NULL;
    http_reply_drop(&reply);
    if (st != ST_OK)
        return st;
    const char *info = json_string_value(json_object_get(json_object_get(root, "error"), "info"));
    json_t *query = json_object_get(root, "query");
    if (info)
        st = fail(ST_PEER, "Wikipedia says: %.300s", info);
    else if (!json_is_object(query))
        st = fail(ST_FORMAT, "%s does not answer as MediaWiki's API; give the address of its api.php",
                  l->spec.url);
    else
        *out = json_incref(query);
    json_decref(root);
    return st;
}

/* The page that a title leads to, over `normalized` and `redirects`; NULL: none. */
static const json_t *find_page(const json_t *query, const char *title)
{
    static const char *const steps[] = {"normalized", "redirects"};
    size_t i;
    const json_t *entry;
    for (int s = 0; s < 2; s++)
        json_array_foreach(json_object_get(query, steps[s]), i, entry)
        {
            const char *from = json_string_value(json_object_get(entry, "from"));
            const char *to = json_string_value(json_object_get(entry, "to"));
            if (from && to && strcmp(from, title) == 0) {
                title = to;
                break;
            }
        }
    json_array_foreach(json_object_get(query, "pages"), i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "title"));
        if (name && strcmp(name, title) == 0)
            return entry;
    }
    return NULL;
}

static bool is_article(const json_t *page)
{
    return page && !json_object_get(page, "missing") && !json_object_get(page, "invalid") &&
           !json_object_get(json_object_get(page, "pageprops"), "disambiguation");
}

static Status add_pages(Live *l, const char *const *titles, size_t n, Str *answer, double until)
{
    Str url = {0};
    json_t *query;
    begin_url(l, &url);
    str_adds(
        &url,
        "&prop=pageprops%7Cextracts&ppprop=disambiguation&explaintext=1&exintro=1&exlimit=max&redirects=1"
        "&titles=");
    for (size_t i = 0; i < n; i++) {
        str_adds(&url, i ? "%7C" : "");
        add_escaped(&url, span(titles[i]));
    }
    Status st = ask(l, &url, &query, until);
    str_drop(&url);
    TRY(st);
    size_t from = answer->n;
    for (size_t i = 0; i < n; i++) {
        const json_t *page = find_page(query, titles[i]);
        const json_t *lead = json_object_get(page, "extract");
        if (is_article(page))
            wikipedia_add_page(answer, from, titles[i],
                               (Span){json_string_value(lead), json_string_length(lead)});
    }
    json_decref(query);
    return ST_OK;
}

static Status search(void *self, Span query, Str *answer)
{
    Live *l = self;
    Str url = {0};
    json_t *found;
    double until = clock_now() + l->spec.seconds;
    query = wikipedia_cut(query, WIKIPEDIA_QUERY_CHARS);
    if (span_trim(query).n == 0)
        return fail(ST_ARG, "wikipedia_search: the query is empty");
    begin_url(l, &url);
    str_adds(&url, "&list=search&srprop=&srlimit=10&srsearch=");
    add_escaped(&url, query);
    Status st = ask(l, &url, &found, until);
    str_drop(&url);
    if (st != ST_OK)
        return fail_in(st, "wikipedia_search");
    const char *titles[WIKIPEDIA_PAGES];
    size_t n = 0, i, from = answer->n;
    const json_t *hit;
    json_array_foreach(json_object_get(found, "search"), i, hit)
    {
        const char *title = json_string_value(json_object_get(hit, "title"));
        if (title && n < WIKIPEDIA_PAGES)
            titles[n++] = title;
    }
    st = n ? add_pages(l, titles, n, answer, until) : ST_OK;
    json_decref(found);
    if (st != ST_OK)
        return fail_in(st, "wikipedia_search");
    wikipedia_end(answer, from);
    return ST_OK;
}

static void close_live(void *self)
{
    Live *l = self;
    http_close(l->client);
    mem_free((char *)l->spec.url);
    mem_free(l->agent);
    pthread_cond_destroy(&l->turn);
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

static const WikipediaSource source = {search, close_live};

Status wikipedia_open_live(Wikipedia **out, const WikipediaLive *live)
{
    const char *url = live->url ? live->url : "https://en.wikipedia.org/w/api.php";
    HttpClient *client;
    TRY(http_check_url(url));
    if (live->agent && strpbrk(live->agent, "\r\n"))
        return fail(ST_ARG, "a User-Agent has one line");
    TRY(http_open(&client));
    Live *l = mem_new(Live);
    pthread_condattr_t clock;
    *l = (Live){.spec = *live, .client = client};
    l->spec.url = mem_str(url);
    l->agent = mem_format("User-Agent: %s",
                          live->agent ? live->agent : "lemur/0.1 (evaluation of language agents) libcurl");
    l->spec.agent = NULL;
    l->spec.seconds = live->seconds > 0 ? live->seconds : 20;
    l->spec.attempts = live->attempts > 0 ? live->attempts : 5;
    l->spec.at_once = live->at_once > 0 ? live->at_once : 4;
    l->spec.pause_s = live->pause_s > 0 ? live->pause_s : 0.5;
    check(pthread_mutex_init(&l->lock, NULL) == 0 && pthread_condattr_init(&clock) == 0 &&
          pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
          pthread_cond_init(&l->turn, &clock) == 0);
    pthread_condattr_destroy(&clock);
    *out = wikipedia_of(&source, l);
    return ST_OK;
}
