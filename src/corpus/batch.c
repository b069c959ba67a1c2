#include "corpus/batch.h"

#include "base/mem.h"
#include "base/thread.h"
#include "corpus/stop.h"

/* Larger buffers are given back after their batch. */
enum { KEEP_BYTES = 256 << 10, KEEP_IDS = KEEP_BYTES / (int)sizeof(int32_t) };

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
    if (item->ids.cap > KEEP_IDS)
        array_drop(&item->ids);
    array_clear(&item->ids);
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

static Status batch_fill(Batch *b, Reader *r)
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
    b->files = reader_files(r);
    b->consumed = reader_consumed(r);
    return ST_OK;
}

/* One step of a pass.  Its first two tasks are the serial ones, so that they start at once. */
typedef struct {
    Reader *reader;
    BatchWork *work;
    BatchTake *take;
    void *context;
    Batch *next, *now, *done; /* to be read, worked on, taken */
    bool ended, enough;
    Error fill_failed, take_failed;
} Step;

enum { TAKE, FILL, FIRST_ITEM };

static void step_run(void *context, int64_t task, int thread)
{
    Step *s = context;
    if (task >= FIRST_ITEM)
        s->work(s->context, &s->now->items[task - FIRST_ITEM], thread);
    else if (task == TAKE && s->done->n && s->take(s->context, s->done, &s->enough) != ST_OK)
        s->take_failed = error_take();
    else if (task == FILL && !s->ended && batch_fill(s->next, s->reader) != ST_OK)
        s->fill_failed = error_take();
}

static void step_rotate(Step *s)
{
    Batch *taken = s->done;
    s->done = s->now;
    s->now = s->next;
    s->next = taken;
    s->next->n = 0;
}

Status batches_run(Batches *b, Reader *r, int threads, BatchWork *work, BatchTake *take, void *context)
{
    Step s = {.reader = r, .work = work, .take = take, .context = context};
    s.next = &b->at[0];
    s.now = &b->at[1];
    s.done = &b->at[2];
    s.next->n = s.now->n = s.done->n = 0;
    do {
        TRY(stop_check());
        thread_each(FIRST_ITEM + s.now->n, threads, step_run, &s);
        if (s.take_failed.status != ST_OK)
            return error_put(&s.take_failed);
        if (s.fill_failed.status != ST_OK)
            return error_put(&s.fill_failed);
        s.ended = s.next->n == 0;
        step_rotate(&s);
    } while (!s.enough && (s.now->n || s.done->n));
    return ST_OK;
}

static void batch_drop(Batch *b)
{
    for (int64_t i = 0; b->items && i < BATCH_ITEMS; i++) {
        document_store_drop(&b->items[i].store);
        str_drop(&b->items[i].line);
        array_drop(&b->items[i].ids);
    }
    mem_free(b->items);
    str_drop(&b->raw);
}

void batches_drop(Batches *b)
{
    for (int i = 0; i < 3; i++)
        batch_drop(&b->at[i]);
    *b = (Batches){0};
}
