#include "eval/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/scratch_test.h"

enum { N = 23 };

static char names[N][20];
static const char *ids[N];

static void name_all(void)
{
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "task-%d", i);
        ids[i] = names[i];
    }
}

static int64_t count(const char *part, bool *in)
{
    Fold f;
    int64_t n = 0;
    assert_int_equal(fold_read(&f, part), ST_OK);
    fold_mark(in, &f, ids, N);
    for (int i = 0; i < N; i++)
        n += in[i];
    return n;
}

static void parts_are_equal_and_apart(void **state)
{
    (void)state;
    bool a[N], b[N], c[N], all[N];
    name_all();
    assert_int_equal(count("", all), N);
    assert_int_equal(count("1/1", all), N);
    assert_int_equal(count("1/4", a), 5);
    assert_int_equal(count("2/4", b), 6);
    assert_int_equal(count("3-4/4", c), 12);
    for (int i = 0; i < N; i++)
        assert_int_equal(a[i] + b[i] + c[i], 1);
    assert_false(a[0] && a[1] && a[2] && a[3] && a[4]); /* not the first ones */
}

static void order_does_not_matter(void **state)
{
    (void)state;
    bool before[N], after[N];
    name_all();
    count("2-3/5", before);
    const char *first = ids[0];
    memmove(ids, ids + 1, (N - 1) * sizeof *ids);
    ids[N - 1] = first;
    count("2-3/5", after);
    for (int i = 0; i < N; i++)
        assert_int_equal(before[(i + 1) % N], after[i]);
}

static void slips_are_told(void **state)
{
    (void)state;
    static const char *const slips[] = {
        "2",    "/5",  "0/5", "6/5",  "3-2/5", "1-6/5", "-1/5",   "1/5x",
        "1//5", "1/0", "a/5", " 1/5", "1/",    "1-/5",  "1/1001", "99999999999999999999/5"};
    Fold f;
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        if (fold_read(&f, slips[i]) != ST_ARG)
            fail_msg("'%s' is taken", slips[i]);
        expect_words("write 2/5");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_equal_and_apart),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(slips_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
