/* Words as process_sql.py's tokenize gives them (taoyds/test-suite-sql-eval, commit e97acc5, with
 * nltk 3.10.4). */
#include "eval/spider_tokens.h"

#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* Joined by " | ". */
static void expect_tokens(const char *query, const char *joined)
{
    SpiderTokens words = {0};
    Arena arena = {0};
    Str is = {0};
    assert_int_equal(spider_tokens_read(&words, &arena, span(query)), ST_OK);
    for (size_t i = 0; i < words.n; i++)
        str_addf(&is, "%s%.*s", i ? " | " : "", (int)words.at[i].n, words.at[i].at);
    assert_string_equal(str_c(&is), joined);
    str_drop(&is);
    array_drop(&words);
    arena_drop(&arena);
}

static void words_are_those_of_the_published_parser(void **state)
{
    (void)state;
    expect_tokens("SELECT a FROM b WHERE c='x y' AND d>=1;",
                  "select | a | from | b | where | c=__val_24_28__ | and | d | "
                  "> | =1 | ;");
    expect_tokens("SELECT a FROM b WHERE c = 'X  y' AND d >= 1",
                  "select | a | from | b | where | c | = | \"X  y\" | and | "
                  "d | >= | 1");
    expect_tokens("SELECT a,b , 1,2 FROM c", "select | a | , | b | , | 1,2 | from | c");
    expect_tokens("SELECT `a` FROM ``b``", "select | ` | a | ` | from | `` | b | ``");
    expect_tokens("WHERE a ! = 'O''Hara'", "where | a | != | __val_12_14____val_15_20__");
    expect_tokens("a.b.", "a.b | .");
    expect_tokens("SELECT cannot , gonna", "select | can | not | , | gon | na");
    expect_tokens("a--b ... c", "a | -- | b | ... | c");
    expect_tokens("SELECT COUNT(*)<=3", "select | count | ( | * | ) | < | =3");
    expect_tokens("a \u00ab b \u00bb c\u2014d", "a | \u00ab | b | \u00bb | c | \u2014 | d");
    expect_tokens("A\u00a0B ;) .", "a | b | ; | ) | .");
    expect_tokens(",,a", ", | ,a");
    expect_tokens("", "");
}

static void what_cannot_be_words_is_refused(void **state)
{
    (void)state;
    SpiderTokens words = {0};
    Arena arena = {0};
    Str long_ = {0};
    for (int i = 0; i < 20001; i++)
        str_addc(&long_, 'a');
    assert_int_equal(spider_tokens_read(&words, &arena, span("x = 'It''s' \"Q'q\"")), ST_FORMAT);
    assert_int_equal(spider_tokens_read(&words, &arena, (Span){"a\0b", 3}), ST_FORMAT);
    assert_int_equal(spider_tokens_read(&words, &arena, str_span(&long_)), ST_FORMAT);
    str_drop(&long_);
    array_drop(&words);
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_those_of_the_published_parser),
        cmocka_unit_test(what_cannot_be_words_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
