/* Which games are asked: a list's, or all; what is no list is refused. */
#include "eval/agents/household_tasks.h"

#include <string.h>

#include "base/rng.h"
#include "base/scratch_test.h"

static const EvalSettings settings;
static EvalRun run = {.data = scratch, .settings = &settings};

static Status read_tasks(Questions *q, const char *list)
{
    *q = (Questions){0};
    if (list)
        scratch_text(HOUSEHOLD_LIST, list);
    return household_tasks_read(q, &run);
}

static void make_games(void)
{
    scratch_text(HOUSEHOLD_GAMES "/pick_heat_then_place_in_recep-A/t1/game.tw-pddl", "{}");
    scratch_text(HOUSEHOLD_GAMES "/pick_heat_then_place_in_recep-A/t1/gt_traj.txt", "goto(\"x 1\")\n");
    scratch_text(HOUSEHOLD_GAMES "/look_at_obj_in_light-B/t2/game.tw-pddl", "{}");
}

static void without_a_list_all_games_are_asked(void **state)
{
    (void)state;
    Questions q;
    assert_int_equal(read_tasks(&q, NULL), ST_IO);
    expect_words("lemur eval --fetch gets them");
    make_games();
    assert_int_equal(read_tasks(&q, NULL), ST_OK);
    assert_int_equal(q.all.n, 2);
    assert_string_equal(q.all.at[0].id, "look_at_obj_in_light-B/t2");
    assert_string_equal(q.all.at[0].part, "examine");
    assert_null(json_object_get(q.all.at[0].doc, "reference"));
    assert_string_equal(q.all.at[1].part, "heat");
    assert_string_equal(doc_text(q.all.at[1].doc, "reference").at, "goto(\"x 1\")\n");
    assert_int_equal(doc_text(q.all.at[1].doc, "game_sha256").n, 64);
    Household *game;
    assert_int_equal(household_task_open(&game, &run, &q.all.at[0]), ST_FORMAT); /* "{}" */
    expect_words("game look_at_obj_in_light-B/t2");
    questions_drop(&q);
}

static void a_list_names_them_in_its_order(void **state)
{
    (void)state;
    Questions q;
    make_games();
    assert_int_equal(
        read_tasks(&q, "pick_heat_then_place_in_recep-A/t1\r\n\n  look_at_obj_in_light-B/t2\nx/y"), ST_OK);
    assert_int_equal(q.all.n, 2);
    assert_int_equal(q.left_out, 1);
    assert_string_equal(q.all.at[0].part, "heat");
    const json_t *games = json_object_get(q.lacking, "games");
    assert_int_equal(json_array_size(games), 1);
    assert_string_equal(json_string_value(json_array_get(games, 0)), "x/y");
    questions_drop(&q);
    assert_int_equal(read_tasks(&q, "x/y\n"), ST_IO);
    expect_words("of those that");
    questions_drop(&q);
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {"a/..",  "../a",       "/a",   "a/",      "a",
                                        "a/b/c", "a/b\n./c\n", "a/.b", "\xff\xfe"};
    Questions q;
    make_games();
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (read_tasks(&q, lists[i]) != ST_FORMAT)
            fail_msg("'%s' is taken for a name", lists[i]);
        expect_words(i == 6 ? HOUSEHOLD_LIST ":2:" : HOUSEHOLD_LIST ":1:");
        questions_drop(&q);
    }
    Rng rng;
    rng_seed(&rng, 3);
    for (int i = 0; i < 2000; i++) {
        char bytes[64];
        size_t n = rng_below(&rng, sizeof bytes);
        for (size_t k = 0; k < n; k++)
            bytes[k] = i % 2 ? (char)rng_below(&rng, 256) : "ab/.\n\r "[rng_below(&rng, 7)];
        scratch_write(HOUSEHOLD_LIST, bytes, n);
        Status st = read_tasks(&q, NULL);
        assert_true(st == ST_FORMAT || st == ST_IO);
        questions_drop(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_list_all_games_are_asked),
        cmocka_unit_test(a_list_names_them_in_its_order),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
