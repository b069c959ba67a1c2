/* The parts of a game, against jansson: plain files, others, and ones with random damage. */
#include "env/game_file.h"

#include <jansson.h>
#include <string.h>

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static const char *const keys[] = {"pddl_domain", "grammar", "pddl_problem"};

/* What jansson makes of the same bytes: both read them, or neither. */
static void agrees(Span json)
{
    GameFile f = {0};
    Arena arena = {0};
    json_t *game = json_loadb(json.at, json.n, JSON_REJECT_DUPLICATES, NULL);
    bool all = true;
    for (int i = 0; i < 3; i++)
        all = all && json_is_string(json_object_get(game, keys[i]));
    Status st = game_file_read(&f, &arena, json);
    if ((st == ST_OK) != all)
        fail_msg("%s, jansson %s: %.*s", st ? error_text() : "read", all ? "too" : "not", (int)json.n,
                 json.at);
    Span texts[] = {f.domain, f.grammar, f.problem};
    for (int i = 0; all && i < 3; i++) {
        const json_t *v = json_object_get(game, keys[i]);
        assert_int_equal(texts[i].n, json_string_length(v));
        assert_memory_equal(texts[i].at, json_string_value(v), texts[i].n);
    }
    const json_t *solvable = json_object_get(game, "solvable");
    if (all)
        assert_int_equal(f.solvable, json_is_boolean(solvable) ? json_is_true(solvable) : -1);
    json_decref(game);
    arena_drop(&arena);
}

static const char *const games[] = {
    "{\"pddl_domain\": \"a\\nb\\\"c\\\\\", \"grammar\": \"\", \"pddl_problem\": \"\\t\\/\\b\\f\\r\", "
    "\"solvable\": true}",
    " {\"solvable\" :false ,\n\"grammar\":\"g g\",\t\"pddl_domain\":\"d\",\r\"pddl_problem\":\"p\" } \n",
    "{\"pddl_domain\":\"1\",\"grammar\":\"2\",\"pddl_problem\":\"3\"}",
    "{\"pddl_domain\":\"1\",\"grammar\":\"2\",\"pddl_problem\":\"3\",\"solvable\":null}",
    "{\"pddl_domain\":\"\\u00e4\",\"grammar\":\"\xc3\xa4\",\"pddl_problem\":\"\x7f\",\"solvable\":true,"
    "\"walkthrough\":[\"look\"]}",
    "{\"pddl_domain\":\"1\",\"grammar\":\"2\",\"pddl_problem\":\"3\",\"grammar\":\"4\"}",
    "{\"pddl_domain\":\"1\",\"grammar\":2,\"pddl_problem\":\"3\",\"solvable\":true}",
    "{\"pddl_domain\":\"1\",\"grammar\":\"2\",\"pddl_problem\":\"3\",\"solvable\":true,}",
    "{\"pddl_domain\":\"1\",\"grammar\":\"2\",\"pddl_problem\":\"3\",\"solvable\":true} x",
    "{\"pddl_domain\":\"\xff\",\"grammar\":\"2\n\",\"pddl_problem\":\"3\",\"solvable\":true}",
    "[]",
    "{}",
    "",
};

static void whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof games / sizeof *games; i++)
        agrees(span(games[i]));
}

static void damaged(void **state)
{
    (void)state;
    static const char bytes[] = "{}[],:\"\\ntu/ \t\n\r\x01\x7f\xc3";
    Rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 100000; i++) {
        char json[256];
        Span game = span(games[rng_below(&rng, 2)]);
        memcpy(json, game.at, game.n);
        for (uint64_t k = 1 + rng_below(&rng, 3); k > 0; k--)
            json[rng_below(&rng, game.n)] = bytes[rng_below(&rng, sizeof bytes)];
        agrees((Span){json, rng_below(&rng, 4) ? game.n : rng_below(&rng, game.n)});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
