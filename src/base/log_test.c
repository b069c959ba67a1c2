#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* What `say` writes to stderr, which is a file meanwhile. */
static const char *heard(void (*say)(void))
{
    static char text[16384];
    FILE *f = tmpfile();
    assert_non_null(f);
    fflush(stderr);
    int saved = dup(2);
    assert_true(saved >= 0 && dup2(fileno(f), 2) == 2);
    say();
    fflush(stderr);
    assert_int_equal(dup2(saved, 2), 2);
    close(saved);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void say_each(void)
{
    log_error("e %d", 1);
    log_warn("w %s", "x");
    log_info("i");
    log_debug("d");
}

static void levels_are_kept(void **state)
{
    (void)state;
    assert_string_equal(heard(say_each), "error: e 1\nwarning: w x\ni\n");
    log_level_set(LOG_ERROR);
    assert_string_equal(heard(say_each), "error: e 1\n");
    log_level_set(LOG_DEBUG);
    assert_string_equal(heard(say_each), "error: e 1\nwarning: w x\ni\nd\n");
    log_level_set(LOG_INFO);
}

static void say_hostile(void)
{
    log_error("no model '%s'", "a\tb\nc\x1b[2J\r\x7f \xC2\x9B \xC3\xA9 \xC2\xA0\xC2");
}

static void a_terminal_is_given_no_orders(void **state)
{
    (void)state;
    assert_string_equal(heard(say_hostile),
                        "error: no model 'a\tb\nc?[2J?? ?? \xC3\xA9 \xC2\xA0\xC2'\n");
}

static void say_long(void)
{
    char *word = malloc(10000);
    memset(word, 'x', 9999);
    word[9999] = 0;
    log_info("%s", word);
    free(word);
}

static void long_lines_still_end(void **state)
{
    (void)state;
    const char *text = heard(say_long);
    size_t n = strlen(text);
    assert_true(n > 1000 && n <= 4096);
    assert_int_equal(text[n - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
}

/* Into a file: a line each ten seconds of work, none for short work. */
static void make_progress(void)
{
    Progress p = progress_start("reading", 200, "MB");
    progress_at(&p, 10);
    p.start -= 20;
    p.last_shown -= 11;
    progress_at(&p, 50);
    progress_at(&p, 51);
    progress_end(&p);
    Progress unknown = progress_start("waiting", 0, "files");
    unknown.last_shown -= 11;
    unknown.start -= 11;
    progress_at(&unknown, 22);
    progress_end(&unknown);
}

static void progress_tells_share_and_time_left(void **state)
{
    (void)state;
    const char *text = heard(make_progress);
    assert_non_null(strstr(text, "reading:  25%  50.0 MB"));
    assert_non_null(strstr(text, "1 min 00 s left"));
    assert_non_null(strstr(text, "waiting: 22 files"));
    assert_null(strstr(text, "51.0"));
    assert_null(strstr(text, "nan"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_kept),
        cmocka_unit_test(a_terminal_is_given_no_orders),
        cmocka_unit_test(long_lines_still_end),
        cmocka_unit_test(progress_tells_share_and_time_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
