#include "corpus/shard.h"

#include "corpus/scratch_test.h"

static const ShardSource source = {"c", SHARD_CODE};
static const uint32_t zero_start[] = {0};

static ShardWriter *writer(int32_t row_tokens, int32_t vocab)
{
    ShardSpec spec = {.row_tokens = row_tokens, .vocab_size = vocab, .sources = &source, .sources_n = 1};
    ShardWriter *w;
    char *path = scratch_path("w.tok");
    assert_int_equal(shard_create(&w, path, &spec), ST_OK);
    mem_free(path);
    return w;
}

/* More rows than one block of sums covers, and a last block that is not full. */
static void many_blocks(void **state)
{
    (void)state;
    enum { T1 = 1000, ROWS = 500 };
    ShardWriter *w = writer(T1, 1000);
    int32_t *ids = mem_array(int32_t, T1);
    for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < T1; i++)
            ids[i] = (r + i) % 1000;
        assert_int_equal(shard_add(w, ids, &(ShardRow){.starts = zero_start, .starts_n = 1}), ST_OK);
    }
    uint64_t sum;
    assert_int_equal(shard_finish(w, &sum), ST_OK);
    ShardReader *r;
    char *path = scratch_path("w.tok");
    assert_int_equal(shard_open(&r, path), ST_OK);
    assert_int_equal(shard_header(r)->block_rows, 131); /* 256 kB of 2000 bytes */
    assert_true(shard_header(r)->header_xxh3 == sum);
    for (int i = ROWS - 1; i >= 0; i--) {
        ShardRow row;
        assert_int_equal(shard_row(r, i, ids, &row), ST_OK);
        assert_int_equal(ids[3], (i + 3) % 1000);
        assert_int_equal(row.bytes, -1);
    }
    shard_close(r);
    mem_free(path);
    mem_free(ids);
}

static void a_shard_may_be_empty(void **state)
{
    (void)state;
    ShardReader *r;
    char *path = scratch_path("w.tok");
    assert_int_equal(shard_finish(writer(2, 70000), NULL), ST_OK);
    assert_int_equal(shard_open(&r, path), ST_OK);
    assert_int_equal(shard_rows(r), 0);
    shard_close(r);
    mem_free(path);
}

static void the_same_rows_give_the_same_bytes(void **state)
{
    (void)state;
    Str bytes[2];
    for (int k = 0; k < 2; k++) {
        ShardWriter *w = writer(3, 10);
        int32_t ids[] = {1, 2, 3};
        assert_int_equal(shard_add(w, ids, &(ShardRow){.starts = zero_start, .starts_n = 1}), ST_OK);
        assert_int_equal(shard_finish(w, NULL), ST_OK);
        bytes[k] = scratch_read("w.tok");
    }
    assert_int_equal(bytes[0].n, bytes[1].n);
    assert_memory_equal(bytes[0].at, bytes[1].at, bytes[0].n);
    str_drop(&bytes[0]);
    str_drop(&bytes[1]);
}

static void nothing_is_left_of_what_was_abandoned(void **state)
{
    (void)state;
    scratch_run("rm -f w.tok");
    shard_abandon(writer(3, 10));
    scratch_run("test -z \"$(ls)\"");
    ShardSpec spec = {.row_tokens = 3, .vocab_size = 10, .sources = &source, .sources_n = 1};
    ShardWriter *w;
    assert_int_equal(shard_create(&w, "/tmp/lemur-no-such-folder/x.tok", &spec), ST_IO);
    shard_abandon(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_blocks),
        cmocka_unit_test(a_shard_may_be_empty),
        cmocka_unit_test(the_same_rows_give_the_same_bytes),
        cmocka_unit_test(nothing_is_left_of_what_was_abandoned),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
