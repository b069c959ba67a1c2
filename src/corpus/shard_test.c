#include "corpus/shard.h"

#include <xxhash.h>

#include "corpus/scratch_test.h"

enum { T1 = 5, ROWS = 7, VOCAB = 70000 };
static const ShardSource sources[] = {{"python", SHARD_CODE}, {"prose", SHARD_TEXT}};

static void ids_of(int32_t ids[T1], int64_t row)
{
    for (int i = 0; i < T1; i++)
        ids[i] = (int32_t)((row * 9973 + i * 31) % VOCAB);
}

static Str shard_bytes(int32_t vocab)
{
    ShardSpec spec = {.row_tokens = T1,
                      .vocab_size = vocab,
                      .tokenizer_hash = 0xABCDEF,
                      .has_bytes = true,
                      .sources = sources,
                      .sources_n = 2};
    ShardWriter *w;
    char *path = scratch_path("x.tok");
    assert_int_equal(shard_create(&w, path, &spec), ST_OK);
    mem_free(path);
    for (int64_t i = 0; i < ROWS; i++) {
        int32_t ids[T1];
        ids_of(ids, i);
        for (int k = 0; k < T1; k++)
            ids[k] %= vocab;
        uint32_t starts[] = {0, 2, 4};
        ShardRow row = {.starts = starts,
                        .starts_n = 1 + (int32_t)(i % 3),
                        .source = (int32_t)(i % 2),
                        .bytes = 100 + i,
                        .padding = (int32_t)(i % 4)};
        assert_int_equal(shard_add(w, ids, &row), ST_OK);
    }
    assert_int_equal(shard_finish(w, NULL), ST_OK);
    return scratch_read("x.tok");
}

/* Writes bytes, opens them, reads every row. */
static Status try_bytes(const char *bytes, size_t n)
{
    ShardReader *r;
    char *path = scratch_path("x.tok");
    scratch_write("x.tok", bytes, n);
    Status st = shard_open(&r, path);
    mem_free(path);
    TRY(st);
    int32_t *ids = mem_array(int32_t, shard_row_tokens(r));
    ShardRow row;
    for (int64_t i = 0; st == ST_OK && i < shard_rows(r); i++)
        st = shard_row(r, i, ids, &row);
    mem_free(ids);
    shard_close(r);
    return st;
}

/* Makes a changed file's sums right again, so that only the content itself can be refused. */
static void reseal(Str *s)
{
    ShardHeader h;
    memcpy(&h, s->at, sizeof h);
    if (h.index_at < s->n && h.file_bytes == s->n)
        h.tables_xxh3 = XXH3_64bits(s->at + h.index_at, s->n - h.index_at);
    h.header_xxh3 = XXH3_64bits(&h, offsetof(ShardHeader, header_xxh3));
    memcpy(s->at, &h, sizeof h);
}

/* Every third id, counted from the row's number, is learned; the last rows are padded. */
static void mask_of(uint8_t mask[1], int64_t row, int padding)
{
    mask[0] = 0;
    for (int t = 0; t < T1 - padding; t++)
        mask[0] = (uint8_t)(mask[0] | ((row + t) % 3 == 0) << t);
}

static Str masked_bytes(bool has_bytes)
{
    ShardSpec spec = {.row_tokens = T1,
                      .vocab_size = 300,
                      .isolated = true,
                      .has_bytes = has_bytes,
                      .has_mask = true,
                      .sources = sources,
                      .sources_n = 2};
    ShardWriter *w;
    assert_int_equal(shard_create(&w, in_scratch("x.tok"), &spec), ST_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        int32_t ids[T1];
        uint8_t mask[1];
        uint32_t starts[] = {0};
        ShardRow row = {
            .starts = starts, .starts_n = 1, .bytes = i, .padding = (int32_t)(i % 3), .mask = mask};
        ids_of(ids, i);
        for (int k = 0; k < T1; k++)
            ids[k] %= 300;
        mask_of(mask, i, row.padding);
        assert_int_equal(shard_add(w, ids, &row), ST_OK);
    }
    assert_int_equal(shard_finish(w, NULL), ST_OK);
    return scratch_read("x.tok");
}

static void masks_come_back(void **state)
{
    (void)state;
    for (int has_bytes = 0; has_bytes < 2; has_bytes++) {
        Str bytes = masked_bytes(has_bytes);
        ShardReader *r;
        assert_int_equal(shard_open(&r, in_scratch("x.tok")), ST_OK);
        assert_int_equal(shard_header(r)->version, SHARD_VERSION_MASKED);
        for (int64_t i = 0; i < ROWS; i++) {
            int32_t ids[T1];
            uint8_t mask[1];
            ShardRow row;
            assert_int_equal(shard_row(r, i, ids, &row), ST_OK);
            assert_int_equal(row.padding, i % 3);
            assert_int_equal(row.bytes, has_bytes ? i : -1);
            mask_of(mask, i, row.padding);
            assert_int_equal(row.mask[0], mask[0]);
            for (int t = 0; t < T1; t++)
                assert_int_equal(shard_mask_has(row.mask, t), t < T1 - row.padding && (i + t) % 3 == 0);
        }
        shard_close(r);
        str_drop(&bytes);
    }
}

/* A flipped bit of the mask, and a mask in a file whose version promises none. */
static void a_mask_is_vouched_for(void **state)
{
    (void)state;
    Str bytes = masked_bytes(false);
    ShardHeader h;
    memcpy(&h, bytes.at, sizeof h);
    bytes.at[h.mask_at] ^= 1;
    assert_int_equal(try_bytes(bytes.at, bytes.n), ST_FORMAT);
    expect_words("do not match their sum");
    bytes.at[h.mask_at] ^= 1;
    h.version = SHARD_VERSION;
    memcpy(bytes.at, &h, sizeof h);
    reseal(&bytes);
    assert_int_equal(try_bytes(bytes.at, bytes.n), ST_FORMAT);
    expect_words("contradict");
    for (size_t n = 0; n < bytes.n; n += 97) /* cut anywhere */
        assert_int_equal(try_bytes(bytes.at, n), ST_FORMAT);
    str_drop(&bytes);
}

static void rows_come_back(void **state)
{
    (void)state;
    const int32_t vocabs[] = {VOCAB, 65536, 300};
    for (int v = 0; v < 3; v++) {
        Str bytes = shard_bytes(vocabs[v]);
        ShardReader *r;
        char *path = scratch_path("x.tok");
        assert_int_equal(shard_open(&r, path), ST_OK);
        mem_free(path);
        assert_int_equal(shard_rows(r), ROWS);
        assert_int_equal(shard_row_tokens(r), T1);
        assert_int_equal(shard_header(r)->id_bytes, vocabs[v] > 65536 ? 4 : 2);
        assert_string_equal(shard_sources(r)[1].name, "prose");
        assert_int_equal(shard_sources(r)[1].kind, SHARD_TEXT);
        for (int64_t i = ROWS - 1; i >= 0; i--) {
            int32_t ids[T1], wanted[T1];
            ShardRow row;
            assert_int_equal(shard_row(r, i, ids, &row), ST_OK);
            ids_of(wanted, i);
            for (int k = 0; k < T1; k++)
                assert_int_equal(ids[k], wanted[k] % vocabs[v]);
            assert_int_equal(row.starts_n, 1 + i % 3);
            assert_int_equal(row.starts[row.starts_n - 1], 2 * (i % 3));
            assert_int_equal(row.source, i % 2);
            assert_int_equal(row.bytes, 100 + i);
            assert_int_equal(row.padding, i % 4);
        }
        shard_close(r);
        str_drop(&bytes);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    Str bytes = shard_bytes(VOCAB);
    for (size_t n = 0; n < bytes.n; n++)
        assert_int_equal(try_bytes(bytes.at, n), ST_FORMAT);
    str_addc(&bytes, 0);
    assert_int_equal(try_bytes(bytes.at, bytes.n), ST_FORMAT);
    str_drop(&bytes);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    Str bytes = shard_bytes(VOCAB);
    ShardHeader h;
    memcpy(&h, bytes.at, sizeof h);
    uint64_t ids_end = h.ids_at + h.rows * h.row_tokens * h.id_bytes;
    for (size_t i = 0; i < bytes.n; i++) {
        if (i >= ids_end && i < h.index_at)
            continue; /* padding that nobody reads */
        bytes.at[i] ^= 4;
        assert_true(try_bytes(bytes.at, bytes.n) != ST_OK);
        bytes.at[i] ^= 4;
    }
    assert_int_equal(try_bytes(bytes.at, bytes.n), ST_OK);
    str_drop(&bytes);
}

/* Sets 4 bytes at `at`, makes the sums right, and expects a refusal. */
static void refuse_u32(Str *bytes, uint64_t at, uint32_t value, Status wanted)
{
    Str copy = {0};
    str_add(&copy, bytes->at, bytes->n);
    memcpy(copy.at + at, &value, 4);
    reseal(&copy);
    assert_int_equal(try_bytes(copy.at, copy.n), wanted);
    str_drop(&copy);
}

static void hostile_values_with_right_sums_are_refused(void **state)
{
    (void)state;
    Str bytes = shard_bytes(VOCAB);
    ShardHeader h;
    memcpy(&h, bytes.at, sizeof h);
    refuse_u32(&bytes, offsetof(ShardHeader, version), 99, ST_UNSUPPORTED);
    refuse_u32(&bytes, offsetof(ShardHeader, version), 1, ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "pack the corpus again"));
    const size_t fields[] = {offsetof(ShardHeader, rows),        offsetof(ShardHeader, rows) + 4,
                             offsetof(ShardHeader, row_tokens),  offsetof(ShardHeader, starts_n),
                             offsetof(ShardHeader, id_bytes),    offsetof(ShardHeader, sources_n),
                             offsetof(ShardHeader, names_bytes), offsetof(ShardHeader, index_at),
                             offsetof(ShardHeader, sums_at),     offsetof(ShardHeader, block_rows),
                             offsetof(ShardHeader, file_bytes)};
    const uint32_t values[] = {0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000};
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++)
            refuse_u32(&bytes, fields[f], values[v],
                       fields[f] == offsetof(ShardHeader, rows) + 4 && v == 0 ? ST_OK : ST_FORMAT);
    refuse_u32(&bytes, offsetof(ShardHeader, vocab_size), 100, ST_FORMAT); /* ids are now outside it */
    refuse_u32(&bytes, h.index_at + 4, 0xFFFFFF, ST_FORMAT);               /* row 0 ends beyond the starts */
    refuse_u32(&bytes, h.starts_at, 1, ST_FORMAT);                         /* first start is not 0 */
    refuse_u32(&bytes, h.starts_at + 8, T1, ST_FORMAT);                    /* start outside its row */
    refuse_u32(&bytes, h.source_at, 2, ST_FORMAT);                         /* no such source */
    refuse_u32(&bytes, h.names_at, 0xFFFF, ST_FORMAT);
    refuse_u32(&bytes, h.names_at, 0x00050006, ST_FORMAT); /* kind 5 */
    str_drop(&bytes);
}

static void errors_are_sentences(void **state)
{
    (void)state;
    ShardReader *r;
    assert_int_equal(shard_open(&r, "/tmp/lemur-no-such.tok"), ST_IO);
    assert_non_null(strstr(error_text(), "/tmp/lemur-no-such.tok"));
    char zeros[300] = {0};
    assert_int_equal(try_bytes(zeros, sizeof zeros), ST_FORMAT);
    assert_non_null(strstr(error_text(), "not a token shard"));
    shard_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(masks_come_back),
        cmocka_unit_test(a_mask_is_vouched_for),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(hostile_values_with_right_sums_are_refused),
        cmocka_unit_test(errors_are_sentences),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
