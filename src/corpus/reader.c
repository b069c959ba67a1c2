#include "corpus/reader.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/glob.h"
#include "corpus/read_formats.h"

const char *const read_format_names[] = {"auto", "tree", "text", "jsonl", "json", NULL};
const char *const read_reason_names[READ_REASONS] = {
    "good", "unreadable", "invalid_utf8", "binary", "too_long", "empty", "not_json", "no_such_key",
};

struct Reader {
    ReaderSpec spec;
    GlobWalk *walk;
    StreamReader *stream; /* of the current file, or NULL between files */
    bool in_member, any_member; /* of this file */
    Member member;
    ReadFormat format; /* of the current member */
    Str path, name, id;
    DocumentStore store; /* of reader_next */
    int64_t files, consumed;
};

static GlobWalk *walk_of(const ReaderSpec *spec)
{
    GlobWalk *walk = glob_start(spec->patterns, spec->patterns_n, spec->excludes, spec->excludes_n);
    if (spec->skip)
        glob_skip(walk, spec->skip);
    return walk;
}

Status reader_open(Reader **out, const ReaderSpec *spec)
{
    *out = NULL;
    if (spec->patterns_n == 0)
        return fail(ST_ARG, "no path or pattern was given");
    Reader *r = mem_new(Reader);
    r->spec = *spec;
    r->walk = walk_of(spec);
    r->member.limit = (size_t)(spec->max_document_bytes > 0 ? spec->max_document_bytes : READ_MAX_DEFAULT);
    r->member.separator = spec->separator;
    *out = r;
    return ST_OK;
}

void reader_close(Reader *r)
{
    if (!r)
        return;
    stream_close(r->stream);
    glob_end(r->walk);
    lines_drop(&r->member.lines);
    str_drop(&r->member.buf);
    str_drop(&r->member.note);
    str_drop(&r->path);
    str_drop(&r->name);
    str_drop(&r->id);
    document_store_drop(&r->store);
    mem_free(r);
}

static void text_set(Str *s, const char *text)
{
    str_clear(s);
    str_adds(s, text);
}

static bool names_jsonl(const char *name)
{
    static const char *const endings[] = {".jsonl", ".ndjson", ".jl"};
    static const char *const packings[] = {"", ".gz", ".zst", ".xz", ".bz2"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        for (size_t k = 0; k < sizeof packings / sizeof *packings; k++) {
            char ending[32];
            snprintf(ending, sizeof ending, "%s%s", endings[i], packings[k]);
            if (span_ends(span(name), ending))
                return true;
        }
    return false;
}

static bool member_wanted(const Reader *r, const char *member)
{
    bool wanted = r->spec.members_n == 0 || strcmp(member, str_c(&r->path)) == 0;
    for (size_t i = 0; !wanted && i < r->spec.members_n; i++)
        wanted = glob_match(r->spec.members[i], member);
    return wanted;
}

static void member_start(Reader *r, const char *name)
{
    Member *m = &r->member;
    r->in_member = true;
    r->format = r->spec.format != FORMAT_AUTO ? r->spec.format
                : names_jsonl(name)           ? FORMAT_JSONL
                                              : FORMAT_TEXT;
    text_set(&r->name, str_c(&r->path));
    if (strcmp(name, str_c(&r->path)) != 0)
        str_addf(&r->name, ":%s", name);
    m->stream = r->stream;
    m->number = 0;
    m->ended = false;
    m->at = m->taken = 0;
    m->json = (JsonScan){.line = 1};
    str_clear(&m->buf);
    lines_start(&m->lines, r->stream);
}

/* A document that stands for a failure: its text is empty and `why` is this thread's sentence. */
static void unreadable(Reader *r, Document *d)
{
    Error error = error_take();
    text_set(&r->member.note, error.text);
    text_set(&r->id, r->in_member ? str_c(&r->name) : str_c(&r->path));
    *d = (Document){.id = str_span(&r->id),
                    .text = {"", 0},
                    .reason = READ_UNREADABLE,
                    .why = str_span(&r->member.note),
                    .format = FORMAT_TREE};
}

/* An archive of nothing, which a file of zeros is, too. */
static void nothing_inside(Reader *r, Document *d)
{
    text_set(&r->id, str_c(&r->path));
    *d = (Document){
        .id = str_span(&r->id), .text = {"", 0}, .reason = READ_EMPTY, .why = {"", 0}, .format = FORMAT_TREE};
}

static void file_close(Reader *r)
{
    if (r->stream)
        r->consumed += stream_consumed(r->stream);
    stream_close(r->stream);
    r->stream = NULL;
    r->in_member = false;
}

/* Moves to the next member, opening files as needed.  d->id is set where a file could not be read; *ended
 * at the end. */
static void advance(Reader *r, Document *d, bool *ended)
{
    while (!d->id.at) {
        if (!r->stream) {
            const char *path = glob_next(r->walk);
            *ended = !path;
            if (!path)
                return;
            text_set(&r->path, path);
            r->files++;
            r->any_member = false;
            if (stream_open(&r->stream, path) != ST_OK) {
                unreadable(r, d);
                return;
            }
        }
        const char *member;
        if (stream_next(r->stream, &member) != ST_OK) {
            unreadable(r, d);
            file_close(r);
        } else if (!member) {
            file_close(r);
            if (!r->any_member)
                nothing_inside(r, d);
        } else {
            r->any_member = true;
            if (!member_wanted(r, member))
                continue;
            member_start(r, member);
            return;
        }
    }
}

static Status member_next(Reader *r, Document *d)
{
    switch (r->format) {
    case FORMAT_JSONL: return read_jsonl_next(&r->member, d);
    case FORMAT_JSON: return read_json_next(&r->member, d);
    case FORMAT_TREE: return read_tree_next(&r->member, d);
    default: return read_text_next(&r->member, d);
    }
}

static void id_set(Reader *r, Document *d)
{
    bool whole =
        r->format == FORMAT_TREE || (r->format == FORMAT_TEXT && !(r->spec.separator && *r->spec.separator));
    text_set(&r->id, str_c(&r->name));
    if (!whole)
        str_addf(&r->id, ":%lld", (long long)r->member.number);
    d->id = str_span(&r->id);
}

Status reader_next_raw(Reader *r, Document *d)
{
    bool ended = false;
    *d = (Document){0};
    for (;;) {
        if (!r->in_member)
            advance(r, d, &ended);
        if (ended || d->id.at)
            return ST_OK;
        d->format = r->format;
        if (member_next(r, d) != ST_OK) {
            unreadable(r, d);
            r->in_member = false; /* the next member of an archive may be sound */
            return ST_OK;
        }
        if (d->text.at) {
            id_set(r, d);
            return ST_OK;
        }
        r->in_member = false;
    }
}

/* "\r\n" and lone "\r" become "\n".  The text may lie in the store already: what is written never passes
 * what is read. */
static void line_ends_fold(Span *text, Str *store)
{
    if (!memchr(text->at, '\r', text->n))
        return;
    bool inside = store->at && text->at >= store->at && text->at < store->at + store->cap;
    if (!inside) {
        str_clear(store);
        str_reserve(store, text->n);
    }
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++) {
        char c = text->at[i];
        if (c == '\r' && i + 1 < text->n && text->at[i + 1] == '\n')
            continue;
        store->at[n++] = c == '\r' ? '\n' : c;
    }
    store->n = n;
    store->at[n] = 0;
    *text = str_span(store);
}

/* The byte-order mark: of a file, and of a text that was one. */
static void without_mark(Span *text)
{
    if (span_starts(*text, "\xEF\xBB\xBF"))
        *text = (Span){text->at + 3, text->n - 3};
}

void reader_finish(const ReaderSpec *spec, Document *d, DocumentStore *store)
{
    size_t limit = (size_t)(spec->max_document_bytes > 0 ? spec->max_document_bytes : READ_MAX_DEFAULT);
    without_mark(&d->text);
    if (d->reason == READ_GOOD && d->format == FORMAT_JSONL) {
        read_jsonl_parse(spec, d, store);
        without_mark(&d->text);
    }
    if (d->reason != READ_GOOD)
        return;
    if (memchr(d->text.at, 0, d->text.n))
        d->reason = READ_BINARY;
    else if (d->text.n > limit)
        d->reason = READ_TOO_LONG;
    else if (!utf8_valid(d->text.at, d->text.n))
        d->reason = READ_NOT_UTF8;
    else if (span_trim(d->text).n == 0)
        d->reason = READ_EMPTY;
    if (d->reason != READ_GOOD)
        d->text = (Span){"", 0};
    else
        line_ends_fold(&d->text, &store->text);
}

void document_store_drop(DocumentStore *store)
{
    str_drop(&store->text);
    str_drop(&store->id);
    str_drop(&store->why);
}

Status reader_next(Reader *r, Document *d)
{
    TRY(reader_next_raw(r, d));
    if (d->id.at)
        reader_finish(&r->spec, d, &r->store);
    return ST_OK;
}

int64_t reader_files(const Reader *r)
{
    return r->files;
}

int64_t reader_consumed(const Reader *r)
{
    return r->consumed + (r->stream ? stream_consumed(r->stream) : 0);
}

void reader_measure(const ReaderSpec *spec, int64_t *files, int64_t *bytes)
{
    GlobWalk *walk = walk_of(spec);
    *files = *bytes = 0;
    for (const char *path; (path = glob_next(walk));) {
        int64_t size = file_size(path);
        *bytes += size > 0 ? size : 0;
        ++*files;
    }
    glob_end(walk);
}
