#include "corpus/corpus_reader.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "corpus/corpus_build.h"

struct CorpusReader {
    json_t *manifest;
    char *folder, *path;
    const char *split;
    char *kind, *source; /* as asked for; NULL: all */
    size_t at;           /* the next source */
    const char *current_source;
    Reader *reader;
};

static Status query_check(const CorpusReader *r)
{
    size_t i;
    json_t *s;
    bool found = !r->source;
    Str names = {0};
    json_array_foreach(json_object_get(r->manifest, "sources"), i, s)
    {
        const char *name = json_string_value(json_object_get(s, "name"));
        str_addf(&names, " %s", name ? name : "?");
        found |= name && r->source && strcmp(name, r->source) == 0;
    }
    Status st = ST_OK;
    if (!found)
        st = fail(ST_ARG, "%s has no source '%s'; it has:%s", r->folder, r->source, str_c(&names));
    else if (r->kind && strcmp(r->kind, "code") != 0 && strcmp(r->kind, "text") != 0)
        st = fail(ST_ARG, "'%s' is neither code nor text", r->kind);
    else if (!r->split)
        st = fail(ST_ARG, "a split is one of train, held_out, rejected");
    str_drop(&names);
    return st;
}

static const char *split_name(const char *asked)
{
    static const char *const splits[] = {"train", "held_out", "rejected"};
    for (int i = 0; i < 3; i++)
        if (strcmp(asked ? asked : "train", splits[i]) == 0)
            return splits[i];
    return NULL;
}

Status corpus_reader_open(CorpusReader **out, const char *folder, const CorpusQuery *q)
{
    CorpusReader *r = mem_new(CorpusReader);
    r->folder = mem_str(folder);
    r->kind = q->kind ? mem_str(q->kind) : NULL;
    r->source = q->source ? mem_str(q->source) : NULL;
    r->split = split_name(q->split);
    Status st = corpus_manifest(&r->manifest, folder);
    if (st == ST_OK)
        st = query_check(r);
    if (st == ST_OK)
        *out = r;
    else
        corpus_reader_close(r);
    return st;
}

void corpus_reader_close(CorpusReader *r)
{
    if (!r)
        return;
    reader_close(r->reader);
    json_decref(r->manifest);
    mem_free(r->folder);
    mem_free(r->path);
    mem_free(r->kind);
    mem_free(r->source);
    mem_free(r);
}

/* Opens the next source that is asked for; leaves reader NULL when there is none. */
static Status source_open(CorpusReader *r)
{
    const json_t *list = json_object_get(r->manifest, "sources");
    while (!r->reader && r->at < json_array_size(list)) {
        const json_t *s = json_array_get(list, r->at++);
        const char *name = json_string_value(json_object_get(s, "name"));
        const char *kind = json_string_value(json_object_get(s, "kind"));
        if (!name || !kind || strchr(name, '/'))
            return fail(ST_FORMAT, "%s/manifest.json: source %zu has no plain name or no kind", r->folder,
                        r->at);
        if ((r->source && strcmp(name, r->source) != 0) || (r->kind && strcmp(kind, r->kind) != 0))
            continue;
        r->current_source = name;
        mem_free(r->path);
        r->path = NULL;
        TRY(corpus_file(&r->path, r->manifest, r->folder, r->split, name));
        if (!path_exists(r->path))
            return fail(ST_IO, "no %s: the corpus %s", r->path,
                        strcmp(r->split, "rejected") == 0 ? "was built without keep_rejected"
                                                          : "is incomplete; build it again");
        ReaderSpec spec = {.patterns = (const char *const *)&r->path,
                           .patterns_n = 1,
                           .format = FORMAT_JSONL,
                           .text_key = "text",
                           .max_document_bytes = INT32_MAX};
        TRY(reader_open(&r->reader, &spec));
    }
    return ST_OK;
}

Status corpus_reader_next(CorpusReader *r, Document *d)
{
    *d = (Document){0};
    for (;;) {
        TRY(source_open(r));
        if (!r->reader)
            return ST_OK;
        TRY(reader_next(r->reader, d));
        if (d->id.at && d->reason != READ_GOOD)
            return fail(ST_FORMAT, "%.*s is damaged (%s); build the corpus again", (int)d->id.n, d->id.at,
                        read_reason_names[d->reason]);
        if (d->id.at)
            return ST_OK;
        reader_close(r->reader);
        r->reader = NULL;
    }
}

const char *corpus_reader_source(const CorpusReader *r)
{
    return r->current_source;
}
