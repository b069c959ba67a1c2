/* The words of a dump: each kind, what is broken, texts that come back as they were, and any bytes. */
#include "env/mysql_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* Bytes of their own, so that a look behind their end is seen; freed with free. */
static MysqlReader reader_of(char **own, const char *text, size_t n)
{
    *own = malloc(n ? n : 1);
    memcpy(*own, text, n);
    return (MysqlReader){.at = *own, .end = *own + n, .file = "dump", .line = 1};
}

static void expect_token(const char *text, MysqlKind kind, const char *means, size_t means_n)
{
    char *own;
    MysqlToken t;
    MysqlReader r = reader_of(&own, text, strlen(text));
    if (mysql_token_next(&r, &t) != ST_OK)
        fail_msg("%s", error_text());
    if (t.kind != kind || t.text.n != means_n || memcmp(t.text.at, means, means_n) != 0)
        fail_msg("%s: kind %d, \"%s\"", text, t.kind, t.text.at);
    mysql_reader_drop(&r);
    free(own);
}

static void tokens(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        MysqlKind kind;
        const char *means;
    } cases[] = {
        {"", MYSQL_END, ""},
        {" -- a\n# b\n/* c\n*/ /*!40101 SET d */ e", MYSQL_WORD, "e"},
        {"--", MYSQL_END, ""},
        {"--1", MYSQL_MARK, "-"},
        {"--\xC3\xA9", MYSQL_MARK, "-"},
        {"/ *", MYSQL_MARK, "/"},
        {"a_$1\xC3\xA9;", MYSQL_WORD, "a_$1\xC3\xA9"},
        {"`a``b\\`c", MYSQL_NAME, "a`b\\"},
        {"'a''b'", MYSQL_STRING, "a'b"},
        {"\"a\"\"b'\"", MYSQL_STRING, "a\"b'"},
        {"'\\n\\t\\r\\b\\Z\\'\\\"\\\\\\q\\%\\_'", MYSQL_STRING, "\n\t\r\b\x1a'\"\\q\\%\\_"},
        {"12.50e-3x", MYSQL_NUMBER, "12.50e-3"},
        {"1e", MYSQL_NUMBER, "1"},
        {".5", MYSQL_NUMBER, ".5"},
        {"0x4a4B,", MYSQL_BYTES, "JK"},
        {"X'4142'", MYSQL_BYTES, "AB"},
        {"x''", MYSQL_BYTES, ""},
        {"0X41", MYSQL_NUMBER, "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_token(cases[i].text, cases[i].kind, cases[i].means, strlen(cases[i].means));
    expect_token("'a\\0b'", MYSQL_STRING, "a\0b", 3);
    expect_token("0x00ff", MYSQL_BYTES, "\0\xff", 2);
}

static void broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"\n'a", "dump:2: a string without its closing quote"},
        {"'a\\", "dump:1: a string without its closing quote"},
        {"'a\n\\\n", "dump:3: a string without its closing quote"},
        {"`a``", "dump:1: a name without its closing `"},
        {"/*/", "dump:1: a comment without its end"},
        {"0x", "dump:1: bytes in hexadecimal digits that are odd in number or none"},
        {"0x414", "dump:1: bytes in hexadecimal digits that are odd in number or none"},
        {"0x41g", "dump:1: bytes in hexadecimal digits that are odd in number or none"},
        {"x'41", "dump:1: bytes in hexadecimal digits that are odd in number or none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *own;
        MysqlToken t;
        MysqlReader r = reader_of(&own, cases[i].text, strlen(cases[i].text));
        assert_int_equal(mysql_token_next(&r, &t), ST_FORMAT);
        assert_string_equal(error_text(), cases[i].why);
        mysql_reader_drop(&r);
        free(own);
    }
}

static void words_in_their_order(void **state)
{
    (void)state;
    static const char text[] = "Create `ta``ble` ( 'x'";
    char *own;
    bool was;
    Str name = {0};
    MysqlToken t;
    MysqlReader r = reader_of(&own, text, strlen(text));
    assert_int_equal(mysql_token_next(&r, &t), ST_OK);
    assert_int_equal(mysql_token_accept(&r, &t, "DROP", &was), ST_OK);
    assert_false(was);
    assert_int_equal(mysql_token_expect(&r, &t, "CREATE"), ST_OK);
    assert_int_equal(mysql_token_name(&r, &t, &name), ST_OK);
    assert_string_equal(str_c(&name), "ta`ble");
    assert_int_equal(mysql_token_accept(&r, &t, "(", &was), ST_OK);
    assert_true(was);
    assert_false(mysql_token_is(&t, "x")); /* a string is no word */
    assert_int_equal(mysql_token_name(&r, &t, &name), ST_FORMAT);
    assert_string_equal(error_text(), "dump:1: a name should stand here: x");
    assert_int_equal(mysql_token_expect(&r, &t, ")"), ST_FORMAT);
    assert_string_equal(error_text(), "dump:1: ) should stand here: x");
    assert_int_equal(mysql_token_next(&r, &t), ST_OK);
    assert_int_equal(mysql_token_expect(&r, &t, ")"), ST_FORMAT);
    assert_string_equal(error_text(), "dump:1: ) should stand here: the end of the file");
    str_drop(&name);
    mysql_reader_drop(&r);
    free(own);
}

/* As mysqldump writes a value. */
static void add_value(Str *out, const char *bytes, size_t n)
{
    str_addc(out, '\'');
    for (size_t i = 0; i < n; i++)
        switch (bytes[i]) {
        case '\0': str_adds(out, "\\0"); break;
        case '\n': str_adds(out, "\\n"); break;
        case '\r': str_adds(out, "\\r"); break;
        case 26: str_adds(out, "\\Z"); break;
        case '\'':
        case '"':
        case '\\': str_addc(out, '\\'); /* fall through */
        default: str_addc(out, bytes[i]);
        }
    str_addc(out, '\'');
}

static void values_come_back(void **state)
{
    (void)state;
    Rng rng;
    Str text = {0};
    rng_seed(&rng, 5);
    for (int round = 0; round < 5000; round++) {
        char bytes[24];
        size_t n = rng_below(&rng, sizeof bytes + 1);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)rng_below(&rng, rng_below(&rng, 2) ? 256 : 48);
        str_clear(&text);
        add_value(&text, bytes, n);
        char *own;
        MysqlToken t;
        MysqlReader r = reader_of(&own, text.at, text.n);
        assert_int_equal(mysql_token_next(&r, &t), ST_OK);
        assert_int_equal(t.kind, MYSQL_STRING);
        assert_int_equal(t.text.n, n);
        assert_memory_equal(t.text.at, bytes, n);
        assert_ptr_equal(r.at, r.end);
        mysql_reader_drop(&r);
        free(own);
    }
    str_drop(&text);
}

/* Each token goes on, none is larger than what it was read from, and lines are counted as they pass. */
static void any_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "''\"``\\\\\n\n-- #/*/*!*/0xX'41e.+9azAZ_$,;()%\xff\xC3\xA9";
    Rng rng;
    int ended = 0, refused = 0;
    rng_seed(&rng, 9);
    for (int round = 0; round < 30000; round++) {
        char text[16], *own;
        size_t n = rng_below(&rng, sizeof text + 1);
        for (size_t i = 0; i < n; i++)
            text[i] = bytes[rng_below(&rng, sizeof bytes)]; /* its NUL too */
        MysqlReader r = reader_of(&own, text, n);
        MysqlToken t = {.kind = MYSQL_WORD};
        Status st = ST_OK;
        while (st == ST_OK && t.kind != MYSQL_END) {
            const char *from = r.at;
            st = mysql_token_next(&r, &t);
            assert_true(r.at >= from && r.at <= r.end);
            if (st != ST_OK)
                continue;
            int64_t line = 1;
            for (const char *c = own; c < r.at; c++)
                line += *c == '\n';
            assert_int_equal(r.line, line);
            assert_true(t.kind == MYSQL_END ? r.at == r.end : r.at > from);
            assert_true(t.text.n <= (size_t)(r.at - from) && t.text.at[t.text.n] == '\0');
        }
        ended += st == ST_OK;
        refused += st == ST_FORMAT;
        assert_true(st == ST_OK || strncmp(error_text(), "dump:", 5) == 0);
        mysql_reader_drop(&r);
        free(own);
    }
    assert_int_equal(ended + refused, 30000);
    assert_true(ended > 1000 && refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tokens), cmocka_unit_test(broken),
                                       cmocka_unit_test(words_in_their_order),
                                       cmocka_unit_test(values_come_back), cmocka_unit_test(any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
