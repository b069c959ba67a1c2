#include "infer/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void add(Events *e, int32_t id, const char *text, int64_t top_n)
{
    TokenLogprob top[3] = {{id, -1}, {id + 1, -2}, {id + 2, -3}};
    RequestEvent event = {.kind = EVENT_TOKEN, .id = id, .text = span(text), .top = top, .top_n = top_n};
    events_add(e, &event);
}

static void expect(Events *e, int32_t id, const char *text, int64_t top_n)
{
    RequestEvent event;
    assert_true(events_read(e, &event));
    assert_int_equal(event.id, id);
    assert_true(span_is(event.text, text));
    assert_int_equal(event.top_n, top_n);
    for (int64_t i = 0; i < top_n; i++)
        assert_int_equal(event.top[i].id, id + i);
}

static void batches_are_moved_and_read_in_order(void **state)
{
    (void)state;
    Events from = {0}, to = {0};
    RequestEvent none;
    assert_false(events_read(&to, &none));
    for (int round = 0; round < 3; round++) {
        add(&from, 10, "ab", 2);
        add(&from, 20, "", 0);
        events_move(&to, &from); /* the first is a swap */
        assert_false(events_waiting(&from));
        add(&from, 30, "c", 3);
        events_move(&to, &from);
        expect(&to, 10, "ab", 2);
        expect(&to, 20, "", 0);
        expect(&to, 30, "c", 3);
        assert_false(events_waiting(&to));
        events_clear(&to);
    }
    events_drop(&from);
    events_drop(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_moved_and_read_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
