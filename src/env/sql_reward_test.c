#include "env/sql_reward.h"

#include <math.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static double reward_of(InterCodeRule rule, const char *agent, const char *gold)
{
    RowTexts a = {0}, g = {0};
    if (row_texts_read(&a, span(agent)) != ST_OK || row_texts_read(&g, span(gold)) != ST_OK)
        fail_msg("%s", error_text());
    double reward = intercode_reward(rule, &a, &g);
    row_texts_drop(&a);
    row_texts_drop(&g);
    return reward;
}

/* Drawn by chance; rewards by collections.Counter and scipy 1.17.1's kendalltau, Python 3.11. */
static void rewards_are_scipys(void **state)
{
    (void)state;
    static const struct {
        const char *agent, *gold;
        double plain, scaled;
    } cases[] = {
        {"[]",
         "[]",
         1.0, 1.0},
        {"[]",
         "[(1,)]",
         0.0, 0.0},
        {"[(1,)]",
         "[(1,)]",
         1.0, 1.0},
        {"[(1,), (1,)]",
         "[(1,)]",
         0.5, 0.5},
        {"[]",
         "[(1e-05,)]",
         0.0, 0.0},
        {"[(1,), (Decimal('2.5000'), 1), (1,)]",
         "[(1,), (Decimal('2.5000'), 1), (1,), (1,)]",
         0.75, 0.75},
        {"[(\"it's\",)]",
         "[(\"it's\",), (\"it's\",), (1e+16,), (\"it's\",), (\"it's\",), (\"it's\",), (1e+16,)]",
         0.14285714285714285, 0.14285714285714285},
        {"[('a',), (1e+16, 2.5), ('\303\251',)]",
         "[('a',), ('\303\251',), (1e+16, 2.5)]",
         1.0, 0.33},
        {"[(-2, b'int'), (1,), (1,), (-2, b'int'), (1,), (-2, b'int'), (1,), (-2, b'int')]",
         "[(1e+16, '\303\251'), (1,), (1,), (1e+16, '\303\251'), (-2, b'int'), (1e+16, '\303\251')]",
         0.2727272727272727, -0.14},
        {"[(1e+16,), ('b\"\\'', '\303\251'), (1, ''), (None,), (1, '')]",
         "[(None,)]",
         0.2, 0.2},
        {"[(Decimal('2.5000'),), (-2, datetime.date(2020, 1, 2)), (Decimal('2.5000'),), (-2, datetim"
         "e.date(2020, 1, 2)), (Decimal('2.5000'),), (Decimal('2.5000'),), (-2, datetime.date(2020, "
         "1, 2))]",
         "[(Decimal('2.5000'),), (-2, datetime.date(2020, 1, 2)), (-2, datetime.date(2020, 1, 2)), ("
         "Decimal('2.5000'),), (Decimal('2.5000'),), (Decimal('2.5000'),), (-2, datetime.date(2020, "
         "1, 2))]",
         1.0, 0.42},
        {"[(-2,), (2.5, -2), (2.5, -2), (-2,)]",
         "[(2.5, -2), (-2,), (2.5,), (2.5, -2)]",
         0.6, -0.3},
        {"[(1, 'a'), ('\303\251', '\303\251'), ('\303\251', '\303\251'), ('\303\251', '\303\251'), ("
         "1, 'a')]",
         "[('\303\251', '\303\251'), (-2, datetime.date(2020, 1, 2)), ('\303\251', '\303\251'), (-2,"
         " datetime.date(2020, 1, 2)), (Decimal('2.5000'), Decimal('2.5000')), (-2, datetime.date(20"
         "20, 1, 2)), ('\303\251', '\303\251')]",
         0.3333333333333333, 0.3333333333333333},
        {"[(1,), (1,), (1e-05,)]",
         "[(1,), (1e-05,), (1,), (1,)]",
         0.75, -0.37},
        {"[('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a',"
         " 'a')]",
         "[('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a', 'a'), ('a',"
         " 'a')]",
         1.0, 1.0},
        {"[(b'int',), ('b\"\\'', 2.5), (\"it's\",), ('',)]",
         "[(\"it's\",), (\"it's\",), ('',), (b'int',), ('b\"\\'', 2.5), (-2, 1e-05), (-2, 1e-05)]",
         0.5714285714285714, -0.57},
        {"[(b'int', datetime.date(2020, 1, 2)), (1e-05, 1), (1e-05, 1), (b'int', datetime.date(2020,"
         " 1, 2))]",
         "[(1e-05, 1), (b'int', datetime.date(2020, 1, 2)), (1e-05, 1), (b'int', datetime.date(2020,"
         " 1, 2))]",
         1.0, 0.0},
        {"[('a',), ('a',), (b'int', 'b\"\\''), ('',), ('',), ('',)]",
         "[('a',), (Decimal('2.5000'),), (b'int', 'b\"\\'')]",
         0.2857142857142857, 0.29},
        {"[('\303\251',), ('\303\251',), ('\303\251',), ('\303\251',), ('\303\251',), ('\303\251',),"
         " ('\303\251',), ('\303\251',)]",
         "[('\303\251',), ('\303\251',), ('\303\251',), ('\303\251',), ('\303\251',), ('\303\251',),"
         " ('\303\251',), ('\303\251',)]",
         1.0, 1.0},
        {"[('a', 'b\"\\''), ('a', 'b\"\\''), ('a', 'b\"\\''), ('a', 'b\"\\''), (1e+16, \"it's\"), (1"
         "e+16, \"it's\"), (b'int',)]",
         "[('a', 'b\"\\''), (1e+16, \"it's\"), ('a', 'b\"\\''), (1e+16, \"it's\"), ('a', 'b\"\\''), "
         "('a', 'b\"\\''), (b'int',)]",
         1.0, 0.14},
        {"[(\"it's\",), ('\303\251', datetime.date(2020, 1, 2)), ('\303\251', datetime.date(2020, 1,"
         " 2)), ('\303\251', datetime.date(2020, 1, 2)), ('\303\251', datetime.date(2020, 1, 2)), ("
         "\"it's\",), ('\303\251', datetime.date(2020, 1, 2)), ('\303\251', datetime.date(2020, 1, 2"
         "))]",
         "[(\"it's\",)]",
         0.125, 0.125},
        {"[(\"it's\", None), (datetime.date(2020, 1, 2),), (datetime.date(2020, 1, 2),), ('\303\251'"
         ", \"it's\"), (\"it's\", None), ('a',)]",
         "[('a', \"it's\"), ('a',), ('a', \"it's\"), ('\303\251', \"it's\"), ('a', \"it's\"), ('a',)"
         ", (datetime.date(2020, 1, 2),), ('a',)]",
         0.2727272727272727, -0.27},
        {"[(-2, 1e+16), (2.5,)]",
         "[(-2, 1e+16), (b'int', 1), (2.5,)]",
         0.6666666666666666, 0.67},
        {"[]",
         "[(\"it's\", Decimal('2.5000')), (-2,), (\"it's\", Decimal('2.5000')), (\"it's\", Decimal('"
         "2.5000')), (-2,), (\"it's\", Decimal('2.5000'))]",
         0.0, 0.0},
        {"[(Decimal('2.5000'),)]",
         "[(\"it's\", '\303\251'), ('a', datetime.date(2020, 1, 2)), ('a', datetime.date(2020, 1, 2)"
         "), ('a', datetime.date(2020, 1, 2)), ('a', datetime.date(2020, 1, 2))]",
         0.0, 0.0},
        {"[('',), ('',), (1e+16,), ('',), (1e+16,), ('',), (b'int',)]",
         "[('',), (1e+16,), (1e+16,), (b'int',), ('',), ('',), ('',)]",
         1.0, -0.29},
        {"[(1,), (1e+16,), (Decimal('2.5000'),), (1e+16,), ('b\"\\'',), (Decimal('2.5000'),), (1e+16"
         ",), (1e+16,)]",
         "[(Decimal('2.5000'),), ('b\"\\'',), (1, '\303\251'), (b'int',), ('b\"\\'',), (1, '\303\251"
         "'), (1e+16,), (Decimal('2.5000'),)]",
         0.3333333333333333, 0.0},
        {"[(\"it's\", b'int'), (\"it's\", b'int'), (\"it's\", b'int'), (\"it's\", 'b\"\\'')]",
         "[(1e+16,), (1e+16,), (\"it's\", b'int')]",
         0.16666666666666666, 0.16666666666666666},
        {"[(2.5, 'a'), (2.5, 'a'), ('b\"\\'',), (2.5, 'a')]",
         "[(2.5, 'a'), ('b\"\\'',), (2.5, 'a'), (2.5, 'a')]",
         1.0, -0.33},
        {"[]",
         "[('b\"\\'',), (Decimal('2.5000'), -2), (1,)]",
         0.0, 0.0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double plain = reward_of(INTERCODE_IOU, cases[i].agent, cases[i].gold);
        double scaled = reward_of(INTERCODE_SCALED, cases[i].agent, cases[i].gold);
        if (plain != cases[i].plain || scaled != cases[i].scaled)
            fail_msg("%s against %s: %.17g %.17g", cases[i].agent, cases[i].gold, plain, scaled);
    }
}

/* One common row has no order: the plain reward stands, unrounded.  A turned order is punished. */
static void order_counts_in_the_scaled_rule(void **state)
{
    (void)state;
    assert_true(reward_of(INTERCODE_SCALED, "[(1,), (2,), (3,)]", "[(1,)]") == 1.0 / 3);
    assert_true(reward_of(INTERCODE_SCALED, "[(2,), (1,)]", "[(1,), (2,)]") == -1);
    assert_true(reward_of(INTERCODE_IOU, "[(2,), (1,)]", "[(1,), (2,)]") == 1);
    assert_true(reward_of(INTERCODE_SCALED, "[(1,)]", "[(2,)]") == 0);
}

static double tau_of(const int64_t *x, const int64_t *y, size_t n)
{
    int64_t a[300], b[300];
    memcpy(a, x, n * sizeof *x);
    memcpy(b, y, n * sizeof *y);
    return kendall_tau_b(a, b, n);
}

/* The definition, pair by pair. */
static double slow_tau(const int64_t *x, const int64_t *y, size_t n)
{
    double sum = 0, of_x = 0, of_y = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            int dx = (x[i] > x[k]) - (x[i] < x[k]), dy = (y[i] > y[k]) - (y[i] < y[k]);
            sum += dx * dy;
            of_x += dx != 0;
            of_y += dy != 0;
        }
    return sum / sqrt(of_x * of_y);
}

static void tau_is_its_definition(void **state)
{
    (void)state;
    int64_t x[300], y[300];
    uint64_t seed = 1;
    for (size_t n = 2; n <= 300; n += 7) {
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            x[i] = (int64_t)(seed >> 33) % (int64_t)(n / 2 + 2);
            y[i] = (int64_t)(seed >> 50) % (int64_t)(n / 3 + 2);
        }
        double fast = tau_of(x, y, n), slow = slow_tau(x, y, n);
        assert_true(isnan(slow) ? isnan(fast) : fabs(fast - slow) < 1e-12);
    }
    assert_true(isnan(tau_of(x, y, 1)));
}

static void what_is_no_result_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "None",        "[",       "[(1,)",     "[(1,)] ",  "[1]",
                                      "[(1 2)]", "[('a,)]",     "[(b,)]",  "[(1,)(2,)]", "[(1.e,)]", "[(-,)]",
                                      "[(x'a',)]", "Error executing query: [(1,)]", "[(Decimal('1'),)"};
    static const char *const good[] = {"[]", "[()]", "[(datetime.timedelta(days=-1, seconds=3),)]",
                                       "[(bytearray(b'\\x00'), {'a', 'b'}, [1, -2.5e-07], nan, True)]"};
    RowTexts r = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (row_texts_read(&r, span(bad[i])) != ST_FORMAT)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(r.n, 0);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (row_texts_read(&r, span(good[i])) != ST_OK)
            fail_msg("%s: %s", good[i], error_text());
    /* No truncation is a result, and no depth is a crash. */
    Span whole = span(good[3]);
    for (size_t n = 0; n < whole.n; n++)
        assert_int_equal(row_texts_read(&r, (Span){whole.at, n}), ST_FORMAT);
    char deep[4096];
    memset(deep, '(', sizeof deep);
    deep[0] = '[';
    assert_int_equal(row_texts_read(&r, (Span){deep, sizeof deep}), ST_FORMAT);
    row_texts_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewards_are_scipys), cmocka_unit_test(order_counts_in_the_scaled_rule),
        cmocka_unit_test(tau_is_its_definition), cmocka_unit_test(what_is_no_result_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
