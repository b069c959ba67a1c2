#include "cli/chat_template_find.h"

#include "base/log.h"
#include "base/scratch_test.h"
#include "infer/cycle_test.h"

/* The folder of a model that knows no chat. */
static Bundle open_bundle(void)
{
    Device *dev;
    Bundle b;
    BundleSetup setup = {.threads = 1, .compute = DTYPE_F32};
    assert_int_equal(ops_open(&dev, NULL, 1), ST_OK);
    Model *m = cycle_model(dev, CYCLE_V, 8);
    assert_int_equal(model_save(m, scratch, DTYPE_F32), ST_OK);
    cycle_write_tokenizer(scratch);
    model_close(m);
    device_close(dev);
    if (bundle_open(&b, scratch, &setup) != ST_OK)
        fail_msg("%s", error_text());
    return b;
}

static void a_name_wins_and_silence_is_refused(void **state)
{
    (void)state;
    Bundle b = open_bundle();
    ChatTemplate *t = NULL;
    log_level_set(LOG_ERROR);
    assert_int_equal(chat_template_find(&t, &b, "plain"), ST_OK);
    assert_string_equal(chat_template_name(t), "plain");
    chat_template_free(t);
    /* Its marks are spelled out, with a warning. */
    assert_int_equal(chat_template_find(&t, &b, "chatml"), ST_OK);
    chat_template_free(t);
    assert_int_equal(chat_template_find(&t, &b, "no-such"), ST_ARG);
    assert_int_equal(chat_template_find(&t, &b, NULL), ST_ARG);
    assert_non_null(strstr(error_text(), "--template"));
    assert_null(t);
    bundle_close(&b);
}

static void what_the_model_says_is_taken(void **state)
{
    (void)state;
    static const char config[] =
        "{\"chat_template\": \"{% for m in messages %}"
        "<|im_start|>{{ m['role'] }}\\n{{ m['content'] }}<|im_end|>\\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}\"}";
    char *path = path_join(scratch, "tokenizer_config.json");
    assert_int_equal(file_replace(path, config, sizeof config - 1), ST_OK);
    Bundle b = open_bundle();
    ChatTemplate *t = NULL;
    if (chat_template_find(&t, &b, NULL) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(chat_template_name(t), "chatml");
    chat_template_free(t);
    bundle_close(&b);
    remove(path);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_wins_and_silence_is_refused),
        cmocka_unit_test(what_the_model_says_is_taken),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
