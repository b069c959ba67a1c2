/* The words of a game: spoken in a small world, refused with a line where they are wrong, and bounded. */
#include "env/game_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static const char domain[] = "(define (domain d) (:types fruit - thing place)\n"
                             "(:predicates (on ?t - thing ?p - place) (red ?t) (near ?p ?q) (rain))\n"
                             "(:action drop :parameters (?T - thing ?p - place) :effect (on ?t ?p))\n"
                             "(:action pour :effect (and (rain) (forall (?t ?p) (not (on ?t ?p))))))\n";
static const char problem[] = "(define (problem p) (:objects a1 a2 a3 - fruit hat - thing bar foo - place)\n"
                              "(:init (red a1) (red a3) (red hat) (on a1 foo) (on hat foo) (near bar foo))\n"
                              "(:goal (rain)))\n";

typedef struct {
    Arena arena;
    PddlTask task;
    Ground ground;
    uint64_t gone;
    const char *names[6]; /* a1 a2 a3 bar foo hat */
    GameText *text;
} World;

static void world_open(World *w)
{
    *w = (World){.names = {"apple 1", "apple 2", NULL, "the bar", "the foo", "hat"}};
    if (pddl_read(&w->task, &w->arena, span(domain), span(problem)) != ST_OK ||
        ground_task(&w->ground, &w->arena, &w->task) != ST_OK)
        fail_msg("%s", error_text());
    const GroundFacts *on = &w->ground.facts[pddl_predicate(&w->task, span("on"))];
    w->gone = (uint64_t)1 << on->bits[2]; /* on a2 bar */
    assert_int_equal(w->ground.bits_n, 9);
}

/* What `rhs` becomes, with the symbols of `more` beside it; t is the hat and p is foo where `bound`. */
static Status speak(Str *out, World *w, const char *rhs, const char *more, bool bound)
{
    Str grammar = {0};
    json_t *word = json_string(rhs);
    char *quoted = json_dumps(word, JSON_ENCODE_ANY);
    str_addf(&grammar, "grammar :: \"\"\"\n{\"top\":\n [{\"rhs\": %s}]%s%s}\n\"\"\";", quoted,
             *more ? ",\n" : "", more);
    json_decref(word);
    free(quoted);
    GameWorld world = {w->ground.init, &w->gone, w->names};
    int args[] = {5, 4};
    str_clear(out);
    Status st = game_text_read(&w->text, &w->arena, str_span(&grammar), &w->ground);
    if (st == ST_OK)
        st = game_text_expand(out, w->text, game_text_symbol(w->text, "top"), &world,
                              bound ? &w->task.actions[0] : NULL, args);
    str_drop(&grammar);
    return st;
}

static const char lists[] =
    "\"list_empty\": [{\"rhs\": \"nothing\"}], \"list_separator\": [{\"rhs\": \", \"}], "
    "\"list_last_separator\": [{\"rhs\": \" and \"}]";

static void spoken(void **state)
{
    (void)state;
    static const struct {
        const char *rhs, *more, *words;
    } cases[] = {
        {"plain ] } words\n", "", "plain ] } words\n"},
        {"", "", ""},
        {"#a##a#", "\"a\": [{\"rhs\": \"x#b c(d)#\"}], \"b c(d)\": [{\"rhs\": \"y\"}]", "xyxy"},
        {"{t} {t.name} {t.id} {T.type} {t.indefinite}", "", "hat hat hat thing a"},
        {"{'a' + \"b\" + t}{ 'x' }", "", "abhatx"},
        {"{x.name | near(x, p) }{x | near(p, x)}{q.name or 'no ' + q.id | red(q:fruit)}", "",
         "the barapple 1no a3"},
        {"{x.id + ';' | red(x)}", "", "a1;a3;"}, /* the hat is t */
        {"{x.name or x.id | red(x:fruit)}", "", "apple 1a3"},
        {"{x.name or #none# | red(x:fruit)}", "\"none\": [{\"rhs\": \"?\"}]", "apple 1?"},
        {"{x.id + y.id + ' ' | red(x:fruit) & red(y:fruit)}", "", "a1a3 a3a1 "},
        {"[{x.id | on(x, p)}]", lists, "a1"},
        {"[{x.id | on(x, y)}{x.id | red(x:fruit)}{x.id | red(x)}]", lists, "a1, a3, a1 and a3"},
        {"[{x.id | red(x:place)}]", lists, "nothing"},
        {"[ {x.id | red(x:fruit)} {'end'} ]", lists, "a1, a3 and end"},
        {"{x.id + '@' + y.id | not_on(x, y)}{x | not_rain() & red(x)}{x | not_red(x)}", "", "a2@bar"},
        {"#s#{x.id|rain()}",
         "\"s\": [{\"condition\": \"rain()\", \"rhs\": \"wet\"},"
         "{\"condition\": \"on(x:fruit, p) & red(x)\", \"rhs\": \"dry\"}, {\"rhs\": \"?\"}]",
         "dry"},
    };
    World w;
    Str words = {0};
    world_open(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (speak(&words, &w, cases[i].rhs, cases[i].more, true) != ST_OK)
            fail_msg("%s: %s", cases[i].rhs, error_text());
        if (strcmp(str_c(&words), cases[i].words) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].rhs, str_c(&words), cases[i].words);
    }
    str_drop(&words);
    arena_drop(&w.arena);
}

/* What stands between items knows nothing of what they bind. */
static void separators_of_a_list(void **state)
{
    (void)state;
    World w;
    Str words = {0};
    world_open(&w);
    assert_int_equal(speak(&words, &w, "[{x.id | red(x)}]",
                           "\"list_empty\": [{\"rhs\": \"\"}], \"list_last_separator\": [{\"rhs\": \" & \"}],"
                           "\"list_separator\": [{\"condition\": \"near(x, y)\", \"rhs\": \", then \"},"
                           "{\"rhs\": \"-\"}]",
                           false),
                     ST_OK);
    assert_string_equal(str_c(&words), "a1, then a3 & hat");
    str_drop(&words);
    arena_drop(&w.arena);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *rhs, *more, *why;
    } cases[] = {
        {"#a", "", "grammar: line 2: top: '#' without its second"},
        {"#a#", "", "grammar: line 2: top: unknown symbol #a#"},
        {"##", "", "grammar: line 2: top: unknown symbol ##"},
        {"#top#", "", "grammar: line 2: top: the symbol contains itself"},
        {"#a#", "\"a\": [{\"rhs\": \"{x or #b#}\"}],\n\"b\": [{\"rhs\": \"[{#a#}]\"}]",
         "grammar: line 5: b: [...] needs the symbols list_empty, list_separator, list_last_separator"},
        {"#a#", "\"a\": [{\"rhs\": \"{x or #b#}\"}],\n\"b\": [{\"rhs\": \"{#a#}\"}]",
         "grammar: line 4: a: the symbol contains itself"},
        {"x",
         "\"list_empty\": [{\"rhs\": \"\"}], \"list_separator\": [{\"rhs\": \"\"}],\n"
         "\"list_last_separator\": [{\"rhs\": \"[{x}]\"}]",
         "grammar: line 5: list_last_separator: the symbol contains itself"},
        {"{", "", "grammar: line 2: top: in {...}, a variable, a quoted text or a symbol expected"},
        {"{}", "", "grammar: line 2: top: in {...}, a variable, a quoted text or a symbol expected"},
        {"{t", "", "grammar: line 2: top: '{' without '}', or more in it than is understood"},
        {"{t u}", "", "grammar: line 2: top: '{' without '}', or more in it than is understood"},
        {"{t.}", "", "grammar: line 2: top: unknown attribute \".\""},
        {"{t.size}", "", "grammar: line 2: top: unknown attribute \".size\""},
        {"{'t}", "", "grammar: line 2: top: a quoted text that never ends"},
        {"{t + }", "", "grammar: line 2: top: in {...}, a variable, a quoted text or a symbol expected"},
        {"{t or }", "", "grammar: line 2: top: in {...}, a variable, a quoted text or a symbol expected"},
        {"{t | }", "", "grammar: line 2: top: unknown predicate \"\""},
        {"{t | blue(t)}", "", "grammar: line 2: top: unknown predicate \"blue\""},
        {"{t | not_blue(t)}", "", "grammar: line 2: top: unknown predicate \"not_blue\""},
        {"{t | red}", "", "grammar: line 2: top: \"red\": '(' expected"},
        {"{t | red(}", "", "grammar: line 2: top: \"red(\": a variable expected"},
        {"{t | red(t}", "", "grammar: line 2: top: \"red(\" is not closed"},
        {"{t | red()}", "", "grammar: line 2: top: \"red\" has 1 arguments, not 0"},
        {"{t | red(t, p)}", "", "grammar: line 2: top: \"red\" has 1 arguments, not more"},
        {"{t | red(t:colour)}", "", "grammar: line 2: top: unknown type \"colour\""},
        {"{t | red(t:)}", "", "grammar: line 2: top: unknown type \"\""},
        {"{t | red(t) & }", "", "grammar: line 2: top: unknown predicate \"\""},
        {"[", "", "grammar: line 2: top: [...] holds one {...} or more, and nothing else"},
        {"[]", "", "grammar: line 2: top: [...] holds one {...} or more, and nothing else"},
        {"[{t}, {p}]", lists, "grammar: line 2: top: [...] holds one {...} or more, and nothing else"},
        {"[{t}]", "",
         "grammar: line 2: top: [...] needs the symbols list_empty, list_separator, list_last_separator"},
        {"x", "\"a\": []", "grammar: line 4: a: a list of rules expected"},
        {"x", "\"a\": {\"rhs\": \"\"}", "grammar: line 4: a: a list of rules expected"},
        {"x", "\"a\": [\"\"]", "grammar: line 4: a: a rule is {\"condition\": QUERY, \"rhs\": TEXT}"},
        {"x", "\"a\": [{\"rhs\": 1}]", "grammar: line 4: a: a rule is {\"condition\": QUERY, \"rhs\": TEXT}"},
        {"x", "\"a\": [{\"condition\": null, \"rhs\": \"\"}]",
         "grammar: line 4: a: a rule is {\"condition\": QUERY, \"rhs\": TEXT}"},
        {"x", "\"a\": [{\"condition\": \"\", \"rhs\": \"\"}]", "grammar: line 4: a: unknown predicate \"\""},
        {"x", "\"a\": [{\"condition\": \"rain() or rain()\", \"rhs\": \"\"}]",
         "grammar: line 4: a: a condition is facts joined by '&'"},
        {"x", "\"top\": [{\"rhs\": \"\"}]", "grammar: line 4: duplicate object key near '\"top\"'"},
        {"x", "\"a\"", "grammar: line 4: ':' expected near '}'"},
        /* understood, and cannot be spoken */
        {"{q}", "", "grammar: nothing binds the variable \"q\""},
        {"{q | red(x)}", "", "grammar: nothing binds the variable \"q\""},
        {"{x | red(x)}{x}", "", "grammar: nothing binds the variable \"x\""},
        {"#a#", "\"a\": [{\"condition\": \"rain()\", \"rhs\": \"\"}]",
         "grammar: line 4: no rule of \"a\" has a match"},
        {"#a#", "\"a\": [{\"condition\": \"red(x)\", \"rhs\": \"{x}\"}]",
         "grammar: nothing binds the variable \"x\""},
    };
    World w;
    Str words = {0};
    world_open(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Status st = speak(&words, &w, cases[i].rhs, cases[i].more, true);
        if (st != ST_FORMAT || strcmp(error_text(), cases[i].why) != 0)
            fail_msg("%s: status %d, \"%s\", not \"%s\"", cases[i].rhs, st, st ? error_text() : str_c(&words),
                     cases[i].why);
    }
    str_drop(&words);
    arena_drop(&w.arena);
}

/* The file around the texts. */
static void files(void **state)
{
    (void)state;
    static const struct {
        const char *file, *why;
    } cases[] = {
        {"grammer :: \"\"\"{}\"\"\";", "grammar: line 1: \"grammar\" or \"action\" expected"},
        {"\nwords", "grammar: line 2: \"grammar\" or \"action\" expected"},
        {"grammar", "grammar: line 1: \"::\" expected behind \"grammar\""},
        {"grammar ::\n{}", "grammar: line 2: \"\"\" expected"},
        {"grammar ::\n\"\"\"{\n}", "grammar: line 2: \"\"\" is never closed"},
        {"grammar :: \"\"\"{\n}\"\"\"", "grammar: line 2: ';' expected"},
        {"grammar :: \"\"\"[\n]\"\"\";", "grammar: line 1: an object of symbols expected"},
        {"\ngrammar :: \"\"\"\n{\"a\": ]}\"\"\";", "grammar: line 3: unexpected token near ']'"},
        {"grammar :: \"\"\"{\"a\": [{\"rhs\": \"\"}]}\"\"\";\ngrammar :: \"\"\"\n{\"a\": 1}\"\"\";",
         "grammar: line 3: symbol \"a\" is defined twice"},
        {"action", "grammar: line 1: action NAME { expected"},
        {"action { }", "grammar: line 1: action NAME { expected"},
        {"action a", "grammar: line 1: action NAME { expected"},
        {"action a {", "grammar: line 1: template, feedback, grammar or '}' expected"},
        {"action a {\n text :: \"\"; }", "grammar: line 2: template, feedback, grammar or '}' expected"},
        {"action a {\n template \"\"; }", "grammar: line 2: \"::\" expected"},
        {"action a {\n template :: ; }", "grammar: line 2: \" expected"},
        {"action a {\n template :: \"x; }", "grammar: line 2: \" is never closed"},
        {"action a {\n template :: \"x\"\n}", "grammar: line 3: ';' expected"},
        {"action a { }\naction A { }", "grammar: line 2: action \"a\" is defined twice"},
        {"action a {\n template :: \"x\";\n feedback :: \"#\"; }",
         "grammar: line 3: a: '#' without its second"},
    };
    World w;
    world_open(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Status st = game_text_read(&w.text, &w.arena, span(cases[i].file), &w.ground);
        if (st != ST_FORMAT || strcmp(error_text(), cases[i].why) != 0)
            fail_msg("%s: status %d, \"%s\", not \"%s\"", cases[i].file, st, st ? error_text() : "",
                     cases[i].why);
    }
    arena_drop(&w.arena);
}

static void actions(void **state)
{
    (void)state;
    World w;
    Str words = {0};
    world_open(&w);
    GameWorld fixed = {.names = w.names}, world = {w.ground.init, &w.gone, w.names};
    static const char file[] =
        "action Drop { template :: \"drop {t} at {P.id}\"; feedback :: \"It {is.id}\\nfell#x#.\"; }\n"
        "action pour { grammar :: \"\"\"{\"x\": [{\"rhs\": \"\"}]}\"\"\"; template :: \"{x|on(x,y)}\"; }";
    int args[] = {5, 3};
    assert_int_equal(game_text_read(&w.text, &w.arena, span(file), &w.ground), ST_OK);
    const GameAction *drop = game_text_action(w.text, "drop"), *pour = game_text_action(w.text, "pour");
    assert_true(drop && pour && !game_text_action(w.text, "Drop") && !game_text_symbol(w.text, "y"));
    assert_true(pour->template && !pour->feedback);
    assert_int_equal(game_text_expand(&words, w.text, drop->template, &fixed, &w.task.actions[0], args),
                     ST_OK);
    assert_string_equal(str_c(&words), "drop hat at bar");
    assert_int_equal(game_text_expand(&words, w.text, drop->feedback, &world, &w.task.actions[0], args),
                     ST_FORMAT);
    assert_int_equal(game_text_expand(&words, w.text, pour->template, &fixed, NULL, NULL), ST_FORMAT);
    assert_string_equal(error_text(), "a command's words ask \"on\", which actions change");
    str_drop(&words);
    arena_drop(&w.arena);
}

/* Symbols within symbols, symbols that double each other, texts and files beyond their bounds. */
static void too_much(void **state)
{
    (void)state;
    World w;
    Str words = {0}, more = {0};
    world_open(&w);
    for (int depth = GAME_DEPTH_MAX - 1; depth <= GAME_DEPTH_MAX; depth++) { /* and "top" */
        str_clear(&more);
        for (int i = 1; i < depth; i++)
            str_addf(&more, "\"a%d\": [{\"rhs\": \"#a%d#\"}],\n", i, i + 1);
        str_addf(&more, "\"a%d\": [{\"rhs\": \"\"}]", depth);
        assert_int_equal(speak(&words, &w, "#a1#", str_c(&more), false),
                         depth == GAME_DEPTH_MAX ? ST_LIMIT : ST_OK);
    }
    assert_string_equal(error_text(), "grammar: line 35: a32: symbols within symbols, more than 32 deep");
    str_clear(&more);
    for (int i = 1; i < 30; i++)
        str_addf(&more, "\"a%d\": [{\"rhs\": \"#a%d##a%d#\"}],\n", i, i + 1, i + 1);
    str_adds(&more, "\"a30\": [{\"rhs\": \"\"}]");
    assert_int_equal(speak(&words, &w, "#a1#", str_c(&more), false), ST_LIMIT);
    assert_string_equal(error_text(), "grammar: a text that looks at too much");
    assert_int_equal(speak(&words, &w,
                           "{x|red(a)&red(b)&red(c)&red(d)&red(e)&red(f)&red(g)&red(h)&red(i)&red(j)&"
                           "red(k)&red(l)&red(m)&red(n)&red(o)&red(p)&red(q)}",
                           "", false),
                     ST_LIMIT);
    assert_string_equal(error_text(), "grammar: line 2: top: a question of more than 16 facts");
    str_clear(&more);
    for (int i = 0; i < 5000; i++)
        str_adds(&more, "#laugh##laugh##laugh#");
    assert_int_equal(
        speak(&words, &w, str_c(&more), "\"laugh\": [{\"rhs\": \"hahahahahahahahahahaha\"}]", false),
        ST_LIMIT);
    assert_string_equal(error_text(), "grammar: a text of more than 262144 bytes");
    str_clear(&more);
    for (int i = 0; i <= GAME_VARIABLES_MAX; i++)
        str_addf(&more, "{v%d}", i);
    assert_int_equal(speak(&words, &w, str_c(&more), "", false), ST_LIMIT);
    assert_string_equal(error_text(), "grammar: line 2: top: more than 64 variables");
    str_clear(&more);
    str_adds(&more, "{x");
    for (int i = 0; i <= GAME_DEPTH_MAX; i++)
        str_adds(&more, " or x");
    str_adds(&more, "}");
    assert_int_equal(speak(&words, &w, str_c(&more), "", false), ST_LIMIT);
    assert_string_equal(error_text(), "grammar: line 2: top: more than 32 alternatives in {...}");
    str_clear(&more);
    for (int i = 0; i < GAME_SYMBOLS_MAX; i++)
        str_addf(&more, "%s\"s%d\": [{\"rhs\": \"\"}]", i ? ",\n" : "", i);
    assert_int_equal(speak(&words, &w, "", str_c(&more), false), ST_LIMIT);
    assert_string_equal(error_text(), "grammar: line 2003: more than 2000 symbols");
    str_clear(&more);
    for (int i = 0; i <= GAME_ACTIONS_MAX; i++)
        str_addf(&more, "action a%d {}\n", i);
    assert_int_equal(game_text_read(&w.text, &w.arena, str_span(&more), &w.ground), ST_LIMIT);
    assert_string_equal(error_text(), "grammar: line 1001: more than 1000 actions");
    str_clear(&more);
    while (more.n <= GAME_GRAMMAR_MAX)
        str_adds(&more, "                                                                ");
    assert_int_equal(game_text_read(&w.text, &w.arena, str_span(&more), &w.ground), ST_LIMIT);
    str_drop(&words);
    str_drop(&more);
    arena_drop(&w.arena);
}

/* Texts of random marks and names: spoken or refused. */
static void random_texts(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "{",      "}",   "[",    "]",          "#",      "#a#",       "|",
        "&",      "x",   "t",    ".name",      ".id",    " or ",      " + ",
        "'",      "'w'", "red(", "on(x, p)",   "red(x)", "not_on(",   "x:fruit",
        ")",      ",",   " ",    "near(p, q)", "{x",     "| red(x)}", "[{x.id | red(x)}]",
        "rain()", "\xff"};
    World w;
    Rng rng;
    Str text = {0}, words = {0};
    int spoken_n = 0;
    rng_seed(&rng, 11);
    world_open(&w);
    for (int round = 0; round < 20000; round++) {
        str_clear(&text);
        str_clear(&words);
        str_adds(&text, "action drop { feedback :: \"");
        for (int n = 1 + (int)rng_below(&rng, 8); n > 0; n--)
            str_adds(&text, parts[rng_below(&rng, sizeof parts / sizeof *parts)]);
        str_addf(&text, "\"; }\ngrammar :: \"\"\"{\"a\": [{\"rhs\": \"A\"}], %s}\"\"\";", lists);
        Arena arena = {0};
        GameText *g;
        int args[] = {5, 4};
        GameWorld world = {w.ground.init, &w.gone, w.names};
        Status st = game_text_read(&g, &arena, str_span(&text), &w.ground);
        if (st == ST_OK)
            st = game_text_expand(&words, g, game_text_action(g, "drop")->feedback, &world,
                                  &w.task.actions[0], args);
        spoken_n += st == ST_OK;
        assert_true(st == ST_OK || (st == ST_FORMAT && !strncmp(error_text(), "grammar: ", 9)));
        arena_drop(&arena);
    }
    assert_true(spoken_n > 500);
    str_drop(&text);
    str_drop(&words);
    arena_drop(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spoken),       cmocka_unit_test(separators_of_a_list),
        cmocka_unit_test(refused),      cmocka_unit_test(files),
        cmocka_unit_test(actions),      cmocka_unit_test(too_much),
        cmocka_unit_test(random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
