#include "infer/bundle.h"

#include "base/scratch_test.h"
#include "infer/cycle_test.h"
#include "infer/generate.h"

/* A model of `vocab` rows beside the tokenizer of CYCLE_TOKENS. */
static void save(int64_t vocab)
{
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    Model *m = cycle_model(dev, vocab, 8);
    assert_int_equal(model_save(m, scratch, DTYPE_BF16), ST_OK);
    cycle_write_tokenizer(scratch);
    model_close(m);
    device_close(dev);
}

static bool keep(void *context, const char *text, size_t n)
{
    str_add(context, text, n);
    return true;
}

static void a_folder_written_is_opened_and_writes(void **state)
{
    (void)state;
    save(CYCLE_V);
    static const DType types[] = {DTYPE_COUNT, DTYPE_BF16, DTYPE_F32};
    for (int i = 0; i < 3; i++) {
        Bundle b;
        Generator *g;
        GenerateResult r;
        Str text = {0};
        BundleSetup setup = {.threads = 1, .compute = types[i]};
        if (bundle_open(&b, scratch, &setup) != ST_OK)
            fail_msg("%s", error_text());
        assert_int_equal(model_setup(b.model)->context, 64);
        assert_int_equal(b.ends.n, 1);
        GenerateOptions o = {.max_tokens = 40, .sampler = sampler_greedy(), .ends = b.ends.at,
                             .ends_n = b.ends.n, .prompt_flags = TOK_BOS};
        assert_int_equal(generate_open(&g, b.model, b.tokenizer), ST_OK);
        assert_int_equal(generate_text(g, "o", 1, &o, keep, &text, &r), ST_OK);
        assert_string_equal(str_c(&text), "pqrst\xC3\xA9");
        generate_close(g);
        str_drop(&text);
        bundle_close(&b);
    }
}

static void every_end_of_text_is_found(void **state)
{
    (void)state;
    static const char more[] = "{\"eos_token_id\": [2, 7, 9, 7, -1, 4000, \"x\"]}";
    save(CYCLE_V);
    char *path = path_join(scratch, "generation_config.json");
    assert_int_equal(file_replace(path, more, sizeof more - 1), ST_OK);
    Bundle b;
    BundleSetup setup = {.threads = 1, .compute = DTYPE_F32, .context = 10};
    assert_int_equal(bundle_open(&b, scratch, &setup), ST_OK);
    assert_int_equal(b.ends.n, 3);
    assert_int_equal(b.ends.at[2], 9);
    assert_int_equal(model_setup(b.model)->context, 10);
    bundle_close(&b);
    remove(path);
    mem_free(path);
}

static void vocabularies_that_differ_are_refused(void **state)
{
    (void)state;
    Bundle b;
    BundleSetup setup = {.threads = 1, .compute = DTYPE_F32};
    save(CYCLE_TOKENS - 1);
    assert_int_equal(bundle_open(&b, scratch, &setup), ST_FORMAT);
    assert_non_null(strstr(error_text(), "do not belong together"));
    assert_null(b.model);
    save(CYCLE_TOKENS + 5000); /* as --padded-vocab may train it */
    assert_int_equal(bundle_open(&b, scratch, &setup), ST_OK);
    bundle_close(&b);
    assert_int_equal(bundle_open(&b, "/absent", &setup), ST_IO);
    assert_null(b.dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_written_is_opened_and_writes),
        cmocka_unit_test(every_end_of_text_is_found),
        cmocka_unit_test(vocabularies_that_differ_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
