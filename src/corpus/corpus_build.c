#include "corpus/corpus_build.h"

#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "corpus/batch.h"
#include "corpus/dedup.h"
#include "corpus/jsonl_write.h"
#include "corpus/ledger.h"
#include "corpus/manifest.h"

typedef struct {
    const CorpusRecipe *recipe;
    const char *folder; /* of the corpus, which no source reads */
    const CorpusSource *source;
    SourceLedger *ledger;
    ReaderSpec spec;
    bool is_code, is_english;
    ManifestStage stage;
    int threads;
    Batches batches;
    CleanScratch *scratch; /* [threads] */
    Dedup *dedup;
    JsonlWriter *train, *held_out, *rejected;
    /* The text of the source whose draw is smallest so far, while none was held out: a source gives at
     * least one. */
    Str candidate;
    int64_t candidate_bytes;
    uint64_t candidate_draw;
    Progress progress;
    int64_t consumed; /* packed bytes of sources that are done */
} Build;

/* One document, on any thread ---------------------------------------------------------------------------- */

static void line_make(const Build *b, BatchItem *item)
{
    Str *line = &item->line;
    str_adds(line, "{\"text\":");
    jsonl_escape(line, item->doc.text);
    str_adds(line, ",\"id\":");
    jsonl_escape(line,
                 utf8_valid(item->doc.id.at, item->doc.id.n) ? item->doc.id : span("(name is not UTF-8)"));
    str_addf(line, ",\"source\":\"%s\",\"kind\":\"%s\",\"language\":", b->source->name, b->source->kind);
    jsonl_escape(line, span(b->source->language));
    if (item->rule >= 0)
        str_addf(line, ",\"rule\":\"%s\"",
                 b->is_code ? clean_code_rules[item->rule].name : clean_text_rules[item->rule].name);
    str_adds(line, "}\n");
}

static void item_work(void *context, BatchItem *item, int thread)
{
    const Build *b = context;
    reader_finish(&b->spec, &item->doc, &item->store);
    if (item->doc.reason != READ_GOOD)
        return;
    item->rule = b->is_code
                     ? clean_code(&b->source->code, item->doc.text)
                     : clean_text(&b->source->text, &b->scratch[thread], item->doc.text, b->is_english);
    XXH128_hash_t sum = XXH3_128bits(item->doc.text.at, item->doc.text.n);
    item->high = sum.high64;
    item->low = sum.low64;
    if (item->rule < 0 || b->rejected)
        line_make(b, item);
}

/* In order ----------------------------------------------------------------------------------------------- */

static void count(Tally *t, int64_t bytes)
{
    t->documents++;
    t->bytes += bytes;
}

static Status train_add(Build *b, Span line, int64_t bytes)
{
    count(&b->ledger->train, bytes);
    return jsonl_add(b->train, line);
}

static Status held_out_add(Build *b, Span line, int64_t bytes)
{
    count(&b->ledger->held_out, bytes);
    return jsonl_add(b->held_out, line);
}

static Status candidate_flush(Build *b)
{
    Status st = b->candidate.n ? train_add(b, str_span(&b->candidate), b->candidate_bytes) : ST_OK;
    str_clear(&b->candidate);
    return st;
}

/* Which documents are held out follows from seed and text alone, so the same text falls on the same side
 * in every corpus. */
static Status document_split(Build *b, const BatchItem *item)
{
    uint64_t key[2] = {item->high, item->low};
    uint64_t draw = XXH3_64bits_withSeed(key, sizeof key, (uint64_t)b->recipe->seed);
    int64_t bytes = (int64_t)item->doc.text.n;
    if ((double)(draw >> 11) * 0x1p-53 < b->source->held_out) {
        TRY(candidate_flush(b));
        return held_out_add(b, str_span(&item->line), bytes);
    }
    bool wanted = b->source->held_out > 0 && b->ledger->held_out.documents == 0;
    if (!wanted || (b->candidate.n && draw >= b->candidate_draw))
        return train_add(b, str_span(&item->line), bytes);
    TRY(candidate_flush(b));
    str_add(&b->candidate, item->line.at, item->line.n);
    b->candidate_bytes = bytes;
    b->candidate_draw = draw;
    return ST_OK;
}

static Status document_take(Build *b, const BatchItem *item)
{
    SourceLedger *l = b->ledger;
    count(&l->input, item->doc.bytes);
    if (item->doc.reason != READ_GOOD) {
        count(&l->unusable[item->doc.reason], item->doc.bytes);
        ledger_example(l, &item->doc);
        return ST_OK;
    }
    if (item->rule >= 0) {
        count(&l->dropped[item->rule], (int64_t)item->doc.text.n);
        return b->rejected ? jsonl_add(b->rejected, str_span(&item->line)) : ST_OK;
    }
    bool seen = false;
    if (b->dedup)
        TRY(dedup_add(b->dedup, item->high, item->low, &seen));
    if (seen) {
        count(&l->duplicates, (int64_t)item->doc.text.n);
        return ST_OK;
    }
    l->kept_bytes += (int64_t)item->doc.text.n;
    return document_split(b, item);
}

static bool limit_reached(const Build *b)
{
    return b->source->limit > 0 && b->ledger->kept_bytes >= b->source->limit;
}

static Status batch_take(void *context, const Batch *batch, bool *enough)
{
    Build *b = context;
    for (int64_t i = 0; i < batch->n && !limit_reached(b); i++)
        TRY(document_take(b, &batch->items[i]));
    progress_at(&b->progress, (double)(b->consumed + batch->consumed) / 1e6);
    b->ledger->files = batch->files; /* what was read ahead of the limit does not count */
    *enough = limit_reached(b);
    return ST_OK;
}

static Status source_read_all(Build *b, Reader *reader)
{
    TRY(batches_run(&b->batches, reader, b->threads, item_work, batch_take, b));
    if (!limit_reached(b))
        b->ledger->files = reader_files(reader);
    /* A source of one document trains with it. */
    if (b->candidate.n && b->ledger->train.documents > 0) {
        TRY(held_out_add(b, str_span(&b->candidate), b->candidate_bytes));
        str_clear(&b->candidate);
    }
    return candidate_flush(b);
}

static Status writer_open(JsonlWriter **out, const Build *b, const char *split)
{
    char *path = mem_format("%s/%s/%s.jsonl.zst", b->stage.folder, split, b->source->name);
    Status st = jsonl_create(out, path);
    mem_free(path);
    return st;
}

static Status writer_close(JsonlWriter **w)
{
    JsonlWriter *finished = *w;
    *w = NULL;
    return finished ? jsonl_finish(finished) : ST_OK;
}

static Status writers_open(Build *b)
{
    TRY(writer_open(&b->train, b, "train"));
    TRY(writer_open(&b->held_out, b, "held_out"));
    return b->recipe->keep_rejected ? writer_open(&b->rejected, b, "rejected") : ST_OK;
}

static Status writers_close(Build *b)
{
    TRY(writer_close(&b->train));
    TRY(writer_close(&b->held_out));
    return writer_close(&b->rejected);
}

static Status source_build(Build *b, size_t i, SourceLedger *ledger)
{
    Reader *reader = NULL;
    b->source = &b->recipe->sources[i];
    b->ledger = ledger;
    b->spec = corpus_recipe_spec(b->recipe, i);
    b->spec.skip = b->folder;
    b->is_code = strcmp(b->source->kind, "code") == 0;
    b->is_english = !*b->source->language || strcmp(b->source->language, "en") == 0;
    TRY(writers_open(b));
    Status st = reader_open(&reader, &b->spec);
    if (st == ST_OK)
        st = source_read_all(b, reader);
    if (reader)
        b->consumed += reader_consumed(reader);
    reader_close(reader);
    TRY(st);
    return writers_close(b);
}

/* The whole ---------------------------------------------------------------------------------------------- */

typedef struct {
    const CorpusRecipe *recipe;
    const char *folder;
    int64_t *files, *bytes; /* [sources] */
} Measuring;

static void source_measure(void *context, int64_t i, int thread)
{
    (void)thread;
    Measuring *m = context;
    ReaderSpec spec = corpus_recipe_spec(m->recipe, (size_t)i);
    spec.skip = m->folder;
    reader_measure(&spec, &m->files[i], &m->bytes[i]);
}

static Status source_found(const CorpusSource *s, int64_t files)
{
    if (files == 0 && !s->optional)
        return fail(ST_ARG, "source %s: no file matches %s%s; correct its path, or set optional: true",
                    s->name, s->paths.at[0], s->paths.n > 1 ? " and its other patterns" : "");
    if (files == 0)
        log_warn("source %s: no file matches %s; it is optional and passed over", s->name, s->paths.at[0]);
    return ST_OK;
}

/* Names a source that finds nothing before any work is done. */
static Status sources_measure(const CorpusRecipe *r, const char *folder, int threads, int64_t *total)
{
    Measuring m = {.recipe = r,
                   .folder = folder,
                   .files = mem_array(int64_t, r->sources_n),
                   .bytes = mem_array(int64_t, r->sources_n)};
    Status st = ST_OK;
    thread_each((int64_t)r->sources_n, threads, source_measure, &m);
    *total = 0;
    for (size_t i = 0; st == ST_OK && i < r->sources_n; i++) {
        *total += m.bytes[i];
        st = source_found(&r->sources[i], m.files[i]);
    }
    mem_free(m.files);
    mem_free(m.bytes);
    return st;
}

static const char *const parts[] = {"train", "held_out", "rejected"};
enum { PARTS = sizeof parts / sizeof *parts };

static bool owns(const char *name)
{
    bool mine = false;
    for (int i = 0; i < PARTS; i++)
        mine |= strcmp(name, parts[i]) == 0;
    return mine;
}

static const ManifestKind corpus_kind = {.format = "lemur-corpus",
                                         .version = 1,
                                         .holds = "a corpus",
                                         .made = "build the corpus with `lemur corpus build`",
                                         .owns = owns};

static Status parts_make(const Build *b)
{
    Status st = ST_OK;
    for (int i = 0; st == ST_OK && i < (b->recipe->keep_rejected ? PARTS : PARTS - 1); i++) {
        char *path = path_join(b->stage.folder, parts[i]);
        st = folder_make(path);
        mem_free(path);
    }
    return st;
}

Status corpus_manifest(json_t **out, const char *folder)
{
    return manifest_read(out, &corpus_kind, folder);
}

Status corpus_file(char **out, const json_t *manifest, const char *folder, const char *split,
                   const char *source)
{
    char *place;
    TRY(manifest_place(&place, manifest, folder));
    *out = mem_format("%s/%s/%s.jsonl.zst", place, split, source);
    mem_free(place);
    return ST_OK;
}

static Status sources_build(Build *b, SourceLedger *ledgers)
{
    if (strcmp(b->recipe->dedup, "exact") == 0)
        TRY(dedup_open(&b->dedup, b->stage.folder));
    int64_t kept = 0;
    for (size_t i = 0; i < b->recipe->sources_n; i++) {
        Status st = source_build(b, i, &ledgers[i]);
        if (st != ST_OK)
            return fail_in(st, "source %s", b->recipe->sources[i].name);
        kept += ledgers[i].kept_bytes;
    }
    return kept ? ST_OK
                : fail(ST_ARG,
                       "no document of any source is left: every one was unusable, dropped or a duplicate");
}

static void build_drop(Build *b)
{
    jsonl_abandon(b->train);
    jsonl_abandon(b->held_out);
    jsonl_abandon(b->rejected);
    for (int i = 0; i < b->threads; i++)
        clean_scratch_drop(&b->scratch[i]);
    mem_free(b->scratch);
    batches_drop(&b->batches);
    str_drop(&b->candidate);
    dedup_close(b->dedup);
    manifest_end(&b->stage);
}

Status corpus_build(const CorpusRecipe *r, const char *folder, int threads, json_t **manifest)
{
    int64_t total;
    Build b = {.recipe = r, .folder = folder, .threads = threads < 1 ? 1 : threads};
    TRY(sources_measure(r, folder, b.threads, &total));
    TRY(manifest_begin(&b.stage, &corpus_kind, folder));
    b.scratch = mem_array(CleanScratch, b.threads);
    b.progress = progress_start("corpus", (double)total / 1e6, "MB");
    SourceLedger *ledgers = mem_array(SourceLedger, r->sources_n);
    json_t *made = NULL;
    Status st = parts_make(&b);
    if (st == ST_OK)
        st = sources_build(&b, ledgers);
    progress_end(&b.progress);
    if (st == ST_OK) {
        made = ledger_corpus_json(r, ledgers);
        st = manifest_commit(&b.stage, made);
    }
    if (st == ST_OK && manifest)
        *manifest = json_incref(made);
    json_decref(made);
    for (size_t i = 0; i < r->sources_n; i++)
        ledger_drop(&ledgers[i]);
    mem_free(ledgers);
    build_drop(&b);
    return st;
}
