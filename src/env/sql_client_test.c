/* Addresses; a connection is tried by mariadbd_test.c. */
#include "env/sql_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/scratch_test.h"

static bool is(const char *have, const char *want)
{
    return have && want ? strcmp(have, want) == 0 : have == want;
}

static void addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *user, *password, *host, *socket;
        int port;
    } cases[] = {
        {"mysql://reader@localhost", "reader", NULL, "localhost", NULL, 0},
        {"mysql://reader:se:cret@db.example:3307/", "reader", "se:cret", "db.example", NULL, 3307},
        {"mysql://a%40b:%2f%25@h/", "a@b", "/%", "h", NULL, 0},
        {"mysql://h", NULL, NULL, "h", NULL, 0},
        {"mysql://u:@[::1]:33/", "u", "", "::1", NULL, 33},
        {"/run/mysqld/mysqld.sock", NULL, NULL, NULL, "/run/mysqld/mysqld.sock", 0},
        {"root:x@/tmp/a b@c.sock", "root", "x", NULL, "/tmp/a b@c.sock", 0},
    };
    unsetenv("LEMUR_SQL_PASSWORD");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SqlAddress a = {0};
        if (sql_address_read(&a, cases[i].text) != ST_OK)
            fail_msg("%s: %s", cases[i].text, error_text());
        if (!is(a.user, cases[i].user) || !is(a.password, cases[i].password) || !is(a.host, cases[i].host) ||
            !is(a.socket, cases[i].socket) || a.port != cases[i].port)
            fail_msg("%s: user %s password %s host %s socket %s port %d", cases[i].text, a.user, a.password,
                     a.host, a.socket, a.port);
        sql_address_drop(&a);
    }
}

static void wrong_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "auto",           "localhost",       "mysql://",     "mysql://@h",
        "mysql://u@", "mysql://u@h:x/", "mysql://u@h:0",   "mysql://h/db", "mysql://h:70000",
        "u@relative", "mysql://u%4@h",  "mysql://u%00@h/", "mysql://[::1", "mysql://:hush@h"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        SqlAddress a = {0};
        if (sql_address_read(&a, wrong[i]) != ST_ARG)
            fail_msg("%s is taken", wrong[i]);
        expect_words("mysql://USER");
        assert_null(strstr(error_text(), "hush"));
    }
}

/* A password comes from the environment where the address has none, and is never shown. */
static void passwords_stay_hidden(void **state)
{
    (void)state;
    SqlAddress a = {0}, b = {0};
    Str shown = {0};
    setenv("LEMUR_SQL_PASSWORD", "hush", 1);
    assert_int_equal(sql_address_read(&a, "mysql://u@h"), ST_OK);
    assert_int_equal(sql_address_read(&b, "mysql://u:own@h"), ST_OK);
    unsetenv("LEMUR_SQL_PASSWORD");
    assert_string_equal(a.password, "hush");
    assert_string_equal(b.password, "own");
    sql_address_add(&shown, &b);
    assert_string_equal(str_c(&shown), "u@h:3306");
    str_drop(&shown);
    sql_address_drop(&a);
    sql_address_drop(&b);
}

static void any_text_is_taken(void **state)
{
    (void)state;
    static const char letters[] = "mysql://u:p@h:33[]%4a/?#";
    srand(5);
    for (int round = 0; round < 20000; round++) {
        char text[40] = "mysql://";
        size_t n = round % 2 ? 8 : 0, more = (size_t)(rand() % 20);
        for (size_t i = 0; i < more; i++)
            text[n++] = letters[rand() % (int)(sizeof letters - 1)];
        text[n] = 0;
        SqlAddress a = {0};
        if (sql_address_read(&a, text) == ST_OK)
            assert_true((a.host != NULL) != (a.socket != NULL));
        sql_address_drop(&a);
    }
}

/* Nobody is there: the address is told, and nothing hangs. */
static void nobody_is_told(void **state)
{
    (void)state;
    SqlClient *c;
    SqlAddress a = {0};
    assert_int_equal(sql_address_read(&a, "u:hush@/nowhere/socket"), ST_OK);
    Status st = sql_client_open(&c, &a, NULL);
    assert_true(st == ST_PEER || st == ST_UNSUPPORTED);
    expect_words(st == ST_PEER ? "u@/nowhere/socket" : "libmariadb-dev");
    assert_null(strstr(error_text(), "hush"));
    sql_address_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_are_read),
                                       cmocka_unit_test(wrong_addresses_are_refused),
                                       cmocka_unit_test(passwords_stay_hidden),
                                       cmocka_unit_test(any_text_is_taken), cmocka_unit_test(nobody_is_told)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
