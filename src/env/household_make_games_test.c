/* A folder of generated games: found by the reader of ALFWorld's, gone on with, refused where another game
 * is. */
#include "env/household_make_games.h"

#include <jansson.h>

#include "base/scratch_test.h"
#include "env/household_games.h"

static int told;

static Status count(void *context, const HouseholdMade *made, const char *id)
{
    *(int *)context += 1;
    assert_true(span_starts(span(id), made->name));
    return ST_OK;
}

static bool after_five(void *context)
{
    return *(int *)context >= 5;
}

static HouseholdMakeGames twelve(const char *folder)
{
    told = 0;
    return (HouseholdMakeGames){.folder = in_scratch(folder),
                                .games = 12,
                                .seed = 40,
                                .task = HOUSEHOLD_ANY,
                                .each = count,
                                .context = &told};
}

static void a_folder_of_games(void **state)
{
    (void)state;
    HouseholdMakeGames how = twelve("a/games");
    HouseholdMadeGames made;
    HouseholdGames found;
    assert_int_equal(household_make_games(&made, &how), ST_OK);
    assert_int_equal(made.games, 12);
    assert_int_equal(made.written, 12);
    assert_int_equal(made.next_seed, 52 + (uint64_t)made.doubles);
    assert_int_equal(told, 12);
    assert_int_equal(household_games_find(&found, how.folder), ST_OK);
    assert_int_equal(found.n, 12);
    for (size_t i = 0; i < found.n; i++) {
        HouseholdTask task;
        Household *h = NULL;
        json_error_t error;
        char *traj = mem_format("%s/%s/traj_data.json", how.folder, found.at[i].id);
        json_t *data = json_load_file(traj, 0, &error);
        assert_string_equal(json_string_value(json_object_get(data, "task_type")), found.at[i].kind);
        assert_int_equal(household_task_find(&task, found.at[i].kind), ST_OK);
        assert_int_equal(household_open(&h, found.at[i].path), ST_OK);
        household_close(h);
        json_decref(data);
        mem_free(traj);
    }
    household_games_drop(&found);
}

/* Stopped, it leaves whole games; asked again it makes the others. */
static void it_goes_on(void **state)
{
    (void)state;
    HouseholdMakeGames how = twelve("b");
    HouseholdMadeGames made;
    how.stopped = after_five;
    assert_int_equal(household_make_games(&made, &how), ST_CANCELLED);
    assert_int_equal(made.written, 5);
    expect_words("stopped after 5 of 12 games");
    how.stopped = NULL;
    told = 0;
    assert_int_equal(household_make_games(&made, &how), ST_OK);
    assert_int_equal(made.games, 12);
    assert_int_equal(made.written, 7);
    assert_int_equal(told, 12);
}

static void another_game_is_kept(void **state)
{
    (void)state;
    HouseholdMakeGames how = twelve("c");
    HouseholdMadeGames made;
    HouseholdGames found;
    how.games = 1;
    assert_int_equal(household_make_games(&made, &how), ST_OK);
    assert_int_equal(household_games_find(&found, how.folder), ST_OK);
    Str bytes = {0};
    assert_int_equal(file_read(&bytes, found.at[0].path, 0), ST_OK);
    for (int i = 0; i < 2; i++) { /* changed, then longer */
        bytes.at[bytes.n - 2] = ' ';
        str_adds(&bytes, i ? "more" : "");
        assert_int_equal(file_replace(found.at[0].path, bytes.at, bytes.n), ST_OK);
        assert_int_equal(household_make_games(&made, &how), ST_ARG);
        expect_words("name another folder");
    }
    str_drop(&bytes);
    household_games_drop(&found);
    scratch_text("file", "x");
    how.folder = in_scratch("file");
    assert_int_equal(household_make_games(&made, &how), ST_IO);
}

static Status disk_full(void *context, const HouseholdMade *made, const char *id)
{
    (void)context, (void)made, (void)id;
    return ST_IO;
}

static void failures_are_passed_on(void **state)
{
    (void)state;
    HouseholdMakeGames how = twelve("d");
    HouseholdMadeGames made;
    how.each = disk_full;
    assert_int_equal(household_make_games(&made, &how), ST_IO);
    assert_int_equal(made.written, 1);
}

static void a_view_tells_games_apart(void **state)
{
    (void)state;
    HouseholdMade a, b;
    Str one = {0}, same = {0}, other = {0};
    assert_int_equal(household_make(&a, 1, HOUSEHOLD_HEAT), ST_OK);
    assert_int_equal(household_make(&b, 2, HOUSEHOLD_HEAT), ST_OK);
    assert_int_equal(household_view(&one, a.game), ST_OK);
    assert_int_equal(household_view(&same, a.game), ST_OK);
    assert_int_equal(household_view(&other, b.game), ST_OK);
    assert_string_equal(str_c(&one), str_c(&same));
    assert_string_not_equal(str_c(&one), str_c(&other));
    assert_non_null(strstr(str_c(&one), "You open the fridge 1. The fridge 1 is open. In it, you see "));
    assert_non_null(strstr(str_c(&one), "On the countertop 1, you see "));
    household_made_drop(&a);
    household_made_drop(&b);
    str_drop(&one);
    str_drop(&same);
    str_drop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_games),        cmocka_unit_test(it_goes_on),
        cmocka_unit_test(another_game_is_kept),     cmocka_unit_test(failures_are_passed_on),
        cmocka_unit_test(a_view_tells_games_apart),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
