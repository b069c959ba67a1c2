/* Which words look, world by world. */
#include "study/explore_looks.h"

#include "base/scratch_test.h"

static void words_tell_looking(void **state)
{
    (void)state;
    static const struct {
        const char *benchmark, *action;
        bool looks;
    } cases[] = {
        {"ic_sql", "DESCRIBE people", true},
        {"ic_sql", "descend", false},
        {"ic_sql", "SELECT * FROM people", true},
        {"ic_sql", "SELECT * FROM people WHERE age > 3", false},
        {"ic_sql", "SELECT * FROM people, town", false},
        {"ic_sql", "SELECT COUNT(*) FROM people", false},
        {"ic_sql", "SELECT table_name FROM information_schema.tables", true},
        {"ic_bash", "cat a | grep b | wc -l", true},
        {"ic_bash", "cat a | tee b", false},
        {"ic_bash", "ls > list", false},
        {"ic_bash", "ls 2>/dev/null; pwd", true},
        {"ic_bash", "grep a b 2>&1 | sort", true},
        {"ic_bash", "find . -exec rm {} +", false},
        {"ic_bash", "lsof", false},
        {"ic_ctf", "mkdir x && cd x", false},
        {"alfworld", "open fridge 1", true},
        {"alfworld", "close fridge 1", false},
        {"alfworld", "inventory", true},
        {"alfworld", "use desklamp 1", false},
        {"alfworld", "looking", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (explore_looks(explore_world(cases[i].benchmark), cases[i].action) != cases[i].looks)
            fail_msg("%s", cases[i].action);
    }
}

static void commands_have_parts(void **state)
{
    (void)state;
    static const char *const cases[][4] = {{"go to fridge 1", "go to", "", "fridge 1"},
                                           {"take mug 1 from shelf 2", "take", "mug 1", "shelf 2"},
                                           {"put mug 1 in/on shelf 2", "put", "mug 1", "shelf 2"},
                                           {"move mug 1 to shelf 2", "move", "mug 1", "shelf 2"},
                                           {"heat mug 1 with microwave 1", "heat", "mug 1", "microwave 1"},
                                           {"take mug 1", "take", "mug 1", ""},
                                           {"use desklamp 1", "use", "desklamp 1", ""},
                                           {"look", "look", "", ""},
                                           {"dance", "", "", ""},
                                           {"", "", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        HouseCommand c = explore_house_command(cases[i][0]);
        if (!span_is(c.verb, cases[i][1]) || !span_is(c.object, cases[i][2]) ||
            !span_is(c.place, cases[i][3]))
            fail_msg("%s", cases[i][0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_tell_looking),
        cmocka_unit_test(commands_have_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
