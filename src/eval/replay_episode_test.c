/* What counts as an episode; its checks are in replay_test.c. */
#include "eval/replay_episode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static bool whole(const char *text)
{
    json_t *v = json_loads(text, 0, NULL);
    assert_non_null(v);
    bool is = replay_episode_is_whole(v);
    json_decref(v);
    return is;
}

static void malformed_episodes_are_told(void **state)
{
    (void)state;
    assert_true(
        whole("{\"state\":{\"history\":[{\"role\":\"user\",\"content\":\"\"}],\"agent_action_count\":{}},"
              "\"task\":{}}"));
    assert_false(whole("{}"));
    assert_false(whole("{\"state\":[],\"task\":{}}"));
    assert_false(whole("{\"state\":{\"history\":[],\"agent_action_count\":{}},\"task\":{}}"));
    assert_false(
        whole("{\"state\":{\"history\":[{\"role\":\"user\"}],\"agent_action_count\":{}},\"task\":{}}"));
    assert_false(whole("{\"state\":{\"history\":[{\"role\":\"user\",\"content\":\"\"}]},\"task\":{}}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_episodes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
