/* The planner on a house of our own, where its first search fails, and on ALFWorld's games under $LEMUR_DATA
 * or
 * ../shared/data. */
#include "env/household_expert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/data_test.h"
#include "base/file.h"
#include "base/rng.h"
#include "env/household_games.h"
#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static Household *open_with(const char *domain, const char *problem, const char *grammar)
{
    char *game = tiny_game(domain, problem, grammar);
    Household *h = NULL;
    if (household_read(&h, span(game)) != ST_OK)
        fail_msg("%s", error_text());
    free(game);
    return h;
}

/* Plays what the expert says until it has nothing more to say; the number of steps. */
static int play(const Household *h, HouseholdState *s)
{
    HouseholdExpert *e = household_expert_new(h);
    const char *command;
    int steps = 0;
    for (;; steps++) {
        if (household_expert_next(e, s, &command) != ST_OK)
            fail_msg("%s", error_text());
        if (!command)
            break;
        assert_false(s->won);
        assert_true(steps < 100);
        assert_int_equal(household_step(h, s, command), ST_OK);
        assert_string_not_equal(str_c(&s->observation), "Nothing happens.");
    }
    assert_true(s->won);
    household_expert_free(e);
    return steps;
}

static void a_plan_is_the_shortest(void **state)
{
    (void)state;
    static const char *const words[] = {NULL, "go to box 1", "open box 1", NULL, "go to table 1"};
    Household *h = open_with(tiny_domain, tiny_problem, tiny_grammar);
    HouseholdState *s = household_reset(h);
    HouseholdPlan plan = {0};
    assert_int_equal(household_plan(h, s, &plan), ST_OK);
    assert_int_equal(plan.n, 8);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i]) /* either ball may be the first */
            assert_string_equal(plan.at[i], words[i]);
    assert_int_equal(play(h, s), 8);
    assert_int_equal(household_plan(h, s, &plan), ST_OK);
    assert_int_equal(plan.n, 0);
    array_drop(&plan);
    household_state_free(s);
    household_close(h);
}

/* Thrown off its way, it finds another: after every command that is not its own, too. */
static void from_wherever_one_is(void **state)
{
    (void)state;
    Household *h = open_with(tiny_domain, tiny_problem, tiny_grammar);
    Rng rng;
    rng_seed(&rng, 3);
    for (int round = 0; round < 200; round++) {
        HouseholdState *s = household_reset(h);
        HouseholdExpert *e = household_expert_new(h);
        HouseholdCommands c = {0};
        const char *command = "";
        s->limit = 0;
        while (!s->won) {
            assert_int_equal(household_expert_next(e, s, &command), ST_OK);
            assert_non_null(command);
            household_admissible(h, s, &c);
            assert_int_equal(household_step(h, s, rng_below(&rng, 3) ? command : c.at[rng_below(&rng, c.n)]),
                             ST_OK);
        }
        household_expert_free(e);
        household_state_free(s);
        array_drop(&c);
    }
    household_close(h);
}

static void no_way_is_said_so(void **state)
{
    (void)state;
    char *one_ball = tiny_with(tiny_problem, " (in ball_bar_2 table_bar_1)", "");
    Household *h = open_with(tiny_domain, one_ball, tiny_grammar);
    HouseholdState *s = household_reset(h);
    HouseholdExpert *e = household_expert_new(h);
    HouseholdPlan plan = {0};
    const char *command;
    assert_int_equal(household_plan(h, s, &plan), ST_UNSUPPORTED);
    assert_int_equal(household_expert_next(e, s, &command), ST_UNSUPPORTED);
    household_expert_free(e);
    household_state_free(s);
    household_close(h);
    free(one_ball);
}

static const char vault_domain[] =
    "(define (domain vault) (:types thing) (:predicates (open ?x) (whole ?x) (key ?x) (fuse ?x))\n"
    "(:action blast :parameters (?x - thing) :precondition (and (whole ?x) (not (open ?x)))\n"
    " :effect (and (open ?x) (not (whole ?x))))\n"
    "(:action fetch :parameters (?x - thing) :precondition (whole ?x) :effect (key ?x))\n"
    "(:action unlock :parameters (?x - thing) :precondition (key ?x) :effect (open ?x)))\n";
static const char vault_problem[] = "(define (problem p) (:domain vault) (:objects v_bar_1 - thing)\n"
                                    "(:init (whole v_bar_1)) (:goal (and (open v_bar_1) (whole v_bar_1))))\n";
static const char vault_grammar[] = "grammar :: \"\"\"{\"intro\": [{\"rhs\": \"A vault.\"}]}\"\"\";\n"
                                    "action blast { template :: \"blast {x}\"; feedback :: \"!\"; }\n"
                                    "action fetch { template :: \"fetch {x}\"; feedback :: \".\"; }\n"
                                    "action unlock { template :: \"unlock {x}\"; feedback :: \".\"; }\n";

/* The short way, with deletions left out, is none: what it destroys is wanted. */
static void what_looks_near_is_not(void **state)
{
    (void)state;
    Household *h = open_with(vault_domain, vault_problem, vault_grammar);
    HouseholdState *s = household_reset(h);
    HouseholdPlan plan = {0};
    assert_int_equal(household_plan(h, s, &plan), ST_OK);
    assert_int_equal(plan.n, 2);
    assert_string_equal(plan.at[0], "fetch v 1");
    assert_int_equal(household_step(h, s, "blast v 1"), ST_OK);
    assert_int_equal(household_plan(h, s, &plan), ST_UNSUPPORTED);
    array_drop(&plan);
    household_state_free(s);
    household_close(h);
}

/* --- ALFWorld's games ---------------------------------------------------------------------------------- */

static void find_games(HouseholdGames *out)
{
    char *root = path_join(data_folder(), "mint/alfworld/games");
    Status st = household_games_find(out, root);
    if (st != ST_OK)
        printf("SKIP no games in %s (set LEMUR_DATA)\n", root);
    mem_free(root);
    if (st != ST_OK)
        skip();
}

/* Commands in the file of the original's expert, who has to search. */
static int recorded_steps(const char *game)
{
    char *path = mem_format("%.*s/gt_traj.txt", (int)(strlen(game) - strlen("/game.tw-pddl")), game);
    Str text = {0};
    int n = 0;
    assert_int_equal(file_read(&text, path, 0), ST_OK);
    for (const char *at = str_c(&text); (at = strstr(at, "(\"")); at++)
        n++;
    str_drop(&text);
    mem_free(path);
    return n;
}

static void given_games(void **state)
{
    (void)state;
    HouseholdGames games;
    int steps = 0, longest = 0, recorded = 0, longer = 0, shaken = 0, stuck = 0;
    double seconds = 0;
    Rng rng;
    find_games(&games);
    rng_seed(&rng, 11);
    for (size_t i = 0; i < games.n; i++) {
        Household *h = NULL;
        if (household_open(&h, games.at[i].path) != ST_OK)
            fail_msg("%s", error_text());
        HouseholdState *s = household_reset(h);
        HouseholdPlan plan = {0};
        double start = clock_now();
        if (household_plan(h, s, &plan) != ST_OK)
            fail_msg("%s: %s", games.at[i].path, error_text());
        seconds += clock_now() - start;
        int n = play(h, s), theirs = recorded_steps(games.at[i].path);
        assert_int_equal(n, plan.n);
        assert_true(n <= HOUSEHOLD_STEPS);
        steps += n;
        longest = n > longest ? n : longest;
        recorded += theirs;
        longer += n > theirs;
        household_state_free(s);
        for (int round = 0; round < 4; round++) {
            s = household_reset(h);
            s->limit = 0;
            HouseholdCommands c = {0};
            for (int k = 0; k < 40 && !s->won; k++) {
                household_admissible(h, s, &c);
                assert_int_equal(household_step(h, s, c.at[rng_below(&rng, c.n)]), ST_OK);
            }
            if (household_plan(h, s, &plan) == ST_UNSUPPORTED) {
                /* There is no place for it in all the house. */
                assert_int_equal(household_step(h, s, "inventory"), ST_OK);
                assert_string_equal(str_c(&s->observation), "You are carrying: a papertowelroll 1.");
                stuck++;
            } else {
                assert_true(play(h, s) <= HOUSEHOLD_STEPS);
                shaken++;
            }
            array_drop(&c);
            household_state_free(s);
        }
        array_drop(&plan);
        household_close(h);
    }
    printf("%zu games in %d steps, at most %d; %d in the recorded lists, %d of them shorter; %.2f ms to plan "
           "one; "
           "%d more after 40 random steps, %d cannot be won any more\n",
           games.n, steps, longest, recorded, longer, 1e3 * seconds / (double)games.n, shaken, stuck);
    assert_true(longer <= (int)games.n / 20 && 2 * steps < recorded && stuck < shaken / 20);
    household_games_drop(&games);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_the_shortest),
        cmocka_unit_test(from_wherever_one_is),
        cmocka_unit_test(no_way_is_said_so),
        cmocka_unit_test(what_looks_near_is_not),
        cmocka_unit_test(given_games),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
