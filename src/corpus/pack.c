#include "corpus/pack.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/file.h"
#include "base/thread.h"
#include "corpus/corpus_build.h"
#include "corpus/pack_tokenise.h"
#include "corpus/shards_kind.h"
#include "corpus/shuffle.h"
#include "corpus/stop.h"

enum { ROWS_AT_ONCE = 256 };

typedef struct {
    const char *name, *language; /* of the manifest */
    double weight;
    int64_t documents, bytes, held_documents, held_bytes, held_rows;
    TokenStore *train, *held_out;
} PackSource;

typedef struct {
    const PackConfig *c;
    const Tokenizer *tok;
    json_t *corpus; /* its manifest */
    const char *corpus_folder;
    const char *folder;
    char *work; /* for the token stores, in the stage */
    int threads;
    size_t n;
    PackSource *sources;
    PlanSource *plan;
    ShardSource *names;
    Tokenising tokenising;
    ShardSetWriter *writer;
    Str notes;
} Pack;

/* Sources ------------------------------------------------------------------------------------------------ */

static Status sources_list(Pack *p)
{
    const json_t *list = json_object_get(p->corpus, "sources");
    p->n = json_array_size(list);
    if (p->n < 1 || p->n > SHARD_SOURCES_MAX)
        return fail(ST_FORMAT, "%s/manifest.json lists no sources", p->corpus_folder);
    p->sources = mem_array(PackSource, p->n);
    p->plan = mem_array(PlanSource, p->n);
    p->names = mem_array(ShardSource, p->n);
    for (size_t i = 0; i < p->n; i++) {
        const json_t *s = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(s, "name"));
        const char *kind = json_string_value(json_object_get(s, "kind"));
        const char *language = json_string_value(json_object_get(s, "language"));
        const json_t *weight = json_object_get(s, "weight");
        if (!name || !*name || strlen(name) > SHARD_NAME_MAX || strchr(name, '/') || !kind)
            return fail(ST_FORMAT, "%s/manifest.json: source %zu has no plain name or no kind",
                        p->corpus_folder, i + 1);
        ShardKind k = strcmp(kind, "code") == 0 ? SHARD_CODE : SHARD_TEXT;
        p->sources[i] = (PackSource){.name = name,
                                     .language = language ? language : "",
                                     .weight = weight ? json_number_value(weight) : 1};
        p->plan[i] = (PlanSource){.kind = k, .weight = p->sources[i].weight};
        p->names[i] = (ShardSource){.name = name, .kind = k};
    }
    return ST_OK;
}

static double corpus_bytes(const Pack *p)
{
    double sum = 0;
    json_t *s;
    size_t i;
    json_array_foreach(json_object_get(p->corpus, "sources"), i, s)
    {
        sum += json_number_value(json_object_get(json_object_get(s, "train"), "bytes"));
        sum += json_number_value(json_object_get(json_object_get(s, "held_out"), "bytes"));
    }
    return sum;
}

/* Each source holds three files open; the usual soft limit of 1024 would end at 170 sources. */
static void allow_open_files(size_t sources)
{
    struct rlimit limit;
    rlim_t wanted = sources * 6 + 256;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* where it is refused, opening says so */
}

static Status split_tokenise(Pack *p, size_t i, const char *split, TokenStore **store, int64_t *bytes)
{
    char *stem = mem_format("%s/%s-%zu", p->work, split, i);
    char *path = NULL;
    Status st = token_store_create(store, stem, tokenizer_vocab_size(p->tok) <= 65536 ? 2 : 4);
    if (st == ST_OK)
        st = corpus_file(&path, p->corpus, p->corpus_folder, split, p->sources[i].name);
    if (st == ST_OK)
        st = pack_tokenise(&p->tokenising, *store, path, bytes);
    mem_free(stem);
    mem_free(path);
    return st;
}

static Status all_tokenise(Pack *p)
{
    Progress progress = progress_start("tokenising", corpus_bytes(p) / 1e6, "MB");
    Status st = pack_tokenise_start(&p->tokenising, p->tok, p->c->bos, p->threads, &progress);
    for (size_t i = 0; st == ST_OK && i < p->n; i++) {
        PackSource *s = &p->sources[i];
        st = split_tokenise(p, i, "train", &s->train, &s->bytes);
        if (st == ST_OK)
            st = split_tokenise(p, i, "held_out", &s->held_out, &s->held_bytes);
        if (st == ST_OK) {
            s->documents = token_store_documents(s->train);
            s->held_documents = token_store_documents(s->held_out);
            p->plan[i].available = token_store_tokens(s->train);
        }
    }
    progress_end(&progress);
    return st;
}

/* Training rows ------------------------------------------------------------------------------------------ */

/* Rows read at once, by several threads, and then written in order. */
typedef struct {
    Pack *p;
    int64_t row_tokens;
    int64_t first, n; /* places in the split */
    Shuffle order;
    int64_t *before; /* [sources + 1] rows of the sources in front of each */
    int32_t *ids;    /* [ROWS_AT_ONCE][row_tokens] */
    TokenStart *starts;
    int64_t starts_n[ROWS_AT_ONCE];
    size_t source[ROWS_AT_ONCE];
    Error failed[ROWS_AT_ONCE];
} RowBatch;

static void row_read(void *context, int64_t task, int thread)
{
    (void)thread;
    RowBatch *b = context;
    int64_t row = (int64_t)shuffle_at(&b->order, (uint64_t)(b->first + task));
    size_t s = 0;
    while (row >= b->before[s + 1])
        s++;
    b->source[task] = s;
    Status st = token_store_read(b->p->sources[s].train, (row - b->before[s]) * b->row_tokens,
                                 b->ids + task * b->row_tokens, b->row_tokens,
                                 b->starts + task * b->row_tokens, &b->starts_n[task]);
    b->failed[task] = st == ST_OK ? (Error){.status = ST_OK} : error_take();
}

/* What the file keeps: the row's first token always starts a document or the rest of one. */
static int32_t starts_list(uint32_t *out, const TokenStart *starts, int64_t n)
{
    int32_t count = 0;
    if (n == 0 || starts[0].start != 0)
        out[count++] = 0;
    for (int64_t i = 0; i < n; i++)
        out[count++] = starts[i].start;
    return count;
}

static Status rows_write(RowBatch *b, uint32_t *starts)
{
    for (int64_t i = 0; i < b->n; i++) {
        if (b->failed[i].status != ST_OK)
            return error_put(&b->failed[i]);
        ShardRow row = {.starts = starts, .source = (int32_t)b->source[i], .bytes = -1};
        row.starts_n = starts_list(starts, b->starts + i * b->row_tokens, b->starts_n[i]);
        TRY(shards_add(b->p->writer, "train", b->ids + i * b->row_tokens, &row));
    }
    return ST_OK;
}

static Status batches_write(RowBatch *b, int64_t total, Progress *progress)
{
    uint32_t *starts = mem_array(uint32_t, b->row_tokens + 1);
    Status st = ST_OK;
    for (; st == ST_OK && b->first < total; b->first += b->n) {
        b->n = total - b->first < ROWS_AT_ONCE ? total - b->first : ROWS_AT_ONCE;
        thread_each(b->n, b->p->threads, row_read, b);
        st = rows_write(b, starts);
        if (st == ST_OK)
            st = stop_check();
        progress_at(progress, (double)(b->first + b->n));
    }
    mem_free(starts);
    return st;
}

static Status train_write(Pack *p)
{
    RowBatch b = {.p = p, .row_tokens = p->c->context + 1};
    b.before = mem_array(int64_t, p->n + 1);
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < p->n; i++) {
        b.before[i + 1] = b.before[i] + p->plan[i].rows;
        /* Repetitions take streams of their own, 2^32 apart from the next source's. */
        st = token_store_order(p->sources[i].train, p->plan[i].rows * b.row_tokens, true,
                               (uint64_t)p->c->seed, ((uint64_t)i + 1) << 32);
    }
    int64_t total = b.before[p->n];
    Progress progress = progress_start("writing rows", (double)total, "rows");
    shuffle_start(&b.order, (uint64_t)total, (uint64_t)p->c->seed, 0);
    b.ids = mem_array(int32_t, ROWS_AT_ONCE * b.row_tokens);
    b.starts = mem_array(TokenStart, ROWS_AT_ONCE * b.row_tokens);
    if (st == ST_OK)
        st = batches_write(&b, total, &progress);
    progress_end(&progress);
    mem_free(b.before);
    mem_free(b.ids);
    mem_free(b.starts);
    return st;
}

/* Held-out rows ------------------------------------------------------------------------------------------ */

/* Bytes that the predicted tokens, all but the first, stand for.  What a whole document has more or less than
 * the sum of its tokens counts where it begins. */
static int64_t row_bytes(const uint16_t *id_bytes, const int32_t *ids, int64_t n, const TokenStart *starts,
                         int64_t starts_n)
{
    int64_t bytes = 0;
    for (int64_t i = 1; i < n; i++)
        bytes += id_bytes[ids[i]];
    for (int64_t i = 0; i < starts_n; i++)
        bytes += starts[i].start > 0 ? starts[i].extra : 0;
    return bytes > 0 ? bytes : 0;
}

/* Row `row` of the stream that an end-of-text id and the source's documents make: context + 1 ids from
 * row * context on, what lies behind the end filled up with that id. */
static Status held_out_row(const Pack *p, const TokenStore *store, int64_t row, int32_t *ids,
                           TokenStart *found, int64_t *found_n, int32_t *padding)
{
    int64_t at = row * p->c->context - 1, lead = at < 0 ? 1 : 0, n = p->c->context + 1;
    int64_t left = token_store_tokens(store) - (at + lead), take = left < n - lead ? left : n - lead;
    ids[0] = p->tokenising.eos;
    TRY(token_store_read(store, at + lead, ids + lead, take, found, found_n));
    for (int64_t k = 0; k < *found_n; k++)
        found[k].start += (uint32_t)lead;
    for (int64_t k = lead + take; k < n; k++)
        ids[k] = p->tokenising.eos;
    *padding = (int32_t)(n - lead - take);
    return ST_OK;
}

static Status held_out_source(Pack *p, size_t i, int32_t *ids, TokenStart *found, uint32_t *starts)
{
    PackSource *s = &p->sources[i];
    int64_t tokens = token_store_tokens(s->held_out);
    s->held_rows = (tokens + p->c->context - 1) / p->c->context;
    TRY(token_store_order(s->held_out, tokens, false, 0, 0));
    for (int64_t row = 0; row < s->held_rows; row++) {
        int64_t found_n, n;
        ShardRow r = {.starts = starts, .source = (int32_t)i};
        TRY(held_out_row(p, s->held_out, row, ids, found, &found_n, &r.padding));
        n = p->c->context + 1 - r.padding;
        r.starts_n = starts_list(starts, found, found_n);
        r.bytes = row_bytes(p->tokenising.id_bytes, ids, n, found, found_n);
        TRY(shards_add(p->writer, "held_out", ids, &r));
    }
    return stop_check();
}

static Status held_out_write(Pack *p)
{
    int64_t n = p->c->context + 1;
    int32_t *ids = mem_array(int32_t, n);
    TokenStart *found = mem_array(TokenStart, n);
    uint32_t *starts = mem_array(uint32_t, n + 1);
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < p->n; i++)
        st = held_out_source(p, i, ids, found, starts);
    mem_free(ids);
    mem_free(found);
    mem_free(starts);
    return st;
}

/* Manifest ----------------------------------------------------------------------------------------------- */

static json_t *source_ledger(const Pack *p, size_t i, int64_t total)
{
    const PackSource *s = &p->sources[i];
    const PlanSource *plan = &p->plan[i];
    int64_t n = p->c->context + 1, tokens = plan->rows * n;
    int64_t unused = plan->available > tokens ? plan->available - tokens : 0;
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "source", s->name, "kind",
                  plan->kind == SHARD_CODE ? "code" : "text", "language", s->language, "weight", s->weight,
                  "documents", (json_int_t)s->documents, "bytes", (json_int_t)s->bytes, "tokens_available",
                  (json_int_t)plan->available, "tokens_wanted", (json_int_t)(plan->wanted + 0.5), "tokens",
                  (json_int_t)tokens, "rows", (json_int_t)plan->rows, "tokens_unused", (json_int_t)unused);
    json_object_set_new(o, "repeats",
                        json_real(plan->available ? (double)tokens / (double)plan->available : 0));
    json_object_set_new(o, "share", json_real(total ? (double)plan->rows / (double)total : 0));
    json_object_set_new(o, "held_out",
                        json_pack("{s:I, s:I, s:I, s:I}", "documents", (json_int_t)s->held_documents, "bytes",
                                  (json_int_t)s->held_bytes, "tokens",
                                  (json_int_t)token_store_tokens(s->held_out), "rows",
                                  (json_int_t)s->held_rows));
    return o;
}

static json_t *ledger_make(const Pack *p)
{
    int64_t rows[2] = {0, 0};
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++)
        rows[p->plan[i].kind] += p->plan[i].rows;
    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(list, source_ledger(p, i, rows[0] + rows[1]));
    return json_pack("{s:o, s:I, s:I, s:s, s:o}", "ledger", list, "rows_code", (json_int_t)rows[SHARD_CODE],
                     "rows_text", (json_int_t)rows[SHARD_TEXT], "notes", str_c(&p->notes), "pack",
                     config_to_json(&pack_table, p->c));
}

static Status vocabulary_write(const Pack *p)
{
    char *place = path_join(shards_stage(p->writer), "tokenizer");
    Status st = folder_make(place);
    if (st == ST_OK)
        st = tokenizer_save(p->tok, place);
    mem_free(place);
    return st;
}

static Status writer_open(Pack *p)
{
    ShardSpec spec = {.row_tokens = (int32_t)p->c->context + 1,
                      .vocab_size = tokenizer_vocab_size(p->tok),
                      .tokenizer_hash = tokenizer_hash(p->tok),
                      .isolated = strcmp(p->c->attention, "isolated") == 0,
                      .sources = p->names,
                      .sources_n = (int32_t)p->n};
    TRY(shards_create(&p->writer, p->folder, &spec, p->c->shard_rows));
    p->work = path_join(shards_stage(p->writer), "work");
    return folder_make(p->work);
}

static Status writer_finish(Pack *p)
{
    TRY(vocabulary_write(p));
    TRY(folder_remove(p->work));
    json_t *more = ledger_make(p);
    ShardSetWriter *writer = p->writer;
    p->writer = NULL;
    Status st = shards_finish(writer, "tokenizer", more);
    json_decref(more);
    return st;
}

static Status run(Pack *p)
{
    TRY(sources_list(p));
    allow_open_files(p->n);
    TRY(writer_open(p));
    TRY(all_tokenise(p));
    TRY(pack_plan(p->c, p->plan, p->n, &p->notes));
    TRY(train_write(p));
    TRY(held_out_write(p));
    return writer_finish(p);
}

static void pack_drop(Pack *p)
{
    shards_abandon(p->writer);
    for (size_t i = 0; p->sources && i < p->n; i++) {
        token_store_close(p->sources[i].train);
        token_store_close(p->sources[i].held_out);
    }
    pack_tokenise_drop(&p->tokenising);
    mem_free(p->sources);
    mem_free(p->plan);
    mem_free(p->names);
    mem_free(p->work);
    str_drop(&p->notes);
    json_decref(p->corpus);
}

Status pack(const char *corpus, const Tokenizer *tok, const PackConfig *c, const char *folder, int threads,
            json_t **manifest)
{
    Pack p = {
        .c = c, .tok = tok, .corpus_folder = corpus, .folder = folder, .threads = threads < 1 ? 1 : threads};
    Status st = corpus_manifest(&p.corpus, corpus);
    if (st == ST_OK)
        st = run(&p);
    pack_drop(&p);
    TRY(st);
    return manifest ? pack_manifest(manifest, folder) : ST_OK;
}

Status pack_manifest(json_t **out, const char *folder)
{
    ShardSet *set;
    TRY(shards_open(&set, folder, "train")); /* whether it is a whole one */
    shards_close(set);
    return manifest_read(out, &shards_kind, folder);
}
