#include "corpus/shuffle.h"

#include "corpus/scratch_test.h"

static void every_place_once(void **state)
{
    (void)state;
    const uint64_t sizes[] = {1, 2, 3, 4, 5, 16, 17, 1000, 4097};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        Shuffle s;
        uint64_t n = sizes[k];
        bool *seen = mem_array(bool, n);
        shuffle_start(&s, n, 7, 3);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t at = shuffle_at(&s, i);
            assert_true(at < n);
            assert_false(seen[at]);
            seen[at] = true;
        }
        mem_free(seen);
    }
}

static int agreements(uint64_t n, uint64_t seed_a, uint64_t stream_a, uint64_t seed_b, uint64_t stream_b)
{
    Shuffle a, b;
    int same = 0;
    shuffle_start(&a, n, seed_a, stream_a);
    shuffle_start(&b, n, seed_b, stream_b);
    for (uint64_t i = 0; i < n; i++)
        same += shuffle_at(&a, i) == shuffle_at(&b, i);
    return same;
}

static void seed_and_stream_decide(void **state)
{
    (void)state;
    assert_int_equal(agreements(1000, 1, 1, 1, 1), 1000);
    assert_true(agreements(1000, 1, 1, 2, 1) < 15); /* one is to be expected */
    assert_true(agreements(1000, 1, 1, 1, 2) < 15);
}

/* In a random order neighbours rise as often as they fall, and the first tenth holds a tenth of every
 * tenth. */
static void the_order_looks_random(void **state)
{
    (void)state;
    enum { N = 20000 };
    Shuffle s;
    int rises = 0, cells[10] = {0};
    shuffle_start(&s, N, 5, 0);
    for (uint64_t i = 0; i < N; i++) {
        rises += i && shuffle_at(&s, i) > shuffle_at(&s, i - 1);
        if (i < N / 10)
            cells[shuffle_at(&s, i) / (N / 10)]++;
    }
    assert_in_range(rises, N / 2 - 300, N / 2 + 300);
    for (int i = 0; i < 10; i++)
        assert_in_range(cells[i], 130, 270); /* 200 expected, 13.4 is one standard deviation */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_once),
        cmocka_unit_test(seed_and_stream_decide),
        cmocka_unit_test(the_order_looks_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
