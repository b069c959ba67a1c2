#include "corpus/token_store.h"

#include "corpus/scratch_test.h"

enum { DOCUMENTS = 300 };

/* Document d holds d % 7 + 1 ids, all of them d + 1. */
static TokenStore *store_make(int id_bytes)
{
    TokenStore *s;
    char *path = scratch_path(id_bytes == 2 ? "two" : "four");
    assert_int_equal(token_store_create(&s, path, id_bytes), ST_OK);
    mem_free(path);
    for (int32_t d = 0; d < DOCUMENTS; d++) {
        int32_t ids[7] = {d + 1, d + 1, d + 1, d + 1, d + 1, d + 1, d + 1};
        assert_int_equal(token_store_add(s, ids, d % 7 + 1, -d), ST_OK);
    }
    assert_int_equal(token_store_documents(s), DOCUMENTS);
    assert_int_equal(token_store_end(s), ST_OK);
    return s;
}

static void documents_in_their_own_order(void **state)
{
    (void)state;
    for (int id_bytes = 2; id_bytes <= 4; id_bytes += 2) {
        TokenStore *s = store_make(id_bytes);
        int64_t all = token_store_tokens(s), at = 0;
        assert_int_equal(token_store_order(s, all, false, 0, 0), ST_OK);
        for (int32_t d = 0; d < DOCUMENTS; d++) {
            int32_t ids[7];
            TokenStart starts[7];
            int64_t n = d % 7 + 1, starts_n;
            assert_int_equal(token_store_read(s, at, ids, n, starts, &starts_n), ST_OK);
            assert_int_equal(starts_n, 1);
            assert_int_equal(starts[0].start, 0);
            assert_int_equal(starts[0].extra, -d);
            for (int64_t i = 0; i < n; i++)
                assert_int_equal(ids[i], d + 1);
            at += n;
        }
        token_store_close(s);
    }
}

/* Any way of cutting the stream gives the same stream; each time round holds each document once. */
static void repetitions_hold_everything_once(void **state)
{
    (void)state;
    TokenStore *s = store_make(2);
    int64_t all = token_store_tokens(s), starts_n;
    int32_t *whole = mem_array(int32_t, 3 * all), *piece = mem_array(int32_t, all);
    TokenStart *starts = mem_array(TokenStart, 3 * all);
    assert_int_equal(token_store_order(s, 3 * all, true, 9, 1), ST_OK);
    assert_int_equal(token_store_read(s, 0, whole, 3 * all, starts, &starts_n), ST_OK);
    assert_int_equal(starts_n, 3 * DOCUMENTS);
    for (int64_t at = 0, n = 1; at + n <= 3 * all; at += n, n = n % 13 + 1) {
        assert_int_equal(token_store_read(s, at, piece, n, starts, &starts_n), ST_OK);
        assert_memory_equal(piece, whole + at, (size_t)n * sizeof *piece);
    }
    for (int round = 0; round < 3; round++) {
        int counts[DOCUMENTS + 1] = {0};
        for (int64_t i = 0; i < all; i++)
            counts[whole[round * all + i]]++;
        for (int d = 0; d < DOCUMENTS; d++)
            assert_int_equal(counts[d + 1], d % 7 + 1);
    }
    assert_memory_not_equal(whole, whole + all, (size_t)all * sizeof *whole);
    mem_free(whole);
    mem_free(piece);
    mem_free(starts);
    token_store_close(s);
}

static void failures_are_sentences(void **state)
{
    (void)state;
    TokenStore *s;
    assert_int_equal(token_store_create(&s, "/tmp/lemur-no-such-folder/x", 2), ST_IO);
    s = store_make(2);
    assert_int_equal(token_store_order(s, token_store_tokens(s), false, 0, 0), ST_OK);
    char *path = scratch_path("two.ids");
    assert_int_equal(truncate(path, 10), 0);
    mem_free(path);
    int32_t ids[20];
    TokenStart starts[20];
    int64_t starts_n;
    assert_int_equal(token_store_read(s, 0, ids, 20, starts, &starts_n), ST_IO);
    token_store_close(s);
    token_store_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_in_their_own_order),
        cmocka_unit_test(repetitions_hold_everything_once),
        cmocka_unit_test(failures_are_sentences),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
