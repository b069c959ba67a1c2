#include "corpus/batch.h"

#include "corpus/scratch_test.h"

static void note(void *context, BatchItem *item, int64_t i, int thread)
{
    (void)i;
    assert_in_range(thread, 0, 2);
    reader_finish(context, &item->doc, &item->store);
    str_add(&item->line, item->doc.text.at, item->doc.text.n);
}

static void batches_keep_order_and_are_bounded(void **state)
{
    (void)state;
    enum { LINES = 5000 };
    Str all = {0};
    for (int i = 0; i < LINES; i++)
        str_addf(&all, "{\"text\":\"document %d\"}\n", i);
    scratch_write("a.jsonl", all.at, all.n);
    str_drop(&all);
    char *path = scratch_path("a.jsonl"), wanted[32];
    ReaderSpec spec = {.patterns = (const char *const *)&path, .patterns_n = 1};
    Reader *r;
    Batch b = {0};
    int seen = 0;
    assert_int_equal(reader_open(&r, &spec), ST_OK);
    do {
        assert_int_equal(batch_fill(&b, r), ST_OK);
        assert_true(b.n <= BATCH_ITEMS);
        batch_each(&b, 3, note, &spec);
        for (int64_t i = 0; i < b.n; i++) {
            snprintf(wanted, sizeof wanted, "document %d", seen++);
            assert_string_equal(str_c(&b.items[i].line), wanted);
        }
    } while (b.n);
    assert_int_equal(seen, LINES);
    batch_drop(&b);
    reader_close(r);
    mem_free(path);
}

/* Each file is larger than a batch: one document a batch, and the buffers do not grow with the number of
 * files. */
static void large_documents_do_not_add_up(void **state)
{
    (void)state;
    scratch_run(
        "mkdir big && head -c 6000000 /dev/zero | tr '\\0' x > big/1 && cp big/1 big/2 && cp big/1 big/3");
    char *path = scratch_path("big");
    ReaderSpec spec = {.patterns = (const char *const *)&path, .patterns_n = 1};
    Reader *r;
    Batch b = {0};
    assert_int_equal(reader_open(&r, &spec), ST_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(batch_fill(&b, r), ST_OK);
        assert_int_equal(b.n, 1);
        assert_int_equal(b.items[0].doc.text.n, 6000000);
        assert_true(b.raw.cap < 13000000);
    }
    assert_int_equal(batch_fill(&b, r), ST_OK);
    assert_int_equal(b.n, 0);
    batch_drop(&b);
    reader_close(r);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_keep_order_and_are_bounded),
        cmocka_unit_test(large_documents_do_not_add_up),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
