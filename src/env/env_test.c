/* The one interface: what it promises, held by every world whose data is here. */
#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/envs.h"
#include "env/household_tiny_test.h"
#include "env/needs_sandbox_test.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

/* Two houses of our own, and a folder that no loader takes. */
static void write_houses(void)
{
    static const char *const names[] = {"houses/tiny-Ball-None-Box-1/t1/game.tw-pddl",
                                        "houses/tiny-Ball-None-Box-2/t1/game.tw-pddl",
                                        "houses/movable-Ball-None-Box-2/t1/game.tw-pddl"};
    char *game = tiny_game(tiny_domain, tiny_problem, tiny_grammar);
    for (size_t i = 0; i < 3; i++)
        scratch_text(names[i], game);
    scratch_text("houses/README", "no game");
    free(game);
}

static Env *open_houses(void)
{
    static EnvOptions options;
    Env *e;
    options = (EnvOptions){.games = in_scratch("houses")};
    must(env_open(&e, &household_env, &options));
    return e;
}

static EnvState *begin(Env *e, size_t task)
{
    EnvState *s;
    must(env_reset(&s, e, task));
    return s;
}

static void do_all(EnvState *s, const char *actions)
{
    for (const char *at = actions; *at;) {
        size_t n = strcspn(at, ";");
        must(env_step(s, (Span){at, n}));
        at += n + (at[n] == ';');
    }
}

static const char *seen(const EnvState *s)
{
    return str_c(&env_turn(s)->observation);
}

static void a_house_is_played(void **state)
{
    (void)state;
    write_houses();
    Env *e = open_houses();
    assert_int_equal(env_tasks(e)->n, 2);
    assert_string_equal(env_tasks(e)->at[0].id, "tiny-Ball-None-Box-1/t1");
    assert_string_equal(env_tasks(e)->at[0].part, "tiny");
    assert_string_equal(env_tasks(e)->at[0].about, "Ball, Box");
    EnvState *s = begin(e, 1);
    EnvActions all = {0};
    assert_non_null(strstr(seen(s), "Your task is to: tidy up."));
    must(env_admissible(s, &all));
    assert_true(all.n > 2);
    array_drop(&all);
    do_all(s, "jump");
    assert_true(env_turn(s)->failed);
    do_all(s, "take ball 2 from table 1;go to box 1;open box 1;put ball 2 in box 1;go to table 1");
    assert_false(env_turn(s)->failed);
    assert_false(env_turn(s)->done);
    do_all(s, "take ball 1 from table 1;go to box 1;put ball 1 in box 1");
    assert_true(env_turn(s)->done && env_turn(s)->solved);
    assert_true(env_turn(s)->reward == 1 && env_best(s) == 1);
    assert_int_equal(env_steps(s), 9);
    do_all(s, "go to table 1"); /* nothing any more */
    assert_int_equal(env_steps(s), 9);
    assert_true(env_turn(s)->solved);
    env_free(s);
    env_close(e);
}

static void steps_are_limited(void **state)
{
    (void)state;
    Env *e = open_houses();
    EnvState *s = begin(e, 0);
    for (int i = 0; i < 50; i++) {
        assert_false(env_turn(s)->done);
        do_all(s, "go to box 1");
    }
    assert_true(env_turn(s)->done && !env_turn(s)->solved);
    env_free(s);
    s = begin(e, 0);
    env_limit(s, 2);
    do_all(s, "a;b;c");
    assert_int_equal(env_steps(s), 2);
    env_free(s);
    env_close(e);
}

static void forks_go_their_own_way(void **state)
{
    (void)state;
    Env *e = open_houses();
    EnvState *s = begin(e, 0), *t, *u;
    do_all(s, "take ball 1 from table 1;go to box 1");
    must(env_fork(&t, s));
    assert_string_equal(seen(t), seen(s));
    do_all(t, "open box 1;put ball 1 in box 1");
    assert_non_null(strstr(seen(t), "Put."));
    do_all(s, "put ball 1 in box 1");
    assert_string_equal(seen(s), "Nothing happens."); /* the box is still shut here */
    assert_int_equal(env_steps(t), 4);
    assert_int_equal(env_steps(s), 3);
    must(env_fork(&u, t));
    env_free(t); /* the game stays with its forks */
    env_free(s);
    do_all(u, "go to table 1");
    assert_string_equal(seen(u), "You are at here 1. On it: ball 2, and missing ball 1.");
    env_free(u);
    env_close(e);
}

/* Only the last games stay open, but for those that somebody plays. */
static void many_games_are_played(void **state)
{
    enum { MANY = 150 };
    (void)state;
    char *game = tiny_game(tiny_domain, tiny_problem, tiny_grammar);
    for (int i = 0; i < MANY; i++) {
        char *name = mem_format("many/tiny-Ball-None-Box-%03d/t1/game.tw-pddl", i);
        scratch_text(name, game);
        mem_free(name);
    }
    EnvOptions options = {.games = in_scratch("many")};
    Env *e;
    must(env_open(&e, &household_env, &options));
    EnvState *s = begin(e, 0), *t;
    do_all(s, "take ball 1 from table 1;go to box 1");
    must(env_fork(&t, s));
    env_free(s);
    for (size_t i = 1; i < MANY; i++)
        env_free(begin(e, i));
    do_all(t, "open box 1;put ball 1 in box 1");
    assert_string_equal(seen(t), "Put.");
    env_free(t);
    env_close(e);
    free(game);
}

static void saved_states_are_restored(void **state)
{
    (void)state;
    Env *e = open_houses();
    EnvState *s = begin(e, 0), *t = NULL;
    Str saved = {0};
    do_all(s, "take ball 1 from table 1;go to box 1;open box 1");
    env_limit(s, 5);
    env_save(s, &saved);
    must(env_restore(&t, e, str_span(&saved)));
    assert_string_equal(seen(t), seen(s));
    assert_int_equal(env_steps(t), 3);
    do_all(t, "put ball 1 in box 1;look");
    assert_true(env_turn(t)->done); /* the limit is saved, too */
    env_free(t);
    char *other = tiny_with(str_c(&saved), "open box 1", "open box 2"),
         *task = tiny_with(str_c(&saved), "Box-1/t1", "Box-9/t1"),
         *env = tiny_with(str_c(&saved), "household", "sql");
    assert_int_equal(env_restore(&t, e, span(other)), ST_FORMAT);
    expect_words("lead elsewhere now");
    assert_int_equal(env_restore(&t, e, span(task)), ST_ARG);
    expect_words("did you mean tiny-Ball-None-Box-1/t1");
    assert_int_equal(env_restore(&t, e, span(env)), ST_FORMAT);
    expect_words("is of sql, not of household");
    static const char *const none[] = {
        "",
        "{}",
        "[1]",
        "{\"saved\":1,\"env\":\"household\",\"task\":\"x\",\"limit\":1,\"observation\":\"\"}",
        "{\"saved\":2,\"env\":\"household\",\"task\":\"x\",\"limit\":1,\"observation\":\"\",\"actions\":[]}",
        "{\"saved\":1,\"env\":\"household\",\"task\":\"x\",\"limit\":-1,\"observation\":\"\",\"actions\":[]}",
        "{\"saved\":1,\"env\":\"household\",\"task\":\"x\",\"limit\":1,\"observation\":\"\",\"actions\":{}}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(env_restore(&t, e, span(none[i])), ST_FORMAT);
        expect_words("no saved state");
    }
    for (size_t n = 0; n < saved.n; n++) /* cut anywhere */
        assert_int_not_equal(env_restore(&t, e, (Span){str_c(&saved), n}), ST_OK);
    free(other);
    free(task);
    free(env);
    env_free(s);
    str_drop(&saved);
    env_close(e);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    Env *e;
    EnvOptions nowhere = {.data = in_scratch("nowhere")}, empty = {.games = in_scratch("empty")};
    for (size_t i = 0; env_kinds[i]; i++) {
        assert_int_not_equal(env_open(&e, env_kinds[i], &nowhere), ST_OK);
        expect_words("nowhere");
        expect_words("lemur");
    }
    scratch_text("empty/x/y", "");
    assert_int_equal(env_open(&e, &household_env, &empty), ST_FORMAT);
    expect_words("no <name>/<trial>/game.tw-pddl");
    scratch_text("broken/a-b-c-d-1/t/game.tw-pddl", "{");
    EnvOptions broken = {.games = in_scratch("broken")};
    EnvState *s;
    must(env_open(&e, &household_env, &broken));
    assert_int_equal(env_reset(&s, e, 0), ST_FORMAT);
    expect_words("household, task a-b-c-d-1/t: ");
    env_close(e);
    assert_null(env_kind_find("houses"));
}

/* What every world promises, on its first tasks. -------------------------------------------------------- */

static void hold_copies(Env *e, EnvState *s, Rng *rng)
{
    Str saved = {0}, action = {0};
    EnvState *again, *fork;
    env_save(s, &saved);
    must(env_restore(&again, e, str_span(&saved)));
    must(env_fork(&fork, s));
    assert_string_equal(seen(again), seen(s));
    assert_string_equal(seen(fork), seen(s));
    must(env_guess(s, rng, &action));
    must(env_step(fork, str_span(&action)));
    must(env_step(again, str_span(&action)));
    assert_string_equal(seen(again), seen(fork));
    env_free(again);
    env_free(fork);
    str_drop(&saved);
    str_drop(&action);
}

static void hold_task(Env *e, size_t task, Rng *rng)
{
    Str action = {0};
    EnvState *s = begin(e, task);
    assert_true(*seen(s) != 0);
    for (int i = 0; i < 3 && !env_turn(s)->done; i++) {
        must(env_guess(s, rng, &action));
        must(env_step(s, str_span(&action)));
    }
    if (!env_turn(s)->done)
        hold_copies(e, s, rng);
    env_free(s);
    s = begin(e, task);
    while (env_kind(e)->expert && !env_turn(s)->done) {
        must(env_expert(s, &action));
        must(env_step(s, str_span(&action)));
    }
    if (env_kind(e)->expert && !env_turn(s)->solved)
        fail_msg("%s: the expert does not solve task %s", env_kind(e)->name, env_task(s)->id);
    env_free(s);
    str_drop(&action);
}

static void every_world_holds_it(void **state)
{
    (void)state;
    needs_sandbox();
    int held = 0;
    for (size_t i = 0; env_kinds[i]; i++) {
        EnvOptions options = {.data = data_folder()};
        Env *e;
        Rng rng;
        rng_seed(&rng, 5);
        if (env_open(&e, env_kinds[i], &options) != ST_OK) {
            print_message("SKIP %s: %s\n", env_kinds[i]->name, error_text());
            continue;
        }
        for (size_t t = 0; t < env_tasks(e)->n && t < 6; t++)
            hold_task(e, t, &rng);
        env_close(e);
        held++;
    }
    if (!held)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_house_is_played),         cmocka_unit_test(steps_are_limited),
        cmocka_unit_test(forks_go_their_own_way),    cmocka_unit_test(many_games_are_played),
        cmocka_unit_test(saved_states_are_restored), cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(every_world_holds_it),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
