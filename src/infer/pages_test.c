#include "infer/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/rng.h"
#include "ops/packed.h"

/* What a decoder would keep: the ids themselves, so that a page handed to the wrong text shows. */
enum { PAGES = 24, LONG = 8 * KV_PAGE };
static int32_t store[PAGES][KV_PAGE];

typedef struct {
    PageTable table;
    int32_t ids[LONG];
    int64_t n, past;
} Text;

static void compute(Pages *p, Text *t, int64_t n)
{
    for (; t->past < n; t->past++)
        store[t->table.at[t->past / KV_PAGE]][t->past % KV_PAGE] = t->ids[t->past];
    pages_enter(p, &t->table, t->ids, n);
}

static void expect_right(const Text *t)
{
    for (int64_t i = 0; i < t->past; i++)
        assert_int_equal(store[t->table.at[i / KV_PAGE]][i % KV_PAGE], t->ids[i]);
}

static int64_t find(Pages *p, Text *t, int64_t n)
{
    int32_t from = pages_find(p, &t->table, t->ids, n, &t->past);
    if (from >= 0)
        memcpy(store[t->table.at[t->table.n - 1]], store[from], sizeof store[0]);
    expect_right(t);
    return t->past;
}

/* first, first + 1, ... from position `at` on; what is in front stays */
static Text text(int64_t n, int32_t first)
{
    Text t = {.n = n};
    for (int64_t i = 0; i < n; i++)
        t.ids[i] = first + (int32_t)i;
    return t;
}

static void a_beginning_is_found_again(void **state)
{
    (void)state;
    Pages *p = pages_new(PAGES);
    Text a = text(150, 1), b = text(150, 1), c = text(150, 1);
    assert_int_equal(find(p, &a, 149), 0);
    assert_true(pages_grow(p, &a.table, 150));
    assert_int_equal(a.table.n, 3);
    compute(p, &a, 150);
    assert_int_equal(find(p, &b, 149), 149); /* two pages taken over, the third a copy */
    assert_true(b.table.at[0] == a.table.at[0] && b.table.at[1] == a.table.at[1] &&
                b.table.at[2] != a.table.at[2]);
    c.ids[70] = 999;
    assert_int_equal(pages_length(p, c.ids, 150), 70);
    assert_int_equal(find(p, &c, 150), 70);
    assert_int_equal(c.table.shared, 1);
    assert_int_equal(pages_unused(p), PAGES - 5);
    pages_release(p, &a.table);
    pages_release(p, &b.table);
    pages_release(p, &c.table);
    assert_int_equal(pages_cached(p), 3);
    assert_int_equal(pages_unused(p), PAGES - 3);
    pages_free(p);
}

static void a_text_that_goes_on_is_found_whole(void **state)
{
    (void)state;
    Pages *p = pages_new(PAGES);
    Text a = text(40, 1), b = text(200, 1);
    assert_int_equal(find(p, &a, 39), 0);
    assert_true(pages_grow(p, &a.table, 40));
    compute(p, &a, 40);
    for (int64_t n = 41; n <= 130; n++) { /* one at a time, as it is written */
        a.n = n;
        a.ids[n - 1] = (int32_t)n;
        assert_true(pages_grow(p, &a.table, n));
        compute(p, &a, n);
        assert_int_equal(pages_length(p, b.ids, 200), n);
    }
    pages_release(p, &a.table);
    assert_int_equal(pages_cached(p), 3);
    assert_int_equal(find(p, &b, 199), 130);
    pages_release(p, &b.table);
    pages_free(p);
}

static void two_that_compute_the_same_end_in_one_page(void **state)
{
    (void)state;
    Pages *p = pages_new(PAGES);
    Text a = text(100, 1), b = text(100, 1);
    find(p, &a, 99);
    find(p, &b, 99);
    assert_true(pages_grow(p, &a.table, 100) && pages_grow(p, &b.table, 100));
    compute(p, &a, 100);
    compute(p, &b, 100);
    assert_int_equal(a.table.at[0], b.table.at[0]);
    assert_true(a.table.at[1] != b.table.at[1]); /* both may be written on */
    expect_right(&a);
    expect_right(&b);
    pages_release(p, &a.table);
    expect_right(&b);
    pages_release(p, &b.table);
    assert_int_equal(pages_cached(p), 2);
    pages_free(p);
}

static void the_one_used_longest_ago_goes_first(void **state)
{
    (void)state;
    Pages *p = pages_new(4);
    Text a = text(64, 1), b = text(64, 1000), again = text(65, 1), c = text(192, 2000);
    Text *both[] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        find(p, both[i], 63);
        assert_true(pages_grow(p, &both[i]->table, 64));
        compute(p, both[i], 64);
        pages_release(p, &both[i]->table);
    }
    assert_int_equal(find(p, &again, 64), 64);
    pages_release(p, &again.table);
    find(p, &c, 191);
    assert_true(pages_grow(p, &c.table, 192)); /* two were free: b's goes, not a's */
    assert_int_equal(pages_length(p, a.ids, 64), 64);
    assert_int_equal(pages_length(p, b.ids, 64), 0);
    assert_false(pages_grow(p, &c.table, 5 * KV_PAGE)); /* takes a's, and then there is none */
    assert_int_equal(c.table.n, 4);
    assert_int_equal(pages_cached(p) + pages_unused(p), 0);
    pages_release(p, &c.table);
    pages_free(p);
}

/* Texts over three ids, so that beginnings are shared, cut and branched in every way, in a cache
 * that is too small. */
static void texts_come_and_go(void **state)
{
    (void)state;
    enum { TEXTS = 6, ROUNDS = 20000 };
    static Text texts[TEXTS];
    static int32_t seeds[12][LONG];
    Pages *p = pages_new(PAGES);
    Rng r;
    rng_seed(&r, 9);
    int64_t found = 0;
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < LONG; j++)
            seeds[i][j] =
                i && j < (int)(rng_below(&r, 2) * 100) + 20 * i ? seeds[i / 2][j] : (int32_t)rng_below(&r, 3);
    for (int round = 0; round < ROUNDS; round++) {
        Text *t = &texts[rng_below(&r, TEXTS)];
        if (t->n == 0) {
            t->n = LONG;
            memcpy(t->ids, seeds[rng_below(&r, 12)], sizeof t->ids);
            t->ids[rng_below(&r, LONG)] = 7;
            found += find(p, t, (int64_t)rng_below(&r, LONG));
        }
        int64_t n = t->past + 1 + (int64_t)rng_below(&r, 150);
        bool grown = n <= LONG && pages_grow(p, &t->table, n);
        if (grown)
            compute(p, t, n);
        expect_right(t);
        if (!grown || rng_below(&r, 4) == 0) {
            pages_release(p, &t->table);
            t->n = 0;
        }
        /* every page is in exactly one place */
        bool used[PAGES] = {false};
        int64_t held = 0;
        for (int i = 0; i < TEXTS; i++)
            for (size_t j = 0; texts[i].n && j < texts[i].table.n; j++) {
                held += !used[texts[i].table.at[j]];
                used[texts[i].table.at[j]] = true;
            }
        assert_int_equal(held + pages_unused(p) + pages_cached(p), PAGES);
    }
    assert_true(found > ROUNDS); /* it was worth having */
    for (int i = 0; i < TEXTS; i++)
        if (texts[i].n)
            pages_release(p, &texts[i].table);
    assert_int_equal(pages_unused(p) + pages_cached(p), PAGES);
    pages_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beginning_is_found_again),
        cmocka_unit_test(a_text_that_goes_on_is_found_whole),
        cmocka_unit_test(two_that_compute_the_same_end_in_one_page),
        cmocka_unit_test(the_one_used_longest_ago_goes_first),
        cmocka_unit_test(texts_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
