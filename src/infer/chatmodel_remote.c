/* A ChatModel behind an OpenAI-compatible server: tries, and tries again where that can help. */
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/chatmodel_wire.h"

static const double LOOK_S = 0.05; /* between two looks at whether a wait is still wanted */
enum { WORDS_MAX = 300 };          /* bytes of a server's error that are shown */

typedef struct {
    ChatRemoteSetup setup; /* its texts are this struct's */
    char *url;
    char *key, *authorization; /* NULL: none */
    HttpClient *client;
    pthread_mutex_t lock; /* of what is below */
    uint64_t calls;
    int64_t told; /* the highest try that was told since the last answer */
} Remote;

/* One call: its tries share these. */
typedef struct {
    Remote *remote;
    const ChatCall *call;
    double until; /* clock_now's; 0: no deadline */
    Str body;
    HttpReply http;
    WireReply wire;
    bool again; /* the last try failed in a way that may pass */
    Rng rng;
} Ask;

/* A try -------------------------------------------------------------------------------------------------- */

static bool status_passes(const WireReply *r)
{
    return r->status == 408 || r->status == 409 || (r->status == 429 && !r->quota) || r->status >= 500;
}

/* Of this request alone: another may be taken. */
static bool status_refuses(const WireReply *r)
{
    return r->status == 400 || r->status == 413 || r->status == 422;
}

/* A server may repeat the key that it refuses. */
static void hide_key(Str *text, const char *key)
{
    size_t n = key ? strlen(key) : 0;
    for (char *at = text->at; n && at && (at = strstr(at, key)); at += n)
        memset(at, '*', n);
}

static void shorten(Str *words)
{
    if (words->n <= WORDS_MAX)
        return;
    words->n = WORDS_MAX;
    while (words->n && utf8_length((unsigned char)words->at[words->n]) == 0)
        words->n--;
    words->at[words->n] = 0;
    str_adds(words, "...");
}

static const char *advice(const Ask *a)
{
    long status = a->wire.status;
    if (status == 401 || status == 403)
        return a->remote->key
                   ? "is the key right, and may it use this model?"
                   : "does it want a key?  Name the environment variable that holds it (--key-variable)";
    if (status == 404)
        return "are the address and the model's name right?";
    if (status == 429)
        return a->wire.quota ? "the account has nothing left" : "too many requests at once";
    if (status >= 300 && status < 400)
        return "the server has moved: give its new address";
    return status >= 500 ? "the server's own log says why" : "the server does not take this request";
}

static Status say_status(Ask *a, ChatAnswer *out)
{
    const Remote *r = a->remote;
    Str *words = a->http.location.n ? &a->http.location : &a->wire.words;
    hide_key(words, r->key);
    shorten(words);
    const char *open = words->n ? ": \"" : "", *close = words->n ? "\"" : "";
    if (a->wire.context) {
        out->finish = CHAT_FINISH_CONTEXT;
        return fail(ST_LIMIT, "%s: the messages are longer than the context of %s%s%s%s", r->url,
                    r->setup.model, open, str_c(words), close);
    }
    if (status_refuses(&a->wire))
        out->finish = CHAT_FINISH_REFUSED;
    bool keyed = r->key && (a->wire.status == 401 || a->wire.status == 403);
    return fail(a->again || a->wire.status == 429 ? ST_PEER : ST_ARG,
                "%s, model %s: status %ld%s%s%s; %s%s%s", r->url, r->setup.model, a->wire.status, open,
                str_c(words), close, advice(a), keyed ? "  It is that in " : "",
                keyed ? r->setup.key_variable : "");
}

static Status read_reply(Ask *a, ChatAnswer *out)
{
    Status st = chatmodel_wire_reply(&a->wire, &a->http, out);
    if (st == ST_PEER) {
        a->again = status_passes(&a->wire) && !a->wire.context;
        return say_status(a, out);
    }
    if (st != ST_FORMAT)
        return st;
    a->again = a->wire.cut;
    if (a->wire.cut)
        return fail(ST_PEER, "%s: the answer is cut off after %zu bytes", a->remote->url, a->http.body.n);
    return fail_in(st, "%s is no chat completion server, or one that failed", a->remote->url);
}

static Status try_once(Ask *a, ChatAnswer *out)
{
    const Remote *r = a->remote;
    const char *headers[] = {"Content-Type: application/json", "Accept: application/json", r->authorization};
    HttpCall call = {
        .url = r->url,
        .headers = headers,
        .headers_n = r->authorization ? 3 : 2,
        .post = str_c(&a->body),
        .post_n = a->body.n,
        .connect_s = r->setup.connect_s,
        .idle_s = r->setup.idle_s,
        .until = a->until,
        .limit = (size_t)r->setup.max_answer_bytes,
        .stopped = a->call->stopped,
        .context = a->call->stopped_context,
    };
    str_clear(&out->text);
    Status st = http_exchange(r->client, &call, &a->http);
    a->again = a->http.passing;
    if (st == ST_OK)
        return read_reply(a, out);
    if (a->http.late) {
        out->finish = CHAT_FINISH_DEADLINE;
        return fail(ST_LIMIT, "%s: no whole answer within the deadline of %g s", r->url, a->call->deadline_s);
    }
    return st;
}

/* Tries -------------------------------------------------------------------------------------------------- */

static double wait_of(Ask *a, int64_t retries)
{
    const ChatRemoteSetup *s = &a->remote->setup;
    double wait = fmin(ldexp(s->retry_wait_s, (int)(retries < 60 ? retries : 60)), s->retry_wait_max_s);
    return fmax(wait * (1 - 0.5 * rng_uniform(&a->rng)), a->http.retry_after_s);
}

static Status check_wait(const Ask *a, double wait, ChatAnswer *out)
{
    const ChatRemoteSetup *s = &a->remote->setup;
    if (out->retries >= s->retries)
        return out->retries ? fail_in(ST_PEER, "given up after %lld retries", (long long)out->retries)
                            : ST_PEER;
    if (wait > s->retry_wait_max_s)
        return fail_in(ST_PEER, "given up, as the server wants %g s of rest and the most is %g", wait,
                       s->retry_wait_max_s);
    if (a->until > 0 && clock_now() + wait >= a->until) {
        out->finish = CHAT_FINISH_DEADLINE;
        return fail_in(ST_LIMIT, "the deadline of %g s leaves no time for another try", a->call->deadline_s);
    }
    return ST_OK;
}

static Status sleep_for(const Ask *a, double seconds)
{
    double until = clock_now() + seconds;
    for (double left; (left = until - clock_now()) > 0;) {
        if (a->call->stopped && a->call->stopped(a->call->stopped_context))
            return fail(ST_CANCELLED, "%s: stopped while waiting for another try", a->remote->url);
        struct timespec t = {.tv_nsec = (long)(1e9 * fmin(left, LOOK_S))};
        nanosleep(&t, NULL);
    }
    return ST_OK;
}

/* A server that is away fails every call in flight: one of them says each try. */
static void tell_wait(const Ask *a, double wait, int64_t retries)
{
    Remote *r = a->remote;
    pthread_mutex_lock(&r->lock);
    bool is_new = retries > r->told;
    r->told = is_new ? retries : r->told;
    pthread_mutex_unlock(&r->lock);
    if (is_new)
        log_warn("%s; trying again in %.1f s (%lld of %lld)", error_text(), wait, (long long)retries,
                 (long long)r->setup.retries);
}

static void note_answer(Remote *r)
{
    pthread_mutex_lock(&r->lock);
    r->told = 0;
    pthread_mutex_unlock(&r->lock);
}

static Status try_until(Ask *a, ChatAnswer *out)
{
    for (;;) {
        Status st = try_once(a, out);
        if (st == ST_OK)
            note_answer(a->remote);
        if (st == ST_OK || !a->again)
            return st;
        double wait = wait_of(a, out->retries);
        TRY(check_wait(a, wait, out));
        out->retries++;
        tell_wait(a, wait, out->retries);
        TRY(sleep_for(a, wait));
    }
}

static Status remote_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    Remote *r = self;
    Ask a = {.remote = r, .call = call, .until = call->deadline_s > 0 ? clock_now() + call->deadline_s : 0};
    pthread_mutex_lock(&r->lock);
    rng_seed_pair(&a.rng, r->setup.seed, r->calls++);
    pthread_mutex_unlock(&r->lock);
    chatmodel_wire_request(&a.body, call, r->setup.model, r->setup.max_tokens_key);
    Status st = try_until(&a, out);
    str_drop(&a.body);
    str_drop(&a.wire.words);
    http_reply_drop(&a.http);
    return st;
}

/* Opening ------------------------------------------------------------------------------------------------ */

static void remote_close(void *self)
{
    Remote *r = self;
    http_close(r->client);
    pthread_mutex_destroy(&r->lock);
    mem_free((char *)r->setup.model);
    mem_free((char *)r->setup.key_variable);
    mem_free((char *)r->setup.max_tokens_key);
    mem_free(r->url);
    mem_free(r->key);
    mem_free(r->authorization);
    mem_free(r);
}

static const ChatModelKind remote = {remote_ask, remote_close};

static char *url_of(const char *base, const char *what)
{
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    const char *host = strstr(base, "://") + 3;
    bool has_path = memchr(host, '/', (size_t)(base + n - host)) != NULL;
    return mem_format("%.*s%s%s", (int)n, base, has_path ? "" : "/v1", what);
}

static Status check_address(const char *base)
{
    if (!base || !base[0])
        return fail(ST_ARG, "the server's address is missing: http://HOST:PORT or https://HOST/v1");
    TRY(http_check_url(base));
    if (strpbrk(base, "?#"))
        return fail(ST_ARG,
                    "the server's address has a '?' or '#': give it up to that, and a key by a variable");
    return ST_OK;
}

static Status take_key(Remote *r, const char *variable)
{
    const char *key = getenv(variable);
    if (!key || !key[0])
        return fail(ST_ARG, "the environment variable %s, which is to hold the server's key, is %s", variable,
                    key ? "empty" : "not set");
    for (const char *c = key; *c; c++)
        if (*c <= 32 || *c == 127)
            return fail(ST_ARG,
                        "the key in the environment variable %s has a space, a line end or another "
                        "character that no key has",
                        variable);
    r->key = mem_str(key);
    r->authorization = mem_format("Authorization: Bearer %s", key);
    if (strncmp(r->url, "https://", 8) != 0 && !http_is_local(r->url))
        log_warn("%s: the key in %s crosses the network unencrypted; https:// would hide it", r->url,
                 variable);
    return ST_OK;
}

static double or_else(double given, double otherwise)
{
    return given > 0 ? given : otherwise;
}

static ChatRemoteSetup whole_setup(const ChatRemoteSetup *given)
{
    ChatRemoteSetup s = *given;
    s.base_url = NULL;
    s.model = given->model ? mem_str(given->model) : NULL;
    s.key_variable = given->key_variable ? mem_str(given->key_variable) : NULL;
    s.max_tokens_key = mem_str(given->max_tokens_key ? given->max_tokens_key : "max_tokens");
    s.connect_s = or_else(s.connect_s, 10);
    s.idle_s = or_else(s.idle_s, 600);
    s.retries = s.retries == 0 ? 5 : s.retries < 0 ? 0 : s.retries;
    s.retry_wait_s = or_else(s.retry_wait_s, 1);
    s.retry_wait_max_s = or_else(s.retry_wait_max_s, 60);
    s.max_answer_bytes = s.max_answer_bytes > 0 ? s.max_answer_bytes : 16 << 20;
    return s;
}

static Status remote_new(Remote **out, const ChatRemoteSetup *setup, const char *what)
{
    Status st;
    TRY(check_address(setup->base_url));
    Remote *r = mem_new(Remote);
    check(pthread_mutex_init(&r->lock, NULL) == 0);
    r->setup = whole_setup(setup);
    r->url = url_of(setup->base_url, what);
    if (setup->key_variable)
        TRY_TO(undo, take_key(r, setup->key_variable));
    TRY_TO(undo, http_open(&r->client));
    *out = r;
    return ST_OK;
undo:
    remote_close(r);
    return st;
}

Status chatmodel_remote_open(ChatModel **out, const ChatRemoteSetup *setup)
{
    Remote *r;
    TRY(check_address(setup->base_url));
    if (!setup->model || !setup->model[0])
        return fail(ST_ARG, "%s: the model's name is missing: one that the server lists at /v1/models",
                    setup->base_url);
    TRY(remote_new(&r, setup, "/chat/completions"));
    chatmodel_open(out, &remote, r, setup->model);
    return ST_OK;
}

/* Which models there are --------------------------------------------------------------------------------- */

static Status several_models(const Remote *r, const json_t *data)
{
    Str names = {0};
    const json_t *one;
    size_t i;
    json_array_foreach(data, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        str_addf(&names, "%s%s", i ? ", " : "", id ? id : "?");
    }
    shorten(&names);
    Status st = fail(ST_ARG, "%s lists %zu models%s%s: say which one is meant", r->url, json_array_size(data),
                     names.n ? ": " : "", str_c(&names));
    str_drop(&names);
    return st;
}

static Status only_model(char **out, const Remote *r, const HttpReply *http)
{
    json_t *list = json_loadb(str_c(&http->body), http->body.n, 0, NULL);
    const json_t *data = json_object_get(list, "data");
    const char *id = json_string_value(json_object_get(json_array_get(data, 0), "id"));
    Status st = ST_OK;
    if (http->status != 200 || !json_is_array(data))
        st = fail(http->status == 200 ? ST_FORMAT : ST_ARG,
                  "%s does not say which models there are (status %ld): give the model's name", r->url,
                  http->status);
    else if (json_array_size(data) != 1 || !id || !id[0])
        st = several_models(r, data);
    else
        *out = mem_str(id);
    json_decref(list);
    return st;
}

Status chatmodel_remote_only_model(char **out, const ChatRemoteSetup *setup)
{
    Remote *r;
    HttpReply http = {0};
    TRY(remote_new(&r, setup, "/models"));
    HttpCall call = {.url = r->url,
                     .headers = (const char *const *)&r->authorization,
                     .headers_n = r->authorization ? 1 : 0,
                     .connect_s = r->setup.connect_s,
                     .idle_s = r->setup.connect_s,
                     .limit = (size_t)r->setup.max_answer_bytes};
    Status st = http_exchange(r->client, &call, &http);
    if (st == ST_OK)
        st = only_model(out, r, &http);
    http_reply_drop(&http);
    remote_close(r);
    return st;
}
