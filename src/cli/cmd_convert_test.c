#include "base/log.h"
#include "cli/capture_test.h"
#include "cli/cmd.h"

static int run(Str *out, const char *const *words)
{
    char *argv[16] = {(char[]){"convert"}};
    char copies[15][256];
    int n = 1;
    for (; words[n - 1]; n++) {
        snprintf(copies[n - 1], sizeof copies[0], "%s", words[n - 1]);
        argv[n] = copies[n - 1];
    }
    return capture(out, cmd_convert, n, argv);
}

#define RUN(out, ...) run(out, (const char *const[]){__VA_ARGS__, NULL})

static void wrong_words_are_wrong_usage(void **state)
{
    (void)state;
    Str out = {0};
    log_level_set(LOG_ERROR);
    assert_int_equal(RUN(&out, "model"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "-o", "x.gguf"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "model", "--random", "-o", "x.gguf"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "model", "--seed", "3", "-o", "x.gguf"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "--random", "--preset", "3b", "-o", "x.gguf"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "--random", "--vocab", "7", "-o", "x.gguf"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "--random", "--typ", "f32", "-o", "x.gguf"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "absent", "-o", "/tmp/x.gguf"), EXIT_FAILED);
    str_drop(&out);
}

static void a_random_model_is_written_and_told(void **state)
{
    (void)state;
    Str out = {0};
    log_level_set(LOG_ERROR);
    const char *path = in_scratch("r.gguf");
    assert_int_equal(RUN(&out, "--random", "--preset", "5m", "--vocab", "400", "--seed", "5", "--type",
                         "q4_k_m", "-o", path, "--json", "-t", "2"),
                     EXIT_DONE);
    json_t *result = json_loads(out.at, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(result, "bytes")), file_size(path));
    assert_string_equal(json_string_value(json_object_get(result, "type")), "Q4_K_M");
    json_decref(result);
    assert_int_equal(RUN(&out, "--random", "--preset", "5m", "-o", path), EXIT_USAGE);
    assert_int_equal(RUN(&out, "--random", "--preset", "5m", "--vocab", "400", "-o", path, "--overwrite"),
                     EXIT_DONE);
    assert_int_equal(RUN(&out, "--random", "--preset", "5m", "--dry-run", "-o", in_scratch("none.gguf")),
                     EXIT_DONE);
    assert_false(path_exists(in_scratch("none.gguf")));
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_words_are_wrong_usage),
        cmocka_unit_test(a_random_model_is_written_and_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
