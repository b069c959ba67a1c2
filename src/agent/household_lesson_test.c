/* Episodes to learn from, played again by what they say. */
#include "agent/household_lesson.h"

#include <string.h>

#include "env/household_hints.h"
#include "env/household_make.h"
#include "env/household_seek.h"
#include "env/household_tools.h"
#include "tokenizer/conversation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

typedef struct {
    HouseholdMade made;
    HouseholdPlan way;
} Fixture;

static Fixture a_game(uint64_t seed)
{
    Fixture f = {0};
    Rng rng;
    rng_seed(&rng, seed);
    assert_int_equal(household_make(&f.made, seed, HOUSEHOLD_ANY), ST_OK);
    assert_int_equal(household_seek(f.made.game, &rng, &f.way), ST_OK);
    return f;
}

static void drop(Fixture *f)
{
    household_made_drop(&f->made);
    array_drop(&f->way);
}

static Conversation told(const Fixture *f, const HouseholdLesson *how)
{
    json_t *line = NULL;
    Conversation c = {0};
    if (household_lesson(&line, how, f->made.game, "a/trial_1", &f->way) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(json_integer_value(json_object_get(line, "transcript")), 1);
    assert_true(json_is_true(json_object_get(line, "success")));
    assert_int_equal(json_integer_value(json_object_get(line, "commands")), f->way.n);
    assert_string_equal(json_string_value(json_object_get(line, "task")), "a/trial_1");
    assert_int_equal(conversation_from_json(&c, line), ST_OK);
    json_decref(line);
    assert_int_equal(c.messages.n % 2, 0);
    for (size_t i = 0; i < c.messages.n; i++)
        assert_int_equal(c.messages.at[i].role, i % 2 ? CHAT_ASSISTANT : CHAT_USER);
    return c;
}

static bool says(Span text, const char *words)
{
    char *copy = mem_strn(text.at, text.n);
    bool any = strstr(copy, words) != NULL;
    mem_free(copy);
    return any;
}

static void by_commands(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Fixture f = a_game(seed);
        Conversation c = told(&f, &(HouseholdLesson){0});
        HouseholdState *s = household_reset(f.made.game);
        char *task = mem_strn(household_task(f.made.game).at, household_task(f.made.game).n);
        assert_true(says(c.messages.at[0].content, task));
        assert_true(says(c.messages.at[0].content, "Looking quickly around you"));
        assert_int_equal(c.messages.n, 2 * f.way.n);
        for (size_t i = 1; i < c.messages.n; i += 2) {
            Span answer = c.messages.at[i].content;
            char *command = mem_strn(answer.at + 2, answer.n - 2);
            assert_true(span_starts(answer, "> "));
            assert_int_equal(household_step(f.made.game, s, command), ST_OK);
            Span heard = household_heard(s);
            if (i + 1 < c.messages.n)
                assert_true(heard.n == c.messages.at[i + 1].content.n &&
                            memcmp(heard.at, c.messages.at[i + 1].content.at, heard.n) == 0);
            mem_free(command);
        }
        assert_true(s->won);
        mem_free(task);
        household_state_free(s);
        conversation_drop(&c);
        drop(&f);
    }
}

/* The same episode, with what the expert says behind the game's answers, once as long as it holds. */
static void with_hints(void **state)
{
    (void)state;
    size_t hinted = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Fixture f = a_game(seed);
        json_t *line = household_hints(f.made.game, f.made.task, f.made.object, f.made.target),
               *lesson = NULL;
        HouseholdLesson how = {.python = seed % 2}, with = {.python = seed % 2, .hints = line};
        Conversation plain = told(&f, &how), c = told(&f, &with);
        assert_int_equal(c.messages.n, plain.messages.n);
        assert_int_equal(household_lesson(&lesson, &with, f.made.game, "a", &f.way), ST_OK);
        assert_string_equal(json_string_value(json_object_get(lesson, "feedback")), "hints");
        for (size_t i = 0; i < c.messages.n; i++) {
            Span a = plain.messages.at[i].content, b = c.messages.at[i].content;
            assert_true(a.n <= b.n && memcmp(a.at, b.at, a.n) == 0);
            Span words = {b.at + a.n, b.n - a.n};
            assert_true(words.n == 0 || (i > 1 && i % 2 == 0 && span_starts(words, "\nExpert feedback:\n")));
            assert_true(i != 2 || words.n > 0); /* the first answer of the game gets one */
            hinted += words.n > 0;
        }
        conversation_drop(&plain);
        conversation_drop(&c);
        json_decref(line);
        json_decref(lesson);
        drop(&f);
    }
    assert_true(hinted > 20 && hinted < 5 * 20);
}

/* The cells' lines in a row are the calls of the way. */
static void by_code(void **state)
{
    (void)state;
    size_t turns = 0, commands = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Fixture f = a_game(seed);
        Conversation c = told(&f, &(HouseholdLesson){.python = true, .fences = seed % 2});
        Str cells = {0}, calls = {0};
        for (size_t i = 1; i < c.messages.n; i += 2) {
            Span cell = c.messages.at[i].content;
            size_t begin = strlen(seed % 2 ? "```python\n" : "<execute>\n"),
                   end = strlen(seed % 2 ? "```" : "</execute>");
            assert_true(span_starts(cell, seed % 2 ? "```python\n" : "<execute>\n"));
            assert_true(span_ends(cell, seed % 2 ? "\n```" : "\n</execute>"));
            str_add(&cells, cell.at + begin, cell.n - begin - end);
        }
        for (size_t i = 0; i < f.way.n; i++) {
            str_adds(&calls, "print(");
            assert_true(household_call(&calls, f.way.at[i]));
            str_adds(&calls, ")\n");
        }
        assert_string_equal(str_c(&cells), str_c(&calls));
        turns += c.messages.n / 2;
        commands += f.way.n;
        str_drop(&cells);
        str_drop(&calls);
        conversation_drop(&c);
        drop(&f);
    }
    assert_true(turns < commands * 9 / 10);
}

/* Nothing is taken in the cell in which it is first seen, nothing opened before it was seen closed. */
static void a_cell_does_not_guess(void **state)
{
    (void)state;
    int guessed = 0, opened = 0, taken = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Fixture f = a_game(seed);
        Conversation c = told(&f, &(HouseholdLesson){.python = true});
        Str before = {0};
        for (size_t i = 0; i < c.messages.n; i += 2) {
            Span cell = c.messages.at[i + 1].content;
            str_add(&before, c.messages.at[i].content.at, c.messages.at[i].content.n);
            char *text = mem_strn(cell.at, cell.n), *take = strstr(text, "take_from(\""),
                 *open = strstr(text, "open_receptacle(\"");
            if (take) {
                char *name = mem_format(" a %.*s", (int)strcspn(take + 11, "\""), take + 11);
                guessed += strstr(str_c(&before), name) == NULL;
                taken++;
                mem_free(name);
            }
            if (open) {
                char *closed = mem_format("The %.*s is closed.", (int)strcspn(open + 17, "\""), open + 17);
                guessed += strstr(str_c(&before), closed) == NULL;
                opened++;
                mem_free(closed);
            }
            mem_free(text);
        }
        str_drop(&before);
        conversation_drop(&c);
        drop(&f);
    }
    assert_int_equal(guessed, 0);
    assert_true(opened > 10 && taken >= 20);
}

static void an_opening_of_ones_own(void **state)
{
    (void)state;
    Fixture f = a_game(3);
    json_t *line = NULL;
    Conversation c =
        told(&f, &(HouseholdLesson){.python = true, .opening = span("{steps}|{begin}|{end}|{{}}|{task}")});
    assert_true(span_starts(c.messages.at[0].content, "50|<execute>|</execute>|{}|You are in the middle"));
    conversation_drop(&c);
    HouseholdLesson wrong = {.opening = span("{room}")};
    assert_int_equal(household_lesson(&line, &wrong, f.made.game, "x", &f.way), ST_FORMAT);
    assert_null(line);
    drop(&f);
}

static void what_does_not_win_is_refused(void **state)
{
    (void)state;
    Fixture f = a_game(4);
    json_t *line = NULL;
    f.way.n--;
    assert_int_equal(household_lesson(&line, &(HouseholdLesson){0}, f.made.game, "x", &f.way), ST_ARG);
    assert_non_null(strstr(error_text(), "x is not won"));
    f.way.at[0] = "inventory";
    assert_int_equal(household_lesson(&line, &(HouseholdLesson){.python = true}, f.made.game, "x", &f.way),
                     ST_ARG);
    assert_non_null(strstr(error_text(), "no function for the command \"inventory\""));
    f.way.n = 0;
    assert_int_equal(household_lesson(&line, &(HouseholdLesson){0}, f.made.game, "x", &f.way), ST_ARG);
    assert_null(line);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_commands),
                                       cmocka_unit_test(by_code),
                                       cmocka_unit_test(with_hints),
                                       cmocka_unit_test(a_cell_does_not_guess),
                                       cmocka_unit_test(an_opening_of_ones_own),
                                       cmocka_unit_test(what_does_not_win_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
