#include "corpus/pack_tokenise.h"

#include <string.h>

#include "base/mem.h"

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
    return id_bytes_measure(t->id_bytes, tok);
}

void pack_tokenise_drop(Tokenising *t)
{
    mem_free(t->id_bytes);
    batches_drop(&t->batches);
    *t = (Tokenising){0};
}

/* One file of a corpus on its way into a store. */
typedef struct {
    Tokenising *t;
    TokenStore *store;
    int64_t bytes;
} Storing;

static void item_encode(void *context, BatchItem *item, int thread)
{
    (void)thread;
    const Tokenising *t = ((const Storing *)context)->t;
    static const ReaderSpec spec = {.text_key = "text", .max_document_bytes = INT32_MAX};
    Ids *ids = &item->ids;
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
    item->extra = (int64_t)item->doc.text.n - sum;
}

static Status item_store(Storing *s, const BatchItem *item)
{
    if (item->doc.reason != READ_GOOD)
        return fail(ST_FORMAT, "%.*s is damaged (%s); build the corpus again", (int)item->doc.id.n,
                    item->doc.id.at, read_reason_names[item->doc.reason]);
    if (item->rule >= 0)
        return fail(ST_LIMIT, "%.*s is too long to tokenise", (int)item->doc.id.n, item->doc.id.at);
    s->bytes += (int64_t)item->doc.text.n;
    return token_store_add(s->store, item->ids.at, (int64_t)item->ids.n, (int32_t)item->extra);
}

static Status batch_store(void *context, const Batch *b, bool *enough)
{
    Storing *s = context;
    for (int64_t i = 0; i < b->n; i++)
        TRY(item_store(s, &b->items[i]));
    progress_at(s->t->progress, (s->t->done_bytes + (double)s->bytes) / 1e6);
    *enough = false;
    return ST_OK;
}

Status pack_tokenise(Tokenising *t, TokenStore *store, const char *path, int64_t *bytes)
{
    Reader *reader;
    ReaderSpec spec = {.patterns = &path,
                       .patterns_n = 1,
                       .format = FORMAT_JSONL,
                       .text_key = "text",
                       .max_document_bytes = INT32_MAX};
    Storing s = {.t = t, .store = store};
    TRY(reader_open(&reader, &spec));
    Status st = batches_run(&t->batches, reader, t->threads, item_encode, batch_store, &s);
    t->done_bytes += (double)s.bytes;
    *bytes = s.bytes;
    if (st == ST_OK)
        st = token_store_end(store);
    if (st == ST_OK && reader_files(reader) == 0)
        st = fail(ST_IO, "no %s: the corpus is incomplete; build it again", path);
    reader_close(reader);
    return st;
}
