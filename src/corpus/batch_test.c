#include "corpus/batch.h"

#include "corpus/scratch_test.h"
#include "corpus/stop.h"

enum { LINES = 5000 };

typedef struct {
    ReaderSpec spec;
    int seen, batches, most; /* most: end the pass behind this many; 0: never */
    size_t largest;
    bool fails;
} Pass;

static void note(void *context, BatchItem *item, int thread)
{
    Pass *p = context;
    assert_in_range(thread, 0, 2);
    reader_finish(&p->spec, &item->doc, &item->store);
    str_add(&item->line, item->doc.text.at, item->doc.text.n);
}

static Status lines_take(void *context, const Batch *b, bool *enough)
{
    Pass *p = context;
    char wanted[32];
    assert_in_range(b->n, 1, BATCH_ITEMS);
    assert_int_equal(b->files, 1);
    p->batches++;
    for (int64_t i = 0; i < b->n; i++) {
        snprintf(wanted, sizeof wanted, "document %d", p->seen++);
        assert_string_equal(str_c(&b->items[i].line), wanted);
    }
    *enough = p->most && p->seen >= p->most;
    return p->fails && p->batches == 2 ? (fail)(ST_IO, "the disk is full") : ST_OK;
}

static Status run(Pass *p, Batches *b, const char *name, int threads, BatchTake *take)
{
    char *path = scratch_path(name);
    Reader *r;
    p->spec = (ReaderSpec){.patterns = (const char *const *)&path, .patterns_n = 1};
    p->seen = p->batches = 0;
    assert_int_equal(reader_open(&r, &p->spec), ST_OK);
    Status st = batches_run(b, r, threads, note, take, p);
    reader_close(r);
    mem_free(path);
    return st;
}

static int lines_write(void **state)
{
    Str all = {0};
    int made = scratch_make(state);
    for (int i = 0; i < LINES; i++)
        str_addf(&all, "{\"text\":\"document %d\"}\n", i);
    scratch_write("a.jsonl", all.at, all.n);
    str_drop(&all);
    return made;
}

static void every_document_is_taken_once_in_order(void **state)
{
    (void)state;
    Batches b = {0};
    for (int threads = 1; threads <= 3; threads++) {
        Pass p = {0};
        assert_int_equal(run(&p, &b, "a.jsonl", threads, lines_take), ST_OK);
        assert_int_equal(p.seen, LINES);
        assert_int_equal(p.batches, (LINES + BATCH_ITEMS - 1) / BATCH_ITEMS);
    }
    batches_drop(&b);
}

/* And the same memory serves the next pass. */
static void a_pass_ends_where_it_is_told_to(void **state)
{
    (void)state;
    Batches b = {0};
    Pass p = {.most = BATCH_ITEMS + 1};
    assert_int_equal(run(&p, &b, "a.jsonl", 2, lines_take), ST_OK);
    assert_int_equal(p.seen, 2 * BATCH_ITEMS);
    p = (Pass){.fails = true};
    assert_int_equal(run(&p, &b, "a.jsonl", 2, lines_take), ST_IO);
    assert_string_equal(error_text(), "the disk is full");
    assert_int_equal(p.batches, 2);
    p = (Pass){0};
    stop_ask(true);
    assert_int_equal(run(&p, &b, "a.jsonl", 2, lines_take), ST_CANCELLED);
    stop_ask(false);
    assert_int_equal(run(&p, &b, "a.jsonl", 2, lines_take), ST_OK);
    assert_int_equal(p.seen, LINES);
    batches_drop(&b);
}

static Status large_take(void *context, const Batch *b, bool *enough)
{
    Pass *p = context;
    *enough = false;
    p->seen++;
    p->largest = b->raw.cap > p->largest ? b->raw.cap : p->largest;
    assert_int_equal(b->n, 1);
    assert_int_equal(b->items[0].doc.text.n, 6000000);
    return ST_OK;
}

/* Each file is larger than a batch: one document a batch, and the buffers do not grow with the number of
 * files. */
static void large_documents_do_not_add_up(void **state)
{
    (void)state;
    scratch_run("mkdir big && head -c 6000000 /dev/zero | tr '\\0' x > big/1");
    scratch_run("cp big/1 big/2 && cp big/1 big/3");
    Batches b = {0};
    Pass p = {0};
    assert_int_equal(run(&p, &b, "big", 2, large_take), ST_OK);
    assert_int_equal(p.seen, 3);
    assert_true(p.largest < 13000000);
    batches_drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_document_is_taken_once_in_order),
        cmocka_unit_test(a_pass_ends_where_it_is_told_to),
        cmocka_unit_test(large_documents_do_not_add_up),
    };
    return cmocka_run_group_tests(tests, lines_write, scratch_remove);
}
