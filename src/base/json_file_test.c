#include "base/json_file.h"

#include "base/scratch_test.h"

static void numbers_come_back_exactly_and_short(void **state)
{
    (void)state;
    Str text = {0};
    json_t *again, *value = json_pack("{s:f, s:I}", "third", 1.0 / 3, "n", (json_int_t)1 << 60);
    assert_int_equal(json_file_write(in_scratch("a.json"), value), ST_OK);
    assert_int_equal(json_file_read(&again, in_scratch("a.json")), ST_OK);
    assert_true(json_equal(value, again));
    json_decref(again);
    json_decref(value);
    value = json_pack("{s:f}", "lr", 6e-4);
    assert_int_equal(json_file_write(in_scratch("a.json"), value), ST_OK);
    assert_int_equal(file_read(&text, in_scratch("a.json"), 0), ST_OK);
    assert_string_equal(text.at, "{\n  \"lr\": 0.0006\n}\n");
    str_drop(&text);
    json_decref(value);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    json_t *kept = json_null(), *out = kept;
    scratch_text("b.json", "{\n \"a\": 1,\n \"a\": 2}");
    assert_int_equal(json_file_read(&out, in_scratch("b.json")), ST_FORMAT);
    assert_non_null(strstr(error_text(), "b.json line 3"));
    scratch_text("b.json", "");
    assert_int_equal(json_file_read(&out, in_scratch("b.json")), ST_FORMAT);
    assert_int_equal(json_file_read(&out, in_scratch("absent.json")), ST_IO);
    assert_ptr_equal(out, kept);
    json_t *text = json_string("alone");
    assert_int_equal(json_file_write(in_scratch("c.json"), text), ST_ARG);
    assert_false(path_exists(in_scratch("c.json")));
    json_decref(text);
}

static void expect_lenient(const char *text, const char *wanted)
{
    json_error_t error;
    json_t *value = json_load_lenient(span(text), JSON_DECODE_ANY, &error);
    char *got = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!wanted)
        assert_null(got);
    else if (!got || strcmp(got, wanted) != 0)
        fail_msg("%s became %s", text, got ? got : error.text);
    free(got);
    json_decref(value);
}

static void what_others_publish_is_read(void **state)
{
    (void)state;
    expect_lenient("{\"a\": 18446744073709551615, \"b\": 9223372036854775807}",
                   "{\"a\":1.8446744073709552e19,\"b\":9223372036854775807}");
    expect_lenient("[-123456789012345678901, 1, -2, 1.5, 1e3]", "[-1.2345678901234568e20,1,-2,1.5,1000.0]");
    expect_lenient("{\"score\": NaN, \"x\": [Infinity, -Infinity], \"t\": true}",
                   "{\"score\":null,\"x\":[null,null],\"t\":true}");
    expect_lenient("{\"a\": \"NaN \\\" 18446744073709551615 \\\\\", \"b\": NaN}",
                   "{\"a\":\"NaN \\\" 18446744073709551615 \\\\\",\"b\":null}");
    expect_lenient("9223372036854775807", "9223372036854775807"); /* nothing is wrong with it */
    expect_lenient("[9223372036854775808, -9223372036854775808, -9223372036854775809]",
                   "[9.2233720368547758e18,-9223372036854775808,-9.2233720368547758e18]");
    bool widened;
    json_error_t error;
    json_t *wide = json_load_wide(span("[1, 18446744073709551615]"), 0, &widened, &error);
    assert_true(widened && json_is_integer(json_array_get(wide, 0)) && json_is_real(json_array_get(wide, 1)));
    json_decref(wide);
    assert_null(json_load_wide(span("[NaN]"), 0, &widened, &error));
    assert_false(widened);
    assert_null(json_load_wide(span("[18446744073709551615, NaN]"), 0, &widened, &error));
    expect_lenient("{\"a\": nan}", NULL);
    expect_lenient("{\"a\": NaN", NULL);
    expect_lenient("{\"a\": \"\\", NULL);
    expect_lenient("", NULL);
}

static void any_bytes_become_a_string(void **state)
{
    (void)state;
    json_t *text = json_text((Span){"a\377\0b", 4});
    assert_int_equal(json_string_length(text), 6);
    assert_memory_equal(json_string_value(text), "a\xef\xbf\xbd\0b", 6);
    json_decref(text);
}

static void hashes_have_all_their_digits(void **state)
{
    (void)state;
    json_t *low = json_hex(0xa), *high = json_hex(UINT64_MAX - 1);
    assert_string_equal(json_string_value(low), "000000000000000a");
    assert_string_equal(json_string_value(high), "fffffffffffffffe");
    json_decref(low);
    json_decref(high);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_publish_is_read),
        cmocka_unit_test(any_bytes_become_a_string),
        cmocka_unit_test(hashes_have_all_their_digits),
        cmocka_unit_test(numbers_come_back_exactly_and_short),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
