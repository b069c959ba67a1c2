#include "eval/fetch_paths.h"

#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval/sample_line.h"

const char fetch_unfinished[] = "unfinished";
static const char into_mark[] = "#into=";

/* The mirror and what stands behind the host. */
static char *mirrored(const char *url, const char *mirror)
{
    const char *host = strstr(url, "://"), *rest = host ? strchr(host + 3, '/') : NULL;
    size_t n = strlen(mirror);
    while (n && mirror[n - 1] == '/')
        n--;
    return mem_format("%.*s%s", (int)n, mirror, rest ? rest : "/");
}

Status fetch_paths(FetchPaths *out, const char *data, const char *mirror, const DataFile *file)
{
    const char *mark = strstr(file->url, into_mark);
    char *url = mark ? mem_strn(file->url, (size_t)(mark - file->url)) : mem_str(file->url);
    if (mirror) {
        char *other = mirrored(url, mirror);
        mem_free(url);
        url = other;
    }
    Status st = http_check_url(url);
    if (st != ST_OK) {
        mem_free(url);
        return st;
    }
    FetchPaths p = {.url = url};
    if (mark) {
        const char *name = path_base(url);
        p.into = path_join(data, mark + sizeof into_mark - 1);
        p.target = mem_format("%s/.%s", p.into, *name ? name : "archive");
        p.marker = mem_format("%s.fetched", p.target);
    } else {
        p.target = path_join(data, file->path);
    }
    p.part = mem_format("%s.part", p.target);
    p.note = mem_format("%s.part.json", p.target);
    p.wrong = mem_format("%s.wrong", p.target);
    *out = p;
    return ST_OK;
}

void fetch_paths_drop(FetchPaths *p)
{
    char *const owned[] = {p->url, p->target, p->part, p->note, p->wrong, p->into, p->marker};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        mem_free(owned[i]);
    *p = (FetchPaths){0};
}

Status fetch_sum(char hex[65], const char *path)
{
    FileMap m;
    TRY(file_map(&m, path));
    text_hash(hex, (Span){(const char *)m.at, m.n});
    file_unmap(&m);
    return ST_OK;
}

static bool sum_is(const char *path, const char *sum)
{
    char hex[65];
    return fetch_sum(hex, path) == ST_OK && strcasecmp(hex, sum) == 0;
}

static bool marker_is(const char *path, const char *sum)
{
    Str text = {0};
    bool same = path_exists(path) && file_read(&text, path, 1000) == ST_OK &&
                span_is(span_trim(str_span(&text)), sum);
    str_drop(&text);
    return same;
}

static FileState state_of(const FetchPaths *p, const char *path, const char *sum)
{
    if (!p->into)
        return !sum ? FILE_PRESENT : sum_is(path, sum) ? FILE_RIGHT : FILE_WRONG;
    if (marker_is(p->marker, fetch_unfinished))
        return FILE_ABSENT;
    return sum && marker_is(p->marker, sum) ? FILE_RIGHT : FILE_PRESENT; /* files of it are not remembered */
}

FileState fetch_state(const char *data, const DataFile *file, bool sum)
{
    char *path = path_join(data, file->path);
    FetchPaths p = {0};
    FileState state = path_exists(path) ? FILE_PRESENT : FILE_ABSENT;
    if (state == FILE_PRESENT && file->url && fetch_paths(&p, data, NULL, file) == ST_OK)
        state = state_of(&p, path, sum ? file->sha256 : NULL);
    fetch_paths_drop(&p);
    mem_free(path);
    return state;
}
