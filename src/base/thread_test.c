#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <cmocka.h>

enum { TASKS = 10000, THREADS_MAX = 16 };

typedef struct {
    _Atomic int done[TASKS];
    _Atomic int threads_seen, out_of_range;
    int64_t last[THREADS_MAX]; /* each thread writes its own */
    _Atomic int out_of_order;
    int threads;
} Count;

static void count_task(void *context, int64_t task, int thread)
{
    Count *c = context;
    if (thread < 0 || thread >= c->threads || task < 0 || task >= TASKS) {
        c->out_of_range++;
        return;
    }
    c->done[task]++;
    if (c->last[thread] > task + 1)
        c->out_of_order++;
    c->last[thread] = task + 1;
}

static void every_task_is_done_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= THREADS_MAX; threads *= 4) {
        static Count c;
        c = (Count){.threads = threads};
        thread_each(TASKS, threads, count_task, &c);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(c.done[i], 1);
        assert_int_equal(c.out_of_range, 0);
        assert_int_equal(c.out_of_order, 0);
    }
}

static void few_or_no_tasks_are_fine(void **state)
{
    (void)state;
    static Count c;
    c = (Count){.threads = 8};
    thread_each(0, 8, count_task, &c);
    assert_int_equal(c.done[0], 0);
    thread_each(3, 8, count_task, &c);
    assert_int_equal(c.done[0] + c.done[1] + c.done[2] + c.done[3], 3);
    thread_each(2, 0, count_task, &c);
    thread_each(2, -5, count_task, &c);
    assert_int_equal(c.done[0], 3);
    assert_int_equal(c.out_of_range, 0);
}

static void add_one(void *context)
{
    int *n = context;
    ++*n;
}

static void one_thread_starts_and_is_joined(void **state)
{
    (void)state;
    int n = 0;
    Thread *t;
    assert_int_equal(thread_start(&t, add_one, &n), ST_OK);
    thread_join(t);
    assert_int_equal(n, 1);
    thread_join(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once),
        cmocka_unit_test(few_or_no_tasks_are_fine),
        cmocka_unit_test(one_thread_starts_and_is_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
