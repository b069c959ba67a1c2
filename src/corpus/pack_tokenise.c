#include "corpus/pack_tokenise.h"

#include <string.h>

#include "base/mem.h"
#include "corpus/stop.h"

/* Bytes of each token: what it adds to a text that it follows.  (At the start of a text SentencePiece
 * drops a space.) */
static Status id_bytes_measure(uint16_t *out, const Tokenizer *tok)
{
    Ids anchor = {0};
    Str text = {0};
    Status st = tokenizer_encode(tok, &anchor, "a", 1, 0);
    size_t n = anchor.n;
    if (st == ST_OK)
        st = tokenizer_decode(tok, &text, anchor.at, n, false);
    size_t before = text.n;
    array_push(&anchor, 0);
    for (int32_t id = 0; st == ST_OK && id < tokenizer_vocab_size(tok); id++) {
        anchor.at[n] = id;
        str_clear(&text);
        st = tokenizer_decode(tok, &text, anchor.at, n + 1, false);
        out[id] = (uint16_t)(text.n - before < UINT16_MAX ? text.n - before : UINT16_MAX);
    }
    array_drop(&anchor);
    str_drop(&text);
    return st;
}

Status pack_tokenise_start(Tokenising *t, const Tokenizer *tok, bool bos, int threads, Progress *progress)
{
    *t = (Tokenising){
        .tok = tok, .eos = tokenizer_eos(tok), .bos = bos, .threads = threads, .progress = progress};
    if (t->eos < 0)
        return fail(ST_ARG, "the vocabulary has no end-of-text token, which must stand behind each document");
    t->id_bytes = mem_array(uint16_t, tokenizer_vocab_size(tok));
    t->ids = mem_array(Ids, BATCH_ITEMS);
    t->extra = mem_array(int32_t, BATCH_ITEMS);
    return id_bytes_measure(t->id_bytes, tok);
}

void pack_tokenise_drop(Tokenising *t)
{
    for (int64_t i = 0; t->ids && i < BATCH_ITEMS; i++)
        array_drop(&t->ids[i]);
    mem_free(t->ids);
    mem_free(t->extra);
    mem_free(t->id_bytes);
    batch_drop(&t->batch);
    *t = (Tokenising){0};
}

static void item_encode(void *context, BatchItem *item, int64_t i, int thread)
{
    (void)thread;
    enum { KEEP_IDS = 1 << 16 };
    Tokenising *t = context;
    static const ReaderSpec spec = {.text_key = "text", .max_document_bytes = INT32_MAX};
    Ids *ids = &t->ids[i];
    if (ids->cap > KEEP_IDS)
        array_drop(ids);
    array_clear(ids);
    reader_finish(&spec, &item->doc, &item->store);
    if (item->doc.reason != READ_GOOD)
        return;
    item->rule =
        tokenizer_encode(t->tok, ids, item->doc.text.at, item->doc.text.n, t->bos ? TOK_BOS : 0) == ST_OK ? -1
                                                                                                          : 1;
    array_push(ids, t->eos);
    int64_t sum = 0;
    for (size_t k = 0; k < ids->n; k++)
        sum += t->id_bytes[ids->at[k]];
    t->extra[i] = (int32_t)((int64_t)item->doc.text.n - sum);
}

static Status item_store(Tokenising *t, TokenStore *store, int64_t i, int64_t *bytes)
{
    const BatchItem *item = &t->batch.items[i];
    if (item->doc.reason != READ_GOOD)
        return fail(ST_FORMAT, "%.*s is damaged (%s); build the corpus again", (int)item->doc.id.n,
                    item->doc.id.at, read_reason_names[item->doc.reason]);
    if (item->rule >= 0)
        return fail(ST_LIMIT, "%.*s is too long to tokenise", (int)item->doc.id.n, item->doc.id.at);
    *bytes += (int64_t)item->doc.text.n;
    return token_store_add(store, t->ids[i].at, (int64_t)t->ids[i].n, t->extra[i]);
}

static Status batches_store(Tokenising *t, TokenStore *store, Reader *reader, int64_t *bytes)
{
    do {
        TRY(stop_check());
        TRY(batch_fill(&t->batch, reader));
        batch_each(&t->batch, t->threads, item_encode, t);
        for (int64_t i = 0; i < t->batch.n; i++)
            TRY(item_store(t, store, i, bytes));
        progress_at(t->progress, (t->done_bytes + (double)*bytes) / 1e6);
    } while (t->batch.n);
    t->done_bytes += (double)*bytes;
    return token_store_end(store);
}

Status pack_tokenise(Tokenising *t, TokenStore *store, const char *path, int64_t *bytes)
{
    Reader *reader;
    ReaderSpec spec = {.patterns = &path,
                       .patterns_n = 1,
                       .format = FORMAT_JSONL,
                       .text_key = "text",
                       .max_document_bytes = INT32_MAX};
    *bytes = 0;
    TRY(reader_open(&reader, &spec));
    Status st = batches_store(t, store, reader, bytes);
    if (st == ST_OK && reader_files(reader) == 0)
        st = fail(ST_IO, "no %s: the corpus is incomplete; build it again", path);
    reader_close(reader);
    return st;
}
