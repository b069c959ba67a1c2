#include "env/hint.h"

#include "base/scratch_test.h"

static int64_t count(const char *words, const char *text)
{
    return hint_count(span(words), span(text));
}

static void words_are_found_whole_and_without_dress(void **state)
{
    (void)state;
    assert_int_equal(count("12", "print(12 + 30)"), 1);
    assert_int_equal(count("12", "print(112 + 120)"), 0);
    assert_int_equal(count("a+b", "( A  +\n b )"), 1);
    assert_int_equal(count("ORDER BY", "select x order   by y"), 1);
    assert_int_equal(count("ORDER BY", "orderby"), 0);
    assert_int_equal(count("name", "SELECT names FROM name_of"), 0);
    assert_int_equal(count("name", "city.name, name"), 2);
    assert_int_equal(count("= 'x'", "a = \"x\""), 1);
    assert_int_equal(count("a a", "a a a"), 2);
    assert_int_equal(count("caf\xC3\xA9", "caf\xC3\xA9s"), 0);
    assert_int_equal(count("", "a"), 0);
    assert_int_equal(count(" \n", "a"), 0);
    assert_int_equal(count("a", " \t"), 0);
    assert_int_equal(count("a b", "a"), 0);
    assert_int_equal(hint_count(span("b"), (Span){"a\0b", 3}), 1);
}

static bool discloses(const char *hint, const char *solution)
{
    return hint_discloses(span(hint), span(solution));
}

static void a_hint_is_no_solution(void **state)
{
    (void)state;
    assert_true(discloses("It is 42.", "42"));
    assert_false(discloses("It is not 420.", "42"));
    assert_true(discloses("Try 12+30 once.", "12 + 30"));
    assert_false(discloses("Look at the 12.", "print(12 + 30)")); /* one of three words */
    assert_true(discloses("Add 30 to 12.", "print(12 + 30)"));
    assert_true(discloses("Take name from city.", "SELECT name FROM city WHERE name = 'x'"));
    assert_false(discloses("A condition is missing.", "SELECT name FROM city WHERE country = 'France'"));
    assert_false(discloses("Only x.", "x + y")); /* two words: the whole alone gives it away */
    assert_false(discloses("+", "* -"));
    assert_false(discloses("", "42"));
    assert_false(discloses("anything", ""));
}

static json_t *line_of(const char *text)
{
    json_error_t why;
    json_t *line = json_loads(text, JSON_ALLOW_NUL, &why);
    if (!line)
        fail_msg("%s: %s", text, why.text);
    return line;
}

static const char sum[] =
    "{\"contains\": \"q\", \"hints\": ["
    "{\"over\": \"answer\", \"has\": [\"NameError\", \"TypeError\"], \"hint\": \"Error.\"},"
    "{\"has\": \"<execute>\", \"lacks\": [\"3 + 4\", \"4 + 3\"], \"hint\": \"Operation.\"},"
    "{\"over\": \"all\", \"lacks\": \"3\", \"hint\": \"Number.\"},"
    "{\"over\": \"answers\", \"lacks\": \"picked\", \"times\": 2, \"hint\": \"Two.\"}],"
    "\"otherwise\": \"Good.\"}";

static void expect(const char *line, const char *last, const char *all, const char *answer,
                   const char *answers, const char *says)
{
    json_t *l = line_of(line);
    HintSaid said = {{span(last), span(all), span(answer), span(answers)}};
    if (hint_check(l) != ST_OK)
        fail_msg("%s", error_text());
    const char *chosen = hint_choose(l, &said);
    if (!says)
        assert_null(chosen);
    else
        assert_string_equal(chosen ? chosen : "(nothing)", says);
    json_decref(l);
}

static void the_first_that_holds_is_said(void **state)
{
    (void)state;
    expect(sum, "<execute>3-4</execute>", "", "TypeError: no", "", "Error.");
    expect(sum, "<execute>3-4</execute>", "3-4", "-1", "", "Operation.");
    expect(sum, "<execute>4+3</execute>", "7", "7", "", "Number.");
    expect(sum, "3 - 4", "3-4", "", "picked one", "Two.");
    expect(sum, "3 - 4", "3-4", "", "picked one, picked two", "Good.");
    expect("{\"contains\": \"q\", \"over\": \"all\", \"hints\": [{\"has\": \"a\", \"hint\": \"x\"}]}", "",
           "a", "", "", "x");
    expect("{\"contains\": \"q\", \"over\": \"all\", \"hints\": [{\"has\": \"a\", \"hint\": \"x\"}]}", "a",
           "", "", "", NULL);
    expect("{\"contains\": \"q\", \"otherwise\": \"y\"}", "", "", "", "", "y");
}

static void refused(const char *text, const char *words)
{
    json_t *line = line_of(text);
    assert_int_equal(hint_check(line), ST_FORMAT);
    expect_words(words);
    json_decref(line);
}

#define ENTRY(text) "{\"contains\": \"q\", \"hints\": [{\"has\": \"a\", \"hint\": \"x\"}, " text "]}"

static void other_forms_are_refused(void **state)
{
    (void)state;
    refused("[]", "it is no object");
    refused("{\"otherwise\": \"y\"}", "\"contains\" is no text");
    refused("{\"contains\": \" \", \"otherwise\": \"y\"}", "or an empty one");
    refused("{\"contains\": \"q\"}", "neither an array \"hints\" nor a text");
    refused("{\"contains\": \"q\", \"hints\": {}}", "neither an array \"hints\"");
    refused("{\"contains\": \"q\", \"hints\": [], \"otherwise\": 3}", "\"otherwise\" is no text");
    refused("{\"contains\": \"q\", \"otherwise\": \"\\u0000\"}", "\"otherwise\" is no text");
    refused("{\"contains\": \"q\", \"hints\": [{\"has\": \"a\", \"hint\": \"y\\u0000\"}]}",
            "\"hint\" is no text");
    refused("{\"contains\": \"q\", \"otherwise\": \"y\", \"over\": \"first\"}", "none of last, all");
    refused("{\"contains\": \"q\", \"otherwise\": \"y\", \"repeats\": 1}", "neither true nor false");
    refused("{\"contains\": \"q\", \"otherwise\": \"y\", \"hint\": []}", "\"hint\" (did you mean hints?)");
    refused(ENTRY("3"), "hint 2: it is no object");
    refused(ENTRY("{\"hint\": \"x\"}"), "hint 2: it wants \"has\" or \"lacks\"");
    refused(ENTRY("{\"has\": [], \"hint\": \"x\"}"), "each a text or an array of texts");
    refused(ENTRY("{\"has\": \"b\", \"lacks\": [\"b\", 1], \"hint\": \"x\"}"), "each a text");
    refused(ENTRY("{\"has\": \" \", \"hint\": \"x\"}"), "each a text");
    refused(ENTRY("{\"has\": \"b\"}"), "\"hint\" is no text");
    refused(ENTRY("{\"has\": \"b\", \"hint\": \"x\", \"times\": 0}"), "from 1 on");
    refused(ENTRY("{\"has\": \"b\", \"hint\": \"x\", \"over\": 1}"), "\"over\" is none of");
    refused(ENTRY("{\"lack\": \"b\", \"hint\": \"x\"}"), "unknown key \"lack\" (did you mean lacks?)");
    refused(ENTRY("{\"lacks\": [\"c\", \"ORDER BY\"], \"hint\": \"You must order by it.\"}"),
            "it says what is lacking, \"ORDER BY\"");
}

/* One word may be said: "Sort" where "sort" is lacking. */
static void a_keyword_may_be_said(void **state)
{
    (void)state;
    expect("{\"contains\": \"q\", \"hints\": [{\"lacks\": \"JOIN\", \"hint\": \"Join them.\"}]}", "", "", "",
           "", "Join them.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_whole_and_without_dress),
        cmocka_unit_test(a_hint_is_no_solution),
        cmocka_unit_test(the_first_that_holds_is_said),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(a_keyword_may_be_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
