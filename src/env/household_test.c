/* The engine on a house of our own, on broken ones, and on ALFWorld's games under $LEMUR_DATA or
 * ../shared/data: every expert's list reaches the goal, and random commands break nothing. */
#include "env/household.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/data_test.h"
#include "base/file.h"
#include "base/rng.h"
#include "env/household_list_test.h"
#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static const char *said(const Household *h, HouseholdState *s, const char *command)
{
    assert_int_equal(household_step(h, s, command), ST_OK);
    assert_true(household_is_consistent(h, s) || s->steps == 0);
    return str_c(&s->observation);
}

static Household *open_tiny(void)
{
    char *game = tiny_game(tiny_domain, tiny_problem, tiny_grammar);
    Household *h = NULL;
    if (household_read(&h, span(game)) != ST_OK)
        fail_msg("%s", error_text());
    free(game);
    return h;
}

static void a_small_house(void **state)
{
    (void)state;
    Household *h = open_tiny();
    HouseholdState *s = household_reset(h);
    assert_string_equal(str_c(&s->observation),
                        "Hello.\n\nThere is a box 1, and a table 1.\n\nYour task is to: tidy up.");
    assert_true(span_is(household_task(h), "Your task is to: tidy up."));
    assert_true(span_is(household_room(h), "There is a box 1, and a table 1."));
    assert_string_equal(said(h, s, "go to table 1"), "Nothing happens."); /* one stands there */
    assert_string_equal(said(h, s, "put ball 1 in table 1"), "Nothing happens.");
    assert_string_equal(said(h, s, "  switch box 1\n"), "on");
    assert_string_equal(said(h, s, "switch box 1"), "off");
    assert_string_equal(said(h, s, "survey"), "ball 2;ball 1;");
    assert_string_equal(said(h, s, "survey"), "Nothing happens.");
    assert_string_equal(said(h, s, "take ball 2 from table 1"), "Taken."); /* ball_bar_1 */
    assert_string_equal(said(h, s, "take ball 1 from table 1"), "Nothing happens.");
    assert_string_equal(said(h, s, "go to box 1"), "You are at there 1. Closed.");
    assert_string_equal(said(h, s, "put ball 2 in box 1"), "Nothing happens.");
    assert_string_equal(said(h, s, "open box 1"), "Open: nothing.");
    assert_string_equal(said(h, s, "open box 1"), "Nothing happens.");
    assert_string_equal(said(h, s, "put ball 2 in box 1"), "Put.");
    assert_string_equal(said(h, s, "go to table 1"), "You are at here 1. On it: ball 1, and missing ball 2.");
    household_state_free(s);
    household_close(h);
}

static void a_fork_goes_its_own_way(void **state)
{
    (void)state;
    Household *h = open_tiny();
    HouseholdState *s = household_reset(h);
    said(h, s, "take ball 1 from table 1");
    HouseholdState *f = household_fork(h, s);
    assert_string_equal(str_c(&f->observation), "Taken.");
    said(h, f, "go to box 1");
    HouseholdCommands a = {0}, b = {0};
    household_admissible(h, s, &a);
    household_admissible(h, f, &b);
    static const char *const at_table[] = {"go to box 1", "put ball 1 in table 1", "survey", "switch box 1",
                                           "switch table 1"};
    static const char *const at_box[] = {"go to table 1", "open box 1", "survey", "switch box 1",
                                         "switch table 1"};
    assert_int_equal(a.n, 5);
    assert_int_equal(b.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(a.at[i], at_table[i]);
        assert_string_equal(b.at[i], at_box[i]);
    }
    array_drop(&a);
    array_drop(&b);
    household_state_free(s);
    household_state_free(f);
    household_close(h);
}

static void won_and_over(void **state)
{
    (void)state;
    Household *h = open_tiny();
    HouseholdState *s = household_reset(h);
    static const char *const list[] = {"take ball 1 from table 1",
                                       "go to box 1",
                                       "open box 1",
                                       "put ball 1 in box 1",
                                       "go to table 1",
                                       "take ball 2 from table 1",
                                       "go to box 1",
                                       "put ball 2 in box 1"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        assert_false(s->won);
        assert_string_not_equal(said(h, s, list[i]), "Nothing happens.");
    }
    assert_true(s->won && s->done);
    assert_string_equal(said(h, s, "go to table 1"), "Put."); /* done: the last words again */
    assert_int_equal(s->steps, 8);
    household_state_free(s);
    s = household_reset(h);
    for (int i = 0; i < HOUSEHOLD_STEPS; i++) {
        assert_false(s->done);
        said(h, s, "wait");
    }
    assert_true(s->done && !s->won);
    household_state_free(s);
    household_close(h);
}

/* A part of the house replaced: refused, with words that tell where. */
static void broken_houses(void **state)
{
    (void)state;
    static const struct {
        int part; /* 0 domain, 1 problem, 2 grammar */
        const char *from, *to, *why;
        Status status;
    } cases[] = {
        {0, "(:types", "(:types (", "domain: line 1: '(' is never closed", ST_FORMAT},
        {0, "agent place", "agent (place)", "domain: line 2: a name expected, not a list", ST_FORMAT},
        {0, "(opened ?r))\n(:action take", "(shut ?r))\n(:action take",
         "domain: line 12: unknown predicate \"shut\"", ST_FORMAT},
        {0, "(in ?o ?r) (not (holdsAny", "(in ?o) (not (holdsAny", "\"in\" has 2 arguments, not 1",
         ST_FORMAT},
        {0, "(in ?o ?r) (not (holdsAny", "(in ?x ?r) (not (holdsAny", "unknown variable \"?x\"", ST_FORMAT},
        {0, "?a - agent ?from", "?a - actor ?from", "unknown type \"actor\"", ST_FORMAT},
        {0, "receptacle object)", "receptacle object - agent agent - object)", "is above itself", ST_FORMAT},
        {0, "?a - agent ?from", "?a - (either agent place) ?from", "(either ...) as a type", ST_UNSUPPORTED},
        {1, "ball_bar_2 table_bar_1", "ball_bar_3 table_bar_1",
         "problem: line 4: unknown object \"ball_bar_3\"", ST_FORMAT},
        {1, "(:goal", "(:gaol", "problem: line 5: unknown section \":gaol\"", ST_FORMAT},
        {1, "box_bar_1) (not (= ?a ?b))))))", "box_bar_1))))))", "line 5: text behind", ST_FORMAT},
        {2, "#box#\"; }\naction open", "#bag#\"; }\naction open", "line 9: go: unknown symbol #bag#",
         ST_FORMAT},
        {2, "Closed.", "#box#", "line 3: box: the symbol contains itself", ST_FORMAT},
        {2, "Closed.", "{o.colour}", "line 3: box: unknown attribute \".colour\"", ST_FORMAT},
        {2, "Closed.", "{o.name", "'{' without '}'", ST_FORMAT},
        {2, "Closed.", "#", "'#' without its second", ST_FORMAT},
        {2, "Closed.", "[words]", "[...] holds", ST_FORMAT},
        {2, "openable(r) & opened(r)", "ajar(r)", "unknown predicate \"ajar\"", ST_FORMAT},
        {2, "openable(r) & opened(r)", "openable(r:thing)", "unknown type \"thing\"", ST_FORMAT},
        {2, "openable(r) & opened(r)", "openable(r", "", ST_FORMAT},
        {2, "\"list_empty\"", "\"list_none\"", "[...] needs the symbols", ST_FORMAT},
        {2, "action survey", "action look", "no template for the domain's action \"survey\"", ST_FORMAT},
        {2, "survey\"; f", "{q}\"; f", "nothing binds the variable \"q\"", ST_FORMAT},
        {2, "survey\"; f", "{o | seen(o)}\"; f", "ask \"seen\", which actions change", ST_FORMAT},
        {2, "\"\"\";\naction go", "\"\";\naction go", "", ST_FORMAT},
        {2, "\"intro\"", "\"box\"", "line 3: duplicate", ST_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *parts[] = {tiny_domain, tiny_problem, tiny_grammar};
        char *changed = tiny_with(parts[cases[i].part], cases[i].from, cases[i].to);
        parts[cases[i].part] = changed;
        char *game = tiny_game(parts[0], parts[1], parts[2]);
        Household *h = NULL;
        Status st = household_read(&h, span(game));
        if (st != cases[i].status || !strstr(error_text(), cases[i].why))
            fail_msg("%zu: %s: status %d, \"%s\"", i, cases[i].to, st, st == ST_OK ? "" : error_text());
        free(game);
        free(changed);
    }
}

/* Texts that would fill the memory, or take for ever. */
static void hostile_houses(void **state)
{
    (void)state;
    Str laugh = {0}, deep = {0}, many = {0};
    str_adds(&laugh, "grammar :: \"\"\"{\"intro\": [{\"rhs\": \"#a0#\"}], \"a20\": [{\"rhs\": \"ha\"}]");
    for (int i = 0; i < 20; i++)
        str_addf(&laugh, ", \"a%d\": [{\"rhs\": \"#a%d##a%d##a%d#\"}]", i, i + 1, i + 1, i + 1);
    str_adds(&laugh, "}\"\"\";\n");
    for (int i = 0; i < 100000; i++)
        str_addc(&deep, '(');
    str_adds(&many, "(define (problem p) (:objects me - agent");
    for (int i = 0; i < 3000; i++)
        str_addf(&many, " o%d", i);
    str_adds(&many, " - object) (:init) (:goal (exists (?a ?b ?c ?d - object) (and (in ?a ?b) (in ?c ?d) "
                    "(not (= ?a ?d))))))");
    const char *domain = "(define (domain d) (:types agent object) (:predicates (in ?a ?b))\n"
                         "(:action mix :parameters (?a ?b - object) :effect (in ?a ?b)))";
    char *games[] = {tiny_game("(define (domain d))", "(define (problem p) (:goal (and)))", str_c(&laugh)),
                     tiny_game(str_c(&deep), tiny_problem, tiny_grammar),
                     tiny_game(domain, str_c(&many), tiny_grammar)};
    for (size_t i = 0; i < 3; i++) {
        Household *h = NULL;
        assert_int_equal(household_read(&h, span(games[i])), ST_LIMIT);
        free(games[i]);
    }
    str_drop(&laugh);
    str_drop(&deep);
    str_drop(&many);
}

/* Every beginning of a game file, and every one with a byte changed, is refused or played, never worse. */
static void mutated_houses(void **state)
{
    (void)state;
    char *game = tiny_game(tiny_domain, tiny_problem, tiny_grammar);
    size_t n = strlen(game);
    Rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < 3000; i++) {
        char *copy = strdup(game);
        size_t length = i < n ? i : n;
        static const char bytes[] = "(){}[]#|\"\\?-:&+'; \n0az\xff";
        for (int k = 0; i % 2 && k < 1 + (int)(i % 3); k++)
            copy[rng_below(&rng, n)] = bytes[rng_below(&rng, sizeof bytes - 1)];
        Household *h = NULL;
        if (household_read(&h, (Span){copy, i % 2 ? n : length}) == ST_OK) {
            HouseholdState *s = household_reset(h);
            HouseholdCommands c = {0};
            for (int k = 0; k < 10; k++) {
                household_admissible(h, s, &c);
                if (c.n && household_step(h, s, c.at[rng_below(&rng, c.n)]) != ST_OK)
                    break;
            }
            array_drop(&c);
            household_state_free(s);
        }
        household_close(h);
        free(copy);
    }
    free(game);
}

/* --- ALFWorld's games ---------------------------------------------------------------------------------- */

typedef Array(char *) Paths;

static void find_games(Paths *out)
{
    char *root = path_join(data_folder(), "mint/alfworld/games");
    FolderList kinds, trials;
    *out = (Paths){0};
    if (folder_list(&kinds, root) != ST_OK) {
        printf("SKIP no games in %s (set LEMUR_DATA)\n", root);
        mem_free(root);
        skip();
    }
    for (size_t i = 0; i < kinds.n; i++) {
        char *kind = path_join(root, kinds.at[i]);
        if (folder_list(&trials, kind) != ST_OK)
            fail_msg("%s", error_text());
        for (size_t k = 0; k < trials.n; k++)
            array_push(out, path_join(kind, trials.at[k]));
        folder_list_drop(&trials);
        mem_free(kind);
    }
    folder_list_drop(&kinds);
    mem_free(root);
}

static void paths_drop(Paths *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->at[i]);
    array_drop(p);
}

static Household *open_game(const char *folder)
{
    Household *h = NULL;
    char *path = path_join(folder, "game.tw-pddl");
    if (household_open(&h, path) != ST_OK)
        fail_msg("%s", error_text());
    mem_free(path);
    return h;
}

static void experts_win(void **state)
{
    (void)state;
    Paths games;
    int steps = 0, stood = 0;
    find_games(&games);
    for (size_t i = 0; i < games.n; i++) {
        Household *h = open_game(games.at[i]);
        HouseholdState *s = household_reset(h);
        char *path = path_join(games.at[i], "gt_traj.txt");
        Str text = {0}, command = {0}, told = {0};
        assert_int_equal(file_read(&text, path, 0), ST_OK);
        s->limit = 0;
        for (const char *at = str_c(&text), *end; *at; at = *end ? end + 1 : end) {
            end = at + strcspn(at, "\n");
            if (!list_command(&command, (Span){at, (size_t)(end - at)}))
                continue;
            assert_false(s->won);
            const char *words = said(h, s, str_c(&command));
            /* The file has what MINT shows: without "You arrive at loc 7. ". */
            str_clear(&told);
            str_addf(&told, "\n%s", strncmp(words, "You arrive", 10) ? words : strstr(words, ". ") + 2);
            bool nothing =
                !strcmp(words, "Nothing happens."); /* the file's engine let one go where one stands */
            assert_true(!nothing || span_starts(str_span(&command), "go to "));
            stood += nothing;
            if (!nothing && !strstr(str_c(&text), str_c(&told)))
                fail_msg("%s: %s: \"%s\" is not what was recorded", path, str_c(&command), words);
            steps++;
        }
        if (!s->won)
            fail_msg("%s: the expert's list does not reach the goal", path);
        str_drop(&text);
        str_drop(&command);
        str_drop(&told);
        household_state_free(s);
        household_close(h);
        mem_free(path);
    }
    printf("%zu games won by their experts in %d steps, %d of them to where one stood\n", games.n, steps,
           stood);
    assert_true(games.n > 0);
    paths_drop(&games);
}

/* Admissible commands do something, and others nothing; random ones keep the house whole. */
static void random_commands(void **state)
{
    (void)state;
    Paths games;
    Rng rng;
    int64_t steps = 0, won = 0;
    double seconds = 0, opening = 0, start;
    rng_seed(&rng, 7);
    find_games(&games);
    for (size_t i = 0; i < games.n; i++) {
        start = clock_now();
        Household *h = open_game(games.at[i]);
        opening += clock_now() - start;
        HouseholdState *s = household_reset(h);
        HouseholdCommands c = {0};
        s->limit = 0;
        start = clock_now();
        for (int k = 0; k < 1000 && !s->done; k++, steps++) {
            household_admissible(h, s, &c);
            const char *command = c.at[rng_below(&rng, c.n)];
            Str cut = {0};
            str_addf(&cut, "%s.", command);
            HouseholdState *f = household_fork(h, s);
            if (k % 16 == 0)
                assert_string_equal(said(h, f, str_c(&cut)), "Nothing happens.");
            household_state_free(f);
            str_drop(&cut);
            assert_int_equal(household_step(h, s, command), ST_OK);
            assert_string_not_equal(str_c(&s->observation), "Nothing happens.");
            if (!household_is_consistent(h, s))
                fail_msg("%s: after %s", games.at[i], command);
        }
        seconds += clock_now() - start;
        won += s->won;
        array_drop(&c);
        household_state_free(s);
        household_close(h);
    }
    printf("%lld random steps, each with a fork, in %.2f s; %lld games won so; %.1f ms to open one\n",
           (long long)steps, seconds, (long long)won, 1e3 * opening / (double)games.n);
    paths_drop(&games);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_house),  cmocka_unit_test(a_fork_goes_its_own_way),
        cmocka_unit_test(won_and_over),   cmocka_unit_test(broken_houses),
        cmocka_unit_test(hostile_houses), cmocka_unit_test(mutated_houses),
        cmocka_unit_test(experts_win),    cmocka_unit_test(random_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
