#include "env/household_games.h"

#include "base/mem.h"
#include "base/scratch_test.h"

static void write_game(const char *id, const char *more)
{
    char *name = mem_format("games/%s/game.tw-pddl", id);
    char *text = mem_format("{\"pddl_domain\": \"d\", \"grammar\": \"g\", \"pddl_problem\": \"p\"%s}", more);
    scratch_text(name, text);
    mem_free(text);
    mem_free(name);
}

static void games_that_can_be_played(void **state)
{
    (void)state;
    static const char *const found[] = {"look_at-Mug-Desk-1/trial_2", "look_at-Mug-Desk-1/trial_3",
                                        "look_at-Mug-Desk-1/trial_4", "look_at-Mug-Desk-1/trial_6"};
    HouseholdGames games;
    write_game("look_at-Mug-Desk-1/trial_2", ", \"solvable\": true");
    write_game("look_at-Mug-Desk-1/trial_1", ", \"solvable\": false");
    write_game("look_at-Mug-Desk-1/trial_3", "");
    write_game("look_at-Mug-Desk-1/trial_6", ", \"said\": \"\\\"solvable\\\": false\"");
    write_game("look_at-Mug-Desk-1/trial_7", ",\n\"solvable\" :false ");
    write_game("look_at-movable-Desk-1/trial_1", ", \"solvable\": true");
    write_game("look_at-MugSliced-Desk-1/trial_1", ", \"solvable\": true");
    scratch_text("games/look_at-Mug-Desk-1/trial_4/game.tw-pddl", "damaged");
    scratch_text("games/look_at-Mug-Desk-1/trial_5/traj_data.json", "{}");
    scratch_text("games/README", "no game");
    assert_int_equal(household_games_find(&games, in_scratch("games")), ST_OK);
    assert_int_equal(games.n, sizeof found / sizeof found[0]);
    for (size_t i = 0; i < games.n; i++) {
        assert_string_equal(games.at[i].id, found[i]);
        assert_string_equal(games.at[i].kind, "look_at");
    }
    assert_true(span_ends(span(games.at[0].path), "games/look_at-Mug-Desk-1/trial_2/game.tw-pddl"));
    household_games_drop(&games);
}

static void a_folder_without_games(void **state)
{
    (void)state;
    HouseholdGames games;
    scratch_text("empty/README", "no game");
    assert_int_equal(household_games_find(&games, in_scratch("empty")), ST_OK);
    assert_int_equal(games.n, 0);
    assert_int_equal(household_games_find(&games, in_scratch("absent")), ST_IO);
    assert_int_equal(games.n, 0);
    household_games_drop(&games);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(games_that_can_be_played),
        cmocka_unit_test(a_folder_without_games),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
