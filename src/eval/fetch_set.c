#include "eval/fetch_set.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/map.h"

enum { LOST_MOST = 3 }; /* files in a row after which a server that is not reached is asked no more */

typedef struct {
    FetchReport *report;
    HttpClient *http;
    FetchSpec spec;
    int tries; /* as they were asked for */
    Map *seen;
    const char *lost; /* a url whose server was not reached, lost_n files in a row; NULL: none */
    int lost_n;
    int64_t unasked; /* files that were therefore passed over */
    void (*tell)(void *arg, const char *path, const char *what);
    void *arg;
} Fetcher;

static void tell_end(Fetcher *f, const DataFile *file, FetchEnd end)
{
    char size[32], *path = path_join(f->spec.data, file->path);
    int64_t bytes = path_is_folder(path) ? -1 : file_size(path);
    char *words = end == FETCH_HERE             ? mem_str("is here")
                  : end == FETCH_HERE_UNCHECKED ? mem_str("is here; no checksum to compare it with")
                  : bytes < 0                   ? mem_str("fetched")
                                                : mem_format("fetched, %s", human_bytes(size, (double)bytes));
    f->report->got += end == FETCH_GOT;
    f->report->here += end != FETCH_GOT;
    f->report->unchecked += end == FETCH_HERE_UNCHECKED;
    f->tell(f->arg, file->path, words);
    mem_free(words);
    mem_free(path);
}

/* It is the server's that was not reached the last time. */
static bool is_of_lost(const Fetcher *f, const DataFile *file)
{
    return f->lost && file->url && (f->spec.mirror || http_same_host(f->lost, file->url));
}

static Status fetch_one(Fetcher *f, const Benchmark *b, const DataFile *file)
{
    FetchEnd end = FETCH_GOT;
    if (map_find(f->seen, file->path, strlen(file->path)))
        return ST_OK;
    *map_put(f->seen, file->path, strlen(file->path)) = 1;
    f->report->files++;
    if (f->lost_n >= LOST_MOST && is_of_lost(f, file) &&
        fetch_state(f->spec.data, file, false) == FILE_ABSENT) {
        f->report->failed++;
        f->unasked++;
        return ST_OK;
    }
    Status st = fetch_file(&end, f->http, &f->spec, file);
    /* A server that cannot be reached is not waited for with each file anew. */
    if (end == FETCH_UNREACHABLE) {
        f->spec.tries = 1;
        f->lost_n = is_of_lost(f, file) ? f->lost_n + 1 : 1;
        f->lost = file->url;
    } else if (st == ST_OK && end == FETCH_GOT) {
        f->spec.tries = f->tries;
        f->lost_n = 0;
    }
    if (st == ST_OK) {
        tell_end(f, file, end);
        return ST_OK;
    }
    f->report->failed++;
    if (st == ST_CANCELLED || st == ST_IO)
        return st;
    f->tell(f->arg, file->path, st == ST_UNSUPPORTED ? "must be got by hand" : "not fetched");
    log_error("%s%s%s", error_text(), st == ST_UNSUPPORTED ? ": " : "",
              st == ST_UNSUPPORTED ? b->source : "");
    return ST_OK;
}

Status fetch_set(FetchReport *report, HttpClient *http, const FetchSpec *spec, const Benchmark *const *chosen,
                 size_t n, void (*tell)(void *arg, const char *path, const char *what), void *arg)
{
    Fetcher f = {.report = report,
                 .http = http,
                 .spec = *spec,
                 .tries = spec->tries,
                 .seen = map_new(),
                 .tell = tell,
                 .arg = arg};
    Status st = ST_OK;
    *report = (FetchReport){0};
    for (size_t i = 0; i < n && st == ST_OK; i++)
        for (const DataFile *file = chosen[i]->files; file && file->path && st == ST_OK; file++)
            st = fetch_one(&f, chosen[i], file);
    map_free(f.seen);
    if (st == ST_OK && report->failed)
        return fail(ST_PEER, "%lld of %lld files were not fetched%s", (long long)report->failed,
                    (long long)report->files,
                    f.unasked ? "; a server that is not reached is not asked for all of them: is there a "
                                "network? The same command goes on"
                              : "");
    return st;
}
