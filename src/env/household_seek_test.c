/* One who must look: wins generated games and ALFWorld's within the limit, and never uses what it was not
 * told of. */
#include "env/household_seek.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/data_test.h"
#include "base/file.h"
#include "env/household_games.h"
#include "env/household_make.h"
#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

/* Whether `told` has the thing that a command takes, behind an article. */
static bool was_told(const char *told, const char *command)
{
    if (strncmp(command, "take ", 5) != 0 && strncmp(command, "use ", 4) != 0)
        return true;
    const char *thing = strchr(command, ' ') + 1, *from = strstr(thing, " from ");
    char *name = mem_format("a %.*s", from ? (int)(from - thing) : (int)strlen(thing), thing);
    bool any = false;
    for (const char *at = told; !any && (at = strstr(at, name)); at++)
        any = !(at[strlen(name)] >= '0' && at[strlen(name)] <= '9');
    mem_free(name);
    return any;
}

/* Plays it and returns its length. */
static size_t check_way(const Household *h, const HouseholdPlan *way)
{
    HouseholdState *s = household_reset(h);
    Str told = {0};
    for (size_t i = 0; i < way->n; i++) {
        assert_false(s->done);
        if (!was_told(str_c(&told), way->at[i]))
            fail_msg("\"%s\" is not known from: %s", way->at[i], str_c(&told));
        assert_int_equal(household_step(h, s, way->at[i]), ST_OK);
        assert_string_not_equal(str_c(&s->observation), "Nothing happens.");
        str_addf(&told, "%s\n", str_c(&s->observation));
    }
    assert_true(s->won);
    str_drop(&told);
    household_state_free(s);
    return way->n;
}

static void generated_games(void **state)
{
    (void)state;
    size_t steps = 0, knowing = 0;
    for (uint64_t seed = 0; seed < 150; seed++) {
        HouseholdMade m;
        HouseholdPlan way = {0}, again = {0};
        Rng rng, same;
        rng_seed(&rng, seed);
        rng_seed(&same, seed);
        assert_int_equal(household_make(&m, seed, HOUSEHOLD_ANY), ST_OK);
        if (household_seek(m.game, &rng, &way) != ST_OK)
            fail_msg("%s: %s", m.name, error_text());
        assert_int_equal(household_seek(m.game, &same, &again), ST_OK);
        assert_int_equal(way.n, again.n);
        for (size_t i = 0; i < way.n; i++)
            assert_string_equal(way.at[i], again.at[i]);
        steps += check_way(m.game, &way);
        knowing += m.plan.n;
        array_drop(&way);
        array_drop(&again);
        household_made_drop(&m);
    }
    printf("%.1f commands; %.1f of one who knows\n", (double)steps / 150, (double)knowing / 150);
    assert_true(steps > knowing * 3 / 2);
}

/* What is wanted is nowhere: all is looked into, and then it is said. */
static void nothing_to_find(void **state)
{
    (void)state;
    char *one_ball = tiny_with(tiny_problem, " (in ball_bar_2 table_bar_1)", "");
    char *game = tiny_game(tiny_domain, one_ball, tiny_grammar);
    Household *h = NULL;
    HouseholdPlan way = {0};
    Rng rng;
    rng_seed(&rng, 1);
    assert_int_equal(household_read(&h, span(game)), ST_OK);
    assert_int_equal(household_seek(h, &rng, &way), ST_UNSUPPORTED);
    array_drop(&way);
    household_close(h);
    free(game);
    free(one_ball);
}

static void given_games(void **state)
{
    (void)state;
    HouseholdGames games;
    char *root = path_join(data_folder(), "mint/alfworld/games");
    Status st = household_games_find(&games, root);
    size_t steps = 0, longest = 0;
    if (st != ST_OK)
        printf("SKIP no games in %s (set LEMUR_DATA)\n", root);
    mem_free(root);
    if (st != ST_OK)
        skip();
    Rng rng;
    rng_seed(&rng, 2);
    for (size_t i = 0; i < games.n; i++) {
        Household *h = NULL;
        HouseholdPlan way = {0};
        assert_int_equal(household_open(&h, games.at[i].path), ST_OK);
        if (household_seek(h, &rng, &way) != ST_OK)
            fail_msg("%s: %s", games.at[i].path, error_text());
        size_t n = check_way(h, &way);
        steps += n;
        longest = n > longest ? n : longest;
        array_drop(&way);
        household_close(h);
    }
    printf("%zu games in %zu commands, at most %zu\n", games.n, steps, longest);
    household_games_drop(&games);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(generated_games), cmocka_unit_test(nothing_to_find),
                                       cmocka_unit_test(given_games)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
