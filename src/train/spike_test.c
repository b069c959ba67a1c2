#include "train/spike.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_jump_stands_out(void **state)
{
    (void)state;
    Spike s;
    spike_init(&s, 64);
    for (int i = 0; i < 15; i++)
        assert_true(spike_add(&s, i % 2 ? 3.0 : 5.0) == 0); /* too few to say */
    spike_add(&s, 3.0);
    for (int i = 0; i < 48; i++)
        assert_true(spike_add(&s, i % 2 ? 3.0 : 5.0) < 1.5);
    double z = spike_add(&s, 14); /* mean 4, deviation 1 */
    assert_true(z > 9.9 && z < 10.1);
    assert_true(spike_add(&s, 0) < 0);
}

static void equal_values_have_no_score(void **state)
{
    (void)state;
    Spike s;
    spike_init(&s, 20);
    for (int i = 0; i < 30; i++)
        assert_true(spike_add(&s, 1.5) == 0);
}

/* The saved window, after it has wrapped, judges exactly as the one it was saved from. */
static void a_window_survives_json(void **state)
{
    (void)state;
    Spike a, b;
    spike_init(&a, 32);
    spike_init(&b, 32);
    for (int i = 0; i < 45; i++)
        spike_add(&a, 1.0 / (1 + i % 7) + i * 0.001);
    json_t *j = spike_to_json(&a);
    char *text = json_dumps(j, 0);
    json_t *again = json_loads(text, 0, NULL);
    assert_int_equal(spike_from_json(&b, again), ST_OK);
    for (int i = 0; i < 100; i++)
        assert_true(spike_add(&a, i * 0.37) == spike_add(&b, i * 0.37));
    json_decref(again);
    json_decref(j);
    free(text);
    assert_int_equal(spike_from_json(&b, NULL), ST_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jump_stands_out),
        cmocka_unit_test(equal_values_have_no_score),
        cmocka_unit_test(a_window_survives_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
