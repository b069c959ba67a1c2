#include "corpus/dedup.h"

#include "base/rng.h"
#include "corpus/scratch_test.h"

static void what_was_seen_is_known_through_growth(void **state)
{
    (void)state;
    enum { N = 50000 };
    Dedup *d;
    assert_int_equal(dedup_open(&d, scratch), ST_OK);
    for (int round = 0; round < 2; round++) {
        Rng rng;
        rng_seed(&rng, 4);
        for (int i = 0; i < N; i++) {
            bool seen;
            uint64_t high = rng_next(&rng), low = rng_next(&rng);
            assert_int_equal(dedup_add(d, high, low, &seen), ST_OK);
            assert_int_equal(seen, round == 1);
        }
    }
    dedup_close(d);
    scratch_run("test -z \"$(ls)\""); /* its file never had a lasting name */
}

static void hard_sums_are_told_apart(void **state)
{
    (void)state;
    Dedup *d;
    bool seen;
    assert_int_equal(dedup_open(&d, scratch), ST_OK);
    const uint64_t sums[][2] = {{0, 0}, {0, 4096}, {4096, 0}, {1, 0}, {~UINT64_C(0), ~UINT64_C(0)}};
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(dedup_add(d, sums[i][0], sums[i][1], &seen), ST_OK);
            assert_int_equal(seen, round == 1);
        }
    dedup_close(d);
    dedup_close(NULL);
    assert_int_equal(dedup_open(&d, "/tmp/lemur-no-such-folder"), ST_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_is_known_through_growth),
        cmocka_unit_test(hard_sums_are_told_apart),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
