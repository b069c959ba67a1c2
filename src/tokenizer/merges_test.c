#include "tokenizer/merges.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* What merges_apply must do, said in the fewest words: take the pair of least rank, leftmost, again and
 * again. */
static size_t merge_plainly(const PairTable *t, int32_t *ids, size_t n)
{
    for (;;) {
        const Pair *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const Pair *p = pairs_find(t, ids[i], ids[i + 1]);
            if (p && (!best || p->rank < best->rank)) {
                best = p;
                at = i;
            }
        }
        if (!best)
            return n;
        ids[at] = best->id;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

/* Random tables, in which several pairs share a rank and lead to one symbol, on short and long sequences. */
static void merging_takes_the_least_rank_leftmost(void **state)
{
    (void)state;
    uint32_t seed = 3;
    MergeWork work = {0};
    for (int round = 0; round < 300; round++) {
        PairTable t;
        pairs_init(&t);
        for (int i = 0; i < 40; i++) {
            int32_t left = (int32_t)(next_random(&seed) % 12), right = (int32_t)(next_random(&seed) % 12);
            pairs_put(&t, left, right, next_random(&seed) % 9, (int32_t)(next_random(&seed) % 12));
        }
        int32_t ids[200], plain[200];
        size_t n = next_random(&seed) % (round % 2 ? 12 : 200);
        for (size_t i = 0; i < n; i++)
            ids[i] = plain[i] = (int32_t)(next_random(&seed) % 6) - (next_random(&seed) % 20 == 0);
        size_t wanted = merge_plainly(&t, plain, n);
        assert_int_equal(merges_apply(&t, &work, ids, n, NULL), wanted);
        assert_memory_equal(ids, plain, wanted * sizeof *ids);
        pairs_drop(&t);
    }
    mergework_drop(&work);
}

static void a_later_pair_replaces(void **state)
{
    (void)state;
    PairTable t;
    pairs_init(&t);
    for (int32_t i = 0; i < 5000; i++)
        pairs_put(&t, i, i + 1, (uint32_t)i, i);
    pairs_put(&t, 7, 8, 1, 99);
    assert_int_equal(t.n, 5000);
    assert_int_equal(pairs_find(&t, 7, 8)->id, 99);
    assert_int_equal(pairs_find(&t, 4999, 5000)->rank, 4999);
    assert_null(pairs_find(&t, 8, 7));
    assert_null(pairs_find(&t, NO_SYMBOL, 7));
    pairs_drop(&t);
}

static void considered_pairs_are_told(void **state)
{
    (void)state;
    PairTable t;
    pairs_init(&t);
    pairs_put(&t, 0, 1, 0, 3); /* ab */
    pairs_put(&t, 3, 2, 1, 4); /* ab c */
    PairSeen seen[5];
    memset(seen, 0xFF, sizeof seen);
    MergeWork work = {0};
    int32_t ids[] = {0, 1, 2};
    assert_int_equal(merges_apply(&t, &work, ids, 3, seen), 1);
    assert_int_equal(ids[0], 4);
    assert_int_equal(seen[4].left, 3);
    assert_int_equal(seen[4].right, 2);
    assert_int_equal(seen[2].left, -1);
    mergework_drop(&work);
    pairs_drop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_takes_the_least_rank_leftmost),
        cmocka_unit_test(a_later_pair_replaces),
        cmocka_unit_test(considered_pairs_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
