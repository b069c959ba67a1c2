#include "ops/turns.h"

#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h> /* last: its macro fail() takes the place of status.h's function */

enum { PIECES = 1000, THREADS = 3 };

typedef struct {
    Turns turns[THREADS];
    _Atomic int done[PIECES];
} Work;

static void do_pieces(void *context, int64_t task, int thread)
{
    (void)thread;
    Work *w = context;
    for (int64_t piece; (piece = turns_next(w->turns, THREADS, task)) >= 0;)
        w->done[piece]++;
}

static void every_piece_is_done_once(void **state)
{
    (void)state;
    static Work w;
    for (int pieces = 0; pieces <= PIECES; pieces += pieces < 10 ? 1 : 99) {
        w = (Work){0};
        turns_deal(w.turns, THREADS, pieces);
        thread_each(THREADS, THREADS, do_pieces, &w);
        for (int i = 0; i < PIECES; i++)
            assert_int_equal(w.done[i], i < pieces);
    }
}

/* One thread alone: its own pieces from the front, then those of the next and of the one behind that from their
 * ends. */
static void a_thread_takes_its_own_then_helps(void **state)
{
    (void)state;
    static const int64_t order[] = {3, 4, 5, 8, 7, 6, 2, 1, 0, -1, -1};
    Turns turns[THREADS];
    turns_deal(turns, THREADS, 9);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        assert_int_equal(turns_next(turns, THREADS, 1), order[i]);
    assert_int_equal(turns_next(turns, THREADS, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once),
        cmocka_unit_test(a_thread_takes_its_own_then_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
