#include "cli/train_flags.h"

#include <string.h>

#include "base/mem.h"
#include "cli/capture_test.h"

static void other_names_are_ours(void **state)
{
    (void)state;
    char a[] = "tune", b[] = "--num_epochs=3", c[] = "--max-grad-norm", d[] = "0.5", e[] = "num-epochs";
    char *argv[] = {a, b, c, d, e};
    char **words = train_flags_rename(5, argv);
    assert_string_equal(words[1], "--epochs=3");
    assert_string_equal(words[2], "--grad-clip");
    assert_string_equal(words[3], "0.5");
    assert_string_equal(words[4], "num-epochs"); /* no flag */
    assert_null(words[5]);
    train_flags_rename_drop(words, 5);
    assert_null(train_flags_our_name("--epochs"));
}

static void lengths_take_each_others_place(void **state)
{
    (void)state;
    TrainConfig c = {.epochs = 2};
    assert_true(train_flags_has_length(&c));
    train_flags_forget_length(&c);
    assert_false(train_flags_has_length(&c));
    json_t *settings = json_pack("{s:i}", "minutes", 3), *none = json_object();
    assert_true(train_flags_names_length(settings));
    assert_false(train_flags_names_length(none));
    json_decref(settings);
    json_decref(none);
}

static int print(int argc, char **argv)
{
    (void)argc, (void)argv;
    TrainResult r = {
        .steps = 7, .tokens = 70, .loss_nats = 1.5, .held_out_nats = 2, .held_out_bits_per_byte = 1};
    train_flags_print_result("run", &r);
    return 0;
}

static void results_are_json(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(capture(&out, print, 0, NULL), 0);
    assert_non_null(strstr(str_c(&out), "\"steps\": 7"));
    assert_non_null(strstr(str_c(&out), "\"held_out_loss_nats\": 2.0"));
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_names_are_ours),
        cmocka_unit_test(lengths_take_each_others_place),
        cmocka_unit_test(results_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
