#include "study/overlap_read.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "corpus/corpus_reader.h"
#include "corpus/shard.h"
#include "eval/eval_folder.h"
#include "study/report_parts.h"
#include "tokenizer/tokenizer.h"

/* Tasks. ------------------------------------------------------------------------------------------------- */

/* What the first message says, of all of it the last one's words where there are several. */
static Span first_prompt(const json_t *sample)
{
    const json_t *prompt = json_array_get(json_object_get(sample, "arguments"), 0);
    if (json_is_array(prompt))
        prompt = json_object_get(json_array_get(prompt, json_array_size(prompt) - 1), "content");
    const char *text = json_string_value(prompt);
    return (Span){text ? text : "", text ? json_string_length(prompt) : 0};
}

/* How many bytes of whole lines all prompts begin with, and end with. */
typedef struct {
    size_t begin, end;
} CommonLines;

static size_t equal_bytes(Span a, Span b, bool from_end)
{
    size_t n = 0, most = a.n < b.n ? a.n : b.n;
    while (n < most && (from_end ? a.at[a.n - 1 - n] == b.at[b.n - 1 - n] : a.at[n] == b.at[n]))
        n++;
    return n;
}

static CommonLines common_lines(const json_t *samples)
{
    Span first = first_prompt(json_array_get(samples, 0));
    CommonLines c = {first.n, first.n};
    size_t n = json_array_size(samples);
    for (size_t i = 1; i < n; i++) {
        Span other = first_prompt(json_array_get(samples, i));
        size_t begin = equal_bytes(first, other, false), end = equal_bytes(first, other, true);
        c.begin = begin < c.begin ? begin : c.begin;
        c.end = end < c.end ? end : c.end;
    }
    while (c.begin && first.at[c.begin - 1] != '\n')
        c.begin--;
    while (c.end && first.at[first.n - c.end] != '\n')
        c.end--;
    return n > 1 ? c : (CommonLines){0, 0};
}

static Span question_of(const json_t *sample, const CommonLines *common)
{
    static const char *const keys[] = {"query", "question",    "prompt", "input",
                                       "text",  "instruction", "problem"};
    const json_t *doc = json_object_get(sample, "doc");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_is_string(json_object_get(doc, keys[i])))
            return span(report_text(doc, keys[i]));
    Span text = first_prompt(sample);
    return common->begin + common->end < text.n
               ? (Span){text.at + common->begin, text.n - common->begin - common->end}
               : text;
}

Status overlap_read_tasks(Overlap *o, const char *name, const char *folder, const char *benchmark)
{
    json_t *samples = NULL;
    char *path = mem_format("%s/samples_%s.jsonl", folder, benchmark);
    Status st = line_file_read(&samples, path);
    if (st == ST_OK) {
        CommonLines common = common_lines(samples);
        for (size_t i = 0; i < json_array_size(samples); i++) {
            const json_t *sample = json_array_get(samples, i);
            overlap_task(o, name, report_text(sample, "id"), question_of(sample, &common),
                         span(report_text(sample, "target")));
        }
    }
    json_decref(samples);
    mem_free(path);
    return st;
}

/* Texts. ------------------------------------------------------------------------------------------------- */

typedef struct {
    Overlap *o;
    OverlapReading *reading;
    int64_t most;
} Search;

static bool is_full(const Search *s)
{
    bool full = s->most && overlap_bytes(s->o) >= s->most;
    s->reading->cut = s->reading->cut || full;
    return full;
}

static void search_json(const Search *s, const char *place, const json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;
    if (json_is_string(value))
        overlap_search(s->o, place, (Span){json_string_value(value), json_string_length(value)});
    json_array_foreach(value, i, inner) search_json(s, place, inner);
    json_object_foreach((json_t *)value, key, inner) search_json(s, place, inner);
}

static void search_document(const Search *s, const Document *d)
{
    Span text = span_trim(d->text);
    bool may_be = d->format == FORMAT_JSONL || (text.n && (*text.at == '[' || *text.at == '{'));
    json_t *value = may_be ? json_loadb(text.at, text.n, JSON_ALLOW_NUL, NULL) : NULL;
    char *place = mem_strn(d->id.at, d->id.n);
    bool binary = d->text.n && memchr(d->text.at, 0, d->text.n); /* weights, say: nobody knows what of */
    if ((d->reason != READ_GOOD && d->reason != READ_EMPTY) || binary)
        s->reading->unread++;
    else if (value)
        search_json(s, place, value);
    else
        overlap_search(s->o, place, d->text);
    json_decref(value);
    mem_free(place);
}

static Status search_files(const Search *s, const char *path)
{
    ReaderSpec spec = {.patterns = &path, .patterns_n = 1, .max_document_bytes = INT32_MAX};
    Reader *r;
    Document d = {0};
    int64_t unread = s->reading->unread, bytes = overlap_bytes(s->o);
    TRY(reader_open(&r, &spec));
    Status st = reader_next_raw(r, &d);
    for (; st == ST_OK && d.id.at && !is_full(s); st = reader_next_raw(r, &d))
        search_document(s, &d);
    if (st == ST_OK && reader_files(r) == 0)
        st = fail(ST_ARG, "there is no file %s to search in", path);
    else if (st == ST_OK && s->reading->unread == unread && overlap_bytes(s->o) == bytes && !is_full(s))
        st = fail(ST_ARG, "%s holds no text to search in", path);
    reader_close(r);
    return st;
}

static Status search_corpus(const Search *s, const char *folder)
{
    CorpusReader *r;
    Document d = {0};
    TRY(corpus_reader_open(&r, folder, &(CorpusQuery){.split = "train"}));
    Status st = corpus_reader_next(r, &d);
    for (; st == ST_OK && d.id.at && !is_full(s); st = corpus_reader_next(r, &d)) {
        char *place = mem_strn(d.id.at, d.id.n);
        overlap_search(s->o, place, d.text);
        mem_free(place);
    }
    corpus_reader_close(r);
    return st;
}

/* Ids [from, to) of a row as text, without the template's marks. */
static Status row_text(Str *out, const Tokenizer *tok, const int32_t *ids, int64_t from, int64_t to)
{
    Detok d = {0};
    Status st = ST_OK;
    str_clear(out);
    detok_start(&d, tok, false);
    for (int64_t t = from; st == ST_OK && t < to; t++)
        st = detok_push(&d, out, ids[t]);
    detok_flush(&d, out);
    detok_drop(&d);
    return st;
}

static Status search_row(const Search *s, const char *folder, const ShardSet *set, const Tokenizer *tok,
                         int64_t number, const int32_t *ids, const ShardRow *row)
{
    Str text = {0};
    Status st = ST_OK;
    int64_t end = shards_row_tokens(set) - row->padding;
    for (int32_t i = 0; st == ST_OK && i < row->starts_n; i++) {
        int64_t from = row->starts[i], to = i + 1 < row->starts_n ? row->starts[i + 1] : end;
        st = row_text(&text, tok, ids, from, to);
        if (st == ST_OK) {
            char *place = mem_format("%s, row %lld, of %s", folder, (long long)number + 1,
                                     shards_sources(set)[row->source].name);
            overlap_search(s->o, place, str_span(&text));
            mem_free(place);
        }
    }
    str_drop(&text);
    return st;
}

static Status search_rows(const Search *s, const char *folder)
{
    ShardSet *set;
    Tokenizer *tok = NULL;
    TRY(shards_open(&set, folder, "train"));
    const char *vocabulary = shards_tokenizer_path(set);
    int32_t *ids = mem_array(int32_t, shards_row_tokens(set));
    Status st = vocabulary ? tokenizer_open(&tok, vocabulary)
                           : fail(ST_FORMAT, "%s does not name its vocabulary", folder);
    for (int64_t i = 0; st == ST_OK && i < shards_rows(set) && !is_full(s); i++) {
        ShardRow row;
        st = shards_row(set, i, ids, &row);
        if (st == ST_OK)
            st = search_row(s, folder, set, tok, i, ids, &row);
    }
    mem_free(ids);
    tokenizer_close(tok);
    shards_close(set);
    return st;
}

/* "lemur-corpus", "lemur-shards" or another format of its manifest.json; "" where it has none. */
static void format_of(char out[16], const char *folder)
{
    json_t *manifest = NULL;
    char *path = path_join(folder, "manifest.json");
    out[0] = 0;
    if (path_exists(path) && json_file_read(&manifest, path) == ST_OK)
        snprintf(out, 16, "%s", report_text(manifest, "format"));
    json_decref(manifest);
    mem_free(path);
}

Status overlap_read_texts(Overlap *o, OverlapReading *reading, const char *path, int64_t most)
{
    Search s = {o, reading, most};
    char *data = path_join(path, "data"), own[16], inner[16];
    format_of(own, path);
    format_of(inner, data);
    Status st = strcmp(own, "lemur-corpus") == 0     ? search_corpus(&s, path)
                : strcmp(own, "lemur-shards") == 0   ? search_rows(&s, path)
                : strcmp(inner, "lemur-shards") == 0 ? search_rows(&s, data)
                                                     : search_files(&s, path);
    mem_free(data);
    return st;
}

/* What was found. ---------------------------------------------------------------------------------------- */

json_t *overlap_to_json(const Overlap *o, const OverlapReading *reading)
{
    const OverlapTally *tallies;
    const OverlapFind *finds;
    json_t *sets = json_array(), *found = json_array();
    size_t n = overlap_tallies(o, &tallies), found_n = overlap_finds(o, &finds);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            sets, json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "name", json_text(span(tallies[i].name)),
                            "tasks", (json_int_t)tallies[i].tasks, "short", (json_int_t)tallies[i].short_ones,
                            "questions", (json_int_t)tallies[i].questions, "answers",
                            (json_int_t)tallies[i].answers, "ngrams", (json_int_t)tallies[i].ngrams));
    for (size_t i = 0; i < found_n; i++)
        json_array_append_new(
            found, json_pack("{s:o, s:o, s:o, s:o}", "set", json_text(span(tallies[finds[i].set].name)),
                             "task", json_text(span(finds[i].id)), "question",
                             json_text(span(finds[i].question)), "place", json_text(span(finds[i].place))));
    return json_pack("{s:i, s:I, s:I, s:I, s:b, s:o, s:o}", "overlap", 1, "texts",
                     (json_int_t)overlap_texts(o), "bytes", (json_int_t)overlap_bytes(o), "unread",
                     (json_int_t)reading->unread, "cut", reading->cut, "sets", sets, "found", found);
}

int64_t overlap_found(const json_t *overlap)
{
    double n = 0;
    const json_t *sets = json_object_get(overlap, "sets");
    for (size_t i = 0; i < json_array_size(sets); i++)
        n += report_number(json_array_get(sets, i), "questions");
    return report_whole(n);
}
