#include "eval/fetch.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/fetch_part.h"
#include "eval/unpack.h"

enum { REDIRECTS_MAX = 10, ERROR_PAGE_MAX = 1 << 20 };
static const double CONNECT_S = 30;

FetchSpec fetch_spec(const char *data)
{
    return (FetchSpec){.data = data, .tries = 5, .wait_s = 1, .longest_s = 120, .idle_s = 30};
}

typedef struct {
    const FetchSpec *spec;
    const DataFile *file;
    HttpClient *http;
    FetchPart part;
    int64_t most;   /* the most bytes that there ever were in it */
    int64_t total;  /* of the whole, as the server has it; -1: unknown */
    bool tried;     /* something was asked of the server */
    bool misplaced; /* this exchange gave bytes of another place */
    bool begun;     /* this exchange's first bytes are looked at */
    Progress progress;
    double offset; /* MB that were there when `progress` began */
    HttpReply reply;
} Download;

static bool is_stopped(const FetchSpec *spec)
{
    return spec->stopped && spec->stopped(spec->context);
}

/* An exchange -------------------------------------------------------------------------------------------- */

static Status check_room(const Download *d)
{
    char need[32], there[32];
    int64_t room = disk_free(d->spec->data);
    if (d->total < 0 || room < 0 || d->total - d->part.at <= room)
        return ST_OK;
    return fail(ST_IO, "%s: %s are to come and %s has room for %s only", d->part.paths.url,
                human_bytes(need, (double)(d->total - d->part.at)), d->spec->data,
                human_bytes(there, (double)room));
}

/* Where the bytes that come belong. */
static Status begin_body(Download *d, const HttpReply *reply)
{
    d->begun = true;
    if (reply->status == 206) {
        d->misplaced = reply->first != d->part.at;
        if (d->misplaced)
            return fail(ST_PEER, "%s: sends another part of the file than the one asked for",
                        d->part.paths.url);
        d->total = reply->total;
    } else { /* no ranges here, or another version of the file */
        TRY(fetch_part_cut(&d->part, 0));
        d->total = reply->length;
    }
    str_clear(&d->part.validator);
    str_add(&d->part.validator, reply->validator.at, reply->validator.n);
    TRY(fetch_part_note(&d->part));
    d->offset = (double)d->part.at / 1e6;
    d->progress =
        progress_start(d->file->path, d->total > 0 ? (double)(d->total - d->part.at) / 1e6 : 0, "MB");
    return check_room(d);
}

static Status take(void *context, const HttpReply *reply, const char *bytes, size_t n)
{
    Download *d = context;
    if (!d->begun)
        TRY(begin_body(d, reply));
    TRY(fetch_part_write(&d->part, bytes, n));
    progress_at(&d->progress, (double)d->part.at / 1e6 - d->offset);
    return ST_OK;
}

static bool may_follow(const char *from, const char *to)
{
    return strncasecmp(to, "https://", 8) == 0 ||
           (strncasecmp(to, "http://", 7) == 0 && strncasecmp(from, "http://", 7) == 0 &&
            http_same_host(from, to));
}

static bool is_redirect(const HttpReply *reply)
{
    return (reply->status >= 301 && reply->status <= 303) || reply->status == 307 || reply->status == 308;
}

/* One request, and those that its redirects ask for. */
static Status exchange(Download *d)
{
    char range[64], *if_range = mem_format("If-Range: %s", str_c(&d->part.validator)),
                    *url = mem_str(d->part.paths.url);
    snprintf(range, sizeof range, "Range: bytes=%lld-", (long long)d->part.at);
    const char *const headers[] = {range, if_range};
    Status st = ST_OK;
    d->begun = d->misplaced = false;
    d->total = -1;
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        HttpCall call = {.url = url,
                         .headers = headers,
                         .headers_n = d->part.at == 0       ? 0
                                      : d->part.validator.n ? 2
                                                            : 1,
                         .connect_s = CONNECT_S,
                         .idle_s = d->spec->idle_s,
                         .limit = ERROR_PAGE_MAX,
                         .stopped = d->spec->stopped,
                         .context = d->spec->context,
                         .take = take,
                         .take_context = d};
        st = http_exchange(d->http, &call, &d->reply);
        if (st != ST_OK || !is_redirect(&d->reply) || !d->reply.location.n)
            break;
        if (i == REDIRECTS_MAX)
            st = fail(ST_PEER, "%s: leads on and on (%d redirects)", d->part.paths.url, i);
        else if (!may_follow(url, str_c(&d->reply.location)))
            st =
                fail(ST_PEER, "%s: leads to %s, which is not followed: another host is trusted by https only",
                     url, str_c(&d->reply.location));
        if (st != ST_OK)
            break;
        mem_free(url);
        url = mem_str(str_c(&d->reply.location));
    }
    if (d->begun)
        progress_end(&d->progress);
    mem_free(url);
    mem_free(if_range);
    return st;
}

/* Tries -------------------------------------------------------------------------------------------------- */

typedef enum { TRY_WHOLE, TRY_AGAIN, TRY_OVER } Verdict; /* TRY_OVER: the Status says why */

static Verdict over(Status *st, Status why)
{
    *st = why;
    return TRY_OVER;
}

/* What is there does not go with what the server has; *st says why. */
static Verdict start_anew(Download *d, Status *st)
{
    Error why = error_take();
    Status cut = fetch_part_cut(&d->part, 0);
    *st = cut == ST_OK ? error_put(&why) : cut;
    return cut == ST_OK ? TRY_AGAIN : TRY_OVER;
}

/* A reply with status 200 or 206 came to its end. */
static Verdict judge_body(Download *d, Status *st)
{
    if (!d->begun && (*st = begin_body(d, &d->reply)) != ST_OK) /* an empty body */
        return d->misplaced ? start_anew(d, st) : TRY_OVER;
    if (d->total < 0 || d->part.at == d->total)
        return TRY_WHOLE;
    if (d->part.at > d->total) {
        *st = fail(ST_PEER, "%s: sends more than the %lld bytes that it announced", d->part.paths.url,
                   (long long)d->total);
        return start_anew(d, st);
    }
    *st = fail(ST_PEER, "%s: ends at byte %lld of %lld", d->part.paths.url, (long long)d->part.at,
               (long long)d->total);
    return TRY_AGAIN;
}

static Verdict judge_beyond(Download *d, Status *st)
{
    if (d->part.at > 0 && d->reply.total == d->part.at)
        return TRY_WHOLE; /* it was whole already */
    *st = fail(ST_PEER, "%s: does not have the rest of the file (416)", d->part.paths.url);
    return start_anew(d, st);
}

static Verdict judge_status(Download *d, Status *st)
{
    const char *url = d->part.paths.url;
    long status = d->reply.status;
    if (status == 200 || status == 206)
        return judge_body(d, st);
    if (status == 416)
        return judge_beyond(d, st);
    if (status == 404 || status == 410)
        return over(st, fail(ST_PEER,
                             "%s: is not there (%ld); it may have moved: lemur eval --list says where "
                             "the data is from, --mirror names another server",
                             url, status));
    if (status == 401 || status == 403)
        return over(st, fail(ST_PEER, "%s: is not given to us (%ld); get it by hand into %s", url, status,
                             d->part.paths.target));
    *st = fail(ST_PEER, "%s: the server says %ld", url, status);
    return status == 408 || status == 425 || status == 429 || status >= 500 ? TRY_AGAIN : TRY_OVER;
}

static Verdict judge(Download *d, Status *st)
{
    if (*st == ST_OK)
        return judge_status(d, st);
    if (*st == ST_LIMIT && d->reply.status >= 400) /* a long page of error */
        return judge_status(d, st);
    if (d->misplaced)
        return start_anew(d, st);
    return *st == ST_PEER && d->reply.passing ? TRY_AGAIN : TRY_OVER;
}

static Status wait_for(const Download *d, double seconds)
{
    while (seconds > 0) {
        double part = fmin(seconds, 0.05);
        if (is_stopped(d->spec))
            return fail(ST_CANCELLED, "stopped while waiting to try again");
        nanosleep(&(struct timespec){.tv_nsec = (long)(part * 1e9)}, NULL);
        seconds -= part;
    }
    return ST_OK;
}

static Status give_up(const Download *d, Status st, const char *why)
{
    char kept[32];
    if (d->part.at == 0)
        return fail_in(st, "%s", why);
    return fail_in(st, "%s (%s are kept in %s, and the same command goes on)", why,
                   human_bytes(kept, (double)d->part.at), d->part.paths.part);
}

/* Waits as long as the failure calls for. */
static Status pause_before(Download *d, int failed)
{
    Error why = error_take();
    double wait = fmax(d->spec->wait_s * pow(2, failed - 1), d->reply.retry_after_s);
    if (wait > d->spec->longest_s && d->reply.retry_after_s > d->spec->longest_s) {
        char text[32];
        return give_up(d,
                       fail(ST_PEER, "%s; it asks to come back in %s", why.text,
                            human_time(text, d->reply.retry_after_s)),
                       "not fetched");
    }
    wait = fmin(wait, d->spec->longest_s);
    log_warn("%s; next try in %.3g s", why.text, wait);
    return wait_for(d, wait);
}

static Status download(Download *d)
{
    for (int failed = 0;;) {
        Status st =
            is_stopped(d->spec) ? fail(ST_CANCELLED, "stopped") : fetch_part_cut(&d->part, d->part.at);
        if (st != ST_OK)
            return st;
        d->part.resumed = d->part.resumed || d->part.at > 0;
        d->tried = true;
        st = exchange(d);
        Verdict v = judge(d, &st);
        if (v == TRY_WHOLE)
            return ST_OK;
        if (v == TRY_OVER)
            return st;
        failed = d->part.at > d->most ? 1 : failed + 1;
        d->most = d->part.at > d->most ? d->part.at : d->most;
        if (failed >= d->spec->tries)
            return give_up(d, st, "not fetched");
        TRY(pause_before(d, failed));
    }
}

/* The end ------------------------------------------------------------------------------------------------ */

static Status put_aside(const Download *d, const char *hex)
{
    if (rename(d->part.paths.part, d->part.paths.wrong) != 0)
        return fail_errno(ST_IO, "cannot rename %s", d->part.paths.part);
    unlink(d->part.paths.note);
    return fail(ST_FORMAT, "%s: what came has SHA-256 %s and not %s; it is kept as %s and not used",
                d->part.paths.url, hex, d->file->sha256, d->part.paths.wrong);
}

/* Once more from the start where what was put together does not fit: a server may mistake which version of
 * the file it goes on with. */
static Status download_checked(Download *d)
{
    char hex[65];
    for (bool again = false;; again = true) {
        TRY(download(d));
        if (fsync(d->part.fd) != 0)
            return fail_errno(ST_IO, "cannot write %s", d->part.paths.part);
        if (!d->file->sha256)
            return ST_OK;
        TRY(fetch_sum(hex, d->part.paths.part));
        if (strcasecmp(hex, d->file->sha256) == 0)
            return ST_OK;
        if (!d->part.resumed || again)
            return put_aside(d, hex);
        log_warn("%s: its pieces do not fit; once more from the start", d->part.paths.part);
        d->part.at = d->most = 0;
        d->part.resumed = false;
        str_clear(&d->part.validator);
    }
}

static Status unpack(const Download *d)
{
    int64_t files;
    char *path = path_join(d->spec->data, d->file->path);
    UnpackSpec how = {.stopped = d->spec->stopped, .context = d->spec->context};
    Status st = file_replace(d->part.paths.marker, fetch_unfinished, strlen(fetch_unfinished));
    if (st == ST_OK)
        st = unpack_archive(&files, d->part.paths.target, d->part.paths.into, &how);
    if (st == ST_OK && !path_exists(path))
        st = fail(ST_FORMAT, "%s: there is no %s among its %lld files", d->part.paths.url, d->file->path,
                  (long long)files);
    if (st == ST_OK)
        st = file_replace(d->part.paths.marker, d->file->sha256 ? d->file->sha256 : "",
                          d->file->sha256 ? 64 : 0);
    if (st == ST_OK || st == ST_FORMAT || st == ST_LIMIT) /* otherwise the next call unpacks it again */
        unlink(d->part.paths.target);
    mem_free(path);
    return st;
}

static Status finish(const Download *d)
{
    if (rename(d->part.paths.part, d->part.paths.target) != 0)
        return fail_errno(ST_IO, "cannot rename %s", d->part.paths.part);
    unlink(d->part.paths.note);
    char *folder =
        mem_strn(d->part.paths.target, (size_t)(path_base(d->part.paths.target) - d->part.paths.target - 1));
    Status st = folder_sync(folder);
    mem_free(folder);
    TRY(st);
    return d->part.paths.into ? unpack(d) : ST_OK;
}

/* An archive that was fetched, and whose unpacking was stopped. */
static bool is_fetched(const Download *d)
{
    char hex[65];
    return d->part.paths.into && d->file->sha256 && path_exists(d->part.paths.target) &&
           fetch_sum(hex, d->part.paths.target) == ST_OK && strcasecmp(hex, d->file->sha256) == 0;
}

static Status fetch_absent(FetchEnd *end, HttpClient *http, const FetchSpec *spec, const DataFile *file)
{
    Download d = {.spec = spec, .http = http, .file = file, .part = {.fd = -1}, .total = -1};
    TRY(fetch_paths(&d.part.paths, spec->data, spec->mirror, file));
    Status st;
    if (is_fetched(&d)) {
        st = unpack(&d);
    } else {
        st = fetch_part_open(&d.part, file->sha256 != NULL);
        d.most = d.part.at;
        if (st == ST_OK)
            st = download_checked(&d);
        if (st == ST_OK)
            st = finish(&d);
    }
    if (st != ST_OK && d.tried && d.reply.status == 0)
        *end = FETCH_UNREACHABLE;
    fetch_part_close(&d.part);
    http_reply_drop(&d.reply);
    return st;
}

Status fetch_file(FetchEnd *end, HttpClient *http, const FetchSpec *spec, const DataFile *file)
{
    FileState state = fetch_state(spec->data, file, true);
    *end = state == FILE_RIGHT ? FETCH_HERE : state == FILE_PRESENT ? FETCH_HERE_UNCHECKED : FETCH_GOT;
    if (state == FILE_WRONG)
        return fail(ST_ARG,
                    "%s/%s is here and is not the published file (its SHA-256 is another); move it away "
                    "to fetch that",
                    spec->data, file->path);
    if (state != FILE_ABSENT)
        return ST_OK;
    if (!file->url)
        return fail(ST_UNSUPPORTED, "%s is not here and must be got by hand", file->path);
    return fetch_absent(end, http, spec, file);
}
