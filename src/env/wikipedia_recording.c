/* Recorded answers, and the recording of answers: JSONL {"query", "text" or "error"}. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/stream.h"
#include "env/wikipedia_source.h"

enum { LINE_LIMIT = 16 << 20 };

typedef struct {
    char *text;
    bool failed; /* the text is the error's */
} Answer;

typedef struct {
    Array(Answer) answers;
    size_t next;
} Answers; /* of one query */

typedef struct {
    Map *queries; /* query: index into `all` */
    Array(Answers) all;
    pthread_mutex_t lock; /* of each `next` */
} Recording;

static void close_recording(void *self)
{
    Recording *r = self;
    for (size_t i = 0; i < r->all.n; i++) {
        for (size_t k = 0; k < r->all.at[i].answers.n; k++)
            mem_free(r->all.at[i].answers.at[k].text);
        array_drop(&r->all.at[i].answers);
    }
    array_drop(&r->all);
    map_free(r->queries);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

static Recording *new_recording(void)
{
    Recording *r = mem_new(Recording);
    r->queries = map_new();
    check(pthread_mutex_init(&r->lock, NULL) == 0);
    return r;
}

static Status read_answer(Recording *r, Span line)
{
    json_error_t error;
    json_t *object = json_loadb(line.at, line.n, 0, &error);
    const json_t *query = json_object_get(object, "query"), *text = json_object_get(object, "text");
    const json_t *failure = json_object_get(object, "error");
    Status st = ST_OK;
    if (!json_is_string(query) || json_is_string(text) == json_is_string(failure)) {
        st = fail(ST_FORMAT, "no object with \"query\" and \"text\" (or \"error\")%s%s", object ? "" : ": ",
                  object ? "" : error.text);
    } else {
        const char *key = json_string_value(query);
        size_t n = json_string_length(query);
        if (!map_find(r->queries, key, n)) {
            *map_put(r->queries, key, n) = (int64_t)r->all.n;
            array_push(&r->all, (Answers){0});
        }
        Answers *a = &r->all.at[*map_find(r->queries, key, n)];
        Answer answer = {mem_str(json_string_value(text ? text : failure)), !text};
        array_push(&a->answers, answer);
    }
    json_decref(object);
    return st;
}

static Status read_lines(Recording *r, LineReader *l)
{
    for (int64_t number = 1;; number++) {
        Span line;
        bool cut;
        TRY(lines_next(l, LINE_LIMIT, &line, &cut));
        if (!line.at)
            return ST_OK;
        if (span_trim(line).n == 0)
            continue;
        Status st = cut ? fail(ST_FORMAT, "longer than %d MB", LINE_LIMIT >> 20) : read_answer(r, line);
        if (st != ST_OK)
            return fail_in(st, "line %lld", (long long)number);
    }
}

static Status search_recording(void *self, Span query, Str *answer)
{
    Recording *r = self;
    const int64_t *at = map_find(r->queries, query.at ? query.at : "", query.n);
    if (!at) {
        str_adds(answer, "[This query was not recorded: ");
        str_add(answer, query.at, wikipedia_cut(query, WIKIPEDIA_QUERY_CHARS).n);
        str_adds(answer, "]");
        return ST_OK;
    }
    Answers *a = &r->all.at[*at];
    pthread_mutex_lock(&r->lock);
    const Answer *given = &a->answers.at[a->next];
    a->next += a->next + 1 < a->answers.n;
    pthread_mutex_unlock(&r->lock);
    if (given->failed)
        return fail(ST_PEER, "%s", given->text);
    str_adds(answer, given->text);
    return ST_OK;
}

Status wikipedia_open_recording(Wikipedia **out, const char *file)
{
    static const WikipediaSource source = {search_recording, close_recording};
    StreamReader *stream;
    LineReader lines = {0};
    const char *member;
    TRY(stream_open(&stream, file));
    Recording *r = new_recording();
    Status st;
    while ((st = stream_next(stream, &member)) == ST_OK && member) {
        lines_start(&lines, stream);
        st = read_lines(r, &lines);
        if (st != ST_OK)
            break;
    }
    lines_drop(&lines);
    stream_close(stream);
    if (st != ST_OK) {
        close_recording(r);
        return fail_in(st, "recorded searches in %s", file);
    }
    *out = wikipedia_of(&source, r);
    return ST_OK;
}

/* The recorder ------------------------------------------------------------------------------------------- */

typedef struct {
    Wikipedia *inner;
    char *file;
    int fd;
    pthread_mutex_t lock; /* of writing */
} Recorder;

static void close_recorder(void *self)
{
    Recorder *r = self;
    wikipedia_close(r->inner);
    close(r->fd);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->file);
    mem_free(r);
}

/* One write a line: after a crash the file ends with at most one broken line. */
static Status append(Recorder *r, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    check(text); /* valid UTF-8 both, by wikipedia_search and the sources */
    Str line = {0};
    str_addf(&line, "%s\n", text);
    free(text);
    pthread_mutex_lock(&r->lock);
    off_t before = lseek(r->fd, 0, SEEK_END);
    ssize_t n = write(r->fd, line.at, line.n);
    Status st = n == (ssize_t)line.n ? ST_OK
                : n < 0              ? fail_errno(ST_IO, "writing %s", r->file)
                                     : fail(ST_IO, "writing %s: the disk is full", r->file);
    if (st != ST_OK && n > 0 && before >= 0 && ftruncate(r->fd, before) != 0)
        log_warn("%s ends with a broken line", r->file);
    pthread_mutex_unlock(&r->lock);
    str_drop(&line);
    return st;
}

static Status search_recorder(void *self, Span query, Str *answer)
{
    Recorder *r = self;
    Str text = {0};
    Status st = wikipedia_search(r->inner, query, &text);
    Error why = {0};
    if (st == ST_CANCELLED) { /* nobody's answer */
        str_drop(&text);
        return st;
    }
    if (st != ST_OK)
        why = error_take();
    const char *words = st == ST_OK ? str_c(&text) : why.text;
    Status written = append(r, json_pack("{s:s%,s:s}", "query", query.n ? query.at : "", query.n,
                                         st == ST_OK ? "text" : "error", words));
    str_add(answer, text.at, text.n);
    str_drop(&text);
    TRY(written);
    return st == ST_OK ? ST_OK : error_put(&why);
}

/* What is there must be a recording, which nothing else is added to; *whole is where its last line ends. */
static Status check_lines(const char *file, size_t *whole)
{
    Str bytes = {0};
    Status st = ST_OK;
    TRY(file_read(&bytes, file, 0));
    Recording *r = new_recording();
    const char *at = bytes.at, *end = at + bytes.n, *newline;
    for (; st == ST_OK && at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        if (newline > at)
            st = read_answer(r, (Span){at, (size_t)(newline - at)});
    if (st == ST_OK && at < end && *at != '{')
        st = fail(ST_FORMAT, "its end is no such line");
    *whole = st == ST_OK && bytes.n ? (size_t)(at - bytes.at) : 0;
    close_recording(r);
    str_drop(&bytes);
    if (st != ST_OK) {
        Error why = error_take();
        return fail(ST_ARG, "%s is no recording of searches, so none are added to it: %.300s", file,
                    why.text);
    }
    return ST_OK;
}

Status wikipedia_open_recorder(Wikipedia **out, Wikipedia *inner, const char *file)
{
    static const WikipediaSource source = {search_recorder, close_recorder};
    Status st;
    size_t whole;
    struct stat about;
    int fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_errno(ST_IO, "opening %s", file);
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        st = fail(ST_ARG, "%s is no ordinary file", file);
        goto undo;
    }
    TRY_TO(undo, check_lines(file, &whole));
    if (about.st_size > (off_t)whole) {
        log_warn("%s: its last line is broken off and goes", file);
        if (ftruncate(fd, (off_t)whole) != 0) {
            st = fail_errno(ST_IO, "shortening %s", file);
            goto undo;
        }
    }
    Recorder *r = mem_new(Recorder);
    *r = (Recorder){.inner = inner, .file = mem_str(file), .fd = fd};
    check(pthread_mutex_init(&r->lock, NULL) == 0);
    *out = wikipedia_of(&source, r);
    return ST_OK;
undo:
    close(fd);
    return st;
}
