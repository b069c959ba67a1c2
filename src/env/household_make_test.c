/* Generated games: sound, solvable, the same from the same seed; and our domain and grammar against those of
 * ALFWorld's games under $LEMUR_DATA or ../shared/data, which must say the same, word for word. */
#include "env/household_make.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/data_test.h"
#include "base/file.h"
#include "env/household_games.h"
#include "env/household_problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

enum { GAMES = 300, GIVEN_STEPS = 400 };

static void made(HouseholdMade *out, uint64_t seed, HouseholdTask task)
{
    if (household_make(out, seed, task) != ST_OK)
        fail_msg("%s", error_text());
}

/* --- the tables ---------------------------------------------------------------------------------------- */

static bool is_object(Span name)
{
    for (int o = 0; o < OBJECT_KINDS; o++)
        if (span_is(name, object_kinds[o].name))
            return true;
    return false;
}

/* What is said to be held exists, and whatever belongs into a room can be put down somewhere in each such
 * room: nobody is left with it in his hand. */
static void tables_are_sound(void **state)
{
    (void)state;
    for (int r = 0; r < RECEPTACLE_KINDS; r++) {
        const char *at = receptacle_kinds[r].holds;
        for (Span w; (w = words_next(&at)).n;)
            if (!is_object(w))
                fail_msg("%s holds %.*s", receptacle_kinds[r].name, (int)w.n, w.at);
    }
    for (int o = 0; o < OBJECT_KINDS; o++)
        for (int room = 0; room < ROOMS; room++) {
            bool somewhere = object_kinds[o].most[room] == 0;
            for (int r = 0; r < RECEPTACLE_KINDS && !somewhere; r++)
                somewhere = receptacle_kinds[r].in[room].least > 0 &&
                            receptacle_holds(&receptacle_kinds[r], &object_kinds[o]);
            /* Fixed ones need no place to be put to. */
            if (!somewhere && !(object_kinds[o].is & OBJECT_FIXED))
                fail_msg("%s has no place in room %d", object_kinds[o].name, room);
        }
}

/* Its number decides a house; nothing stands where one begins. */
static void houses(void **state)
{
    (void)state;
    int shared = 0, different = 0;
    for (int i = 0; i < 200; i++) {
        House a, b;
        HouseholdRoom room = (HouseholdRoom)(i % ROOMS);
        int number = house_number(room, i);
        house_build(&a, number);
        house_build(&b, number);
        assert_int_equal(a.room, room);
        assert_int_equal(a.receptacles.n, b.receptacles.n);
        for (size_t r = 0; r < a.receptacles.n; r++) {
            assert_string_equal(a.receptacles.at[r].id, b.receptacles.at[r].id);
            assert_true(a.receptacles.at[r].place > 0);
            for (size_t q = 0; q < r; q++)
                shared += a.receptacles.at[q].place == a.receptacles.at[r].place;
        }
        different += a.places.n > a.receptacles.n / 2;
        house_drop(&a);
        house_drop(&b);
    }
    assert_true(shared > 200 && different == 200);
}

/* --- games --------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *game, const char *key)
{
    const char *text = json_string_value(json_object_get(game, key));
    assert_non_null(text);
    return text;
}

/* The file alone, by the engine alone: its walkthrough wins with its last command, and does not begin won. */
static size_t check_game(const HouseholdMade *m)
{
    json_t *game = json_loads(str_c(&m->json), JSON_REJECT_DUPLICATES, NULL), *command;
    assert_non_null(game);
    assert_true(json_is_true(json_object_get(game, "solvable")));
    Household *h = NULL;
    if (household_read(&h, str_span(&m->json)) != ST_OK)
        fail_msg("seed %llu: %s", (unsigned long long)m->seed, error_text());
    HouseholdState *s = household_reset(h);
    size_t i, n = json_array_size(json_object_get(game, "walkthrough"));
    assert_in_range(n, 1, HOUSEHOLD_STEPS);
    assert_true(span_starts(household_task(h), "Your task is to: "));
    assert_true(
        span_starts(household_room(h), "You are in the middle of a room. Looking quickly around you, you "));
    json_array_foreach(json_object_get(game, "walkthrough"), i, command)
    {
        assert_false(s->won);
        assert_int_equal(household_step(h, s, json_string_value(command)), ST_OK);
        assert_string_not_equal(str_c(&s->observation), "Nothing happens.");
        assert_true(household_is_consistent(h, s));
    }
    assert_true(s->won && s->done);
    assert_non_null(strstr(text_of(game, "pddl_problem"), m->object));
    assert_non_null(strstr(text_of(game, "pddl_problem"), m->target));
    household_state_free(s);
    household_close(h);
    json_decref(game);
    return n;
}

static void stumble(const HouseholdMade *m, Rng *rng)
{
    HouseholdState *s = household_reset(m->game);
    HouseholdCommands c = {0};
    HouseholdPlan plan = {0};
    s->limit = 0;
    for (int k = 0; k < 30 && !s->won; k++) {
        household_admissible(m->game, s, &c);
        assert_int_equal(household_step(m->game, s, c.at[rng_below(rng, c.n)]), ST_OK);
        assert_string_not_equal(str_c(&s->observation), "Nothing happens.");
        assert_true(household_is_consistent(m->game, s));
    }
    if (household_plan(m->game, s, &plan) != ST_OK)
        fail_msg("seed %llu, after %s %s", (unsigned long long)m->seed, str_c(&s->observation), error_text());
    array_drop(&plan);
    array_drop(&c);
    household_state_free(s);
}

static void every_type(void **state)
{
    (void)state;
    int of_type[HOUSEHOLD_TASKS] = {0};
    size_t steps = 0, longest = 0;
    double start = clock_now();
    Rng rng;
    rng_seed(&rng, 5);
    for (int i = 0; i < GAMES; i++) {
        HouseholdMade m;
        made(&m, (uint64_t)i, i % 2 ? HOUSEHOLD_ANY : (HouseholdTask)(i / 2 % HOUSEHOLD_TASKS));
        if (i % 2 == 0)
            assert_int_equal(m.task, i / 2 % HOUSEHOLD_TASKS);
        assert_true(span_starts(span(m.name), household_tasks[m.task].name));
        size_t n = check_game(&m);
        steps += n;
        longest = n > longest ? n : longest;
        of_type[m.task]++;
        stumble(&m, &rng);
        household_made_drop(&m);
    }
    printf("%d games made, read again and won: %.1f steps, at most %zu; %.1f ms each\n", GAMES,
           (double)steps / GAMES, longest, 1e3 * (clock_now() - start) / GAMES);
    for (int t = 0; t < HOUSEHOLD_TASKS; t++)
        assert_true(of_type[t] >= GAMES / 12);
    assert_true(longest > 8);
}

/* The same bytes from the same seed, here and on every machine. */
static void a_seed_is_a_game(void **state)
{
    (void)state;
    HouseholdMade a, b, other, big;
    made(&a, 1, HOUSEHOLD_ANY);
    made(&b, 1, HOUSEHOLD_ANY);
    made(&other, 2, HOUSEHOLD_ANY);
    made(&big, UINT64_MAX, HOUSEHOLD_HEAT);
    assert_string_equal(str_c(&a.json), str_c(&b.json));
    assert_string_equal(a.name, b.name);
    assert_string_not_equal(str_c(&a.json), str_c(&other.json));
    assert_int_equal(big.task, HOUSEHOLD_HEAT);
    assert_string_equal(a.name, "look_at_obj_in_light-Bowl-None-FloorLamp-787245");
    assert_true(XXH3_64bits(a.json.at, a.json.n) ==
                UINT64_C(0xde509fd7699f6af0)); /* changes with what is made */
    household_made_drop(&a);
    household_made_drop(&b);
    household_made_drop(&other);
    household_made_drop(&big);
}

static void types_have_names(void **state)
{
    (void)state;
    HouseholdTask t;
    assert_int_equal(household_task_find(&t, "heat"), ST_OK);
    assert_int_equal(t, HOUSEHOLD_HEAT);
    assert_int_equal(household_task_find(&t, "pick_two_obj_and_place"), ST_OK);
    assert_int_equal(t, HOUSEHOLD_TWO);
    assert_int_equal(household_task_find(&t, "any"), ST_OK);
    assert_int_equal(t, HOUSEHOLD_ANY);
    assert_int_equal(household_task_find(&t, "clea"), ST_ARG);
    assert_non_null(strstr(error_text(), "did you mean clean?"));
}

/* --- ALFWorld's games ---------------------------------------------------------------------------------- */

/* A given game with our domain and grammar in it. */
static Household *in_our_words(const char *path, const Household *given)
{
    Str bytes = {0}, grammar = {0}, task = {0};
    Household *h = NULL;
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    json_t *game = json_loadb(bytes.at, bytes.n, 0, NULL);
    str_add(&task, household_task(given).at, household_task(given).n);
    household_grammar(&grammar, str_c(&task));
    json_object_set_new(game, "grammar", json_string(str_c(&grammar)));
    json_object_set_new(game, "pddl_domain", json_stringn(household_domain().at, household_domain().n));
    char *text = json_dumps(game, 0);
    if (household_read(&h, span(text)) != ST_OK)
        fail_msg("%s: %s", path, error_text());
    free(text);
    json_decref(game);
    str_drop(&bytes);
    str_drop(&grammar);
    str_drop(&task);
    return h;
}

static void walk_both(const char *path, const Household *a, const Household *b, Rng *rng)
{
    HouseholdState *s = household_reset(a), *t = household_reset(b);
    HouseholdCommands c = {0}, d = {0};
    assert_string_equal(str_c(&s->observation), str_c(&t->observation));
    for (s->limit = t->limit = 0; s->steps < GIVEN_STEPS;) {
        household_admissible(a, s, &c);
        household_admissible(b, t, &d);
        assert_int_equal(c.n, d.n);
        for (size_t i = 0; i < c.n; i++)
            assert_string_equal(c.at[i], d.at[i]);
        /* What changes things is seldom offered beside so much that looks and goes. */
        const char *command = c.at[rng_below(rng, c.n)];
        for (int tries = 0;
             tries < 4 && (span_starts(span(command), "examine") || span_starts(span(command), "go"));
             tries++)
            command = c.at[rng_below(rng, c.n)];
        assert_int_equal(household_step(a, s, command), ST_OK);
        assert_int_equal(household_step(b, t, command), ST_OK);
        if (strcmp(str_c(&s->observation), str_c(&t->observation)) != 0)
            fail_msg("%s: %s: \"%s\" is \"%s\" with ours", path, command, str_c(&s->observation),
                     str_c(&t->observation));
        assert_int_equal(s->won, t->won);
        if (s->won)
            break;
    }
    array_drop(&c);
    array_drop(&d);
    household_state_free(s);
    household_state_free(t);
}

static void same_words_as_given(void **state)
{
    (void)state;
    HouseholdGames games;
    Rng rng;
    char *root = path_join(data_folder(), "mint/alfworld/games");
    Status st = household_games_find(&games, root);
    if (st != ST_OK)
        printf("SKIP no games in %s (set LEMUR_DATA)\n", root);
    mem_free(root);
    if (st != ST_OK)
        skip();
    rng_seed(&rng, 9);
    for (size_t i = 0; i < games.n; i++) {
        Household *given = NULL;
        if (household_open(&given, games.at[i].path) != ST_OK)
            fail_msg("%s", error_text());
        Household *ours = in_our_words(games.at[i].path, given);
        walk_both(games.at[i].path, given, ours, &rng);
        household_close(given);
        household_close(ours);
    }
    household_games_drop(&games);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound), cmocka_unit_test(houses),
        cmocka_unit_test(every_type),       cmocka_unit_test(a_seed_is_a_game),
        cmocka_unit_test(types_have_names), cmocka_unit_test(same_words_as_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
