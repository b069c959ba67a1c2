#include "eval/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/fetch_paths.h"
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
    FetchPaths paths;
    int fd;           /* of the part, locked */
    int64_t at, most; /* bytes in it; the most that there ever were */
    int64_t total;    /* of the whole, as the server has it; -1: unknown */
    bool resumed;     /* the part's beginning is of an earlier exchange */
    bool misplaced;   /* this exchange gave bytes of another place */
    bool begun;       /* this exchange's first bytes are looked at */
    Str validator;    /* of what is in the part; "": none */
    Progress progress;
    double offset; /* MB that were there when `progress` began */
    HttpReply reply;
} Download;

static bool is_stopped(const FetchSpec *spec)
{
    return spec->stopped && spec->stopped(spec->context);
}

/* The part ------------------------------------------------------------------------------------------------
 */

static void read_note(Download *d)
{
    json_t *note = NULL;
    if (!path_exists(d->paths.note) || json_file_read(&note, d->paths.note) != ST_OK)
        return;
    const char *url = json_string_value(json_object_get(note, "url")),
               *validator = json_string_value(json_object_get(note, "validator"));
    if (url && validator && strcmp(url, d->paths.url) == 0)
        str_adds(&d->validator, validator);
    json_decref(note);
}

static Status write_note(Download *d)
{
    json_t *note = json_pack("{s:s, s:s}", "url", d->paths.url, "validator", str_c(&d->validator));
    Status st = note ? json_file_write(d->paths.note, note) : ST_OK; /* no UTF-8: a tag that is no use */
    json_decref(note);
    return st;
}

/* Locked, and still the file of that name: another process may have finished it in between. */
static bool is_ours(int fd, const char *path)
{
    struct stat opened, named;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static Status open_part(Download *d)
{
    char *folder = mem_strn(d->paths.part, (size_t)(path_base(d->paths.part) - d->paths.part - 1));
    Status st = folder_make(folder);
    mem_free(folder);
    TRY(st);
    int fd = open(d->paths.part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot write %s", d->paths.part);
    if (!is_ours(fd, d->paths.part)) {
        close(fd);
        return fail(ST_IO, "%s is being fetched by another process", d->paths.target);
    }
    d->fd = fd;
    d->at = d->most = lseek(d->fd, 0, SEEK_END);
    read_note(d);
    if (d->at > 0 && !d->validator.n && !d->file->sha256) /* nothing would tell whether the ends fit */
        d->at = 0;
    d->resumed = d->at > 0;
    return ST_OK;
}

static Status cut_part(Download *d, int64_t at)
{
    if (ftruncate(d->fd, at) != 0 || lseek(d->fd, at, SEEK_SET) != at)
        return fail_errno(ST_IO, "cannot write %s", d->paths.part);
    d->at = at;
    d->resumed = d->resumed && at > 0;
    return ST_OK;
}

static Status write_part(Download *d, const char *bytes, size_t n)
{
    while (n) {
        ssize_t wrote = write(d->fd, bytes, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return fail_errno(ST_IO,
                              "cannot write %s; what came is kept, and the same command goes on once "
                              "there is room",
                              d->paths.part);
        bytes += wrote;
        n -= (size_t)wrote;
        d->at += wrote;
    }
    return ST_OK;
}

/* An exchange ---------------------------------------------------------------------------------------------
 */

static Status check_room(const Download *d)
{
    char need[32], there[32];
    int64_t room = disk_free(d->spec->data);
    if (d->total < 0 || room < 0 || d->total - d->at <= room)
        return ST_OK;
    return fail(ST_IO, "%s: %s are to come and %s has room for %s only", d->paths.url,
                human_bytes(need, (double)(d->total - d->at)), d->spec->data,
                human_bytes(there, (double)room));
}

/* Where the bytes that come belong. */
static Status begin_body(Download *d, const HttpReply *reply)
{
    d->begun = true;
    if (reply->status == 206) {
        d->misplaced = reply->first != d->at;
        if (d->misplaced)
            return fail(ST_PEER, "%s: sends another part of the file than the one asked for", d->paths.url);
        d->total = reply->total;
    } else { /* no ranges here, or another version of the file */
        TRY(cut_part(d, 0));
        d->total = reply->length;
    }
    str_clear(&d->validator);
    str_add(&d->validator, reply->validator.at, reply->validator.n);
    TRY(write_note(d));
    d->offset = (double)d->at / 1e6;
    d->progress = progress_start(d->file->path, d->total > 0 ? (double)(d->total - d->at) / 1e6 : 0, "MB");
    return check_room(d);
}

static Status take(void *context, const HttpReply *reply, const char *bytes, size_t n)
{
    Download *d = context;
    if (!d->begun)
        TRY(begin_body(d, reply));
    TRY(write_part(d, bytes, n));
    progress_at(&d->progress, (double)d->at / 1e6 - d->offset);
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
    char range[64], *if_range = mem_format("If-Range: %s", str_c(&d->validator)),
                    *url = mem_str(d->paths.url);
    snprintf(range, sizeof range, "Range: bytes=%lld-", (long long)d->at);
    const char *const headers[] = {range, if_range};
    Status st = ST_OK;
    d->begun = d->misplaced = false;
    d->total = -1;
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        HttpCall call = {.url = url,
                         .headers = headers,
                         .headers_n = d->at == 0       ? 0
                                      : d->validator.n ? 2
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
            st = fail(ST_PEER, "%s: leads on and on (%d redirects)", d->paths.url, i);
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

/* Tries ---------------------------------------------------------------------------------------------------
 */

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
    Status cut = cut_part(d, 0);
    *st = cut == ST_OK ? error_put(&why) : cut;
    return cut == ST_OK ? TRY_AGAIN : TRY_OVER;
}

/* A reply with status 200 or 206 came to its end. */
static Verdict judge_body(Download *d, Status *st)
{
    if (!d->begun && (*st = begin_body(d, &d->reply)) != ST_OK) /* an empty body */
        return d->misplaced ? start_anew(d, st) : TRY_OVER;
    if (d->total < 0 || d->at == d->total)
        return TRY_WHOLE;
    if (d->at > d->total) {
        *st = fail(ST_PEER, "%s: sends more than the %lld bytes that it announced", d->paths.url,
                   (long long)d->total);
        return start_anew(d, st);
    }
    *st = fail(ST_PEER, "%s: ends at byte %lld of %lld", d->paths.url, (long long)d->at, (long long)d->total);
    return TRY_AGAIN;
}

static Verdict judge_beyond(Download *d, Status *st)
{
    if (d->at > 0 && d->reply.total == d->at)
        return TRY_WHOLE; /* it was whole already */
    *st = fail(ST_PEER, "%s: does not have the rest of the file (416)", d->paths.url);
    return start_anew(d, st);
}

static Verdict judge_status(Download *d, Status *st)
{
    const char *url = d->paths.url;
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
                             d->paths.target));
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
    if (d->at == 0)
        return fail_in(st, "%s", why);
    return fail_in(st, "%s (%s are kept in %s, and the same command goes on)", why,
                   human_bytes(kept, (double)d->at), d->paths.part);
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
        Status st = is_stopped(d->spec) ? fail(ST_CANCELLED, "stopped") : cut_part(d, d->at);
        if (st != ST_OK)
            return st;
        d->resumed = d->resumed || d->at > 0;
        st = exchange(d);
        Verdict v = judge(d, &st);
        if (v == TRY_WHOLE)
            return ST_OK;
        if (v == TRY_OVER)
            return st;
        failed = d->at > d->most ? 1 : failed + 1;
        d->most = d->at > d->most ? d->at : d->most;
        if (failed >= d->spec->tries)
            return give_up(d, st, "not fetched");
        TRY(pause_before(d, failed));
    }
}

/* The end -------------------------------------------------------------------------------------------------
 */

static Status put_aside(const Download *d, const char *hex)
{
    if (rename(d->paths.part, d->paths.wrong) != 0)
        return fail_errno(ST_IO, "cannot rename %s", d->paths.part);
    unlink(d->paths.note);
    return fail(ST_FORMAT, "%s: what came has SHA-256 %s and not %s; it is kept as %s and not used",
                d->paths.url, hex, d->file->sha256, d->paths.wrong);
}

/* Once more from the start where what was put together does not fit: a server may mistake which version of
 * the file it goes on with. */
static Status download_checked(Download *d)
{
    char hex[65];
    for (bool again = false;; again = true) {
        TRY(download(d));
        if (fsync(d->fd) != 0)
            return fail_errno(ST_IO, "cannot write %s", d->paths.part);
        if (!d->file->sha256)
            return ST_OK;
        TRY(fetch_sum(hex, d->paths.part));
        if (strcasecmp(hex, d->file->sha256) == 0)
            return ST_OK;
        if (!d->resumed || again)
            return put_aside(d, hex);
        log_warn("%s: its pieces do not fit; once more from the start", d->paths.part);
        d->at = d->most = 0;
        d->resumed = false;
        str_clear(&d->validator);
    }
}

static Status unpack(const Download *d)
{
    int64_t files;
    char *path = path_join(d->spec->data, d->file->path);
    UnpackSpec how = {.stopped = d->spec->stopped, .context = d->spec->context};
    Status st = file_replace(d->paths.marker, fetch_unfinished, strlen(fetch_unfinished));
    if (st == ST_OK)
        st = unpack_archive(&files, d->paths.target, d->paths.into, &how);
    if (st == ST_OK && !path_exists(path))
        st = fail(ST_FORMAT, "%s: there is no %s among its %lld files", d->paths.url, d->file->path,
                  (long long)files);
    if (st == ST_OK)
        st = file_replace(d->paths.marker, d->file->sha256 ? d->file->sha256 : "", d->file->sha256 ? 64 : 0);
    if (st == ST_OK || st == ST_FORMAT || st == ST_LIMIT) /* otherwise the next call unpacks it again */
        unlink(d->paths.target);
    mem_free(path);
    return st;
}

static Status finish(const Download *d)
{
    if (rename(d->paths.part, d->paths.target) != 0)
        return fail_errno(ST_IO, "cannot rename %s", d->paths.part);
    unlink(d->paths.note);
    char *folder = mem_strn(d->paths.target, (size_t)(path_base(d->paths.target) - d->paths.target - 1));
    Status st = folder_sync(folder);
    mem_free(folder);
    TRY(st);
    return d->paths.into ? unpack(d) : ST_OK;
}

/* An archive that was fetched, and whose unpacking was stopped. */
static bool is_fetched(const Download *d)
{
    char hex[65];
    return d->paths.into && d->file->sha256 && path_exists(d->paths.target) &&
           fetch_sum(hex, d->paths.target) == ST_OK && strcasecmp(hex, d->file->sha256) == 0;
}

static Status fetch_absent(const FetchSpec *spec, HttpClient *http, const DataFile *file)
{
    Download d = {.spec = spec, .http = http, .file = file, .fd = -1, .total = -1};
    TRY(fetch_paths(&d.paths, spec->data, spec->mirror, file));
    if (is_fetched(&d)) {
        Status unpacked = unpack(&d);
        fetch_paths_drop(&d.paths);
        return unpacked;
    }
    Status st = open_part(&d);
    if (st == ST_OK)
        st = download_checked(&d);
    if (st == ST_OK)
        st = finish(&d);
    else if (d.fd >= 0 && d.at == 0 && st != ST_FORMAT) { /* nothing to go on from */
        unlink(d.paths.part);
        unlink(d.paths.note);
    }
    if (d.fd >= 0)
        close(d.fd);
    str_drop(&d.validator);
    http_reply_drop(&d.reply);
    fetch_paths_drop(&d.paths);
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
    return fetch_absent(spec, http, file);
}
