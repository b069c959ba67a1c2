/* Over a model whose text is known (infer/cycle_test.h). */
#include "cli/train_sample.h"

#include "base/log.h"
#include "base/scratch_test.h"
#include "infer/cycle_test.h"

typedef struct {
    Device *dev;
    Model *m;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = mem_new(Fixture);
    *state = f;
    if (scratch_make(state) != 0 || device_open_cpu(&f->dev, 1) != ST_OK || ops_attach(f->dev, NULL) != ST_OK)
        return -1;
    f->m = cycle_model(f->dev, CYCLE_V, 8);
    cycle_write_tokenizer(scratch);
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    model_close(f->m);
    device_close(f->dev);
    mem_free(f);
    return scratch_remove(state);
}

static void the_prompt_goes_on(void **state)
{
    Fixture *f = *state;
    Str text = {0};
    TrainSample s = {.prompt = "p", .tokenizer = scratch};
    size_t held = 0;
    for (int i = 0; i < 3; i++) {
        str_clear(&text);
        assert_int_equal(train_sample_text(&text, &s, f->m, NULL), ST_OK);
        assert_string_equal(str_c(&text), "qrst\xC3\xA9");
        assert_true(i == 0 || f->dev->bytes == held); /* the cache is given back; working memory stays */
        held = f->dev->bytes;
    }
    train_sample_drop(&s);
    str_drop(&text);
}

static void no_vocabulary_is_said_and_is_no_disaster(void **state)
{
    Fixture *f = *state;
    Str text = {0};
    TrainSample s = {.prompt = "p"};
    log_level_set(LOG_ERROR);
    assert_int_equal(train_sample_text(&text, &s, f->m, NULL), ST_ARG);
    expect_words("--tokenizer");
    train_sample_on_eval(&s, f->m, 1, NULL, NULL);
    assert_true(s.failed);
    train_sample_on_eval(&s, f->m, 2, NULL, NULL);
    assert_int_equal(device_sync(f->dev), ST_OK);
    train_sample_drop(&s);
    str_drop(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prompt_goes_on),
        cmocka_unit_test(no_vocabulary_is_said_and_is_no_disaster),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
