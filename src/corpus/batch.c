#include "corpus/batch.h"

#include "base/mem.h"
#include "base/thread.h"

enum { KEEP_BYTES = 256 << 10 }; /* larger buffers are given back after their batch */

static void str_trim(Str *s)
{
    if (s->cap > KEEP_BYTES)
        str_drop(s);
    str_clear(s);
}

static void item_reset(BatchItem *item)
{
    str_trim(&item->store.text);
    str_trim(&item->store.id);
    str_trim(&item->store.why);
    str_trim(&item->line);
    item->doc = (Document){0};
    item->rule = -1;
}

/* Copies a span behind the raw bytes; the address is set later, as these may still move. */
static void keep(Batch *b, Span *s)
{
    str_add(&b->raw, s->at, s->n);
    s->at = NULL;
}

static void place(Span *s, const Batch *b, size_t *at)
{
    s->at = str_c(&b->raw) + *at;
    *at += s->n;
}

Status batch_fill(Batch *b, Reader *r)
{
    if (!b->items)
        b->items = mem_array(BatchItem, BATCH_ITEMS);
    for (b->n = 0, str_clear(&b->raw); b->n < BATCH_ITEMS && b->raw.n < BATCH_BYTES;) {
        BatchItem *item = &b->items[b->n];
        item_reset(item);
        TRY(reader_next_raw(r, &item->doc));
        if (!item->doc.id.at)
            break;
        keep(b, &item->doc.text);
        keep(b, &item->doc.id);
        keep(b, &item->doc.why);
        b->n++;
    }
    size_t at = 0;
    for (int64_t i = 0; i < b->n; i++) {
        place(&b->items[i].doc.text, b, &at);
        place(&b->items[i].doc.id, b, &at);
        place(&b->items[i].doc.why, b, &at);
    }
    return ST_OK;
}

void batch_drop(Batch *b)
{
    for (int64_t i = 0; b->items && i < BATCH_ITEMS; i++) {
        document_store_drop(&b->items[i].store);
        str_drop(&b->items[i].line);
    }
    mem_free(b->items);
    str_drop(&b->raw);
    *b = (Batch){0};
}

typedef struct {
    Batch *batch;
    BatchWork *work;
    void *context;
} Each;

static void each_run(void *context, int64_t task, int thread)
{
    Each *e = context;
    e->work(e->context, &e->batch->items[task], task, thread);
}

void batch_each(Batch *b, int threads, BatchWork *work, void *context)
{
    Each e = {b, work, context};
    thread_each(b->n, threads, each_run, &e);
}
