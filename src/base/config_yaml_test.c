#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

static const char good[] = "# a recipe\n"
                           "seed: 7\n"
                           "ratio: 2.5e-1\n"
                           "name: 'quoted: 1'\n"
                           "on: true\n"
                           "none: ~\n"
                           "big: 99999999999999999999\n"
                           "hex: 0x1F\n"
                           "version: \"1\"\n"
                           "tagged: !!str 12\n"
                           "text: |\n"
                           "  two\n"
                           "  lines\n"
                           "sources:\n"
                           "  - &a {path: x, kind: code}\n"
                           "  - *a\n"
                           "  -\n"
                           "    path: [y, 20k]\n";

static json_t *parse(const char *text)
{
    json_t *v = NULL;
    if (config_parse_yaml(&v, text, strlen(text), "test") != ST_OK)
        fail_msg("%s", error_text());
    return v;
}

static void values_get_their_types(void **state)
{
    (void)state;
    json_t *v = parse(good);
    assert_int_equal(json_integer_value(json_object_get(v, "seed")), 7);
    assert_true(json_real_value(json_object_get(v, "ratio")) == 0.25);
    assert_string_equal(json_string_value(json_object_get(v, "name")), "quoted: 1");
    assert_true(json_is_true(json_object_get(v, "on")));
    assert_true(json_is_null(json_object_get(v, "none")));
    assert_string_equal(json_string_value(json_object_get(v, "big")), "99999999999999999999");
    assert_int_equal(json_integer_value(json_object_get(v, "hex")), 31);
    assert_string_equal(json_string_value(json_object_get(v, "version")), "1");
    assert_string_equal(json_string_value(json_object_get(v, "tagged")), "12");
    assert_string_equal(json_string_value(json_object_get(v, "text")), "two\nlines\n");
    json_t *sources = json_object_get(v, "sources");
    assert_int_equal(json_array_size(sources), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(sources, 1), "kind")), "code");
    assert_int_equal(config_line(v), 2);
    assert_int_equal(config_line(json_array_get(sources, 2)), 18);
    config_forget_lines(v);
    assert_int_equal(config_line(json_array_get(sources, 2)), 0);
    json_decref(v);
}

static void nothing_is_null(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\n \n", "# only a remark\n", "---\n"};
    for (size_t i = 0; i < 4; i++) {
        json_t *v = parse(empty[i]);
        assert_true(json_is_null(v));
        json_decref(v);
    }
}

static void faults_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        Status status;
        const char *says;
    } faults[] = {
        {"a: 1\nb: 2\na: 3\n", ST_FORMAT, "test:3: 'a' is given twice"},
        {"a: 1\nb: [1, 2\nc: 3\n", ST_FORMAT, "test:"},
        {"a: b: c\n", ST_FORMAT, "test:1:"},
        {"a: &x [*x]\n", ST_FORMAT, "*x names nothing"},
        {"a: *y\n", ST_FORMAT, "*y names nothing"},
        {"a: 1\n---\nb: 2\n", ST_UNSUPPORTED, "test:2: a second document"},
        {"a: !python/object x\n", ST_UNSUPPORTED, "tag"},
        {"<<: {a: 1}\n", ST_UNSUPPORTED, "merge"},
        {"? [1]\n: 2\n", ST_UNSUPPORTED, "must be text"},
        {"a: &k b\n*k : 2\n", ST_UNSUPPORTED, "alias"},
        {"\"\\x01line\": 3\n", ST_FORMAT, "test:1:"},
        {"a: \"x\\0y\"\n", ST_FORMAT, "zero byte"},
        {"a: \"\\ud800\"\n", ST_FORMAT, "test:1:"},
        {"ok: 1\nbad: \x02\n", ST_FORMAT, "test:2: a control byte"},
        {"a: \xC3\x28\n", ST_FORMAT, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        json_t *v;
        Status st = config_parse_yaml(&v, faults[i].text, strlen(faults[i].text), "test");
        if (st != faults[i].status || !strstr(error_text(), faults[i].says))
            fail_msg("fault %zu: %s: %s", i, status_name(st), error_text());
        assert_null(v);
    }
}

static Status repeat(const char *piece, size_t times, const char *end)
{
    Str s = {0};
    json_t *v;
    for (size_t i = 0; i < times; i++)
        str_adds(&s, piece);
    str_adds(&s, end);
    Status st = config_parse_yaml(&v, s.at, s.n, "test");
    json_decref(v);
    str_drop(&s);
    return st;
}

static void nesting_and_bombs_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(repeat("[", 100000, ""), ST_LIMIT);
    assert_int_equal(repeat("{a: ", 100000, ""), ST_LIMIT);
    assert_int_equal(repeat("- ", 100000, ""), ST_LIMIT);
    assert_int_not_equal(repeat("? ", 10000, ""), ST_OK);
    assert_int_not_equal(repeat("a: ", 10000, ""), ST_OK);
    assert_int_not_equal(repeat("&a ", 10000, "b"), ST_OK);
    Str bomb = {0};
    json_t *v;
    str_adds(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 30; i++)
        str_addf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_int_equal(config_parse_yaml(&v, bomb.at, bomb.n, "test"), ST_LIMIT);
    str_drop(&bomb);
}

/* Every cut and many random changes of a good file: any answer but a crash or a hang. */
static void damage_never_crashes(void **state)
{
    (void)state;
    Rng rng;
    json_t *v;
    rng_seed(&rng, 1);
    for (size_t n = 0; n < sizeof good - 1; n++) {
        Status st = config_parse_yaml(&v, good, n, "test");
        assert_true((st == ST_OK) == (v != NULL));
        json_decref(v);
    }
    for (int i = 0; i < 2000; i++) {
        char *text = mem_strn(good, sizeof good - 1);
        static const char marks[] = "[]{}:,-&*!|>'\"%@` \n#?\t\\0~a";
        for (uint64_t k = 1 + rng_below(&rng, 6); k-- > 0;)
            text[rng_below(&rng, sizeof good - 1)] = marks[rng_below(&rng, sizeof marks - 1)];
        Status st = config_parse_yaml(&v, text, sizeof good - 1, "test");
        assert_true((st == ST_OK) == (v != NULL));
        json_decref(v);
        mem_free(text);
    }
}

static void files_are_read(void **state)
{
    (void)state;
    char path[] = "/tmp/lemur-yaml-XXXXXX";
    json_t *v;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_replace(path, good, sizeof good - 1), ST_OK);
    assert_int_equal(config_read_yaml(&v, path), ST_OK);
    assert_int_equal(json_integer_value(json_object_get(v, "seed")), 7);
    json_decref(v);
    assert_int_equal(truncate(path, (16 << 20) + 1), 0);
    assert_int_equal(config_read_yaml(&v, path), ST_LIMIT);
    unlink(path);
    assert_int_equal(config_read_yaml(&v, path), ST_IO);
    assert_null(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_get_their_types),    cmocka_unit_test(nothing_is_null),
        cmocka_unit_test(faults_are_named_with_their_line), cmocka_unit_test(nesting_and_bombs_are_bounded),
        cmocka_unit_test(damage_never_crashes),      cmocka_unit_test(files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
