#include "eval/eval_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"

/* run.json. ---------------------------------------------------------------------------------------------- */

/* The first one: where, as "model.name", and what stands there; NULL: nothing. */
typedef struct {
    Str where;
    const json_t *was, *is;
} Difference;

static bool differs(Difference *d, const json_t *was, const json_t *is)
{
    d->was = was;
    d->is = is;
    if (!json_is_object(was) || !json_is_object(is))
        return was != is && !json_equal(was, is);
    for (int side = 0; side < 2; side++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(side ? was : is), key, value)
        {
            size_t n = d->where.n;
            str_addf(&d->where, "%s%s", n ? "." : "", key);
            if (differs(d, json_object_get(was, key), json_object_get(is, key)))
                return true;
            d->where.n = n;
        }
    }
    return false;
}

static void add_value(Str *out, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    str_addf(out, "%.120s", text ? text : "absent");
    free(text);
}

static Status compare(const char *folder, const json_t *was, const json_t *is)
{
    Difference d = {0};
    Str old = {0}, new = {0};
    Status st = ST_OK;
    if (differs(&d, was, is)) {
        add_value(&old, d.was);
        add_value(&new, d.is);
        st = fail(ST_ARG,
                  "%s holds another run: %s was %s and is now %s; choose another folder with -o, or --restart "
                  "to throw that run away",
                  folder, str_c(&d.where), str_c(&old), str_c(&new));
    }
    str_drop(&d.where);
    str_drop(&old);
    str_drop(&new);
    return st;
}

Status eval_folder_identity(json_t **out, const char *folder)
{
    char *path = path_join(folder, "run.json");
    Status st = path_exists(path) ? json_file_read(out, path)
                : folder_holds(folder, "steps_1")
                    ? fail(ST_ARG, "%s holds runs by steps: name one, as %s/steps_1", folder, folder)
                    : fail(ST_ARG, "%s is no folder of a run: it has no run.json", folder);
    mem_free(path);
    return st;
}

/* But for our lock, which a run that was refused or met a full disk leaves behind, and a run.json that was
 * being written when the process was killed. */
static bool is_empty(const char *folder)
{
    FolderList l = {0};
    bool empty = !path_exists(folder) || folder_list(&l, folder) == ST_OK;
    for (size_t i = 0; i < l.n; i++)
        empty = empty && (strcmp(l.at[i], ".lock") == 0 || span_starts(span(l.at[i]), "run.json.tmp-"));
    folder_list_drop(&l);
    return empty;
}

static bool is_of_run(const char *name)
{
    Span n = span(name);
    return strcmp(name, "run.json") == 0 || strcmp(name, "results.json") == 0 ||
           (span_ends(n, ".jsonl") && (span_starts(n, "samples_") || span_starts(n, "transcripts_")));
}

static Status clear(const char *folder)
{
    FolderList l;
    Status st = ST_OK;
    TRY(folder_list(&l, folder));
    for (int last = 0; last < 2; last++) /* run.json says whose the rest is: it goes last */
        for (size_t i = 0; i < l.n && st == ST_OK; i++) {
            if (!is_of_run(l.at[i]) || (strcmp(l.at[i], "run.json") == 0) != last)
                continue;
            char *path = path_join(folder, l.at[i]);
            if (unlink(path) != 0 && errno != ENOENT)
                st = fail_errno(ST_IO, "removing %s", path);
            mem_free(path);
        }
    folder_list_drop(&l);
    return st;
}

static Status take_lock(int *lock, const char *folder)
{
    if (path_exists(folder) && !path_is_folder(folder))
        return fail(ST_ARG, "%s is a file; name the run's folder with -o", folder);
    if (!folder_holds(folder, "run.json") && !is_empty(folder))
        return fail(ST_ARG, "%s holds files, and no run of lemur eval; choose another folder with -o",
                    folder);
    Status st = folder_make(folder);
    if (st != ST_OK)
        return fail_in(st, "the run's folder, which -o names");
    char *path = path_join(folder, ".lock");
    st = file_lock(lock, path);
    mem_free(path);
    if (st == ST_LIMIT)
        return fail(ST_ARG,
                    "another process works in %s; wait for it, stop it, or choose another folder with -o",
                    folder);
    return st == ST_OK ? ST_OK : fail_in(st, "the run's folder, which -o names");
}

static Status write_or_compare(const char *folder, const json_t *identity)
{
    json_t *was = NULL;
    char *path = path_join(folder, "run.json");
    Status st = path_exists(path) ? json_file_read(&was, path) : json_file_write(path, identity);
    if (st == ST_OK && was)
        st = compare(folder, was, identity);
    json_decref(was);
    mem_free(path);
    return st;
}

Status eval_folder_begin(int *lock, const char *folder, const json_t *identity, bool restart)
{
    *lock = -1;
    Status st = take_lock(lock, folder);
    if (st == ST_OK && restart)
        st = clear(folder);
    if (st == ST_OK)
        st = write_or_compare(folder, identity);
    if (st != ST_OK && *lock >= 0) {
        close(*lock);
        *lock = -1;
    }
    return st;
}

/* Files of lines. ---------------------------------------------------------------------------------------- */

typedef struct {
    const char *key;
    const Map *keep; /* NULL: all */
    Map *ids;        /* NULL: not wanted */
    Str kept;        /* the lines that stay, where some do not */
    bool dropped;
} Lines;

static void take(void *context, Span line, json_t *object)
{
    Lines *l = context;
    const char *id = l->key ? json_string_value(json_object_get(object, l->key)) : NULL;
    bool stays = !l->key || (id && (!l->keep || map_find(l->keep, id, strlen(id))) &&
                             (!l->ids || !map_find(l->ids, id, strlen(id))));
    l->dropped = l->dropped || !stays;
    if (!stays)
        return;
    if (l->ids && id)
        *map_put(l->ids, id, strlen(id)) = 1;
    str_add(&l->kept, line.at, line.n);
}

/* *whole: bytes up to the end of the last whole line. */
static Status read_lines(const char *path, LineTake take_line, void *context, size_t *whole)
{
    FileMap m;
    Status st = ST_OK;
    *whole = 0;
    TRY(file_map(&m, path));
    const char *at = (const char *)m.at, *end = at + m.n;
    for (int64_t number = 1; at < end && st == ST_OK; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        json_error_t why;
        json_t *object = stop ? json_loadb(at, (size_t)(stop - at), JSON_ALLOW_NUL, &why) : NULL;
        if (json_is_object(object)) {
            take_line(context, (Span){at, (size_t)(stop - at) + 1}, object);
            *whole = (size_t)(stop + 1 - (const char *)m.at);
        } else if (stop && stop + 1 < end) {
            st = fail(ST_FORMAT, "%s line %lld is no JSON object; take it out, or run with --restart", path,
                      (long long)number);
        }
        json_decref(object);
        at = stop ? stop + 1 : end;
    }
    file_unmap(&m);
    return st;
}

static Status open_end(LineFile *out, const Lines *l, size_t whole)
{
    int64_t size = file_size(out->path);
    if (l->dropped)
        TRY(file_replace(out->path, str_c(&l->kept), l->kept.n));
    else if (size > (int64_t)whole && truncate(out->path, (off_t)whole) != 0)
        return fail_errno(ST_IO, "cutting the broken end of %s off", out->path);
    if (size > (int64_t)whole)
        out->cut = size - (int64_t)whole;
    return ST_OK;
}

Status line_file_open(LineFile *out, const char *path, const char *key, const Map *keep)
{
    Lines l = {.key = key, .keep = keep, .ids = map_new()};
    size_t whole = 0;
    Status st = ST_OK;
    *out = (LineFile){.path = mem_str(path), .ids = l.ids};
    if (path_exists(path)) {
        TRY_TO(out, read_lines(path, take, &l, &whole));
        TRY_TO(out, open_end(out, &l, whole));
    }
    out->f = fopen(path, "ae");
    if (!out->f)
        st = fail_errno(ST_IO, "cannot write %s", path);
out:
    str_drop(&l.kept);
    if (st != ST_OK)
        line_file_close(out);
    return st;
}

Status line_file_add(LineFile *l, const json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (!text)
        return fail(ST_ARG, "%s: a line has no JSON form", l->path);
    size_t n = strlen(text);
    text[n] = '\n'; /* in the place of the NUL */
    long before = ftell(l->f);
    bool written = fwrite(text, 1, n + 1, l->f) == n + 1 && fflush(l->f) == 0;
    free(text);
    if (written)
        return ST_OK;
    Status st = fail_errno(ST_IO, "cannot write %s", l->path);
    if (before >= 0 && ftruncate(fileno(l->f), before) != 0)
        log_warn("%s ends in half a line, which will be cut off when the run goes on", l->path);
    return st;
}

Status line_file_sync(LineFile *l)
{
    if (fflush(l->f) != 0 || fsync(fileno(l->f)) != 0)
        return fail_errno(ST_IO, "cannot write %s", l->path);
    return ST_OK;
}

typedef struct {
    char *id;
    Span line;
} Line;

static int by_id(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    int order = strverscmp(x->id, y->id);
    return order ? order : (x->line.at > y->line.at) - (x->line.at < y->line.at);
}

static Status split_lines(Line *lines, size_t n, const json_t *all, const char *key, const FileMap *m)
{
    const char *at = (const char *)m->at, *end = at + m->n;
    for (size_t i = 0; i < n; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)),
                   *id = json_string_value(json_object_get(json_array_get(all, i), key));
        if (!stop)
            return fail(ST_FORMAT, "its lines were changed meanwhile");
        lines[i] = (Line){mem_str(id ? id : ""), {at, (size_t)(stop - at) + 1}};
        at = stop + 1;
    }
    return ST_OK;
}

static Status write_sorted(const char *path, Line *lines, size_t n, const FileMap *m)
{
    Str sorted = {0};
    qsort(lines, n, sizeof *lines, by_id);
    for (size_t i = 0; i < n; i++)
        str_add(&sorted, lines[i].line.at, lines[i].line.n);
    bool same = sorted.n == m->n && memcmp(str_c(&sorted), m->at, m->n) == 0;
    Status st = same ? ST_OK : file_replace(path, sorted.at, sorted.n);
    str_drop(&sorted);
    return st;
}

Status line_file_sort(LineFile *l, const char *key)
{
    json_t *all = NULL;
    FileMap m;
    TRY(line_file_read(&all, l->path));
    size_t n = json_array_size(all);
    Line *lines = mem_array(Line, n);
    Status st = n ? file_map(&m, l->path) : ST_OK;
    if (st == ST_OK && n) {
        st = split_lines(lines, n, all, key, &m);
        if (st == ST_OK)
            st = write_sorted(l->path, lines, n, &m);
        file_unmap(&m);
    }
    for (size_t i = 0; i < n; i++)
        mem_free(lines[i].id);
    mem_free(lines);
    json_decref(all);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", l->path);
}

void line_file_close(LineFile *l)
{
    if (l->f)
        fclose(l->f);
    map_free(l->ids);
    mem_free(l->path);
    *l = (LineFile){0};
}

Status line_file_each(const char *path, LineTake take_line, void *context)
{
    size_t whole;
    return read_lines(path, take_line, context, &whole);
}

static void append(void *context, Span line, json_t *object)
{
    (void)line;
    json_array_append(context, object);
}

Status line_file_read(json_t **out, const char *path)
{
    json_t *all = json_array();
    Status st = line_file_each(path, append, all);
    if (st == ST_OK)
        *out = all;
    else
        json_decref(all);
    return st;
}
